package descriptor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SID names a principal in its text form, "S-1-5-32-544" (MS-DTYP 2.4.2.1). Two SIDs are equal if their texts are: an
// authority below 2^32 is decimal, a larger one "0x" and 12 digits. The zero value is no principal.
type SID string

// maxSubAuthorities is how many numbers follow the authority at most (MS-DTYP 2.4.2.2).
const maxSubAuthorities = 15

// ErrSID is the cause where a SID cannot be read.
var ErrSID = errors.New("not a SID")

// ParseSID reads the text form, in any case and with decimal or hexadecimal authority, and gives the canonical one.
func ParseSID(text string) (SID, error) {
	parts := strings.Split(text, "-")
	if len(parts) < 3 || len(parts) > 3+maxSubAuthorities || !strings.EqualFold(parts[0], "S") || parts[1] != "1" {
		return "", fmt.Errorf("%w: %q", ErrSID, clip(text))
	}
	base, digits := 10, parts[2]
	if len(digits) > 2 && strings.EqualFold(digits[:2], "0x") {
		base, digits = 16, digits[2:]
	}
	authority, err := strconv.ParseUint(digits, base, 48)
	if err != nil {
		return "", fmt.Errorf("%w: %q", ErrSID, clip(text))
	}
	subs := make([]uint32, 0, len(parts)-3)
	for _, p := range parts[3:] {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return "", fmt.Errorf("%w: %q", ErrSID, clip(text))
		}
		subs = append(subs, uint32(n))
	}
	return format(authority, subs), nil
}

func format(authority uint64, subs []uint32) SID {
	var b strings.Builder
	if authority < 1<<32 {
		fmt.Fprintf(&b, "S-1-%d", authority)
	} else {
		fmt.Fprintf(&b, "S-1-0x%012X", authority)
	}
	for _, s := range subs {
		fmt.Fprintf(&b, "-%d", s)
	}
	return SID(b.String())
}

// readSID reads the binary form (MS-DTYP 2.4.2.2) at the start of b, and how many bytes it took.
func readSID(b []byte) (SID, int, error) {
	if len(b) < 8 || b[0] != 1 || b[1] > maxSubAuthorities || len(b) < 8+4*int(b[1]) {
		return "", 0, ErrSID
	}
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	subs := make([]uint32, b[1])
	for i := range subs {
		subs[i] = le.Uint32(b[8+4*i:])
	}
	return format(authority, subs), 8 + 4*len(subs), nil
}

// appendTo writes the binary form. A SID that ParseSID would refuse is an error.
func (s SID) appendTo(b []byte) ([]byte, error) {
	canonical, err := ParseSID(string(s))
	if err != nil {
		return nil, err
	}
	parts := strings.Split(string(canonical), "-")
	authority, err := strconv.ParseUint(parts[2], 0, 48)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrSID, clip(string(s)))
	}
	b = append(b, 1, byte(len(parts)-3))
	b = binary.BigEndian.AppendUint16(b, uint16(authority>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(authority))
	for _, p := range parts[3:] {
		n, _ := strconv.ParseUint(p, 10, 32) // it is canonical
		b = le.AppendUint32(b, uint32(n))
	}
	return b, nil
}

// clip keeps a text from outside short enough for an error.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
