package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func lockFile(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func held(t *testing.T, path string) bool {
	t.Helper()
	is, err := LockHeld(path)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

func TestALockIsHeldUntilItsFileIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if held(t, path) {
		t.Error("a file that is not there is locked")
	}
	a, b := lockFile(t, path), lockFile(t, path)
	if held(t, path) {
		t.Error("locked before anybody locked it")
	}
	if err := TryLock(a); err != nil {
		t.Fatal(err)
	}
	if !held(t, path) {
		t.Error("not held although it is locked")
	}
	if err := TryLock(b); !errors.Is(err, ErrLocked) {
		t.Errorf("a second lock: %v", err)
	}
	if _, err := a.WriteString("who holds it"); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "who holds it" {
		t.Errorf("a locked file must stay readable: %q, %v", data, err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if held(t, path) {
		t.Error("still held after its file was closed")
	}
	if err := TryLock(b); err != nil {
		t.Errorf("after it was given back: %v", err)
	}
}
