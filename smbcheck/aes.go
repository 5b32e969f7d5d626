package smbcheck

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// cmac is AES-CMAC (RFC 4493), which SMB 3 signs with; the standard library has none.
func cmac(key, m []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	sub := make([]byte, 16)
	block.Encrypt(sub, sub)
	double(sub)
	last := make([]byte, 16)
	whole := (len(m) - 1) / 16 // blocks before the last one
	if len(m) == 0 {
		whole = 0
	}
	tail := m[whole*16:]
	copy(last, tail)
	if len(tail) < 16 {
		last[len(tail)] = 0x80
		double(sub)
	}
	subtle.XORBytes(last, last, sub)
	x := make([]byte, 16)
	for i := range whole {
		subtle.XORBytes(x, x, m[i*16:i*16+16])
		block.Encrypt(x, x)
	}
	subtle.XORBytes(x, x, last)
	block.Encrypt(x, x)
	return x, nil
}

// double multiplies by x in GF(2^128) (RFC 4493 section 2.3).
func double(b []byte) {
	carry := b[0] >> 7
	for i := range 15 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[15] = b[15]<<1 ^ carry*0x87
}

const (
	ccmNonce = 11 // MS-SMB2 2.2.41
	ccmTag   = 16
)

// openCCM decrypts AES-CCM with an 11-byte nonce and a 16-byte tag (RFC 3610: M = 16, L = 4) and
// extra data of less than 0xFF00 bytes. The standard library has none.
func openCCM(block cipher.Block, nonce, text, extra []byte) ([]byte, error) {
	if len(text) < ccmTag || len(nonce) != ccmNonce || len(extra) >= 0xFF00 {
		return nil, errSeal
	}
	text, tag := text[:len(text)-ccmTag], text[len(text)-ccmTag:]

	counter := make([]byte, 16)
	counter[0] = 3 // L - 1
	copy(counter[1:], nonce)
	stream := cipher.NewCTR(block, counter) //nolint:gosec // it opens what another sealed, whose nonce came with it
	mask := make([]byte, 16)
	stream.XORKeyStream(mask, mask)
	plain := make([]byte, len(text))
	stream.XORKeyStream(plain, text)

	x := make([]byte, 16)
	x[0] = 0x40 | (ccmTag-2)/2<<3 | 3
	copy(x[1:], nonce)
	n := len(plain)
	x[12], x[13], x[14], x[15] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	block.Encrypt(x, x)
	absorb := func(b []byte) {
		for len(b) > 0 {
			k := min(16, len(b))
			subtle.XORBytes(x[:k], x[:k], b[:k])
			block.Encrypt(x, x)
			b = b[k:]
		}
	}
	absorb(append([]byte{byte(len(extra) >> 8), byte(len(extra))}, extra...))
	absorb(plain)
	subtle.XORBytes(x, x, mask)
	if subtle.ConstantTimeCompare(x, tag) != 1 {
		return nil, errSeal
	}
	return plain, nil
}
