package smbcheck

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"sync"
)

// Accomplice signs in as NTLM does and lends its session key to a man in the middle of a test: what he says then is
// signed and sealed as the server's own words are. So a real server after an honest sign-in becomes one that lies.
type Accomplice struct {
	NTLM

	mu  sync.Mutex
	who initiator
	ear *tap
}

// NewAccomplice is good for one connection over the dialect.
func NewAccomplice(n NTLM, d Dialect) *Accomplice {
	return &Accomplice{NTLM: n, ear: newTap(nil, d)}
}

func (a *Accomplice) initiator(ctx context.Context, server string) (initiator, error) {
	who, err := a.NTLM.initiator(ctx, server)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.who = who
	return who, err
}

// Hear takes in one message of the connection, before anything is done to it.
func (a *Accomplice) Hear(fromServer bool, m []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ear.record.setup != nil {
		return nil
	}
	s := sink(sending{a.ear})
	if fromServer {
		s = receiving{a.ear}
	}
	m = append([]byte(nil), m...)
	keep, err := s.begin(m, len(m))
	if err == nil && keep {
		err = s.whole(m)
	}
	return err
}

func (a *Accomplice) keys() (keys, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ear.record.setup == nil {
		return keys{}, errors.New("nobody has signed in")
	}
	n, err := parseNegotiate(a.ear.record.negotiate)
	return keysFor(n, a.ear.record.transcript, a.who.SessionKey()), err
}

// Open decrypts a sealed message of the server's.
func (a *Accomplice) Open(m []byte) ([]byte, error) {
	k, err := a.keys()
	if err != nil {
		return nil, err
	}
	return k.open(m)
}

// Sign returns the message with the signature that the server would give it.
func (a *Accomplice) Sign(m []byte) ([]byte, error) {
	k, err := a.keys()
	if err != nil {
		return nil, err
	}
	m = append([]byte(nil), m...)
	m[offFlags] |= flagSigned
	mac, err := k.signature(m)
	copy(m[offSignature:headerSize], mac)
	return m, err
}

// Seal encrypts a message as the server would, by AES-128-GCM, in place of the sealed one that is given.
func (a *Accomplice) Seal(instead, m []byte) ([]byte, error) {
	k, err := a.keys()
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k.opening)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	out := append([]byte(nil), instead[:transformSize]...)
	if _, err := rand.Read(out[20 : 20+gcm.NonceSize()]); err != nil {
		return nil, err
	}
	le.PutUint32(out[36:], uint32(len(m)))
	out = gcm.Seal(out, out[20:20+gcm.NonceSize()], m, out[20:transformSize])
	tag := len(out) - gcm.Overhead()
	copy(out[4:20], out[tag:])
	return out[:tag], nil
}
