package ntlm

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const signature = "NTLMSSP\x00"

// Message types, MS-NLMP 2.2.1.
const (
	typeNegotiate    uint32 = 1
	typeChallenge    uint32 = 2
	typeAuthenticate uint32 = 3
)

// maxToken bounds a message of the client. Real ones stay below 2 KiB.
const maxToken = 16 << 10

// micOffset and micEnd place the MIC in an AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3):
// behind six fields, the flags and the version.
const (
	micOffset = 72
	micEnd    = 88
)

// version is what a Windows Server 2022 puts there: 10.0, build 20348, NTLM revision 15.
var version = []byte{10, 0, 0x7c, 0x4f, 0, 0, 0, 15}

func messageType(b []byte) (uint32, error) {
	if len(b) > maxToken {
		return 0, fmt.Errorf("token of %d bytes, at most %d are accepted", len(b), maxToken)
	}
	if len(b) < 12 || !bytes.HasPrefix(b, []byte(signature)) {
		return 0, fmt.Errorf("not an NTLMSSP message")
	}
	return binary.LittleEndian.Uint32(b[8:]), nil
}

func parseNegotiate(b []byte) (flags uint32, err error) {
	if len(b) < 16 {
		return 0, fmt.Errorf("NEGOTIATE_MESSAGE of %d bytes", len(b))
	}
	return binary.LittleEndian.Uint32(b[12:]), nil
}

// buildChallenge writes a CHALLENGE_MESSAGE, MS-NLMP 2.2.1.2.
func buildChallenge(flags uint32, nonce [8]byte, target string, info []byte) []byte {
	const fixed = 56
	name := encodeUTF16(target)
	b := make([]byte, 0, fixed+len(name)+len(info))
	b = append(b, signature...)
	b = binary.LittleEndian.AppendUint32(b, typeChallenge)
	b = appendField(b, len(name), fixed)
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, nonce[:]...)
	b = append(b, make([]byte, 8)...)
	b = appendField(b, len(info), fixed+len(name))
	if flags&flagVersion != 0 {
		b = append(b, version...)
	} else {
		b = append(b, make([]byte, len(version))...)
	}
	b = append(b, name...)
	return append(b, info...)
}

func appendField(b []byte, size, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(size))
	b = binary.LittleEndian.AppendUint16(b, uint16(size))
	return binary.LittleEndian.AppendUint32(b, uint32(offset))
}

// authenticate is a decoded AUTHENTICATE_MESSAGE, MS-NLMP 2.2.1.3. Its slices
// point into the message.
type authenticate struct {
	flags       uint32
	domain      string
	user        string
	workstation string
	proof       []byte // 16 bytes
	blob        []byte // the client's challenge structure that the proof covers
	pairs       avPairs
	wrappedKey  []byte
	mic         []byte // 16 bytes, nil when the client sent none
}

func parseAuthenticate(b []byte) (*authenticate, error) {
	const fixed = 64
	if len(b) < fixed {
		return nil, fmt.Errorf("AUTHENTICATE_MESSAGE of %d bytes", len(b))
	}
	payload := len(b)
	field := func(at int, name string) ([]byte, error) {
		size := int(binary.LittleEndian.Uint16(b[at:]))
		offset := uint64(binary.LittleEndian.Uint32(b[at+4:]))
		if size == 0 {
			return nil, nil
		}
		if offset < fixed || offset+uint64(size) > uint64(len(b)) {
			return nil, fmt.Errorf("%s lies outside the message", name)
		}
		payload = min(payload, int(offset))
		return b[offset : offset+uint64(size)], nil
	}
	names := [...]string{"LM response", "NT response", "domain", "user", "workstation", "session key"}
	var fields [len(names)][]byte
	for i, name := range names {
		var err error
		if fields[i], err = field(12+8*i, name); err != nil {
			return nil, err
		}
	}
	m := &authenticate{
		flags:       binary.LittleEndian.Uint32(b[60:]),
		domain:      decodeUTF16(fields[2]),
		user:        decodeUTF16(fields[3]),
		workstation: decodeUTF16(fields[4]),
		wrappedKey:  fields[5],
	}
	for _, name := range fields[2:5] {
		if len(name)%2 != 0 {
			return nil, fmt.Errorf("a name of %d bytes is not UTF-16", len(name))
		}
	}
	if err := m.parseResponse(fields[1]); err != nil {
		return nil, err
	}
	if m.pairs.hasMIC() {
		if payload < micEnd {
			return nil, fmt.Errorf("a MIC is announced but the payload begins at %d", payload)
		}
		m.mic = b[micOffset:micEnd]
	}
	return m, nil
}

// parseResponse takes an NTLMv2_RESPONSE apart, MS-NLMP 2.2.2.8. Anything that is
// not one (NTLMv1 answers in 24 bytes, an anonymous logon in none) is weak.
func (m *authenticate) parseResponse(b []byte) error {
	if len(b) == 0 {
		return &WeakError{What: "anonymous logon"}
	}
	const head = 28
	if len(b) < 16+head+4 {
		return &WeakError{What: "an NT response that is not NTLMv2"}
	}
	m.proof, m.blob = b[:16], b[16:]
	if m.blob[0] != 1 || m.blob[1] != 1 {
		return &WeakError{What: "an NT response of unknown version"}
	}
	var err error
	m.pairs, err = parsePairs(m.blob[head:])
	return err
}
