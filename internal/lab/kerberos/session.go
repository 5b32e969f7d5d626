package kerberos

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Sizes of a sealed message, RFC 4121 4.2.4.
const (
	wrapHead = 16
	// rotation moves the encrypted copy of the head and the MAC to the front.
	rotation = wrapHead + macSize
	// HeaderSize is the part of a sealed message that stands before the data, as
	// MIT's gss_wrap_iov and Windows' EncryptMessage cut it for AES with SHA-1.
	HeaderSize = wrapHead + rotation + confounderSize
)

// Flags of a message, RFC 4121 4.2.2.
const (
	fromAcceptor = 0x01
	isSealed     = 0x02
	acceptorKey  = 0x04
)

// ErrMessage says that a sealed message was altered, repeated, left out or meant
// for somebody else. The session is of no use after it.
var ErrMessage = errors.New("bad sealed message")

// Session seals and unseals messages as the accepting side. It belongs to one
// connection and is not safe for concurrent use.
type Session struct {
	principal, service string
	expires            time.Time
	flags              uint32
	key                types.EncryptionKey
	ours               bool // the key is the acceptor's
	send, receive      uint64
	broken             bool
}

// Principal is who signed in, name@REALM as the ticket spells it: how the client
// wrote the name unless it asked for the account's own spelling.
func (s *Session) Principal() string { return s.principal }

// Service is the name that the initiator asked for, such as WSMAN/node1.lab.example.
func (s *Session) Service() string { return s.service }

// Expires is when the ticket ends. Sealing goes on working; to end the session is
// the server's decision.
func (s *Session) Expires() time.Time { return s.expires }

// Sealable tells whether the initiator asked for confidentiality. Wrap and Unwrap
// fail otherwise.
func (s *Session) Sealable() bool { return s.flags&flagConf != 0 && s.flags&flagInteg != 0 }

// Key is the session key, 16 or 32 bytes; SMB takes its first 16, MS-SMB2 3.3.5.5.3.
func (s *Session) Key() []byte { return slices.Clone(s.key.KeyValue) }

// Wrap seals a message: the header is [HeaderSize] bytes, sealed as long as plain.
func (s *Session) Wrap(plain []byte) (header, sealed []byte, err error) {
	if !s.Sealable() || s.broken {
		return nil, nil, errors.New("kerberos: this session does not seal")
	}
	head := s.head(fromAcceptor, 0, s.send)
	data, err := seal(slices.Concat(plain, head), s.key, keyusage.GSSAPI_ACCEPTOR_SEAL, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("kerberos: seal: %w", err)
	}
	s.send++
	binary.BigEndian.PutUint16(head[6:], rotation)
	cut := len(data.Cipher) - rotation
	token := slices.Concat(head, data.Cipher[cut:], data.Cipher[:cut])
	return token[:HeaderSize:HeaderSize], token[HeaderSize:], nil
}

// head is the first 16 bytes of a message: id, flags, filler, EC 0, RRC, number.
func (s *Session) head(direction byte, rrc uint16, number uint64) []byte {
	if s.ours {
		direction |= acceptorKey
	}
	h := []byte{5, 4, direction | isSealed, 0xff, 0, 0}
	h = binary.BigEndian.AppendUint16(h, rrc)
	return binary.BigEndian.AppendUint64(h, number)
}

// Unwrap verifies the initiator's next message and gives its data. Where header
// and sealed are cut does not matter, only what both together say; any rotation is
// taken. Every failure is [ErrMessage] and ends the session.
func (s *Session) Unwrap(header, sealed []byte) (plain []byte, err error) {
	if !s.Sealable() || s.broken {
		return nil, fmt.Errorf("%w: this session does not seal", ErrMessage)
	}
	defer func() { s.broken = err != nil }()
	token := slices.Concat(header, sealed)
	if len(token) < HeaderSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMessage, len(token))
	}
	head, body := token[:wrapHead], token[wrapHead:]
	extra, rrc := int(binary.BigEndian.Uint16(head[4:])), int(binary.BigEndian.Uint16(head[6:]))
	// What the head must be apart from filler and rotation, which are not ours to choose.
	want, got := s.head(0, 0, s.receive), slices.Clone(head)
	copy(want[4:6], head[4:6])
	got[6], got[7] = 0, 0
	if !slices.Equal(got, want) {
		return nil, fmt.Errorf("%w: head %x, want %x", ErrMessage, head, want)
	}
	by := rrc % len(body)
	data, err := unseal(slices.Concat(body[by:], body[:by]), s.key, keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	end := len(data) - wrapHead - extra
	// The encrypted copy of the head has no rotation, RFC 4121 4.2.4.
	if end < 0 || !slices.Equal(data[len(data)-wrapHead:], want) {
		return nil, fmt.Errorf("%w: the head was altered", ErrMessage)
	}
	s.receive++
	return data[:end], nil
}
