package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestR04_APasswordFileThatOthersMayReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(path, []byte("s3cret\r\nrest"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := passwordSource{file: path, fd: -1, account: `LAB\admin`, fileFlag: "--password-file"}
	if _, err := s.read(t.Context()); err == nil || !strings.Contains(err.Error(), "may be read by others") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("mode 0644: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := s.read(t.Context()); err != nil || got != "s3cret" {
		t.Errorf("%q %v", got, err)
	}
}

func TestR04_SystemdCredentialsAreRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cau-password"), []byte("s3cret\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if got, err := (passwordSource{fd: -1, credential: "cau-password"}).read(t.Context()); err != nil || got != "s3cret" {
		t.Errorf("%q %v", got, err)
	}
}

func TestAnEmptyOrEndlessPasswordIsRefused(t *testing.T) {
	for _, in := range []string{"", "\n", strings.Repeat("x", 2000)} {
		if _, err := firstLine(strings.NewReader(in)); err == nil {
			t.Errorf("%d bytes were accepted", len(in))
		}
	}
}
