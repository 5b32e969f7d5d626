package kerberos

import (
	"encoding/binary"
	"slices"

	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
)

// sessionKeySize is what SMB takes of a key, in bytes (MS-SMB2 3.2.5.3).
const sessionKeySize = 16

// SessionKey is the key that SMB derives its own from: the first 16 bytes of the acceptor's subkey if it sent one, else
// of ours (MS-SMB2 3.2.5.3). It is a copy, and a secret: it belongs into no message and no log (R04).
func (s *SecurityContext) SessionKey() []byte { return slices.Clone(s.key.KeyValue[:sessionKeySize]) }

// MIC is a token that proves message to the service without carrying it (RFC 4121 4.2.6.1), such as SPNEGO's
// mechListMIC. It takes a place in the sequence of what we send.
func (s *SecurityContext) MIC(message []byte) ([]byte, error) {
	head := make([]byte, wrapHeader)
	for i := range head[:8] {
		head[i] = 0xff
	}
	head[0], head[1], head[2] = 4, 4, 0
	if s.acceptorSubkey {
		head[2] = flagAcceptorSubkey
	}
	binary.BigEndian.PutUint64(head[8:], s.send)
	sum, err := s.etype.GetChecksumHash(s.key.KeyValue, slices.Concat(message, head), keyusage.GSSAPI_INITIATOR_SIGN)
	if err != nil {
		return nil, err
	}
	s.send++
	return append(head, sum...), nil
}
