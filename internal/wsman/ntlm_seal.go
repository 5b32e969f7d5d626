package wsman

import (
	"crypto/md5"
	"crypto/rc4"
	"crypto/subtle"
	"encoding/binary"
)

// spnegoProtocol is the media type of content sealed under Negotiate (MS-WSMV 2.2.9.1).
const spnegoProtocol = "application/HTTP-SPNEGO-session-encrypted"

// ntlmSide names the direction in which a side sends, in the words that its keys are made of (MS-NLMP 3.4.5).
type ntlmSide string

const (
	ntlmClientSide ntlmSide = "client-to-server"
	ntlmServerSide ntlmSide = "server-to-client"
)

// ntlmDirection is one direction's keys and place in the stream.
type ntlmDirection struct {
	sign []byte
	seal *rc4.Cipher
	seq  uint32
}

func newNTLMDirection(sessionKey []byte, side ntlmSide) *ntlmDirection {
	key := func(use string) []byte {
		sum := md5.Sum(append(sessionKey[:len(sessionKey):len(sessionKey)],
			"session key to "+string(side)+" "+use+" key magic constant\x00"...))
		return sum[:]
	}
	return &ntlmDirection{sign: key("signing"), seal: newRC4(key("sealing"))}
}

// signature is the NTLMSSP_MESSAGE_SIGNATURE over plain for the extended session security (MS-NLMP 2.2.2.9.2);
// it advances the key stream and the sequence number, so it must follow the sealing of the same message.
func (d *ntlmDirection) signature(plain []byte) []byte {
	var seq [4]byte
	binary.LittleEndian.PutUint32(seq[:], d.seq)
	d.seq++
	sum := hmacMD5(d.sign, seq[:], plain)[:8]
	d.seal.XORKeyStream(sum, sum)
	return append(append([]byte{1, 0, 0, 0}, sum...), seq[:]...)
}

// ntlmSealer seals outgoing and opens incoming messages (MS-NLMP 3.4.3), strictly in order.
type ntlmSealer struct{ out, in *ntlmDirection }

func newNTLMSealer(sessionKey []byte, us ntlmSide) *ntlmSealer {
	them := ntlmServerSide
	if us == ntlmServerSide {
		them = ntlmClientSide
	}
	return &ntlmSealer{out: newNTLMDirection(sessionKey, us), in: newNTLMDirection(sessionKey, them)}
}

// Protocol is the one of Negotiate.
func (s *ntlmSealer) Protocol() string { return spnegoProtocol }

// Wrap seals plain and gives its 16-byte signature.
func (s *ntlmSealer) Wrap(plain []byte) (header, sealed []byte, err error) {
	sealed = make([]byte, len(plain))
	s.out.seal.XORKeyStream(sealed, plain)
	return s.out.signature(plain), sealed, nil
}

// Unwrap opens sealed and checks its signature in constant time.
func (s *ntlmSealer) Unwrap(header, sealed []byte) ([]byte, error) {
	plain := make([]byte, len(sealed))
	s.in.seal.XORKeyStream(plain, sealed)
	if subtle.ConstantTimeCompare(s.in.signature(plain), header) != 1 {
		return nil, &AuthError{Reason: Tampered}
	}
	return plain, nil
}
