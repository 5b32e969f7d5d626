package wsman

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// Negotiate flags (MS-NLMP 2.2.2.5).
const (
	ntlmUnicode         = 1 << 0
	ntlmRequestTarget   = 1 << 2
	ntlmSign            = 1 << 4
	ntlmSeal            = 1 << 5
	ntlmNTLM            = 1 << 9
	ntlmAlwaysSign      = 1 << 15
	ntlmExtendedSession = 1 << 19
	ntlmTargetInfo      = 1 << 23
	ntlmVersion         = 1 << 25
	ntlm128             = 1 << 29
	ntlmKeyExchange     = 1 << 30
	ntlm56              = 1 << 31

	ntlmWanted = ntlmUnicode | ntlmRequestTarget | ntlmSign | ntlmSeal | ntlmNTLM | ntlmAlwaysSign |
		ntlmExtendedSession | ntlmTargetInfo | ntlmVersion | ntlm128 | ntlmKeyExchange | ntlm56
	// ntlmRequired is the least that makes 128-bit sealing; a challenge without one of these is weak.
	ntlmRequired = ntlmUnicode | ntlmSign | ntlmSeal | ntlmExtendedSession | ntlmTargetInfo | ntlm128 | ntlmKeyExchange
)

// Attribute ids of the target information (MS-NLMP 2.2.2.1).
const (
	avEOL             = 0
	avComputerName    = 1
	avDomainName      = 2
	avFlags           = 6
	avTimestamp       = 7
	avTargetName      = 9
	avChannelBindings = 10

	avFlagMIC = 0x2
)

// maxTargetInfo is far above five names and a time. Our answer repeats it, and its fields have 16-bit lengths: a proof
// that was cut would be a failed logon.
const maxTargetInfo = 16 << 10

const ntlmSignature = "NTLMSSP\x00"

// ntlmOSVersion is the VERSION structure (MS-NLMP 2.2.2.10) of Windows Server 2019, revision 15.
const ntlmOSVersion = "\x0a\x00\x63\x45\x00\x00\x00\x0f"

// ntlmNegotiate is the NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1). It names nobody.
func ntlmNegotiate() []byte {
	b := make([]byte, 40)
	copy(b, ntlmSignature)
	binary.LittleEndian.PutUint32(b[8:], 1)
	binary.LittleEndian.PutUint32(b[12:], ntlmWanted)
	copy(b[32:], ntlmOSVersion)
	return b
}

// avPair is one attribute of the target information.
type avPair struct {
	id    uint16
	value []byte
}

// ntlmChallenge is what matters of a CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2).
type ntlmChallenge struct {
	raw   []byte
	flags uint32
	nonce [8]byte
	pairs []avPair
}

// parseChallenge reads and judges a challenge. Every offset in it is the peer's and is checked.
func parseChallenge(b []byte) (*ntlmChallenge, error) {
	const fixed = 48
	if len(b) < fixed || len(b) > 1<<16 || string(b[:8]) != ntlmSignature || binary.LittleEndian.Uint32(b[8:]) != 2 {
		return nil, errors.New("not an NTLM challenge")
	}
	c := &ntlmChallenge{raw: bytes.Clone(b), flags: binary.LittleEndian.Uint32(b[20:])}
	copy(c.nonce[:], b[24:])
	if missing := ntlmRequired &^ c.flags; missing != 0 {
		return nil, fmt.Errorf("the challenge leaves out flags 0x%08x that sealing needs", missing)
	}
	info, err := payload(c.raw, 40, fixed)
	if err != nil {
		return nil, err
	}
	if len(info) > maxTargetInfo {
		return nil, errors.New("the challenge's target information is larger than an answer can repeat")
	}
	c.pairs, err = parsePairs(info)
	return c, err
}

// payload resolves the (length, capacity, offset) field at pos; no payload may overlap the fixed part.
func payload(b []byte, pos, fixed int) ([]byte, error) {
	n := int(binary.LittleEndian.Uint16(b[pos:]))
	off := int64(binary.LittleEndian.Uint32(b[pos+4:]))
	if off < int64(fixed) || off+int64(n) > int64(len(b)) {
		return nil, errors.New("a field of the challenge points outside it")
	}
	return b[off : off+int64(n)], nil
}

func parsePairs(b []byte) ([]avPair, error) {
	var pairs []avPair
	for len(b) >= 4 {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if id == avEOL {
			return pairs, nil
		}
		if n > len(b) || len(pairs) == 64 {
			break
		}
		pairs = append(pairs, avPair{id, b[:n]})
		b = b[n:]
	}
	return nil, errors.New("the challenge's target information is cut or endless")
}

func appendPairs(dst []byte, pairs []avPair) []byte {
	for _, p := range append(pairs[:len(pairs):len(pairs)], avPair{id: avEOL}) {
		dst = binary.LittleEndian.AppendUint16(dst, p.id)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(p.value)))
		dst = append(dst, p.value...)
	}
	return dst
}

// attribute is the first value of id, or nil.
func (c *ntlmChallenge) attribute(id uint16) []byte {
	for _, p := range c.pairs {
		if p.id == id {
			return p.value
		}
	}
	return nil
}

// timestamp is the peer's clock as a FILETIME; using it spares us any skew.
func (c *ntlmChallenge) timestamp() (uint64, bool) {
	v := c.attribute(avTimestamp)
	if len(v) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(v), true
}

// name is a text attribute, fit for a screen.
func (c *ntlmChallenge) name(id uint16) string {
	v := c.attribute(id)
	u := make([]uint16, len(v)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(v[2*i:])
	}
	return printable(string(utf16.Decode(u)), 64)
}

// answerPairs is the target information of our answer: the peer's own, the promise of a MIC, our view of its
// name, and the TLS channel. Attributes that only a client may set are dropped if the peer sent them.
func (c *ntlmChallenge) answerPairs(peer Peer) []avPair {
	var flags uint32 = avFlagMIC
	var pairs []avPair
	for _, p := range c.pairs {
		switch p.id {
		case avFlags:
			if len(p.value) == 4 {
				flags |= binary.LittleEndian.Uint32(p.value)
			}
		case avTargetName, avChannelBindings:
		default:
			pairs = append(pairs, p)
		}
	}
	pairs = append(pairs, avPair{avFlags, binary.LittleEndian.AppendUint32(nil, flags)})
	if peer.ChannelBinding != nil {
		pairs = append(pairs, avPair{avChannelBindings, peer.ChannelBinding})
	}
	return append(pairs, avPair{avTargetName, utf16le(ntlmService + "/" + peer.Host)})
}

func utf16le(s string) []byte {
	u := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(u))
	for _, v := range u {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}
