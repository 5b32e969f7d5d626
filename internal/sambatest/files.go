package sambatest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudsoda/go-smb2"
)

// FileServer is the DNS name of a Controller that serves files. Its tickets are for cifs/<FileServer>, which the domain
// derives from the computer's HOST service as Windows does.
const FileServer = "dc1.cau.test"

// DomainWithFiles starts a domain for one test whose controller is a file server too. It takes about seven seconds.
func DomainWithFiles(tb testing.TB) *Controller {
	tb.Helper()
	return domainFor(tb, true)
}

// Dir is the folder behind a share of the file server, "plain" or "enc" (encryption required), which every account of
// the domain may read and write; files put there are served at once.
func (c *Controller) Dir(share string) string { return filepath.Join(c.dir, "sh", share) }

// services are what Samba runs. Its file server asks winbindd for the Unix numbers of accounts.
func (c *Controller) services() string {
	if c.files {
		return "kdc, s3fs, winbindd"
	}
	return "kdc"
}

// addShares makes the folders and writes their part of smb.conf.
func (c *Controller) addShares(b *bytes.Buffer) error {
	for _, share := range []Share{{Name: "plain"}, {Name: "enc", Lines: []string{"server smb encrypt = required"}}} {
		d := c.Dir(share.Name)
		if err := os.MkdirAll(d, 0o755); err != nil { //nolint:gosec // users of the server pass through
			return err
		}
		if err := os.Chmod(d, 0o777); err != nil { //nolint:gosec // past the umask
			return err
		}
		fmt.Fprintf(b, "[%s]\n  path = %s\n  read only = no\n", share.Name, d)
		for _, l := range share.Lines {
			fmt.Fprintln(b, "  "+l)
		}
	}
	return openUp(filepath.Join(c.dir, "sh"), c.dir)
}

// filesAnswer signs in to the file server as the domain's administrator, who stands in no test's audit log.
func (c *Controller) filesAnswer(ctx context.Context) error {
	conn, err := c.process.dial(smbAddress)(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	d := smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: "Administrator", Password: Password}}
	session, err := d.DialConn(ctx, conn, FileServer)
	if err != nil {
		return err
	}
	defer func() { _ = session.WithContext(ctx).Logoff() }()
	_, err = session.WithContext(ctx).Mount("plain")
	return err
}

// Sessions are the sign-ins of user that the file server's own audit log has, in order: "NTLMSSP NT_STATUS_OK",
// "NTLMSSP NT_STATUS_WRONG_PASSWORD", "krb5 NT_STATUS_OK". A ticket that it cannot read is not logged.
func (c *Controller) Sessions(user string) []string {
	var out []string
	for _, line := range strings.Split(c.log(), "\n") {
		_, rest, ok := strings.Cut(line, ": [SMB2,")
		if !ok || !strings.Contains(line, `\[`+user+"]") {
			continue
		}
		mechanism, _, _ := strings.Cut(rest, "]")
		_, rest, ok = strings.Cut(line, "status [")
		status, _, _ := strings.Cut(rest, "]")
		switch {
		case ok:
			out = append(out, mechanism+" "+status)
		case strings.Contains(line, "Successful AuthZ") && mechanism == "krb5":
			out = append(out, mechanism+" NT_STATUS_OK")
		}
	}
	return out
}
