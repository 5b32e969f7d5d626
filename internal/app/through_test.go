package app

import (
	"slices"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/check"
)

func points() []engine.AccessPoint {
	return []engine.AccessPoint{{Role: "FS", Name: "fs1"}, {Role: "FS", Address: "10.0.0.9"}, {Role: "DNS", Address: "fd00::53"}, {Role: "Odd", Address: "0.0.0.0"}, {Role: "Full", Name: "fs2.contoso.test"}}
}

func TestR11_ARootThatTheClusterItselfServesIsAWarning(t *testing.T) {
	for server, c := range map[string]struct {
		addresses []string
		want      check.Outcome
	}{
		"FS1":                {nil, check.Warn},
		"fs1.contoso.test":   {nil, check.Warn},
		"fs2.contoso.test.":  {nil, check.Warn},
		"fs2.fabrikam.test":  {nil, check.Pass},
		"alias.contoso.test": {[]string{"10.0.0.9"}, check.Warn},
		"10.0.0.9":           {nil, check.Warn},
		"fs3":                {[]string{"10.0.0.10", "0.0.0.0"}, check.Pass},
	} {
		if got := rootServer(points(), server, c.addresses); got.Outcome != c.want || got.Evidence == "" || (got.Outcome == check.Warn) != (got.Remedy != "") {
			t.Errorf("%s: %+v", server, got)
		}
	}
}

func TestR11_NamesThatTheClusterItselfResolvesAreAWarning(t *testing.T) {
	servers := nameServers(strings.NewReader("# nameserver 10.0.0.1\nsearch contoso.test\nnameserver 10.0.0.2\nnameserver\n  nameserver fd00:0::53%eth0 \n"))
	if !slices.Equal(servers, []string{"10.0.0.2", "fd00:0::53%eth0"}) {
		t.Fatalf("%q", servers)
	}
	if got := namesServed(points(), servers); got.Outcome != check.Warn || !strings.Contains(got.Evidence, "DNS") {
		t.Errorf("%+v", got)
	}
	if got := namesServed(points(), servers[:1]); got.Outcome != check.Pass {
		t.Errorf("%+v", got)
	}
}
