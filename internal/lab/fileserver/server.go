package fileserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cau/internal/lab/ntlm"
	"cau/internal/lab/spnego"
)

// Share is one shared folder.
type Share struct {
	Name string
	// FS is what the share shows. Its files must be io.ReaderAt, as those of
	// os.Root.FS, os.DirFS, embed.FS and fstest.MapFS are. os.Root keeps links
	// from leading outside; os.DirFS does not.
	FS fs.FS
	// Encrypt refuses messages that are not encrypted.
	Encrypt bool
	// MayRead decides by account, "DOMAIN\user" or "user" for a local account;
	// nil lets everybody read who can sign in. It is asked at each connect and
	// each open, from several goroutines.
	MayRead func(user string) bool
	// Writable makes it a share that can be changed; FS is nil then, because the
	// Writable is what is shown.
	Writable Writable
	// MayWrite decides by account, as MayRead does, who may change a share with a
	// Writable; everybody else has what MayRead gives.
	MayWrite func(user string) bool
	// Security is the descriptor that the share's root shows; the zero value means
	// [DefaultDescriptor]. What is below shows what it inherits.
	Security Descriptor
	// Below are descriptors set on single files and folders, by their paths in FS,
	// which must exist; case does not matter. A share with a Writable has none.
	Below map[string]Descriptor
	// MayReadPermissions decides by account, as MayRead does, who has READ_CONTROL.
	// Everybody else is refused whatever asks for it, and that is GENERIC_READ too:
	// so it is on Windows, where whom the permissions are hidden from can read
	// only with a program that asks for FILE_READ_DATA and no more.
	MayReadPermissions func(user string) bool
	// Withholds decides by account, as MayRead does, whom the file system does not
	// tell permissions although he has READ_CONTROL: reading works, QUERY_INFO is
	// answered with the file system's error, STATUS_ACCESS_DENIED (MS-SMB2
	// 3.3.5.20.3). NTFS never does that; file servers that are not Windows may.
	// nil withholds from nobody.
	Withholds func(user string) bool
}

// Config describes a server.
type Config struct {
	Name      string // NetBIOS name of the machine, FS1
	Domain    string // NetBIOS name of its domain; empty for a workgroup
	DNSName   string // fs1.contoso.com; empty means Name
	DNSDomain string // contoso.com
	Shares    []Share
	Accounts  ntlm.Accounts
	// Newest is the newest dialect spoken, as on the wire: 0x0210, 0x0300, 0x0302,
	// or 0x0311, which 0 means too.
	Newest uint16
	// Kerberos begins a logon with a ticket; nil means that this machine takes NTLM only.
	Kerberos func() Handshake
	// Now is the clock by which tickets end; nil means the system's.
	Now func() time.Time
	// MaxConnections bounds the connections at one time; 0 means 64.
	MaxConnections int
}

// Server serves the shares of a [Config]. It can serve several listeners.
type Server struct {
	config  Config
	shares  map[string]*share // by upper-case name
	guid    [16]byte
	started time.Time
	hint    []byte
	nextID  atomic.Uint64
	slots   chan struct{}
	// maxWrite is what NEGOTIATE offers: little where writes are refused anyway.
	maxWrite uint32
}

// share is a Share that was checked.
type share struct {
	Share
	permissions permissions
	// opens is used for a writable share only.
	opens opens
}

// ErrNotLoopback says that a listener could be reached from other machines. The
// lab's accounts are no secret, so this is refused.
var ErrNotLoopback = errors.New("the lab's file server listens on loopback only")

// New checks the configuration.
func New(c Config) (*Server, error) {
	switch {
	case c.Name == "":
		return nil, errors.New("file server without a name")
	case c.Accounts == nil:
		return nil, errors.New("file server without accounts")
	case c.MaxConnections < 0:
		return nil, fmt.Errorf("file server with %d connections", c.MaxConnections)
	case c.Newest != 0 && !slices.Contains(preferred(), dialect(c.Newest)):
		return nil, fmt.Errorf("file server that speaks dialect %#04x at most", c.Newest)
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.DNSName == "" {
		c.DNSName = c.Name
	}
	s := &Server{config: c, shares: map[string]*share{}, started: time.Now(), maxWrite: smallWrite, slots: make(chan struct{}, c.MaxConnections)}
	for _, given := range c.Shares {
		if err := s.addShare(given); err != nil {
			return nil, fmt.Errorf("share %q: %w", given.Name, err)
		}
	}
	var err error
	if s.hint, err = spnego.Hint(c.Kerberos != nil); err != nil {
		return nil, err
	}
	if _, err := rand.Read(s.guid[:]); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) addShare(given Share) error {
	name := strings.ToUpper(given.Name)
	if !validName(given.Name) || name == ipcName {
		return errors.New("not a name for a share")
	}
	switch {
	case given.Writable != nil && given.FS != nil:
		return errors.New("two file systems")
	case given.Writable != nil:
		given.FS = view{given.Writable}
		s.maxWrite = maxWrite
	case given.FS == nil:
		return errors.New("no file system")
	}
	if _, twice := s.shares[name]; twice {
		return errors.New("named twice")
	}
	permissions, err := compilePermissions(given)
	if err != nil {
		return err
	}
	s.shares[name] = &share{Share: given, permissions: permissions}
	return nil
}

// Serve answers clients until ctx ends, then closes the listener and every
// connection, waits for their goroutines and returns nil. Another failure of the
// listener ends it in the same way and is returned.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if addr, ok := ln.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		return errors.Join(ErrNotLoopback, ln.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	var connections sync.WaitGroup
	defer connections.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	for {
		peer, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return errors.Join(fmt.Errorf("file server: %w", err), ln.Close())
		}
		select {
		case s.slots <- struct{}{}:
			connections.Go(func() {
				defer func() { <-s.slots }()
				s.serveConn(ctx, peer)
			})
		default:
			_ = peer.Close() // full: the client sees a reset and may come again
		}
	}
}
