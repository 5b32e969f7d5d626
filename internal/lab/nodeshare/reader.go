package nodeshare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/lab/model"
	"cau/internal/winnode/agent"
)

// Target is where a share really is, and as whom a node signs in there.
type Target struct {
	// Address is host:port.
	Address      string
	Domain, User string
	Password     string
}

// Reader implements model.Shares over the network.
type Reader struct {
	// Find gives the target of a share for a node; ok is false when the server is not known.
	Find func(node, server, share string) (t Target, ok bool)
}

// Limits of waiting for a file server.
const (
	connectTime = 10 * time.Second
	closeTime   = 2 * time.Second
)

// Win32 errors of the network (winerror.h).
const (
	errFileNotFound  = 2
	errPathNotFound  = 3
	errAccessDenied  = 5
	errSharing       = 32
	errBadNetPath    = 53
	errUnexpected    = 59
	errNetNameLost   = 64
	errBadNetName    = 67
	errInvalidName   = 123
	errDirectory     = 267
	errLogonFailure  = 1326
	errRestriction   = 1327
	errPassword      = 1330
	errDisabled      = 1331
	errLocked        = 1909
	errMustChange    = 1907
	errAccountIsOver = 1793
)

// share is one connection below a root.
type share struct {
	conn    net.Conn
	release func() bool
	session *smb2.Session
	mount   *smb2.Share
	tap     *tap
	below   string
}

// Open implements model.Shares.
func (r Reader) Open(ctx context.Context, node, root string) (_ model.Share, _ agent.Connection, err error) {
	server, name, below, err := splitUNC(root)
	if err != nil {
		return nil, agent.Connection{}, err
	}
	target, ok := r.Find(node, server, name)
	if !ok {
		return nil, agent.Connection{}, number(errBadNetPath, "The network path was not found.")
	}
	dial, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(dial, "tcp", target.Address)
	if err != nil {
		return nil, agent.Connection{}, number(errBadNetPath, "The network path was not found: "+printable(err))
	}
	s := &share{conn: conn, tap: &tap{Conn: conn}, below: below}
	s.release = context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.connect(dial, target, server, name); err != nil {
		return nil, agent.Connection{}, s.tap.explain(err)
	}
	s.mount = s.mount.WithContext(ctx)
	// A look at the root makes traffic on the share, by which its protection is known, and reads no file.
	if err := s.checkRoot(); err != nil {
		return nil, agent.Connection{}, s.tap.explain(err)
	}
	c := s.tap.connection()
	c.Account = target.User
	if target.Domain != "" {
		c.Account = target.Domain + `\` + target.User
	}
	return s, c, nil
}

func (s *share) connect(ctx context.Context, t Target, server, name string) error {
	dialer := smb2.Dialer{
		Negotiator: smb2.Negotiator{RequireMessageSigning: true},
		Initiator:  &smb2.NTLMInitiator{User: t.User, Password: t.Password, Domain: t.Domain},
	}
	return guard(func() (err error) {
		if s.session, err = dialer.DialConn(ctx, s.tap, server); err != nil {
			return err
		}
		s.mount, err = s.session.WithContext(ctx).Mount(`\\` + server + `\` + name)
		return err
	})
}

func (s *share) checkRoot() error {
	path := s.below
	if path == "" {
		path = "."
	}
	return guard(func() error {
		info, err := s.mount.Stat(path)
		if err == nil && !info.IsDir() {
			err = number(errDirectory, "The directory name is invalid.")
		}
		return err
	})
}

// Open implements model.Share.
func (s *share) Open(path string) (io.ReadCloser, error) {
	if s.below != "" {
		path = s.below + `\` + path
	}
	var f *smb2.File
	if err := guard(func() (err error) {
		f, err = s.mount.Open(path)
		return err
	}); err != nil {
		return nil, s.tap.explain(err)
	}
	return &file{f: f, tap: s.tap}, nil
}

// Entries implements model.Lister: how many entries the root has, counted up to limit.
func (s *share) Entries(limit int) (count int, err error) {
	path := s.below
	if path == "" {
		path = "."
	}
	err = guard(func() error {
		folder, err := s.mount.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = folder.Close() }() // read only: nothing can be lost
		for count < limit {
			some, err := folder.Readdir(min(limit-count, 256))
			count += len(some)
			if errors.Is(err, io.EOF) || err == nil && len(some) == 0 {
				return nil
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, s.tap.explain(err)
	}
	return count, nil
}

// Close implements model.Share.
func (s *share) Close() {
	if s.session != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		_ = guard(s.session.WithContext(ctx).Logoff)
		cancel()
	}
	s.release()
	_ = s.conn.Close()
}

// file is an open file whose errors carry Windows numbers.
type file struct {
	f   *smb2.File
	tap *tap
}

func (f *file) Read(p []byte) (n int, err error) {
	if err := guard(func() (e error) {
		n, e = f.f.Read(p)
		return e
	}); err != nil && !errors.Is(err, io.EOF) {
		return n, f.tap.explain(err)
	} else if err != nil {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Close() error { return guard(f.f.Close) }

// guard turns a panic of the SMB library into an error: a server that answers encryption flags on an old
// dialect makes it stumble.
func guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file server's answer makes no sense: %v", r)
		}
	}()
	return do()
}

// splitUNC takes \\server\share\folder\... apart.
func splitUNC(root string) (server, share, below string, err error) {
	rest, ok := strings.CutPrefix(strings.TrimRight(root, `\`), `\\`)
	server, rest, found := strings.Cut(rest, `\`)
	share, below, _ = strings.Cut(rest, `\`)
	if !ok || !found || server == "" || share == "" || strings.ContainsAny(root, `/:*?"<>|`) ||
		strings.IndexFunc(root, func(r rune) bool { return r < ' ' }) >= 0 {
		return "", "", "", number(errInvalidName, "The filename, directory name, or volume label syntax is incorrect.")
	}
	return server, share, below, nil
}

func number(code int64, text string) error { return &model.Win32Error{Code: code, Text: text} }

// win32 is the number and text for an NTSTATUS as a Windows client turns it into one (MS-ERREF 2.3.1).
func win32(status uint32) (error, bool) {
	switch status {
	case 0xC0000022, 0xC0000061: // ACCESS_DENIED, PRIVILEGE_NOT_HELD
		return number(errAccessDenied, "Access is denied."), true
	case 0xC0000034, 0xC000000F: // OBJECT_NAME_NOT_FOUND, NO_SUCH_FILE
		return number(errFileNotFound, "The system cannot find the file specified."), true
	case 0xC000003A: // OBJECT_PATH_NOT_FOUND
		return number(errPathNotFound, "The system cannot find the path specified."), true
	case 0xC0000033: // OBJECT_NAME_INVALID
		return number(errInvalidName, "The filename, directory name, or volume label syntax is incorrect."), true
	case 0xC0000043: // SHARING_VIOLATION
		return number(errSharing, "The process cannot access the file because it is being used by another process."), true
	case 0xC00000CC, 0xC00000C9: // BAD_NETWORK_NAME, NETWORK_NAME_DELETED
		return number(errBadNetName, "The network name cannot be found."), true
	case 0xC00000BE, 0xC0000257: // BAD_NETWORK_PATH, PATH_NOT_COVERED
		return number(errBadNetPath, "The network path was not found."), true
	case 0xC000006D, 0xC000006A, 0xC0000064: // LOGON_FAILURE, WRONG_PASSWORD, NO_SUCH_USER
		return number(errLogonFailure, "The user name or password is incorrect."), true
	case 0xC000006E: // ACCOUNT_RESTRICTION
		return number(errRestriction, "Account restrictions are preventing this user from signing in."), true
	case 0xC0000071: // PASSWORD_EXPIRED
		return number(errPassword, "The password for this account has expired."), true
	case 0xC0000072: // ACCOUNT_DISABLED
		return number(errDisabled, "This user can't sign in because this account is currently disabled."), true
	case 0xC0000193: // ACCOUNT_EXPIRED
		return number(errAccountIsOver, "The user's account has expired."), true
	case 0xC0000224: // PASSWORD_MUST_CHANGE
		return number(errMustChange, "The user's password must be changed before signing in."), true
	case 0xC0000234: // ACCOUNT_LOCKED_OUT
		return number(errLocked, "The referenced account is currently locked out and may not be logged on to."), true
	case 0xC0000103: // NOT_A_DIRECTORY
		return number(errDirectory, "The directory name is invalid."), true
	}
	return nil, false
}

// explain gives err its Windows number: from its own status, from what the library made of it, or from the
// last refusal that passed on the wire.
func (t *tap) explain(err error) error {
	if known := (*model.Win32Error)(nil); errors.As(err, &known) {
		return err
	}
	if response := (*smb2.ResponseError)(nil); errors.As(err, &response) {
		if e, ok := win32(response.Code); ok {
			return e
		}
	}
	switch status := t.lastStatus(); {
	case errors.Is(err, fs.ErrPermission):
		return number(errAccessDenied, "Access is denied.")
	case status != 0:
		if e, ok := win32(status); ok {
			return e
		}
		return number(errUnexpected, fmt.Sprintf("An unexpected network error occurred (NTSTATUS 0x%08X).", status))
	case errors.Is(err, fs.ErrNotExist):
		return number(errFileNotFound, "The system cannot find the file specified.")
	}
	return number(errNetNameLost, "The specified network name is no longer available: "+printable(err))
}

// printable keeps a network error short and harmless.
func printable(err error) string {
	s := err.Error()
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
