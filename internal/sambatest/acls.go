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
		s.first = "acl"
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

// CACLs runs Samba's smbcacls as Admin on a file or folder of a share ("" is the share itself).
func (s *Server) CACLs(tb testing.TB, share, path string, args ...string) string {
	tb.Helper()
	n := s.native(tb)
	defer n.stop()
	cmd := n.CACLs(tb.Context(), share, path, args...)
	var complaints bytes.Buffer // it asks for the domain's SID, which this server does not have, and goes on without
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("sambatest: %s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, complaints.String())
	}
	return string(out)
}

// Native is a network of its own where port 445 leads to the server: smbcacls knows no other port.
type Native struct {
	server *Server
	login  string
	idle   *process
	relay  *relay
}

// Native makes such a network for many commands. It ends with the test.
func (s *Server) Native(tb testing.TB) *Native {
	tb.Helper()
	n := s.native(tb)
	tb.Cleanup(n.stop)
	return n
}

func (s *Server) native(tb testing.TB) *Native {
	tb.Helper()
	if _, err := exec.LookPath("smbcacls"); err != nil {
		missingPeer(tb, "needs smbcacls", []string{"smbclient is not installed"})
	}
	if reason := noNamespace(); reason != "" {
		missingPeer(tb, "needs a network of its own", []string{reason})
	}
	ctx := tb.Context()
	n := &Native{server: s, login: s.Login(tb)}
	var err error
	if n.idle, err = startIsolated(ctx, false, "cat"); err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	listener, err := n.idle.listen(ctx, "127.0.0.1:445")
	if err != nil {
		n.idle.stop()
		tb.Fatalf("sambatest: %v", err)
	}
	n.relay = relayOn(context.WithoutCancel(ctx), listener, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	})
	return n
}

func (n *Native) stop() {
	n.relay.stop()
	n.idle.stop()
}

// CACLs is smbcacls as Admin on a file or folder of a share, not yet started.
func (n *Native) CACLs(ctx context.Context, share, path string, args ...string) *exec.Cmd {
	all := append([]string{"-s", n.server.Config(), "-A", n.login, "//127.0.0.1/" + share, strings.ReplaceAll(path, `\`, "/")}, args...)
	return n.idle.command(ctx, "smbcacls", all...)
}

// Login is a file with Admin's name and password, as the option -A of Samba's programs wants it.
func (s *Server) Login(tb testing.TB) string {
	tb.Helper()
	login := filepath.Join(s.dir, "admin.login")
	if err := os.WriteFile(login, []byte("username = "+Admin+"\npassword = "+Password+"\ndomain = SMBTEST\n"), 0o600); err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	return login
}
