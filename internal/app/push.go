package app

import (
	"context"
	"errors"
	"io"
	"strings"

	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/plugins"
	"cau/smbcheck"
)

// adminShare connects to a node's ADMIN$ share as the administrator who signs in on the nodes (R24).
func (a *access) adminShare(ctx context.Context, host string) (winnode.AdminShare, error) {
	if a.share == nil {
		return nil, &fault.Error{
			Op: "connect to ADMIN$", Node: host, Err: errors.New("a client certificate does not sign in over SMB"),
			Hint: "Let the nodes read the root themselves (--delivery pull), or sign in with Kerberos or a password.",
		}
	}
	c, err := a.openShare(ctx, smbcheck.Location{Server: host, Share: "ADMIN$"}, smbcheck.Options{Addr: a.smb[shortName(host)]})
	if err != nil {
		return nil, err
	}
	return adminShare{c}, nil
}

// adminShare is a connection to ADMIN$ as the nodes' package takes it.
type adminShare struct{ c *smbcheck.Connection }

// Connection is what was proven of the connection: every message of ours is signed, and sealed where the share or the
// server demands it.
func (s adminShare) Connection() plugins.ShareConnection {
	f := s.c.Facts()
	return plugins.ShareConnection{Dialect: f.Dialect.String(), Signed: f.SetupVerified, Encrypted: f.EncryptData && f.Sent.Sealed > 0}
}

// Upload writes a file as a whole.
func (s adminShare) Upload(ctx context.Context, path string, size int64, sha256 string, r io.Reader) error {
	return s.c.Upload(ctx, path, size, sha256, r)
}

// Close signs off.
func (s adminShare) Close() error { return s.c.Close() }

// inLab makes ADMIN$ shares be where a lab says; nil is a real cluster, whose nodes have them at port 445.
func (a *access) inLab(info *lab.Info) {
	if info == nil {
		return
	}
	a.smb = map[string]string{}
	for _, n := range info.Nodes {
		a.smb[strings.ToUpper(n.Name)] = n.SMB
	}
}
