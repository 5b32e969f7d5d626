package fileserver

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// Describe reads the bytes of a descriptor back as SDDL, so that tests can say
// what they expect. It knows nothing of what wrote them.
func Describe(tb testing.TB, raw []byte) string {
	tb.Helper()
	if len(raw) < 20 || raw[0] != 1 || le.Uint16(raw[2:])&selfRelative == 0 {
		tb.Fatalf("%x is no self-relative descriptor", raw)
	}
	var out strings.Builder
	for i, mark := range []string{"O:", "G:"} {
		if at := le.Uint32(raw[4+4*i:]); at != 0 {
			out.WriteString(mark + describeSID(raw[at:]))
		}
	}
	control := le.Uint16(raw[2:])
	if control&daclPresent == 0 {
		return out.String()
	}
	out.WriteString("D:")
	for _, c := range []struct {
		bit  uint16
		mark string
	}{{daclProtected, "P"}, {autoInherited, "AI"}} {
		if control&c.bit != 0 {
			out.WriteString(c.mark)
		}
	}
	at := le.Uint32(raw[16:])
	if at == 0 {
		return out.String() + "NO_ACCESS_CONTROL"
	}
	list := raw[at : at+uint32(le.Uint16(raw[at+2:]))]
	entries := list[8:]
	for range le.Uint16(list[4:]) {
		var flags strings.Builder
		for bit, mark := range []string{"OI", "CI", "NP", "IO", "ID"} {
			if entries[1]&(1<<bit) != 0 {
				flags.WriteString(mark)
			}
		}
		fmt.Fprintf(&out, "(%s;%s;0x%x;;;%s)", []string{"A", "D"}[entries[0]], &flags, le.Uint32(entries[4:]), describeSID(entries[8:]))
		entries = entries[le.Uint16(entries[2:]):]
	}
	if len(entries) != 0 {
		tb.Fatalf("%d bytes behind the last entry of %x", len(entries), raw)
	}
	return out.String()
}

func describeSID(b []byte) string {
	authority := binary.BigEndian.Uint64(append([]byte{0, 0}, b[2:8]...))
	s := fmt.Sprintf("S-%d-%d", b[0], authority)
	for i := range int(b[1]) {
		s += fmt.Sprintf("-%d", le.Uint32(b[8+4*i:]))
	}
	short := map[string]string{
		Administrators: "BA", LocalSystem: "SY", Users: "BU", CreatorOwner: "CO", CreatorGroup: "CG", AuthenticatedUsers: "AU", Everyone: "WD",
	}
	if alias, ok := short[s]; ok {
		return alias
	}
	return s
}
