package ntlm

import (
	"encoding/binary"
	"fmt"
	"time"
)

// AV pair identifiers, MS-NLMP 2.2.2.1.
const (
	avEOL             uint16 = 0
	avComputer        uint16 = 1
	avDomain          uint16 = 2
	avDNSComputer     uint16 = 3
	avDNSDomain       uint16 = 4
	avDNSTree         uint16 = 5
	avFlags           uint16 = 6
	avTimestamp       uint16 = 7
	avTargetName      uint16 = 9
	avChannelBindings uint16 = 10
)

// avFlagMIC in an avFlags pair says that the message carries an integrity code.
const avFlagMIC = 0x2

// maxPairs bounds what a peer can make us store; the specification knows eleven.
const maxPairs = 32

type avPairs map[uint16][]byte

// parsePairs reads up to the end-of-list pair. A list without one is refused:
// the length that names it comes from the peer as well.
func parsePairs(b []byte) (avPairs, error) {
	pairs := avPairs{}
	for range maxPairs {
		if len(b) < 4 {
			return nil, fmt.Errorf("AV pairs end without an end-of-list pair")
		}
		id := binary.LittleEndian.Uint16(b)
		size := int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if id == avEOL {
			return pairs, nil
		}
		if size > len(b) {
			return nil, fmt.Errorf("AV pair %d claims %d bytes, %d are left", id, size, len(b))
		}
		if _, twice := pairs[id]; twice {
			return nil, fmt.Errorf("AV pair %d appears twice", id)
		}
		pairs[id] = b[:size]
		b = b[size:]
	}
	return nil, fmt.Errorf("more than %d AV pairs", maxPairs)
}

func appendPair(b []byte, id uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, id)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(b, value...)
}

// hasMIC tells whether the client says that its message carries a MIC.
func (p avPairs) hasMIC() bool {
	v := p[avFlags]
	return len(v) == 4 && binary.LittleEndian.Uint32(v)&avFlagMIC != 0
}

// filetime counts 100 ns intervals since 1601-01-01 (MS-DTYP 2.3.3).
func filetime(t time.Time) uint64 {
	const unixEpoch = 116444736000000000
	return uint64(t.Unix())*10_000_000 + uint64(t.Nanosecond())/100 + unixEpoch
}
