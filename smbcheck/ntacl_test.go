package smbcheck_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/internal/sambatest"
	"cau/smbcheck"
	"cau/smbcheck/descriptor"
)

// proper is what the documentation asks for, in the form that makes children inherit it visibly on Samba.
const proper = "O:BAG:SYD:PARAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)"

func sddl(t *testing.T, text string) *descriptor.Descriptor {
	t.Helper()
	d, err := descriptor.ParseSDDL(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// aclRoot is a root on a share with Windows' permissions, made over SMB.
func aclRoot(t *testing.T, s *sambatest.Server, share, rootSDDL string) *smbcheck.Connection {
	t.Helper()
	if err := os.Mkdir(filepath.Join(s.Dir(share), "Root"), 0o777); err != nil {
		t.Fatal(err)
	}
	top := connect(t, s, at(share, ""), smbcheck.Options{})
	if err := top.SetDescriptor(t.Context(), "", sddl(t, proper)); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at(share, "Root"), smbcheck.Options{})
	if err := c.SetDescriptor(t.Context(), "", sddl(t, rootSDDL)); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateFolder(t.Context(), "CAUHotfix_All"); err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{"DefaultHotfixConfig.xml": "<a/>", `CAUHotfix_All\a.msu`: "one"} {
		if err := upload(t, c, path, content); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func upload(t *testing.T, c *smbcheck.Connection, path, content string) error {
	t.Helper()
	return c.Upload(t.Context(), path, int64(len(content)), digest([]byte(content)), strings.NewReader(content))
}

// whole is all of a root as the acl checks see it, once the layout is understood.
func whole(t *testing.T, c *smbcheck.Connection, loc smbcheck.Location) smbcheck.ACL {
	t.Helper()
	tree, err := c.Walk(t.Context(), smbcheck.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return smbcheck.ACL{Location: loc, Tree: tree, Config: "DefaultHotfixConfig.xml", Understood: true, Updates: []string{`CAUHotfix_All\a.msu`}}
}

func TestARootThatWasSetUpPassesEveryACLCheckOnRealSamba(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	for _, share := range []string{"acl", "aclenc"} {
		c := aclRoot(t, s, share, proper)
		for _, r := range smbcheck.ACLChecks(whole(t, c, at(share, "Root")), false) {
			// Samba makes the account that creates something its owner, whatever group it is an administrator of.
			if want := check.Pass; r.Outcome != want && (r.ID != "acl.owner" || r.Outcome != check.Warn) {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestSmbcaclsReadsWhatWeReadAndWrite(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	c := aclRoot(t, s, "acl", proper+"(A;OICIIO;GA;;;CO)(D;CI;0x40;;;AU)")
	tree, err := c.Walk(t.Context(), smbcheck.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]*descriptor.Descriptor{"Root": tree.Root.Security}
	for _, e := range tree.Entries {
		seen[`Root\`+e.Path] = e.Security
	}
	if len(seen) != 4 {
		t.Fatalf("%d", len(seen))
	}
	for path, ours := range seen {
		out := strings.TrimSpace(s.CACLs(t, "acl", path, "--sddl"))
		theirs, err := descriptor.ParseSDDL(out)
		if err != nil {
			t.Errorf("%s: %s: %v", path, out, err)
			continue
		}
		if theirs.SDDL() != ours.SDDL() {
			t.Errorf("%s: smbcacls %s\nwe %s", path, theirs.SDDL(), ours.SDDL())
		}
	}
	if got := seen["Root"].SDDL(); !strings.HasPrefix(got, "O:BAG:SYD:P") || !strings.Contains(got, "(A;OICIIO;FA;;;CO)(D;CI;0x40;;;AU)") {
		t.Errorf("%s", got)
	}
}

func TestWhatTheChecksSayIsWhatSambaDoes(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	member := smbcheck.NTLM{User: sambatest.Member, Password: sambatest.Password}
	stranger := smbcheck.NTLM{User: sambatest.Stranger, Password: sambatest.Password}
	c := aclRoot(t, s, "acl", proper)
	root := at("acl", "Root")

	user := connectAs(t, s, root, member, smbcheck.Options{})
	if b, err := user.ReadFile(t.Context(), `CAUHotfix_All\a.msu`, 10, nil); err != nil || string(b) != "one" {
		t.Errorf("a member of Users reads %q, %v", b, err)
	}
	if err := user.CreateFolder(t.Context(), "NODE1"); !errors.Is(err, smbcheck.ErrAccess) {
		t.Errorf("a member of Users makes a folder: %v", err)
	}
	if err := user.SetDescriptor(t.Context(), "DefaultHotfixConfig.xml", sddl(t, "D:(A;;FA;;;WD)")); !errors.Is(err, smbcheck.ErrAccess) {
		t.Errorf("a member of Users changes permissions: %v", err)
	}
	other := connectAs(t, s, root, stranger, smbcheck.Options{})
	if _, err := other.Walk(t.Context(), smbcheck.Limits{}); !errors.Is(err, smbcheck.ErrAccess) {
		t.Errorf("somebody who is not in Users lists it: %v", err)
	}

	// Opened to Users, the check fails and a member writes.
	if err := c.SetDescriptor(t.Context(), "CAUHotfix_All", sddl(t, proper+"(A;OICI;0x1301bf;;;BU)")); err != nil {
		t.Fatal(err)
	}
	answers := map[string]check.Result{}
	for _, r := range smbcheck.ACLChecks(whole(t, c, root), false) {
		answers[r.ID] = r
	}
	if r := answers["acl.files.writers"]; r.Outcome != check.Fail || !strings.Contains(r.Evidence, `BUILTIN\Users (S-1-5-32-545) may change it (modify, explicit`) || !strings.Contains(r.Evidence, `"CAUHotfix_All"`) {
		t.Errorf("%+v", r)
	}
	if err := upload(t, user, `CAUHotfix_All\b.msu`, "planted"); err != nil {
		t.Errorf("a member of Users may write but cannot: %v", err)
	}
	// What the member made is the member's own: an owner who may change its permissions.
	answers = map[string]check.Result{}
	a := whole(t, c, root)
	a.Updates = append(a.Updates, `CAUHotfix_All\b.msu`)
	for _, r := range smbcheck.ACLChecks(a, false) {
		answers[r.ID] = r
	}
	if r := answers["acl.owner"]; r.Outcome != check.Warn || !strings.Contains(r.Evidence, `"CAUHotfix_All\b.msu"`) {
		t.Errorf("%+v", r)
	}
}

func TestCreatorOwnerOnARealServerBecomesARightOfWhoeverMadeTheFile(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	c := aclRoot(t, s, "acl", proper+"(A;OICIIO;GA;;;CO)(A;CI;0x6;;;BU)")
	user := connectAs(t, s, at("acl", "Root"), smbcheck.NTLM{User: sambatest.Member, Password: sambatest.Password}, smbcheck.Options{})
	if err := upload(t, user, `CAUHotfix_All\b.msu`, "by a member"); err != nil {
		t.Fatal(err)
	}
	a := whole(t, c, at("acl", "Root"))
	a.Updates = []string{`CAUHotfix_All\b.msu`}
	for _, r := range smbcheck.ACLChecks(a, false) {
		if r.ID == "acl.files.writers" && (r.Outcome != check.Fail || !strings.Contains(r.Evidence, "through CREATOR OWNER's entry on the folder above")) {
			t.Errorf("%+v", r)
		}
	}
}

func TestPermissionsThatMayNotBeReadCannotBeVerified(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.NTACLs())
	c := aclRoot(t, s, "acl", proper)
	// Users may read the content, but not who may do what.
	if err := c.SetDescriptor(t.Context(), `CAUHotfix_All\a.msu`, sddl(t, "O:BAG:SYD:P(A;;FA;;;BA)(A;;0x100089;;;BU)")); err != nil {
		t.Fatal(err)
	}
	user := connectAs(t, s, at("acl", "Root"), smbcheck.NTLM{User: sambatest.Member, Password: sambatest.Password}, smbcheck.Options{})
	a := whole(t, user, at("acl", "Root"))
	for _, e := range a.Tree.Entries {
		if hidden := strings.HasSuffix(e.Path, "a.msu"); hidden != (e.Security == nil) || hidden != errors.Is(e.Unread, smbcheck.ErrAccess) {
			t.Errorf("%q: %v", e.Path, e.Unread)
		}
	}
	for _, r := range smbcheck.ACLChecks(a, false) {
		want := check.Pass
		if r.ID == "acl.files.writers" {
			want = check.CannotVerify
		}
		if r.ID != "acl.owner" && r.ID != "acl.root.users-read" && r.Outcome != want {
			t.Errorf("%+v", r)
		}
	}
}
