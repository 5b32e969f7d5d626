package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cau/internal/sambatest"
)

func TestPreviewSaysWhatANodeListsAsInstalled(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t)
	root := filepath.Join(s.Dir("enc"), "listed")
	password := write(t, sambatest.Password+"\n")
	info := w.lab("--nodes", "2", "--share", `\\127.0.0.1\enc=`+s.Addr+","+sambatest.Member+","+password)
	put := func(dir, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("CAUHotfix_All", "windows10.0-kb5031234-x64.msu", "cau-lab-update\nid=KB5031234\nexit=0\nseconds=5\n")
	w.want(0, "hotfix", "config", "init", root)
	with := func(verb string, more ...string) []string {
		return append([]string{
			verb, "--lab=" + info.ID, "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\127.0.0.1\enc\listed`, "--arg", "DisableAclChecks=True",
			"--smb-port", strconv.Itoa(s.Port), "--smb-user", sambatest.Admin, "--smb-password-file", password,
		}, more...)
	}
	const says = "already installed: the node lists KB5031234"
	if r := w.want(0, with("preview")...); strings.Contains(r.out, says) {
		t.Errorf("before a run:\n%s", r.out)
	}
	w.want(0, with("apply", "--yes", "--only-nodes", "NODE2")...)
	if r := w.want(0, with("preview")...); strings.Count(r.out, says) != 1 || !strings.Contains(r.out[strings.LastIndex(r.out, "NODE2"):], says) {
		t.Errorf("after a run on NODE2:\n%s", r.out)
	}
}
