package kerberos

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Sizes that both AES encryption types share, RFC 3962.
const (
	confounderSize = 16
	macSize        = 12
)

// etypes are the encryption types of the lab, strongest first. RC4 and DES are
// what a domain should have switched off.
func etypes() []int32 {
	return []int32{etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96}
}

// keySize is the length of a key, or 0 for an encryption type that the lab does
// not have.
func keySize(etype int32) int {
	switch etype {
	case etypeID.AES256_CTS_HMAC_SHA1_96:
		return 32
	case etypeID.AES128_CTS_HMAC_SHA1_96:
		return 16
	default:
		return 0
	}
}

// checkKey must pass before the key is used: the library trusts lengths.
func checkKey(key types.EncryptionKey) error {
	if size := keySize(key.KeyType); size == 0 || size != len(key.KeyValue) {
		return fmt.Errorf("a key of %d bytes for encryption type %d", len(key.KeyValue), key.KeyType)
	}
	return nil
}

func randomKey(etype int32) (types.EncryptionKey, error) {
	key := types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, keySize(etype))}
	if _, err := rand.Read(key.KeyValue); err != nil {
		return key, fmt.Errorf("random key: %w", err)
	}
	return key, nil
}

// passwordKey derives a key as RFC 3962 4 says, with the usual 4096 rounds.
func passwordKey(etype int32, password, salt string) (types.EncryptionKey, error) {
	e, err := crypto.GetEtype(etype)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	value, err := e.StringToKey(password, salt, e.GetDefaultStringToKeyParams())
	return types.EncryptionKey{KeyType: etype, KeyValue: value}, err
}

// seal encrypts plain. A key version of 0 is left out of the message.
func seal(plain []byte, key types.EncryptionKey, usage uint32, kvno int) (types.EncryptedData, error) {
	if err := checkKey(key); err != nil {
		return types.EncryptedData{}, err
	}
	return crypto.GetEncryptedData(plain, key, usage, kvno)
}

// unseal decrypts and verifies; sealed may be anything.
func unseal(sealed []byte, key types.EncryptionKey, usage uint32) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if len(sealed) < confounderSize+macSize {
		return nil, errors.New("too short to be encrypted")
	}
	return crypto.DecryptMessage(sealed, key, usage)
}

// verifyChecksum tells whether sum is the keyed checksum of message that belongs
// to the key's encryption type.
func verifyChecksum(sum types.Checksum, message []byte, key types.EncryptionKey, usage uint32) bool {
	if checkKey(key) != nil {
		return false
	}
	e, err := crypto.GetEtype(key.KeyType)
	if err != nil || sum.CksumType != e.GetHashID() {
		return false
	}
	return e.VerifyChecksum(key.KeyValue, message, sum.Checksum, usage)
}
