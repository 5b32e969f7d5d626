package kerberos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	realm   = "LAB.EXAMPLE"
	service = "WSMAN/node1.lab.example"
	alias   = "HTTP/node1.lab.example"
)

// clock is the time of one side, which tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time        { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) move(by time.Duration) { c.ahead.Add(int64(by)) }

// domain starts a KDC with the user admin, whose password is right, and a service.
func domain(tb testing.TB, c KDCConfig) *KDC {
	tb.Helper()
	c.Realm = realm
	k := NewKDC(c)
	k.AddUser("admin", "right")
	k.AddService(service, alias)
	if err := k.Start("127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(k.Close)
	return k
}

// missing skips a test for want of a peer, and fails it where CI says that
// everything must be there.
func missing(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv("CAU_REQUIRE_SERVERS") == "1" || os.Getenv("CI") == "true" {
		tb.Fatal(why)
	}
	tb.Skip(why)
}

// mit runs MIT's programs with a configuration and a credential cache of their own.
type mit struct {
	dir string
	env []string
}

func newMIT(tb testing.TB, k *KDC, libdefaults ...string) *mit {
	tb.Helper()
	for _, tool := range []string{"kinit", "kvno", "klist"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(tb, "no "+tool+" (Debian: krb5-user)")
		}
	}
	if !slices.Contains(libdefaults, overUDP()) {
		libdefaults = append(libdefaults, "udp_preference_limit = 1")
	}
	dir := tb.TempDir()
	conf := fmt.Sprintf(`[libdefaults]
default_realm = %s
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
%s
[realms]
%s = {
  kdc = %s
}
[domain_realm]
.lab.example = %s
`, realm, strings.Join(libdefaults, "\n"), realm, k.Address(), realm)
	path := filepath.Join(dir, "krb5.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	return &mit{dir: dir, env: append(os.Environ(), "LC_ALL=C", "TZ=UTC", "KRB5_CONFIG="+path,
		"KRB5CCNAME=FILE:"+filepath.Join(dir, "cc"), "KRB5RCACHETYPE=none")}
}

// overUDP is the line for a client that tries UDP first; without it TCP is first.
func overUDP() string { return "udp_preference_limit = 32000" }

func (m *mit) run(tb testing.TB, stdin, name string, args ...string) (string, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdin = m.env, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must runs a program that has to succeed.
func (m *mit) must(tb testing.TB, stdin, name string, args ...string) string {
	tb.Helper()
	out, err := m.run(tb, stdin, name, args...)
	if err != nil {
		tb.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// says runs a program that has to fail with this message.
func (m *mit) says(tb testing.TB, want, stdin, name string, args ...string) {
	tb.Helper()
	out, err := m.run(tb, stdin, name, args...)
	if err == nil || !strings.Contains(out, want) {
		tb.Errorf("%s %v: %v\n%s\nwant %q", name, args, err, out, want)
	}
}
