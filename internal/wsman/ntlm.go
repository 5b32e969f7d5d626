package wsman

import (
	"context"
	"crypto/hmac"
	"crypto/md5" // MS-NLMP prescribes MD4, MD5 and RC4
	"crypto/rand"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"golang.org/x/crypto/md4" //nolint:staticcheck // MS-NLMP prescribes it
)

// ntlmService is the service part of the target name (MsvAvTargetName) in our proofs.
const ntlmService = "HTTP"

// ntlmAccount is who we are, with the key in place of the password.
type ntlmAccount struct {
	user, domain string
	key          hidden
}

// NTLM makes a credential for NTLMv2. domain is the domain's name, the node's for a local account, or empty
// when user is a principal name (user@domain). The password is kept only as its NTOWFv2 hash (MS-NLMP 3.3.2).
func NTLM(user, domain, password string) *Credential {
	account := &ntlmAccount{user: user, domain: domain, key: hide(string(ntowfv2(user, domain, password)))}
	return NewCredential(func(peer Peer) Handshake {
		return &ntlmHandshake{account: account, peer: peer}
	})
}

// ntlmHandshake is three messages: negotiate, challenge, authenticate.
type ntlmHandshake struct {
	account   *ntlmAccount
	peer      Peer
	negotiate []byte
	session   *Session
}

// Schemes prefers Negotiate, under which a default Windows listener takes a bare NTLM token.
func (h *ntlmHandshake) Schemes() []string { return []string{"Negotiate", "NTLM"} }

// Next sends the negotiate message, then answers the challenge; it answers no second one.
func (h *ntlmHandshake) Next(_ context.Context, in []byte) (out []byte, proof bool, err error) {
	switch {
	case h.negotiate == nil:
		h.negotiate = ntlmNegotiate()
		return h.negotiate, false, nil
	case h.session != nil:
		return nil, false, &AuthError{Reason: Rejected}
	}
	c, err := parseChallenge(in)
	if err != nil {
		return nil, false, &AuthError{Reason: WeakChallenge, Err: err}
	}
	if len(h.account.user) > 1024 || len(h.account.domain) > 1024 {
		return nil, false, errors.New("user or domain name is too long")
	}
	n := ntlmNonces{time: filetime(time.Now())}
	if stamp, ok := c.timestamp(); ok {
		n.time = stamp
	}
	_, _ = rand.Read(n.client[:]) // never fails, by its contract
	_, _ = rand.Read(n.session[:])
	msg := h.account.authenticate(h.negotiate, c, h.peer, n)
	h.session = &Session{
		Sealer:    newNTLMSealer(n.session[:], ntlmClientSide),
		Mechanism: "NTLMv2",
		Computer:  c.name(avComputerName),
		Domain:    c.name(avDomainName),
	}
	return msg, true, nil
}

// Accept gives the session; a peer that says yes before our proof proves nothing.
func (h *ntlmHandshake) Accept([]byte) (Session, error) {
	if h.session == nil {
		return Session{}, &AuthError{Reason: NotSealed, Err: errors.New("accepted without a challenge")}
	}
	return *h.session, nil
}

// ntlmNonces are the parts of an answer that differ each time.
type ntlmNonces struct {
	client  [8]byte
	session [16]byte // the exported session key
	time    uint64   // FILETIME
}

// authenticate builds the AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3) with its MIC. The LM response is empty: it
// would only be one more thing to crack.
func (a *ntlmAccount) authenticate(negotiate []byte, c *ntlmChallenge, peer Peer, n ntlmNonces) []byte {
	response, baseKey := ntlmv2Response([]byte(a.key.reveal()), c.nonce, n.client, n.time, appendPairs(nil, c.answerPairs(peer)))
	const fixed, micAt = 88, 72
	msg := make([]byte, fixed)
	copy(msg, ntlmSignature)
	binary.LittleEndian.PutUint32(msg[8:], 3)
	for _, field := range []struct {
		at    int
		value []byte
	}{
		{28, utf16le(a.domain)},
		{36, utf16le(a.user)},
		{44, nil},
		{12, make([]byte, 24)},
		{20, response},
		{52, rc4Once(baseKey, n.session[:])},
	} {
		size := uint16(len(field.value))
		binary.LittleEndian.PutUint16(msg[field.at:], size)
		binary.LittleEndian.PutUint16(msg[field.at+2:], size)
		binary.LittleEndian.PutUint32(msg[field.at+4:], uint32(len(msg)))
		msg = append(msg, field.value...)
	}
	binary.LittleEndian.PutUint32(msg[60:], c.flags&ntlmWanted)
	copy(msg[64:], ntlmOSVersion)
	copy(msg[micAt:], hmacMD5(n.session[:], negotiate, c.raw, msg))
	return msg
}

// ntowfv2 is the key of NTLMv2 (MS-NLMP 3.3.2).
func ntowfv2(user, domain, password string) []byte {
	h := md4.New()
	_, _ = h.Write(utf16le(password))
	return hmacMD5(h.Sum(nil), utf16le(strings.ToUpper(user)+domain))
}

// ntlmv2Response is NTLMv2_RESPONSE and the session base key (MS-NLMP 3.3.2, 2.2.2.8).
func ntlmv2Response(key []byte, server, client [8]byte, stamp uint64, info []byte) (response, baseKey []byte) {
	temp := []byte{1, 1, 0, 0, 0, 0, 0, 0}
	temp = binary.LittleEndian.AppendUint64(temp, stamp)
	temp = append(temp, client[:]...)
	temp = append(temp, 0, 0, 0, 0)
	temp = append(temp, info...)
	temp = append(temp, 0, 0, 0, 0)
	proof := hmacMD5(key, server[:], temp)
	return append(proof, temp...), hmacMD5(key, proof)
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		_, _ = h.Write(p)
	}
	return h.Sum(nil)
}

func rc4Once(key, data []byte) []byte {
	out := make([]byte, len(data))
	newRC4(key).XORKeyStream(out, data)
	return out
}

// newRC4 takes the 16-byte keys of this protocol, which RC4 always accepts.
func newRC4(key []byte) *rc4.Cipher {
	c, _ := rc4.NewCipher(key) // fails only for keys of 0 or more than 256 bytes
	return c
}

// filetime is t in 100 ns since 1601 (MS-DTYP 2.3.3).
func filetime(t time.Time) uint64 {
	const epoch = 11644473600 // seconds from 1601 to 1970
	return uint64(t.Unix()+epoch)*1e7 + uint64(t.Nanosecond()/100)
}
