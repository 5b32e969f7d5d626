package smbcheck

import "fmt"

// negotiateAnswer is what a NEGOTIATE response says (MS-SMB2 2.2.4).
type negotiateAnswer struct {
	dialect         Dialect
	signingEnabled  bool
	signingRequired bool
	capabilities    uint32
	cipher          Cipher
	signing         SigningAlgorithm
	// cipherContext and signingContext: the answer had the context that tells (3.1.1 only).
	cipherContext  bool
	signingContext bool
}

// What a NEGOTIATE says: security modes, a capability, kinds of contexts (MS-SMB2 2.2.3, 2.2.3.1).
const (
	modeSigningEnabled  = 0x1
	modeSigningRequired = 0x2
	capEncryption       = 0x40

	contextPreauth    = 1
	contextEncryption = 2
	contextSigning    = 8
)

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
	mode := le.Uint16(body[2:])
	a := negotiateAnswer{
		signingEnabled: mode&modeSigningEnabled != 0, signingRequired: mode&modeSigningRequired != 0,
		dialect: Dialect(le.Uint16(body[4:])), capabilities: le.Uint32(body[24:]),
	}
	switch a.dialect {
	case SMB300, SMB302:
		if a.capabilities&capEncryption != 0 {
			a.cipher = AES128CCM
		}
		return a, nil
	case SMB311:
	default:
		return a, nil
	}
	a.signing = AESCMAC // MS-SMB2 3.2.5.2: without a context
	at, count := int64(le.Uint32(body[60:])), int(le.Uint16(body[6:]))
	for range count {
		at = (at + 7) &^ 7
		if at < headerSize+fixed || at+8 > int64(len(m)) {
			return negotiateAnswer{}, broken
		}
		kind, size := le.Uint16(m[at:]), int64(le.Uint16(m[at+2:]))
		data := m[at+8:]
		if size > int64(len(data)) || !a.context(kind, data[:size]) {
			return negotiateAnswer{}, broken
		}
		at += 8 + size
	}
	return a, nil
}

// context takes in one negotiate context. It is false where the server did not choose exactly one, or chose twice.
func (a *negotiateAnswer) context(kind uint16, data []byte) bool {
	one := len(data) >= 4 && le.Uint16(data) == 1
	switch kind {
	case contextEncryption:
		if a.cipherContext || !one {
			return false
		}
		a.cipher, a.cipherContext = Cipher(le.Uint16(data[2:])), true
	case contextSigning:
		if a.signingContext || !one {
			return false
		}
		a.signing, a.signingContext = SigningAlgorithm(le.Uint16(data[2:])), true
	}
	return true
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
	kind          ShareType
	flags         uint32
	capabilities  uint32
	maximalAccess uint32
}

func parseTree(m []byte) (treeAnswer, error) {
	if len(m) < headerSize+16 || le.Uint16(m[headerSize:]) != 16 {
		return treeAnswer{}, fmt.Errorf("%w: in its TREE_CONNECT response", ErrProtocol)
	}
	body := m[headerSize:]
	return treeAnswer{
		kind: ShareType(body[2]), flags: le.Uint32(body[4:]), capabilities: le.Uint32(body[8:]), maximalAccess: le.Uint32(body[12:]),
	}, nil
}
