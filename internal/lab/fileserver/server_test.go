package fileserver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/ntlm"
)

func TestConfigurationIsChecked(t *testing.T) {
	book, files := &ntlm.Book{}, fstest.MapFS{}
	share := func(names ...string) (shares []fileserver.Share) {
		for _, n := range names {
			shares = append(shares, fileserver.Share{Name: n, FS: files})
		}
		return shares
	}
	described := func(d fileserver.Descriptor) fileserver.Config {
		return fileserver.Config{Name: "FS1", Accounts: book, Shares: []fileserver.Share{{Name: "a", FS: files, Security: d}}}
	}
	below := func(path string, d fileserver.Descriptor) fileserver.Config {
		return fileserver.Config{Name: "FS1", Accounts: book, Shares: []fileserver.Share{{
			Name: "a", FS: fstest.MapFS{"a.txt": {}}, Below: map[string]fileserver.Descriptor{path: d},
		}}}
	}
	for name, c := range map[string]fileserver.Config{
		"no name":        {Accounts: book},
		"no accounts":    {Name: "FS1"},
		"share twice":    {Name: "FS1", Accounts: book, Shares: share("a", "A")},
		"pipe share":     {Name: "FS1", Accounts: book, Shares: share("ipc$")},
		"bad share name": {Name: "FS1", Accounts: book, Shares: share(`a\b`)},
		"no files":       {Name: "FS1", Accounts: book, Shares: []fileserver.Share{{Name: "a"}}},
		"bad owner":      {Name: "FS1", Accounts: book, Shares: []fileserver.Share{{Name: "a", FS: files, Security: fileserver.Descriptor{Owner: "BA"}}}},
		"no group":       described(fileserver.Descriptor{Owner: fileserver.Users, Protected: true}),
		"idle flags": described(fileserver.Descriptor{
			Owner: fileserver.Users, Group: fileserver.Users,
			Entries: []fileserver.Entry{{SID: fileserver.Users, Mask: 1, Flags: fileserver.InheritOnly}},
		}),
		"entries of no list": described(fileserver.Descriptor{
			Owner: fileserver.Users, Group: fileserver.Users, NoList: true, Entries: []fileserver.Entry{{SID: fileserver.Users, Mask: 1}},
		}),
		"descriptor of nothing":    below("b.txt", fileserver.Descriptor{}),
		"descriptor of no path":    below("../a.txt", fileserver.Descriptor{}),
		"second descriptor of all": below(".", fileserver.Descriptor{}),
		"heirs of a file":          below("a.txt", fileserver.Descriptor{Entries: []fileserver.Entry{{SID: fileserver.Users, Mask: 1, Flags: fileserver.ObjectInherit}}}),
		"descriptors of what comes and goes": {Name: "FS1", Accounts: book, Shares: []fileserver.Share{{
			Name: "a", Writable: fileserver.NewShelf(1), Below: map[string]fileserver.Descriptor{"a.txt": {}},
		}}},
		"dialect of the future": {Name: "FS1", Accounts: book, Newest: 0x0312},
		"two file systems":      {Name: "FS1", Accounts: book, Shares: []fileserver.Share{{Name: "a", FS: files, Writable: fileserver.NewShelf(1)}}},
		"negative clients":      {Name: "FS1", Accounts: book, MaxConnections: -1},
	} {
		if _, err := fileserver.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestOnlyLoopbackIsServed(t *testing.T) {
	server, err := fileserver.New(fileserver.Config{Name: "FS1", Accounts: &ntlm.Book{}})
	if err != nil {
		t.Fatal(err)
	}
	ln := &claims{addr: &net.TCPAddr{IP: net.IPv4zero, Port: 445}}
	if err := server.Serve(context.Background(), ln); !errors.Is(err, fileserver.ErrNotLoopback) || !ln.closed {
		t.Errorf("Serve: %v, closed %v", err, ln.closed)
	}
}

// claims is a listener on an address that a test must not open.
type claims struct {
	addr   net.Addr
	closed bool
}

func (c *claims) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (c *claims) Close() error              { c.closed = true; return nil }
func (c *claims) Addr() net.Addr            { return c.addr }

func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	var d net.Dialer
	peer, err := d.DialContext(context.Background(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	if err := peer.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return peer
}

func TestGarbageIsHungUpOnAndOthersAreServed(t *testing.T) {
	l := start(t)
	for name, bytes := range map[string]string{
		"HTTP":         "GET / HTTP/1.1\r\nHost: fs1\r\n\r\n" + strings.Repeat("x", 100),
		"huge frame":   "\x00\xff\xff\xff",
		"tiny frame":   "\x00\x00\x00\x01x",
		"SMB1":         "\x00\x00\x00\x54\xffSMBr" + strings.Repeat("\x00", 79),
		"sealed first": "\x00\x00\x00\x80\xfdSMB" + strings.Repeat("\x00", 124),
		"unnegotiated": "\x00\x00\x00\x44\xfeSMB\x40\x00" + strings.Repeat("\x00", 6) + "\x0d\x00" + strings.Repeat("\x00", 54),
	} {
		peer := connect(t, l.addr)
		if _, err := io.WriteString(peer, bytes); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(peer); len(got) != 0 || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s is answered with %q, %v", name, got, err)
		}
	}
	if _, err := l.mount(t, "hotfix", 0x311).Stat("Root"); err != nil {
		t.Errorf("another client afterwards: %v", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	l := start(t)
	first := make([]net.Conn, 64)
	for i := range first {
		first[i] = connect(t, l.addr)
		// An answer proves that this connection has its place.
		if _, err := first[i].Write([]byte("\x00\x00\x00\x66" + negotiate210)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(first[i], make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(connect(t, l.addr)); len(got) != 0 {
		t.Errorf("one connection more is answered with %q, %v", got, err)
	}
}

var negotiate210 = "\xfeSMB\x40\x00" + strings.Repeat("\x00", 58) +
	"\x24\x00\x01\x00\x02\x00\x00\x00" + strings.Repeat("\x00", 28) + "\x10\x02"

// meddler alters what the client sends first.
type meddler struct {
	net.Conn
	at   int
	done bool
}

func (m *meddler) Write(b []byte) (int, error) {
	if m.done || len(b) <= m.at {
		return m.Conn.Write(b)
	}
	m.done = true
	altered := bytes.Clone(b)
	altered[m.at] ^= 1
	return m.Conn.Write(altered)
}

func TestAlteredNegotiateMakesTheSessionUseless(t *testing.T) {
	l := start(t)
	for name, at := range map[string]int{"nothing": 1 << 20, "client guid": 64 + 12 + 4} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s, err := (&smb2.Dialer{
			Negotiator: smb2.Negotiator{RequireMessageSigning: true, SpecifiedDialect: 0x311},
			Initiator:  &smb2.NTLMInitiator{User: "svc", Password: "Sesame-1", Domain: "CONTOSO"},
		}).DialConn(ctx, &meddler{Conn: connect(t, l.addr), at: at}, "127.0.0.1")
		if err == nil {
			_, err = s.WithContext(ctx).Mount("hotfix")
		}
		if (err == nil) != (name == "nothing") {
			t.Errorf("%s altered: %v", name, err)
		}
	}
}

func TestServeEndsWithConnectionsOpen(t *testing.T) {
	server, err := fileserver.New(fileserver.Config{Name: "FS1", Accounts: &ntlm.Book{}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, ln) }()
	peer := connect(t, ln.Addr().String())
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := peer.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
}
