package ntlm

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:staticcheck // NTLM is defined over MD4 (MS-NLMP 3.3.2).
)

func encodeUTF16(s string) []byte {
	units := utf16.Encode([]rune(s))
	out := make([]byte, 0, 2*len(units))
	for _, u := range units {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// decodeUTF16 ignores a lone last byte; callers that care check the length.
func decodeUTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
	}
	return string(utf16.Decode(units))
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(md5.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// responseKey is NTOWFv2, MS-NLMP 3.3.2. User and domain are the ones the client
// sent: it mixed in those, whatever the account book calls them.
func responseKey(password, user, domain string) []byte {
	hash := md4.New()
	hash.Write(encodeUTF16(password))
	return hmacMD5(hash.Sum(nil), encodeUTF16(strings.ToUpper(user)+domain))
}

func rc4Once(key, data []byte) ([]byte, error) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out, nil
}

// Constants of MS-NLMP 3.4.5.2 and 3.4.5.3; the final zero byte is part of them.
const (
	clientSigning = "session key to client-to-server signing key magic constant\x00"
	serverSigning = "session key to server-to-client signing key magic constant\x00"
	clientSealing = "session key to client-to-server sealing key magic constant\x00"
	serverSealing = "session key to server-to-client sealing key magic constant\x00"
)

func deriveKey(sessionKey []byte, magic string) []byte {
	h := md5.New()
	h.Write(sessionKey)
	h.Write([]byte(magic))
	return h.Sum(nil)
}

func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
