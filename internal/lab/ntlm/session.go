package ntlm

import (
	"crypto/hmac"
	"crypto/rc4"
	"encoding/binary"
	"errors"
)

// SignatureSize is the length of a message signature (MS-NLMP 2.2.2.9.1).
const SignatureSize = 16

// Reasons why a protected message is not taken.
var (
	ErrSignature = errors.New("NTLM signature does not match")
	ErrBroken    = errors.New("NTLM session unusable after a message that did not verify")
)

// Session protects messages of an established connection: signs and seals what
// the server sends, opens and checks what the client sent (MS-NLMP 3.4). Both
// directions are streams: every message must be handed over exactly once and in
// order. One goroutine may send while another receives.
type Session struct {
	out, in direction
	broken  bool
}

// direction is one way of the connection; its RC4 state and sequence number
// advance with each message.
type direction struct {
	signKey  []byte
	stream   *rc4.Cipher
	sequence uint32
}

func newSession(key []byte) (*Session, error) {
	server, err := newDirection(key, serverSigning, serverSealing)
	if err != nil {
		return nil, err
	}
	client, err := newDirection(key, clientSigning, clientSealing)
	if err != nil {
		return nil, err
	}
	return &Session{out: server, in: client}, nil
}

func newDirection(key []byte, signing, sealing string) (direction, error) {
	stream, err := rc4.NewCipher(deriveKey(key, sealing))
	if err != nil {
		return direction{}, err
	}
	return direction{signKey: deriveKey(key, signing), stream: stream}, nil
}

// mac is the signature of MS-NLMP 3.4.4.2 with key exchange: the checksum is
// encrypted by the stream, behind the message when that is sealed too.
func (d *direction) mac(plain []byte) []byte {
	seq := binary.LittleEndian.AppendUint32(nil, d.sequence)
	sum := hmacMD5(d.signKey, seq, plain)[:8]
	d.stream.XORKeyStream(sum, sum)
	d.sequence++
	out := make([]byte, 0, SignatureSize)
	out = binary.LittleEndian.AppendUint32(out, 1)
	out = append(out, sum...)
	return append(out, seq...)
}

// Wrap seals a message for the client; plain is not changed.
func (s *Session) Wrap(plain []byte) (sealed, signature []byte) {
	sealed = make([]byte, len(plain))
	s.out.stream.XORKeyStream(sealed, plain)
	return sealed, s.out.mac(plain)
}

// Unwrap opens a message of the client. After a failure the stream cannot be
// found again: every later call answers [ErrBroken] and the connection has to go.
func (s *Session) Unwrap(sealed, signature []byte) ([]byte, error) {
	if s.broken {
		return nil, ErrBroken
	}
	plain := make([]byte, len(sealed))
	s.in.stream.XORKeyStream(plain, sealed)
	if !hmac.Equal(s.in.mac(plain), signature) {
		s.broken = true
		return nil, ErrSignature
	}
	return plain, nil
}

// Sign gives the signature of a message that is sent readable.
func (s *Session) Sign(plain []byte) []byte { return s.out.mac(plain) }

// Verify checks the signature of a message of the client that came readable. A
// failure breaks the session as in [Session.Unwrap].
func (s *Session) Verify(plain, signature []byte) error {
	if s.broken {
		return ErrBroken
	}
	if !hmac.Equal(s.in.mac(plain), signature) {
		s.broken = true
		return ErrSignature
	}
	return nil
}
