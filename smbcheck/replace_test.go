package smbcheck_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

func TestAFileIsReplacedAsAWholeAndKeepsItsPermissions(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	c := aclRoot(t, s, "acl", proper)
	const name = "DefaultHotfixConfig.xml"
	folder := filepath.Join(s.Dir("acl"), "Root")
	for when, list := range map[string]string{
		"inherited": "", "protected": "D:P(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;AU)", "one entry more": "D:AI(D;;0x2;;;AU)(A;;0x1200a9;;;AU)",
	} {
		if list != "" {
			if err := c.SetDescriptor(t.Context(), name, sddl(t, list)); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
		}
		was, err := c.ReadFile(t.Context(), name, 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		before := s.CACLs(t, "acl", `Root\`+name, "--sddl")
		if err := c.Replace(t.Context(), name, was, []byte("<"+when+"/>")); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if got, _ := os.ReadFile(filepath.Join(folder, name)); string(got) != "<"+when+"/>" {
			t.Errorf("%s: %q", when, got)
		}
		after := s.CACLs(t, "acl", `Root\`+name, "--sddl")
		if plainList(before) != plainList(after) {
			t.Errorf("%s:\n%s%s", when, before, after)
		}
	}
	onlyThere(t, folder, name, "CAUHotfix_All")
}

// plainList is what an SDDL lets whom do, wherever from: Samba marks entries of a list that was set as not inherited.
func plainList(sddl string) string {
	return strings.ReplaceAll(strings.ReplaceAll(sddl, ";ID;", ";;"), "D:AI", "D:")
}

func onlyThere(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != len(names) {
		t.Errorf("%v, not only %v: %v", entries, names, err)
	}
}

func TestWhatChangedSinceItWasReadIsNotReplaced(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.WithShare("locked", "read only = yes"))
	folder := s.Dir("enc")
	if err := os.WriteFile(filepath.Join(folder, "a.xml"), []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at("enc", ""), smbcheck.Options{})
	for was, want := range map[string]error{"mine": smbcheck.ErrChanged, "shorter": smbcheck.ErrChanged, "THEIRS": smbcheck.ErrChanged} {
		if err := c.Replace(t.Context(), "a.xml", []byte(was), []byte("new")); !errors.Is(err, want) {
			t.Errorf("%s: %v", was, err)
		}
	}
	for path, want := range map[string]error{"b.xml": smbcheck.ErrMissing, `..\a.xml`: smbcheck.ErrName} {
		if err := c.Replace(t.Context(), path, []byte("theirs"), []byte("new")); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := c.Replace(t.Context(), "a.xml", []byte("theirs"), make([]byte, 17<<20)); !errors.Is(err, smbcheck.ErrLimit) {
		t.Errorf("%v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(folder, "a.xml")); string(got) != "theirs" {
		t.Errorf("%q", got)
	}
	onlyThere(t, folder, "a.xml")
	if err := os.WriteFile(filepath.Join(s.Dir("locked"), "a.xml"), []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := connect(t, s, at("locked", ""), smbcheck.Options{})
	if err := l.Replace(t.Context(), "a.xml", []byte("theirs"), []byte("new")); !errors.Is(err, smbcheck.ErrAccess) {
		t.Errorf("%v", err)
	}
}
