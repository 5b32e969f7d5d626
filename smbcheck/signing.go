package smbcheck

import "fmt"

// SigningAlgorithm is what an SMB 3.1.1 connection signs with (MS-SMB2 2.2.3.1.7). Older dialects do not negotiate it.
type SigningAlgorithm uint16

// The algorithms that exist; over SMB 3.1.1 this program speaks AES-CMAC, which is also what counts where nothing is
// negotiated.
const (
	HMACSHA256 SigningAlgorithm = 0
	AESCMAC    SigningAlgorithm = 1
	AESGMAC    SigningAlgorithm = 2
)

// String is the algorithm's name.
func (s SigningAlgorithm) String() string {
	switch s {
	case HMACSHA256:
		return "HMAC-SHA256"
	case AESCMAC:
		return "AES-CMAC"
	case AESGMAC:
		return "AES-GMAC"
	}
	return fmt.Sprintf("0x%04X", uint16(s))
}

// MarshalText writes the algorithm as String does.
func (s SigningAlgorithm) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
