package smbcheck

import "fmt"

// ShareType is what a share is for (MS-SMB2 2.2.10).
type ShareType uint8

// The types that exist; 0 is not known.
const (
	DiskShare  ShareType = 1
	PipeShare  ShareType = 2
	PrintShare ShareType = 3
)

// String is "disk", "pipe" or "print".
func (s ShareType) String() string {
	switch s {
	case 0:
		return "unknown"
	case DiskShare:
		return "disk"
	case PipeShare:
		return "pipe"
	case PrintShare:
		return "print"
	}
	return fmt.Sprintf("0x%02X", uint8(s))
}

// MarshalText writes the type as String does.
func (s ShareType) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
