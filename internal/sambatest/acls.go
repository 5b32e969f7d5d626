package sambatest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// NTACLs adds the shares "acl" and "aclenc" (encryption required), whose files have Windows' permissions, and makes Admin a
// member of BUILTIN\Administrators and Member one of BUILTIN\Users. Stranger belongs to neither.
func NTACLs() Option {
	lines := []string{
		"vfs objects = acl_xattr", "acl_xattr:ignore system acls = yes", "acl_xattr:default acl style = windows",
		"inherit acls = yes", "map acl inherit = yes", "store dos attributes = yes",
	}
	return func(s *Server) {
		s.shares = append(s.shares, Share{"acl", lines}, Share{"aclenc", append([]string{"server smb encrypt = required"}, lines...)})
		s.ready = append(s.ready, s.mapGroups)
	}
}

// mapGroups gives the two groups their members by way of the unix groups that those have.
func (s *Server) mapGroups(tb testing.TB) {
	tb.Helper()
	for sid, group := range map[string]string{"S-1-5-32-544": Admin, "S-1-5-32-545": Member} {
		out, err := exec.CommandContext(tb.Context(), "net", "-s", s.Config(), "groupmap", "add", "sid="+sid, "unixgroup="+group, "type=builtin").CombinedOutput()
		if err != nil {
			tb.Fatalf("sambatest: groupmap: %v\n%s", err, out)
		}
	}
}

// CACLs runs Samba's smbcacls as Admin on a file or folder of a share ("" is the share itself). It knows no port but 445, so it
// runs in a network of its own where that port leads to the server.
func (s *Server) CACLs(tb testing.TB, share, path string, args ...string) string {
	tb.Helper()
	if _, err := exec.LookPath("smbcacls"); err != nil {
		missingPeer(tb, "needs smbcacls", []string{"smbclient is not installed"})
	}
	if reason := noNamespace(); reason != "" {
		missingPeer(tb, "needs a network of its own", []string{reason})
	}
	ctx := tb.Context()
	idle, err := startIsolated(ctx, false, "cat")
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	defer idle.stop()
	listener, err := idle.listen(ctx, "127.0.0.1:445")
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	r := relayOn(context.WithoutCancel(ctx), listener, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	})
	defer r.stop()
	login := filepath.Join(s.dir, "smbcacls.login")
	if err := os.WriteFile(login, []byte("username = "+Admin+"\npassword = "+Password+"\ndomain = SMBTEST\n"), 0o600); err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	all := append([]string{"-s", s.Config(), "-A", login, "//127.0.0.1/" + share, strings.ReplaceAll(path, `\`, "/")}, args...)
	cmd := idle.command(ctx, "smbcacls", all...)
	var complaints bytes.Buffer // it asks for the domain's SID, which this server does not have, and goes on without
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("sambatest: smbcacls %s: %v\n%s%s", strings.Join(all, " "), err, out, complaints.String())
	}
	return string(out)
}
