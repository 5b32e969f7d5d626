package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
	"cau/smbcheck/descriptor"
)

// What the CAU documentation asks for in a hotfix root, and the same without Users. AR and AI make what is made below show
// that it inherits, on Samba too.
const (
	documented = "O:BAG:SYD:PARAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)"
	closed     = "O:BAG:SYD:PARAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"
)

// contents are the files of the three layouts of the CAU documentation. What the installers are is up to the lab: files
// without its mark get its default behaviour.
func contents(t *testing.T) map[string]string {
	t.Helper()
	config, err := os.ReadFile("../hotfixcfg/testdata/folderrule1.xml")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"DefaultHotfixConfig.xml": string(config), "CAUHotfix_All/Update1.msu": "one", "CAUHotfix_All/Update2.msi": "two",
		"CAUHotfix_All/Update3.msp": "three", "NODE1/Node1_Specific_Update.msu": "four", "NODE2/FolderRule1/SpecialHotfix1.exe": "five",
	}
}

// folders are those of contents, each after the one that it is in.
func folders(files map[string]string) []string {
	var list []string
	for file := range files {
		for d := path.Dir(file); d != "."; d = path.Dir(d) {
			list = append(list, d)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// plainRoot fills the folder root of a share from beside: what its permissions are then is the file system's doing.
func plainRoot(t *testing.T, share string) {
	t.Helper()
	for file, content := range contents(t) {
		full := filepath.Join(share, "root", file)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// properRoot makes the folder root of a share with Windows' permissions as the documentation wants it, over SMB as an
// administrator would. Folders of shut are closed to Users.
func properRoot(t *testing.T, s *sambatest.Server, share string, shut ...string) {
	t.Helper()
	top := signedIn(t, s, share, "")
	setSDDL(t, top, "", documented)
	if err := top.CreateFolder(t.Context(), "root"); err != nil {
		t.Fatal(err)
	}
	c := signedIn(t, s, share, "root")
	setSDDL(t, c, "", documented)
	files := contents(t)
	for _, d := range folders(files) {
		name := strings.ReplaceAll(d, "/", `\`)
		if err := c.CreateFolder(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(shut, name) {
			setSDDL(t, c, name, closed)
		}
	}
	for file, content := range files {
		sum := sha256.Sum256([]byte(content))
		if err := c.Upload(t.Context(), strings.ReplaceAll(file, "/", `\`), int64(len(content)), hex.EncodeToString(sum[:]), strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
}

func setSDDL(t *testing.T, c *smbcheck.Connection, path, sddl string) {
	t.Helper()
	d, err := descriptor.ParseSDDL(sddl)
	if err == nil {
		err = c.SetDescriptor(t.Context(), path, d)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// signedIn is an administrator's connection to a share.
func signedIn(t *testing.T, s *sambatest.Server, share, root string) *smbcheck.Connection {
	t.Helper()
	c, err := smbcheck.Connect(t.Context(), smbcheck.Location{Server: "127.0.0.1", Share: share, Root: root},
		smbcheck.NTLM{User: sambatest.Admin, Password: sambatest.Password}, smbcheck.Options{Addr: s.Addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
