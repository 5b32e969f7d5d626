package app

import (
	"os"
	"strings"
	"testing"

	"cau/internal/check"
)

func TestR11_ThisHostIsNoNodeOfTheCluster(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	if got := hostCheck([]string{"NODE1", "NODE2"}, map[string]string{"NODE1": "127.0.0.1:5985", "NODE2": "node2.invalid"}, ""); got.Outcome != check.Pass {
		t.Errorf("%+v", got)
	}
	short, _, _ := strings.Cut(host, ".")
	if got := hostCheck([]string{"NODE1", strings.ToUpper(short)}, map[string]string{}, ""); got.Outcome != check.Fail || got.Remedy == "" {
		t.Errorf("by name: %+v", got)
	}
	if _, own := localNames(); len(own) > 0 && !strings.Contains(own[0], ":") {
		if got := hostCheck([]string{"NODE1"}, map[string]string{"NODE1": own[0] + ":5985"}, ""); got.Outcome != check.Fail {
			t.Errorf("by address %s: %+v", own[0], got)
		}
	}
}
