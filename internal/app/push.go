package app

import (
	"context"
	"errors"
	"io"
	"strings"

	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/internal/wsman"
	"cau/plugins"
	"cau/smbcheck"
)

// adminShare connects to a node's ADMIN$ share as the administrator who signs in on the nodes (R24).
func (a *access) adminShare(ctx context.Context, host string) (winnode.AdminShare, error) {
	if a.push.Password == "" {
		return nil, &fault.Error{
			Op: "connect to ADMIN$", Node: host, Err: errors.New("this way to sign in holds no password for SMB"),
			Hint: "Let the nodes read the root themselves (--delivery pull), or sign in with a password.",
		}
	}
	name, _, _ := strings.Cut(host, ".")
	var c *smbcheck.Connection
	err := a.prove(ctx, func(ctx context.Context) (err error) {
		c, err = smbcheck.Connect(ctx, smbcheck.Location{Server: host, Share: "ADMIN$"}, a.push, smbcheck.Options{Addr: a.smb[strings.ToUpper(name)]})
		return err
	})
	if err != nil {
		return nil, err
	}
	return adminShare{c}, nil
}

// prove signs in over SMB with the nodes' own secret, in the same turn as the logons over WinRM, so that one refusal is
// the last for both (R02).
func (a *access) prove(ctx context.Context, connect func(context.Context) error) error {
	var outcome error
	err := a.credential.Prove(ctx, func(ctx context.Context) error {
		outcome = connect(ctx)
		return smbVerdict(outcome)
	})
	if outcome != nil {
		return outcome
	}
	return err
}

// smbVerdict says what came of an SMB logon in the words of the WinRM credential. Once the server has said that a share
// or its content is refused, the logon itself was accepted.
func smbVerdict(err error) error {
	switch {
	case err == nil, errors.Is(err, smbcheck.ErrAccess), errors.Is(err, smbcheck.ErrShare), errors.Is(err, smbcheck.ErrDFS):
		return nil
	case errors.Is(err, smbcheck.ErrLogon), errors.Is(err, smbcheck.ErrAccount):
		return &wsman.AuthError{Reason: wsman.Rejected, Err: err}
	case errors.Is(err, smbcheck.ErrUnreachable), errors.Is(err, smbcheck.ErrNotSMB), errors.Is(err, smbcheck.ErrDialect), errors.Is(err, smbcheck.ErrCipher):
		return &wsman.ConnError{Op: "connect", Stage: wsman.NotSent, Err: err}
	}
	return err
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
