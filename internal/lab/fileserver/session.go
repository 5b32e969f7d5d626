package fileserver

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"time"

	"cau/internal/lab/ntlm"
)

// Bounds of one session.
const (
	maxTrees   = 32
	maxHandles = 2048
)

// session is one logon on one connection.
type session struct {
	id      uint64
	logon   *logon
	dialect dialect
	preauth preauthHash

	valid bool
	user  string // DOMAIN\user
	// expires is when a ticket ends; zero for NTLM.
	expires time.Time
	mac     macFunc
	// Keys for sealing; nil when no cipher was agreed.
	fromClient, toClient cipher.AEAD
	nonce                uint64

	trees   map[uint32]*tree
	lastID  uint64 // of trees and handles
	handles int
}

// sessionSetup answers MS-SMB2 2.2.5, one round of the logon.
func (c *conn) sessionSetup(r *request) answer {
	const fixed = 24
	body, ok := r.fixed(25, fixed)
	if !ok || r.flags&headerRelated != 0 {
		return fail(statusInvalidParameter)
	}
	token, ok := r.blob(uint32(le.Uint16(body[12:])), uint32(le.Uint16(body[14:])))
	if !ok {
		return fail(statusInvalidParameter)
	}
	const binding = 1
	if body[2]&binding != 0 {
		return fail(statusRequestNotAccepted) // no multichannel, MS-SMB2 3.3.5.5
	}
	s, st := c.sessionFor(r.sessionID)
	if st != statusOK {
		return fail(st)
	}
	if c.dialect == smb311 {
		s.preauth.add(r.raw)
	}
	out, done, st := c.server.next(s.logon, token)
	if st != statusOK {
		delete(c.sessions, s.id)
		return fail(st)
	}
	a := answer{status: statusMoreProcessing, body: setupBody(out), sessionID: s.id}
	if !done {
		if c.dialect == smb311 {
			a.seen = s.preauth.add
		}
		return a
	}
	user, key, expires, ok := c.server.signedIn(s.logon)
	if !ok {
		delete(c.sessions, s.id)
		return fail(statusLogonFailure)
	}
	s.user, s.expires = user, expires
	if err := s.begin(c, key); err != nil {
		delete(c.sessions, s.id)
		return answer{hangUp: true}
	}
	a.status, a.signer = statusOK, s
	return a
}

func setupBody(token []byte) []byte {
	w := builder{}
	w.u16(9, 0, headerSize+8, uint16(len(token)))
	w.raw(token)
	return w.b
}

func (c *conn) sessionFor(id uint64) (*session, status) {
	if id != 0 {
		s := c.sessions[id]
		switch {
		case s == nil:
			return nil, statusUserSessionDeleted
		case s.valid:
			return nil, statusRequestNotAccepted // no reauthentication
		}
		return s, statusOK
	}
	if len(c.sessions) >= maxSessions {
		return nil, statusInsufficientResources
	}
	s := &session{
		id: c.server.nextID.Add(1), logon: c.server.newLogon(),
		dialect: c.dialect, preauth: c.preauth, trees: map[uint32]*tree{},
	}
	c.sessions[s.id] = s
	return s, statusOK
}

// begin makes the keys once somebody is signed in (MS-SMB2 3.3.5.5.3).
func (s *session) begin(c *conn, key []byte) error {
	// The client has as long as it likes from now on.
	if err := c.peer.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	var err error
	switch c.dialect {
	case smb311:
		derive := func(label string) []byte { return deriveKey(key, []byte(label), s.preauth[:]) }
		if s.mac, err = cmacSigner(derive("SMBSigningKey\x00")); err != nil {
			return err
		}
		if c.cipher != 0 {
			if s.fromClient, err = newGCM(derive("SMBC2SCipherKey\x00")); err != nil {
				return err
			}
			if s.toClient, err = newGCM(derive("SMBS2CCipherKey\x00")); err != nil {
				return err
			}
		}
	case smb302, smb300:
		if s.mac, err = cmacSigner(deriveKey(key, []byte("SMB2AESCMAC\x00"), []byte("SmbSign\x00"))); err != nil {
			return err
		}
	case smb210:
		s.mac = hmacSigner(key)
	default:
		return fmt.Errorf("no keys for dialect %#x", uint16(c.dialect))
	}
	s.valid = true
	return nil
}

// over tells whether the ticket behind the session has ended.
func (s *session) over(now time.Time) bool { return !s.expires.IsZero() && !now.Before(s.expires) }

func logonStatus(err error) status {
	if refused := (*ntlm.LogonError)(nil); errors.As(err, &refused) {
		return status(refused.Status)
	}
	if weak := (*ntlm.WeakError)(nil); errors.As(err, &weak) {
		return statusLogonFailure
	}
	return statusInvalidParameter
}

func (c *conn) logoff(r *request) answer {
	r.session.closeAll()
	delete(c.sessions, r.session.id)
	return answer{body: []byte{4, 0, 0, 0}}
}

func (s *session) closeAll() {
	for _, t := range s.trees {
		t.closeAll()
	}
}

func (s *session) newID() uint64 {
	s.lastID++
	return s.lastID
}
