package kerberos

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	wrapHeader = 16

	flagFromAcceptor   = 1
	flagSealed         = 2
	flagAcceptorSubkey = 4
)

// SecurityContext seals messages to the service and opens its own, strictly in order (RFC 4121 4.2.4). One
// goroutine at a time uses it.
type SecurityContext struct {
	key            types.EncryptionKey
	etype          etype.EType
	acceptorSubkey bool
	send, receive  uint64
}

// Encryption is the name of the encryption type in use.
func (s *SecurityContext) Encryption() string { return etypeName(s.key.KeyType) }

// Wrap seals plain. header and sealed together are the token; sealed has plain's length, so that what stands in
// front of it is header alone: the form that Windows and MIT's gss_wrap_iov give it.
func (s *SecurityContext) Wrap(plain []byte) (header, sealed []byte, err error) {
	head := make([]byte, wrapHeader)
	head[0], head[1], head[2], head[3] = 5, 4, flagSealed, 0xff
	if s.acceptorSubkey {
		head[2] |= flagAcceptorSubkey
	}
	binary.BigEndian.PutUint64(head[8:], s.send)
	_, cipher, err := s.etype.EncryptMessage(s.key.KeyValue, slices.Concat(plain, head), keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, nil, err
	}
	s.send++
	// The encrypted copy of the header and the hash go from the end to the front.
	rotation := wrapHeader + s.etype.GetHMACBitLength()/8
	binary.BigEndian.PutUint16(head[6:], uint16(rotation))
	token := slices.Concat(head, rotate(cipher, len(cipher)-rotation))
	cut := len(token) - len(plain)
	return token[:cut:cut], token[cut:], nil
}

// Unwrap opens a message of the service and checks that it is the next one.
func (s *SecurityContext) Unwrap(header, sealed []byte) ([]byte, error) {
	token := slices.Concat(header, sealed)
	smallest := wrapHeader + confounderSize + wrapHeader + s.etype.GetHMACBitLength()/8
	if len(token) < smallest {
		return nil, unproven("a sealed message is too short")
	}
	head, cipher := token[:wrapHeader], token[wrapHeader:]
	want := byte(flagFromAcceptor | flagSealed)
	if s.acceptorSubkey {
		want |= flagAcceptorSubkey
	}
	filler := int(binary.BigEndian.Uint16(head[4:]))
	switch {
	case head[0] != 5 || head[1] != 4 || head[3] != 0xff || head[2] != want:
		return nil, unproven("a sealed message has another form than agreed")
	case binary.BigEndian.Uint64(head[8:]) != s.receive:
		return nil, unproven("a sealed message is out of order")
	case filler > len(token)-smallest:
		return nil, unproven("a sealed message is too short")
	}
	cipher = rotate(cipher, int(binary.BigEndian.Uint16(head[6:]))%len(cipher))
	plain, err := decrypt(s.key, cipher, keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		return nil, unproven("a sealed message does not verify")
	}
	if len(plain) < wrapHeader+filler {
		return nil, unproven("a sealed message is too short inside")
	}
	end := len(plain) - wrapHeader
	binary.BigEndian.PutUint16(head[6:], 0) // the encrypted copy has no rotation
	if !bytes.Equal(plain[end:], head) {
		return nil, unproven("a sealed message's header was changed")
	}
	s.receive++
	return plain[:end-filler], nil
}

// rotate turns b left by n bytes.
func rotate(b []byte, n int) []byte { return slices.Concat(b[n:], b[:n]) }
