package e2e_test

import (
	"strconv"
	"strings"
	"testing"

	"cau/internal/lab"
	"cau/internal/sambatest"
)

// sambaLab is a lab whose nodes read the Samba share "acl" as daemon, who is one of its Users, and the arguments of a run
// over it. The file server answers in real time, which is that much longer for the lab.
func sambaLab(t *testing.T, w *world, s *sambatest.Server) (lab.Info, []string) {
	t.Helper()
	password := write(t, sambatest.Password+"\n")
	info := w.lab("--speed", "60", "--share", `\\127.0.0.1\acl=`+s.Addr+","+sambatest.Member+","+password)
	return info, args([]string{
		"apply", "--lab=" + info.ID, "--yes", "--json", "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\127.0.0.1\acl\root`,
		"--smb-port", strconv.Itoa(s.Port), "--smb-user", sambatest.Admin, "--smb-password-file", password,
	}, patient())
}

func TestApplyOverARootOnARealSambaShare(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.NTACLs(), sambatest.Global("server signing = mandatory"))
	properRoot(t, s, "acl")
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

// Who reads the root here is an administrator of the file server; the nodes' account is one of its Users, whom the folder with
// the updates keeps out.
func TestR13_WhereTheNodesMayNotReadTheRootNothingIsBegunOrTheFilesArePushed(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.NTACLs(), sambatest.Global("server signing = mandatory"))
	properRoot(t, s, "acl", "CAUHotfix_All")
	info, line := sambaLab(t, w, s)
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
