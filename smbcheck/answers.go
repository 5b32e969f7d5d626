package smbcheck

import "fmt"

// negotiateAnswer is what a NEGOTIATE response says (MS-SMB2 2.2.4).
type negotiateAnswer struct {
	dialect         Dialect
	signingRequired bool
	cipher          Cipher
	// cipherContext: the answer had an encryption context (3.1.1 only).
	cipherContext bool
}

// parseNegotiate reads a whole NEGOTIATE response, header included.
func parseNegotiate(m []byte) (negotiateAnswer, error) {
	const fixed = 64
	broken := fmt.Errorf("%w: in its NEGOTIATE response", ErrProtocol)
	if len(m) < headerSize+fixed {
		return negotiateAnswer{}, broken
	}
	body := m[headerSize:]
	if le.Uint16(body) != 65 {
		return negotiateAnswer{}, broken
	}
	a := negotiateAnswer{
		signingRequired: le.Uint16(body[2:])&0x2 != 0,
		dialect:         Dialect(le.Uint16(body[4:])),
	}
	const capEncryption = 0x40
	switch a.dialect {
	case SMB300, SMB302:
		if le.Uint32(body[24:])&capEncryption != 0 {
			a.cipher = AES128CCM
		}
		return a, nil
	case SMB311:
	default:
		return a, nil
	}
	at, count := int64(le.Uint32(body[60:])), int(le.Uint16(body[6:]))
	for range count {
		at = (at + 7) &^ 7
		if at < headerSize+fixed || at+8 > int64(len(m)) {
			return negotiateAnswer{}, broken
		}
		kind, size := le.Uint16(m[at:]), int64(le.Uint16(m[at+2:]))
		data := m[at+8:]
		if size > int64(len(data)) {
			return negotiateAnswer{}, broken
		}
		const encryptionCapabilities = 2
		if kind == encryptionCapabilities {
			if a.cipherContext || size < 4 || le.Uint16(data) != 1 {
				return negotiateAnswer{}, broken
			}
			a.cipher, a.cipherContext = Cipher(le.Uint16(data[2:])), true
		}
		at += 8 + size
	}
	return a, nil
}

// parseSetup reads the session flags of a SESSION_SETUP response (MS-SMB2 2.2.6).
func parseSetup(m []byte) (flags uint16, err error) {
	if len(m) < headerSize+8 || le.Uint16(m[headerSize:]) != 9 {
		return 0, fmt.Errorf("%w: in its SESSION_SETUP response", ErrProtocol)
	}
	return le.Uint16(m[headerSize+2:]), nil
}

// treeAnswer is what a TREE_CONNECT response says about a share (MS-SMB2 2.2.10).
type treeAnswer struct {
	kind         uint8
	flags        uint32
	capabilities uint32
}

func parseTree(m []byte) (treeAnswer, error) {
	if len(m) < headerSize+16 || le.Uint16(m[headerSize:]) != 16 {
		return treeAnswer{}, fmt.Errorf("%w: in its TREE_CONNECT response", ErrProtocol)
	}
	body := m[headerSize:]
	return treeAnswer{kind: body[2], flags: le.Uint32(body[4:]), capabilities: le.Uint32(body[8:])}, nil
}
