package sambatest_test

import (
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"cau/internal/sambatest"
)

func TestADomainHasItsOwnNetworkAndIsGoneAfterStop(t *testing.T) {
	d := sambatest.Domain(t)
	if host, _, err := net.SplitHostPort(d.KDC); err != nil || host != "127.0.0.1" {
		t.Errorf("the KDC is at %s", d.KDC)
	}
	for _, path := range []string{d.Keytab, d.UserKeytab, d.Config} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	cache := t.TempDir() + "/cc"
	d.Kinit(t, cache)
	if logons := d.Logons(sambatest.Operator); !slices.Contains(logons, "NT_STATUS_OK") || slices.Contains(logons, "NT_STATUS_WRONG_PASSWORD") {
		t.Errorf("the audit log has %v", logons)
	}
	d.Stop()
	if c, err := net.DialTimeout("tcp", d.KDC, time.Second); err == nil {
		_ = c.Close()
		t.Error("something still listens")
	}
	if _, err := os.Stat(d.Config); !os.IsNotExist(err) {
		t.Errorf("files are left: %v", err)
	}
}
