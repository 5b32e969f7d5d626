package fileserver_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/ntlm"
)

// shown is both ends of a logon with a ticket, as the server's Kerberos gives it; the real one is the lab's.
type shown struct {
	user string
	key  []byte
	end  time.Time
}

func (s shown) Next(token []byte) ([]byte, bool, error) {
	if !bytes.Contains(token, []byte("ticket of "+s.user)) {
		return nil, false, errors.New("a ticket that is not for this machine")
	}
	oid := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}
	return append([]byte{0xa1, 0x14, 0x30, 0x12, 0xa0, 3, 0x0a, 1, 0, 0xa1, 11}, oid...), true, nil
}

func (s shown) Ticket() (fileserver.Ticket, error) {
	return fileserver.Ticket{User: s.user, Realm: "CONTOSO.COM", Key: s.key, Expires: s.end}, nil
}

// OID and the rest are the client's end.
func (shown) OID() asn1.ObjectIdentifier              { return asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2} }
func (s shown) InitSecContext() ([]byte, error)       { return []byte("ticket of " + s.user), nil }
func (shown) AcceptSecContext([]byte) ([]byte, error) { return nil, nil }
func (shown) Sum([]byte) []byte                       { return nil }
func (s shown) SessionKey() []byte                    { return s.key[:16] }
func (s shown) dial(t *testing.T, addr string) (*smb2.Session, error) {
	t.Helper()
	peer, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	session, err := (&smb2.Dialer{Negotiator: smb2.Negotiator{RequireMessageSigning: true}, Initiator: s}).DialConn(t.Context(), peer, "fs1")
	if err != nil {
		return nil, err
	}
	return session.WithContext(t.Context()), nil
}

func TestATicketSignsInAndItsEndEndsTheSession(t *testing.T) {
	began := time.Now()
	var later atomic.Int64
	now := func() time.Time { return began.Add(time.Duration(later.Load())) }
	accepted := shown{"svc", bytes.Repeat([]byte{7}, 32), began.Add(time.Hour)}
	book := &ntlm.Book{}
	book.Alias("CONTOSO.COM", "CONTOSO")
	book.Add(ntlm.Account{Domain: "CONTOSO", User: "svc", Password: "Sesame-1"})
	who := make(chan string, 8)
	server, err := fileserver.New(fileserver.Config{
		Name: "FS1", Domain: "CONTOSO", Accounts: book, Now: now, Kerberos: func() fileserver.Handshake { return accepted },
		Shares: []fileserver.Share{{Name: "hotfix", FS: hotfixes(), MayRead: func(user string) bool { who <- user; return true }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve ended with %v", err)
		}
	})
	session, err := accepted.dial(t, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.Mount("hotfix")
	if err != nil {
		t.Fatal(err)
	}
	if got := <-who; got != `CONTOSO\svc` {
		t.Errorf("signed in as %s", got)
	}
	if _, err := m.ReadDir("Root"); err != nil {
		t.Error(err)
	}
	later.Store(int64(time.Hour))
	var refused *smb2.ResponseError
	if _, err := m.ReadDir("Root"); !errors.As(err, &refused) || refused.Code != 0xC000035C {
		t.Errorf("after the ticket's end: %v", err)
	}
	for name, s := range map[string]shown{"a ticket for another machine": {"other", accepted.key, accepted.end}, "another key": {"svc", bytes.Repeat([]byte{8}, 32), accepted.end}} {
		if session, err := s.dial(t, ln.Addr().String()); err == nil {
			if _, err = session.Mount("hotfix"); err == nil {
				t.Errorf("%s is let in", name)
			}
		}
	}
}
