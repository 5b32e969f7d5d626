package sambatest_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cau/internal/sambatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAServerServesItsFoldersAndIsGoneAfterStop(t *testing.T) {
	s := sambatest.Start(t, sambatest.WithShare("extra", "read only = yes"))
	if err := os.WriteFile(filepath.Join(s.Dir("extra"), "a.txt"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.AddShare(t, "late")
	if out := list(t, s, "extra"); !strings.Contains(out, "a.txt") {
		t.Errorf("smbclient sees %q", out)
	}
	if out := list(t, s, "late"); strings.Contains(out, "NT_STATUS") {
		t.Errorf("the late share: %q", out)
	}
	dir := s.Dir("extra")
	s.Stop()
	if c, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
		_ = c.Close()
		t.Error("something still listens")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("files are left: %v", err)
	}
}

func list(t *testing.T, s *sambatest.Server, share string) string {
	t.Helper()
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	_, port, _ := net.SplitHostPort(s.Addr)
	out, err := exec.CommandContext(t.Context(), "smbclient", "-s", s.Config(), "-p", port,
		"-U", sambatest.Member+"%"+sambatest.Password, "//127.0.0.1/"+share, "-c", "ls").CombinedOutput()
	if err != nil {
		t.Errorf("smbclient: %v: %s", err, out)
	}
	return string(out)
}
