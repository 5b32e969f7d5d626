package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cau/internal/lab"
	"cau/internal/sambatest"
)

// sambaRoot fills a share of a real Samba with the three layouts of the CAU documentation. What the installers
// are is up to the lab: files without its mark get its default behaviour.
func sambaRoot(t *testing.T, s *sambatest.Server) string {
	t.Helper()
	config, err := os.ReadFile("../hotfixcfg/testdata/folderrule1.xml")
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(s.Dir("plain"), "root")
	for path, content := range map[string]string{
		"DefaultHotfixConfig.xml": string(config), "CAUHotfix_All/Update1.msu": "one", "CAUHotfix_All/Update2.msi": "two",
		"CAUHotfix_All/Update3.msp": "three", "NODE1/Node1_Specific_Update.msu": "four", "NODE2/FolderRule1/SpecialHotfix1.exe": "five",
	} {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// sambaLab is a lab whose nodes read the Samba share as daemon, and the arguments of a run over it.
func sambaLab(t *testing.T, w *world, s *sambatest.Server) (lab.Info, []string) {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(sambatest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	info := w.lab("--share", `\\127.0.0.1\plain=`+s.Addr+","+sambatest.Member+","+password)
	return info, args([]string{
		"apply", "--lab=" + info.ID, "--yes", "--json", "--arg", `HotfixRootFolderPath=\\127.0.0.1\plain\root`,
		"--smb-port", strconv.Itoa(s.Port), "--smb-user", sambatest.Admin, "--smb-password-file", password,
	}, patient(), accept())
}

func TestApplyOverARootOnARealSambaShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := sambatest.Start(t)
	sambaRoot(t, s)
	info, line := sambaLab(t, w, s)
	w.want(0, line...)
	checkSucceeded(t, w.status())
	checkNodes(t, w.inspect(info))
	for _, n := range w.status().Nodes {
		if n.Connection == nil || !n.Connection.Signed || !strings.Contains(n.Connection.Account, sambatest.Member) {
			t.Errorf("%s read the share over %+v", n.Name, n.Connection)
		}
	}
}

func TestR13_WhereTheNodesMayNotReadTheRootNothingIsBegunOrTheFilesArePushed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := sambatest.Start(t, sambatest.Global("server signing = mandatory"))
	root := sambaRoot(t, s)
	info, line := sambaLab(t, w, s)
	if err := os.Chmod(filepath.Join(root, "CAUHotfix_All"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := w.want(3, append(line, "--delivery", "pull")...)
	for _, n := range info.Nodes {
		if !like("node.share-read ("+n.Name+")*0x00000005 ERROR_ACCESS_DENIED*Check the permissions", r.errOut) {
			t.Errorf("of %s it says %s", n.Name, r.errOut)
		}
	}
	for _, n := range w.inspect(info).State.Nodes {
		if n.Boots != 1 || len(n.Installs)+len(n.Staged) > 0 {
			t.Errorf("%s was touched: %+v", n.Name, n)
		}
	}
	w.want(0, line...)
	checkSucceeded(t, w.status())
	report := w.inspect(info)
	checkNodes(t, report)
	for _, n := range report.State.Nodes {
		if len(n.Pushes) > 0 {
			t.Errorf("%s still has what was pushed", n.Name)
		}
	}
}
