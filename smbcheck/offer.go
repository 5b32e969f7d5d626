package smbcheck

import (
	"crypto/rand"
)

// offer is what one NEGOTIATE of a probe offers: one dialect, and for 3.1.1 ciphers and signing algorithms.
type offer struct {
	dialect Dialect
	ciphers []Cipher
	signing []SigningAlgorithm
}

// request writes the NEGOTIATE, header included (MS-SMB2 2.2.1.2 and 2.2.3). Its message id is 0, so its credit charge
// has to be as well.
func (o offer) request() ([]byte, error) {
	const fixed = 36
	m := make([]byte, headerSize+fixed, 256)
	copy(m, "\xFESMB\x40")
	m[14] = 1 // CreditRequest
	body := m[headerSize:]
	le.PutUint16(body, fixed)
	le.PutUint16(body[2:], 1)
	le.PutUint16(body[4:], modeSigningEnabled)
	if o.dialect >= SMB300 {
		le.PutUint32(body[8:], capEncryption) // the server says whether it can only to those who can
	}
	if _, err := rand.Read(body[12:28]); err != nil { // ClientGuid
		return nil, err
	}
	m = le.AppendUint16(m, uint16(o.dialect))
	if o.dialect != SMB311 {
		return m, nil
	}
	const sha512, salt = 1, 32
	integrity := make([]byte, 6+salt)
	integrity[0], integrity[2], integrity[4] = 1, salt, sha512
	if _, err := rand.Read(integrity[6:]); err != nil {
		return nil, err
	}
	contexts := [][]byte{negotiateContext(contextPreauth, integrity)}
	if len(o.ciphers) > 0 {
		contexts = append(contexts, negotiateContext(contextEncryption, numbers(o.ciphers)))
	}
	if len(o.signing) > 0 {
		contexts = append(contexts, negotiateContext(contextSigning, numbers(o.signing)))
	}
	m = pad8(m)
	le.PutUint32(m[headerSize+28:], uint32(len(m)))
	le.PutUint16(m[headerSize+32:], uint16(len(contexts)))
	for _, c := range contexts {
		m = append(pad8(m), c...)
	}
	return m, nil
}

// negotiateContext writes a negotiate context (MS-SMB2 2.2.3.1).
func negotiateContext(kind uint16, data []byte) []byte {
	b := le.AppendUint16(nil, kind)
	b = le.AppendUint16(b, uint16(len(data)))
	return append(append(b, 0, 0, 0, 0), data...)
}

// numbers writes a count and as many 16-bit numbers (MS-SMB2 2.2.3.1.2 and 2.2.3.1.7).
func numbers[T ~uint16](all []T) []byte {
	b := le.AppendUint16(nil, uint16(len(all)))
	for _, x := range all {
		b = le.AppendUint16(b, uint16(x))
	}
	return b
}

func pad8(b []byte) []byte {
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}
