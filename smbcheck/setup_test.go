package smbcheck_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cau/internal/fault"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

func TestR07_AFileThatIsNotWhatTheWalkListedIsNoticed(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	c := aclRoot(t, s, "acl", proper)
	const path = `CAUHotfix_All\a.msu`
	local := filepath.Join(s.Dir("acl"), "Root", "CAUHotfix_All", "a.msu")
	for name, change := range map[string]func() error{
		"other size":         func() error { return os.WriteFile(local, []byte("longer"), 0o644) },
		"other content":      func() error { return os.WriteFile(local, []byte("two"), 0o644) },
		"only the time":      func() error { return os.Chtimes(local, time.Time{}, time.Unix(1, 0)) },
		"another file":       func() error { return swap(local) },
		"its permissions":    func() error { return c.SetDescriptor(t.Context(), path, sddl(t, proper+"(A;;FA;;;WD)")) },
		"gone":               func() error { return os.Remove(local) },
		"a folder's instead": func() error { return os.Mkdir(local, 0o777) },
	} {
		_ = os.Remove(local)
		if err := upload(t, c, path, "one"); err != nil {
			t.Fatal(err)
		}
		tree, err := c.Walk(t.Context(), smbcheck.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		listed := &tree.Entries[1]
		if _, _, err := c.HashFile(t.Context(), path, listed); listed.Path != path || err != nil {
			t.Fatalf("%s, unchanged: %v", listed.Path, err)
		}
		if name == "a folder's instead" {
			_ = os.Remove(local)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		_, _, err = c.HashFile(t.Context(), path, listed)
		_, read := c.ReadFile(t.Context(), path, 100, listed)
		want := smbcheck.ErrChanged
		switch name {
		case "gone":
			want = smbcheck.ErrMissing
		case "a folder's instead":
			want = smbcheck.ErrNotFile
		}
		if !errors.Is(err, want) || !errors.Is(read, want) {
			t.Errorf("%s: %v, %v", name, err, read)
		}
	}
}

// swap puts a new file of the same size and time in a file's place.
func swap(path string) error {
	at, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", []byte("two"), 0o644); err != nil {
		return err
	}
	if err := os.Chtimes(path+".new", at.ModTime(), at.ModTime()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func TestSetUpIsRepeatableAndRefusesWhatWouldOpenTheRoot(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	c := aclRoot(t, s, "acl", proper)
	if err := c.CreateFolder(t.Context(), "CAUHotfix_All"); err != nil {
		t.Errorf("the same folder again: %v", err)
	}
	if err := c.SetDescriptor(t.Context(), "CAUHotfix_All", sddl(t, "O:BAG:SYD:PAI(A;OICI;FA;;;BA)")); err != nil {
		t.Errorf("%v", err)
	}
	for path, want := range map[string]error{
		"DefaultHotfixConfig.xml": smbcheck.ErrNotFolder, `Nothing\Below`: smbcheck.ErrMissing, `..\Up`: smbcheck.ErrName, "nul": smbcheck.ErrName, "a:b": smbcheck.ErrName,
	} {
		if err := c.CreateFolder(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for text, path := range map[string]string{"D:NO_ACCESS_CONTROL": "", "": "", "D:(A;;GA;;;BA)": "", "O:BA": `..\Root`} {
		if err := c.SetDescriptor(t.Context(), path, sddl(t, text)); err == nil {
			t.Errorf("%q was set on %q", text, path)
		}
	}
	if err := c.SetDescriptor(t.Context(), "Nothing", sddl(t, "O:BA")); !errors.Is(err, smbcheck.ErrMissing) || fault.Hint(err) == "" {
		t.Errorf("%v", err)
	}
}
