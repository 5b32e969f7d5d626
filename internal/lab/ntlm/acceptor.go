package ntlm

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Config names the machine that accepts logons and what it insists on.
type Config struct {
	NetBIOSName   string // NODE1
	NetBIOSDomain string // CONTOSO; empty means a workgroup machine
	DNSName       string // node1.contoso.com
	DNSDomain     string // contoso.com

	// RequireSeal refuses clients that do not offer confidentiality, as WinRM
	// over plain HTTP does. SMB protects its messages itself.
	RequireSeal bool
	// RequireMIC refuses messages without an integrity code.
	RequireMIC bool

	// Now and Rand replace the clock and the source of challenges in tests.
	Now  func() time.Time
	Rand io.Reader
}

// Identity is who signed in, and what the client said about the connection.
type Identity struct {
	Domain, User string // the account's own spelling
	Workstation  string // the client's claim, unverified

	// TargetName is the SPN of AV pair 9, covered by the proof; empty if absent.
	TargetName string
	// ChannelBindings is the MD5 of AV pair 10 (16 bytes), nil if absent or zero.
	ChannelBindings []byte
	// MIC tells whether the three messages were proven unaltered.
	MIC bool
}

// String gives DOMAIN\user, or user for a local account.
func (i Identity) String() string {
	if i.Domain == "" {
		return i.User
	}
	return i.Domain + `\` + i.User
}

type step int

const (
	wantNegotiate step = iota
	wantAuthenticate
	accepted
	refused
)

// Acceptor runs one handshake. It belongs to one connection, is used once, and
// is not safe for concurrent use.
type Acceptor struct {
	config   Config
	accounts Accounts

	step      step
	nonce     [8]byte
	flags     uint32
	negotiate []byte
	challenge []byte
	identity  Identity
	key       []byte
}

// NewAcceptor prepares a handshake.
func NewAcceptor(c Config, accounts Accounts) *Acceptor {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return &Acceptor{config: c, accounts: accounts}
}

// Next takes the client's next token. The first gives a challenge to send back;
// the second ends the handshake with done, or with an error: a *[LogonError], a
// *[WeakError] or a *[MessageError]. After an error the acceptor refuses every
// further token, so that one handshake can test only one password.
func (a *Acceptor) Next(token []byte) (out []byte, done bool, err error) {
	defer func() {
		if err != nil {
			a.step = refused
		}
	}()
	kind, err := messageType(token)
	if err != nil {
		return nil, false, &MessageError{Err: err}
	}
	switch {
	case a.step == wantNegotiate && kind == typeNegotiate:
		out, err = a.answerNegotiate(token)
		return out, false, err
	case a.step == wantAuthenticate && kind == typeAuthenticate:
		if err := a.verify(token); err != nil {
			return nil, false, err
		}
		a.step = accepted
		return nil, true, nil
	}
	return nil, false, &MessageError{Err: fmt.Errorf("message type %d out of order", kind)}
}

// Done tells whether somebody is signed in.
func (a *Acceptor) Done() bool { return a.step == accepted }

// Identity is who signed in; empty before Done.
func (a *Acceptor) Identity() Identity { return a.identity }

// SessionKey is the exported session key, 16 bytes, from which SMB derives its
// own keys; nil before Done.
func (a *Acceptor) SessionKey() []byte { return a.key }

// Session starts message protection in the server's direction. It fails before
// Done. Every call starts a new one at sequence number 0; a connection keeps one.
func (a *Acceptor) Session() (*Session, error) {
	if a.step != accepted {
		return nil, errors.New("NTLM session before the handshake ended")
	}
	return newSession(a.key)
}

func (a *Acceptor) needs() uint32 {
	if a.config.RequireSeal {
		return required | flagSeal
	}
	return required
}

func (a *Acceptor) checkFlags(flags uint32) error {
	if missing := missingFlags(flags, a.needs()); len(missing) > 0 {
		return &WeakError{What: "client without " + strings.Join(missing, ", ")}
	}
	return nil
}

func (a *Acceptor) answerNegotiate(token []byte) ([]byte, error) {
	offered, err := parseNegotiate(token)
	if err != nil {
		return nil, &MessageError{Err: err}
	}
	// A first message is in the OEM character set; some clients (Python's ntlm-auth) offer nothing else in
	// it and take Unicode from the challenge on, if that repeats OEM too. The last message must be Unicode.
	if offered&flagOEM != 0 {
		offered |= flagUnicode
	}
	if err := a.checkFlags(offered); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(a.config.Rand, a.nonce[:]); err != nil {
		return nil, fmt.Errorf("NTLM challenge: %w", err)
	}
	a.flags = offered&echoed | flagTargetInfo | flagNTLM
	target := a.config.NetBIOSDomain
	if target == "" {
		target = a.config.NetBIOSName
		a.flags |= flagTargetServer
	} else {
		a.flags |= flagTargetDomain
	}
	a.negotiate = append([]byte(nil), token...)
	a.challenge = buildChallenge(a.flags, a.nonce, target, a.targetInfo(target))
	a.step = wantAuthenticate
	return a.challenge, nil
}

func (a *Acceptor) targetInfo(domain string) []byte {
	dnsDomain := a.config.DNSDomain
	if dnsDomain == "" {
		dnsDomain = a.config.DNSName
	}
	var b []byte
	for _, p := range []struct {
		id   uint16
		text string
	}{
		{avDomain, domain},
		{avComputer, a.config.NetBIOSName},
		{avDNSDomain, dnsDomain},
		{avDNSComputer, a.config.DNSName},
		{avDNSTree, a.config.DNSDomain},
	} {
		if p.text != "" {
			b = appendPair(b, p.id, encodeUTF16(p.text))
		}
	}
	now := filetime(a.config.Now())
	b = appendPair(b, avTimestamp, le64(now))
	return appendPair(b, avEOL, nil)
}

func (a *Acceptor) verify(token []byte) error {
	m, err := parseAuthenticate(token)
	if err != nil {
		if weak := (*WeakError)(nil); errors.As(err, &weak) {
			return weak
		}
		return &MessageError{Err: err}
	}
	if err := a.checkFlags(m.flags); err != nil {
		return err
	}
	if m.flags&flagAnonymous != 0 {
		return &WeakError{What: "anonymous logon"}
	}
	if len(m.wrappedKey) != 16 {
		return &MessageError{Err: fmt.Errorf("session key of %d bytes", len(m.wrappedKey))}
	}
	if a.config.RequireMIC && m.mic == nil {
		return &WeakError{What: "client without message integrity code"}
	}
	account, baseKey, err := a.prove(m)
	if err != nil {
		return err
	}
	key, err := rc4Once(baseKey, m.wrappedKey)
	if err != nil {
		return &MessageError{Err: err}
	}
	if m.mic != nil {
		blank := append([]byte(nil), token...)
		clear(blank[micOffset:micEnd])
		if !hmac.Equal(m.mic, hmacMD5(key, a.negotiate, a.challenge, blank)) {
			return &MessageError{Err: errors.New("the integrity code does not match: a message was altered")}
		}
	}
	a.accounts.Accepted(account)
	a.key = key
	a.identity = Identity{
		Domain: account.Domain, User: account.User, Workstation: m.workstation,
		TargetName: decodeUTF16(m.pairs[avTargetName]), ChannelBindings: bindings(m.pairs), MIC: m.mic != nil,
	}
	return nil
}

// prove checks the proof and the account's state as admit does.
func (a *Acceptor) prove(m *authenticate) (Account, []byte, error) {
	refuse := func(s Status) (Account, []byte, error) {
		return Account{}, nil, &LogonError{Status: s, Domain: m.domain, User: m.user}
	}
	var key []byte
	account, status := admit(a.accounts, m.domain, m.user, func(account Account) bool {
		key = responseKey(account.Password, m.user, m.domain)
		return hmac.Equal(m.proof, hmacMD5(key, a.nonce[:], m.blob))
	})
	if status != 0 {
		return refuse(status)
	}
	return account, hmacMD5(key, m.proof), nil
}

func bindings(p avPairs) []byte {
	v := p[avChannelBindings]
	if len(v) != 16 || [16]byte(v) == ([16]byte{}) {
		return nil
	}
	return append([]byte(nil), v...)
}
