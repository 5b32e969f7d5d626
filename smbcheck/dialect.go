package smbcheck

import "fmt"

// Dialect is a version of SMB 2 or 3 (MS-SMB2 2.2.4, DialectRevision).
type Dialect uint16

// The dialects that exist.
const (
	SMB202 Dialect = 0x0202
	SMB210 Dialect = 0x0210
	SMB300 Dialect = 0x0300
	SMB302 Dialect = 0x0302
	SMB311 Dialect = 0x0311
)

// String is the version as Windows shows it: "3.1.1".
func (d Dialect) String() string {
	switch d {
	case SMB202:
		return "2.0.2"
	case SMB210:
		return "2.1"
	case SMB300:
		return "3.0"
	case SMB302:
		return "3.0.2"
	case SMB311:
		return "3.1.1"
	}
	return fmt.Sprintf("0x%04X", uint16(d))
}

// MarshalText writes the dialect as String does.
func (d Dialect) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Cipher is the encryption the connection could use (MS-SMB2 2.2.3.1.2); 0 is none.
type Cipher uint16

// The ciphers that exist; this program speaks the first two.
const (
	AES128CCM Cipher = 1
	AES128GCM Cipher = 2
	AES256CCM Cipher = 3
	AES256GCM Cipher = 4
)

// String is the cipher's name, or "none".
func (c Cipher) String() string {
	switch c {
	case 0:
		return "none"
	case AES128CCM:
		return "AES-128-CCM"
	case AES128GCM:
		return "AES-128-GCM"
	case AES256CCM:
		return "AES-256-CCM"
	case AES256GCM:
		return "AES-256-GCM"
	}
	return fmt.Sprintf("0x%04X", uint16(c))
}

// ours tells the ciphers that this program speaks.
func (c Cipher) ours() bool { return c == AES128CCM || c == AES128GCM }

// MarshalText writes the cipher as String does.
func (c Cipher) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
