//go:build linux

package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestANewFileHasTheOldOnesPermissions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for path, mode := range map[string]os.FileMode{from: 0o644, to: 0o600} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		if err := os.Chown(from, 12345, 23456); err != nil {
			t.Fatal(err)
		}
	}
	err := unix.Setxattr(from, "user.cau-test", []byte("kept"), 0)
	withAttributes := !errors.Is(err, unix.ENOTSUP)
	if withAttributes && err != nil {
		t.Fatal(err)
	}
	if err := keepPermissions(from, to); err != nil {
		t.Fatal(err)
	}
	var want, got unix.Stat_t
	if err := errors.Join(unix.Stat(from, &want), unix.Stat(to, &got)); err != nil || want.Uid != got.Uid || want.Gid != got.Gid || want.Mode != got.Mode {
		t.Errorf("%v %+v %+v", err, want, got)
	}
	if withAttributes {
		if b, err := attribute(to, "user.cau-test"); err != nil || string(b) != "kept" {
			t.Errorf("%v %q", err, b)
		}
	}
}
