package smbcheck

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
)

// keys are the keys of one session that its record is verified with.
type keys struct {
	dialect Dialect
	cipher  Cipher
	signing []byte
	// opening decrypts what the server sealed.
	opening []byte
}

// keysFor derives the keys as MS-SMB2 3.2.5.3 says. The session key's first 16 bytes count.
func keysFor(n negotiateAnswer, transcript [][]byte, sessionKey []byte) keys {
	secret := make([]byte, 16)
	copy(secret, sessionKey)
	k := keys{dialect: n.dialect, cipher: n.cipher}
	switch n.dialect {
	case SMB202, SMB210:
		k.signing = secret
	case SMB300, SMB302:
		k.signing = derive(secret, "SMB2AESCMAC\x00", []byte("SmbSign\x00"))
		k.opening = derive(secret, "SMB2AESCCM\x00", []byte("ServerOut\x00"))
	default:
		var h [sha512.Size]byte
		for _, m := range transcript {
			h = sha512.Sum512(append(h[:], m...))
		}
		k.signing = derive(secret, "SMBSigningKey\x00", h[:])
		k.opening = derive(secret, "SMBS2CCipherKey\x00", h[:])
	}
	return k
}

// derive is the counter-mode KDF of SP 800-108 5.1 with HMAC-SHA256 and 128 bits of result
// (MS-SMB2 3.1.4.2).
func derive(key []byte, label string, context []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte{0, 0, 0, 1})
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(context)
	h.Write([]byte{0, 0, 0, 128})
	return h.Sum(nil)[:16]
}

// signed tells whether a message carries the right signature (MS-SMB2 3.1.5.1).
func (k keys) signed(m []byte) bool {
	if len(m) < headerSize || header(m).flags()&flagSigned == 0 {
		return false
	}
	want, err := k.signature(m)
	return err == nil && subtle.ConstantTimeCompare(want, m[offSignature:headerSize]) == 1
}

// signature computes what belongs into a message's signature field (MS-SMB2 3.1.4.1).
func (k keys) signature(m []byte) ([]byte, error) {
	unsigned := append([]byte(nil), m...)
	clear(unsigned[offSignature:headerSize])
	switch k.dialect {
	case SMB202, SMB210:
		h := hmac.New(sha256.New, k.signing)
		h.Write(unsigned)
		return h.Sum(nil)[:16], nil
	default:
		return cmac(k.signing, unsigned)
	}
}

// open decrypts a sealed frame (MS-SMB2 2.2.41 and 3.1.4.3).
func (k keys) open(frame []byte) ([]byte, error) {
	if len(frame) <= transformSize || k.opening == nil {
		return nil, errSeal
	}
	block, err := aes.NewCipher(k.opening)
	if err != nil {
		return nil, err
	}
	tag, nonce, extra := frame[4:20], frame[20:36], frame[20:transformSize]
	text := append(append([]byte(nil), frame[transformSize:]...), tag...)
	switch k.cipher {
	case AES128GCM:
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		return gcm.Open(text[:0], nonce[:gcm.NonceSize()], text, extra)
	case AES128CCM:
		return openCCM(block, nonce[:ccmNonce], text, extra)
	default:
		return nil, errSeal
	}
}

var errSeal = errors.New("cannot be opened")

// prove turns a record into facts. It fails where the session is a guest's or the end of the
// sign-in is not signed with the session's key: nothing on such a connection can be believed.
func prove(rec handshake, sessionKey []byte) (Facts, keys, error) {
	if rec.negotiate == nil || rec.setup == nil {
		return Facts{}, keys{}, fmt.Errorf("%w: the sign-in was not seen whole", ErrTampered)
	}
	n, err := parseNegotiate(rec.negotiate)
	if err != nil {
		return Facts{}, keys{}, err
	}
	flags, err := parseSetup(rec.setup)
	if err != nil {
		return Facts{}, keys{}, err
	}
	k := keysFor(n, rec.transcript, sessionKey)
	f := Facts{
		Dialect: n.dialect, Cipher: n.cipher, SigningRequired: n.signingRequired, SessionFlags: flags,
		Guest: flags&(sessionGuest|sessionNull) != 0, EncryptData: flags&sessionEncrypt != 0,
		DowngradeProtected: n.dialect == SMB311, SetupVerified: len(sessionKey) > 0 && k.signed(rec.setup),
	}
	switch {
	case f.Guest:
		return f, k, ErrGuest
	case !f.SetupVerified:
		return f, k, fmt.Errorf("%w: the answer that ended the sign-in is not signed with the session's key", ErrTampered)
	case f.EncryptData && !f.canSeal():
		return f, k, fmt.Errorf("%w: it demands encryption over SMB %s without a cipher", ErrProtocol, f.Dialect)
	}
	return f, k, nil
}

// proveShare adds what the TREE_CONNECT answer says, plain or sealed.
func (f *Facts) proveShare(rec handshake, k keys) error {
	var found *treeAnswer
	for _, s := range rec.sealed {
		m, err := k.open(s)
		if err != nil || len(m) < headerSize || header(m).command() != cmdTreeConnect || header(m).status() != 0 {
			continue
		}
		a, err := parseTree(m)
		if err != nil {
			return err
		}
		if found != nil {
			return fmt.Errorf("%w: the share was answered for twice", ErrTampered)
		}
		found = &a
		f.share(a, true)
	}
	for _, m := range rec.trees {
		a, err := parseTree(m)
		if err != nil {
			return err
		}
		if found != nil {
			return fmt.Errorf("%w: the share was answered for twice", ErrTampered)
		}
		found = &a
		f.share(a, k.signed(m))
		if !f.ShareVerified {
			return fmt.Errorf("%w: the share's answer is not signed with the session's key", ErrTampered)
		}
	}
	switch {
	case found == nil:
		return fmt.Errorf("%w: the share's answer was not seen", ErrTampered)
	case found.kind != DiskShare:
		return fmt.Errorf("%w: it is not a share for files", ErrShare)
	case f.EncryptData && !f.canSeal():
		return fmt.Errorf("%w: the share demands encryption over SMB %s without a cipher", ErrProtocol, f.Dialect)
	}
	return nil
}
