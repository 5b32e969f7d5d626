package fileserver

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Well-known principals (MS-DTYP 2.4.2.4).
const (
	Administrators     = "S-1-5-32-544"
	LocalSystem        = "S-1-5-18"
	Users              = "S-1-5-32-545"
	CreatorOwner       = "S-1-3-0"
	CreatorGroup       = "S-1-3-1"
	AuthenticatedUsers = "S-1-5-11"
	Everyone           = "S-1-1-0"
)

// parseSID reads the string form S-1-authority-sub-… (MS-DTYP 2.4.2.1).
func parseSID(s string) ([]byte, error) {
	parts := strings.Split(s, "-")
	const mostSubs = 15
	if len(parts) < 4 || len(parts) > 3+mostSubs || parts[0] != "S" || parts[1] != "1" {
		return nil, fmt.Errorf("%q is not a SID", s)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return nil, fmt.Errorf("%q is not a SID: %w", s, err)
	}
	b := []byte{1, byte(len(parts) - 3)}
	b = append(b, binary.BigEndian.AppendUint64(nil, authority)[2:]...)
	for _, p := range parts[3:] {
		sub, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is not a SID: %w", s, err)
		}
		b = le.AppendUint32(b, uint32(sub))
	}
	return b, nil
}
