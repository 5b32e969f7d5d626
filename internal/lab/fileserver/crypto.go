package fileserver

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// deriveKey is the counter-mode KDF of SP800-108 with HMAC-SHA256 and one block,
// as MS-SMB2 3.1.4.2 asks for. Label and context include their final zero.
func deriveKey(key, label, context []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte{0, 0, 0, 1})
	mac.Write(label)
	mac.Write([]byte{0})
	mac.Write(context)
	mac.Write(binary.BigEndian.AppendUint32(nil, 128))
	return mac.Sum(nil)[:16]
}

// macFunc signs a message whose signature field is zero.
type macFunc func(message []byte) [16]byte

func hmacSigner(key []byte) macFunc {
	return func(message []byte) [16]byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(message)
		return [16]byte(mac.Sum(nil))
	}
}

// cmacSigner is AES-CMAC (RFC 4493).
func cmacSigner(key []byte) (macFunc, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	var whole [16]byte
	block.Encrypt(whole[:], whole[:])
	whole = double(whole)
	padded := double(whole)
	return func(message []byte) [16]byte {
		var state [16]byte
		for len(message) > 16 {
			subtle.XORBytes(state[:], state[:], message[:16])
			block.Encrypt(state[:], state[:])
			message = message[16:]
		}
		last := whole
		if len(message) < 16 {
			last = padded
			last[len(message)] ^= 0x80
		}
		subtle.XORBytes(state[:], state[:], message)
		subtle.XORBytes(state[:], state[:], last[:])
		block.Encrypt(state[:], state[:])
		return state
	}, nil
}

// double multiplies by x in GF(2^128) as CMAC's subkeys need it.
func double(b [16]byte) [16]byte {
	carry := b[0] >> 7
	for i := range 15 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[15] = b[15]<<1 ^ carry*0x87
	return b
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// sign puts the signature into a message.
func (f macFunc) sign(message []byte) {
	field := message[signatureAt:headerSize]
	clear(field)
	sum := f(message)
	copy(field, sum[:])
}

// verify checks a message and leaves its signature field zero.
func (f macFunc) verify(message []byte) bool {
	field := message[signatureAt:headerSize]
	got := [16]byte(field)
	clear(field)
	want := f(message)
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
