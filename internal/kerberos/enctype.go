package kerberos

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ourTypes are the encryption types that we use, the preferred first: AES with SHA-1 (RFC 3962), which every
// supported Windows has, then AES with SHA-2 (RFC 8009).
func ourTypes() []int32 {
	return []int32{
		etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96,
		etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128,
	}
}

// etypeName is the name that people and krb5.conf use.
func etypeName(id int32) string {
	switch id {
	case etypeID.AES256_CTS_HMAC_SHA1_96:
		return "aes256-cts-hmac-sha1-96"
	case etypeID.AES128_CTS_HMAC_SHA1_96:
		return "aes128-cts-hmac-sha1-96"
	case etypeID.AES256_CTS_HMAC_SHA384_192:
		return "aes256-cts-hmac-sha384-192"
	case etypeID.AES128_CTS_HMAC_SHA256_128:
		return "aes128-cts-hmac-sha256-128"
	case etypeID.RC4_HMAC:
		return "RC4 (arcfour-hmac)"
	case etypeID.DES3_CBC_SHA1_KD:
		return "triple DES"
	default:
		return fmt.Sprintf("encryption type %d", id)
	}
}

// aesOnly refuses every other encryption type, by name.
func aesOnly(id int32) error {
	if slices.Contains(ourTypes(), id) {
		return nil
	}
	return &Error{Kind: Weak, Err: fmt.Errorf("%s is not used", etypeName(id))}
}

// permittedTypes keeps those of ours that krb5.conf's permitted_enctypes names; no list permits all.
func permittedTypes(names []string) ([]int32, error) {
	if len(names) == 0 {
		return ourTypes(), nil
	}
	var kept []int32
	for _, id := range ourTypes() {
		long := etypeName(id)
		short := map[int32]string{
			etypeID.AES256_CTS_HMAC_SHA1_96: "aes256-cts", etypeID.AES128_CTS_HMAC_SHA1_96: "aes128-cts",
			etypeID.AES256_CTS_HMAC_SHA384_192: "aes256-sha2", etypeID.AES128_CTS_HMAC_SHA256_128: "aes128-sha2",
		}[id]
		if id == etypeID.AES256_CTS_HMAC_SHA1_96 || id == etypeID.AES128_CTS_HMAC_SHA1_96 {
			if slices.Contains(names, strings.Replace(short, "-cts", "-sha1", 1)) {
				kept = append(kept, id)
				continue
			}
		}
		if slices.Contains(names, long) || slices.Contains(names, short) || slices.Contains(names, "aes") || slices.Contains(names, "default") {
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return nil, &Error{Kind: Weak, Err: fmt.Errorf("permitted_enctypes (%s) leaves no AES", printable(strings.Join(names, " "), 80))}
	}
	return kept, nil
}

// confounderSize is what RFC 3962 and RFC 8009 put in front of every encrypted message.
const confounderSize = 16

// keySize is in bytes; gokrb5 has another opinion about AES-256 with SHA-2.
func keySize(id int32) int {
	if id == etypeID.AES256_CTS_HMAC_SHA1_96 || id == etypeID.AES256_CTS_HMAC_SHA384_192 {
		return 32
	}
	return 16
}

func aes(key types.EncryptionKey) (etype.EType, error) {
	if err := aesOnly(key.KeyType); err != nil {
		return nil, err
	}
	et, err := crypto.GetEtype(key.KeyType)
	if err == nil && len(key.KeyValue) != keySize(key.KeyType) {
		err = errors.New("a key has the wrong size")
	}
	return et, err
}

// decrypt checks the size before gokrb5's decryption, which crashes on less than confounder and hash.
func decrypt(key types.EncryptionKey, sealed []byte, usage uint32) ([]byte, error) {
	et, err := aes(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < confounderSize+et.GetHMACBitLength()/8 {
		return nil, errors.New("an encrypted part is too short")
	}
	var plain []byte
	err = contained(func() (err error) {
		plain, err = et.DecryptMessage(key.KeyValue, sealed, usage)
		return err
	})
	if err != nil {
		return nil, errors.New("an encrypted part does not verify")
	}
	return plain, nil
}

// contained keeps a crash in a parser that we do not own from ending the program.
func contained(parse func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("a message cannot be parsed")
		}
	}()
	return parse()
}
