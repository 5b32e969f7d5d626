package fileserver

import (
	"time"

	"cau/internal/lab/ntlm"
	"cau/internal/lab/spnego"
)

// Handshake accepts one Kerberos logon, whose tokens come in SPNEGO.
type Handshake interface {
	// Next takes the client's token and gives the answer, which goes out also when done.
	Next(token []byte) (out []byte, done bool, err error)
	// Ticket is what was shown; it fails before done.
	Ticket() (Ticket, error)
}

// Ticket is an accepted Kerberos logon.
type Ticket struct {
	// User and Realm are whose ticket it is.
	User, Realm string
	// Key is the session key, of which SMB takes the first 16 bytes (MS-SMB2 3.3.5.5.3).
	Key []byte
	// Expires ends the session too.
	Expires time.Time
}

// logon is one session's way to sign in, decided by its first token.
type logon struct {
	ntlm   *ntlm.Acceptor
	tokens *spnego.Acceptor
	ticket Handshake // nil while it is NTLM
	begun  bool
}

func (s *Server) newLogon() *logon {
	cfg := s.config
	inner := ntlm.NewAcceptor(ntlm.Config{
		NetBIOSName: cfg.Name, NetBIOSDomain: cfg.Domain, DNSName: cfg.DNSName, DNSDomain: cfg.DNSDomain,
	}, cfg.Accounts)
	return &logon{ntlm: inner, tokens: spnego.NewAcceptor(inner)}
}

// next takes a token: Kerberos where that is the client's first choice and this machine is a member of a realm. st is
// how a refusal is told.
func (s *Server) next(l *logon, token []byte) (out []byte, done bool, st status) {
	if !l.begun && s.config.Kerberos != nil && spnego.PrefersKerberos(token) {
		l.ticket = s.config.Kerberos()
	}
	l.begun = true
	var err error
	if l.ticket == nil {
		if out, done, err = l.tokens.Next(token); err != nil {
			return nil, false, logonStatus(err)
		}
		return out, done, statusOK
	}
	if out, done, err = l.ticket.Next(token); err != nil {
		return nil, false, statusLogonFailure
	}
	return out, done, statusOK
}

// signedIn is who a logon was for, with the key that it made, when it was done. expires is zero for NTLM.
func (s *Server) signedIn(l *logon) (user string, key []byte, expires time.Time, ok bool) {
	const keySize = 16
	if l.ticket == nil {
		return l.ntlm.Identity().String(), l.ntlm.SessionKey(), time.Time{}, true
	}
	t, err := l.ticket.Ticket()
	if err != nil || len(t.Key) < keySize {
		return "", nil, time.Time{}, false
	}
	account, known := s.config.Accounts.Lookup(t.Realm, t.User)
	user = ntlm.Identity{Domain: account.Domain, User: account.User}.String()
	return user, t.Key[:keySize], t.Expires, known
}
