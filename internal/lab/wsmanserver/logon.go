package wsmanserver

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"cau/internal/lab/ntlm"
)

// connection is what a TCP connection has agreed on. The HTTP server handles one request of a connection
// at a time, so all but raw and surplus needs no lock.
type connection struct {
	raw net.Conn
	// surplus is one beyond MaxConnections.
	surplus bool

	ntlm     *ntlm.Acceptor
	kerberos Handshake
	agreed   agreement
	// signed is who signed the connection's requests one by one so far, with Basic or a certificate.
	signed string
}

// agreement is an established security context. Its zero value is none.
type agreement struct {
	user     string
	seal     sealer
	protocol string
	expires  time.Time
}

// forget ends the context; the next token starts a new handshake.
func (c *connection) forget() { c.ntlm, c.kerberos, c.agreed, c.signed = nil, nil, agreement{}, "" }

const (
	// mutualTLS is the Authorization of a request that its TLS client certificate signs (DSP0226 C.3).
	mutualTLS = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
	// maxToken is above any token: a Kerberos ticket with many groups has up to 64 KB, of which the HTTP
	// header takes most.
	maxToken = 48 << 10
)

// logon finds out who sends a request, taking a step of a handshake where the request brings one. It
// reports whether the request ends with that.
func (x *exchange) logon() (answered bool) {
	c := x.conn
	header := x.r.Header.Get("Authorization")
	if header == "" {
		switch {
		case c.agreed.user == "" || x.r.ContentLength == 0 && x.r.TransferEncoding == nil:
			// An empty message can only want to sign in, again too: masterzen/winrm does before each of its messages, which
			// it could not on Windows if that were answered otherwise.
			x.demand("", nil)
		case !c.agreed.expires.IsZero() && !x.server.config.Now().Before(c.agreed.expires):
			c.forget()
			x.demand("", nil)
		default:
			x.user = c.agreed.user
			return false
		}
		return true
	}
	name, value, _ := strings.Cut(header, " ")
	value = strings.TrimSpace(value)
	scheme := Scheme("")
	for _, s := range []Scheme{Negotiate, Kerberos, NTLM, Basic} {
		if strings.EqualFold(name, string(s)) {
			scheme = s
		}
	}
	if header == mutualTLS {
		scheme = Certificate
	}
	switch {
	case scheme == "" || !x.at.takes(scheme) || scheme == Basic && !x.at.readable():
		x.refuse("", "")
		return true
	case scheme == Basic:
		return x.basic(value)
	case scheme == Certificate:
		return x.certificate()
	}
	token, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(token) == 0 || len(token) > maxToken {
		x.refuse("", "")
		return true
	}
	bare := bytes.HasPrefix(token, []byte("NTLMSSP\x00"))
	switch {
	case bare && scheme != Kerberos:
		return x.ntlm(scheme, token)
	case !bare && scheme != NTLM && x.server.config.Kerberos != nil:
		return x.kerberos(scheme, token)
	}
	x.refuse("", "")
	return true
}

// ntlm takes a bare token. WinRM takes them under the scheme Negotiate (MS-N2HT).
func (x *exchange) ntlm(scheme Scheme, token []byte) (answered bool) {
	c, s := x.conn, x.server
	if proof := len(token) >= 12 && binary.LittleEndian.Uint32(token[8:]) == 3; proof && x.faulty() {
		return true
	}
	if c.ntlm == nil || c.ntlm.Done() {
		c.forget()
		c.ntlm = ntlm.NewAcceptor(ntlm.Config{
			NetBIOSName: s.config.Computer, NetBIOSDomain: s.config.Domain,
			DNSName: s.dnsName(), DNSDomain: s.config.DNSDomain, RequireSeal: !x.at.readable(),
		}, s.config.Accounts)
	}
	out, done, err := c.ntlm.Next(token)
	switch {
	case err != nil:
		var refused *ntlm.LogonError
		if errors.As(err, &refused) {
			x.refuse(refused.Domain, refused.User)
		} else {
			x.refuse("", "")
		}
		return true
	case !done:
		x.demand(scheme, out)
		return true
	}
	who := c.ntlm.Identity()
	session, err := c.ntlm.Session()
	if err != nil || !x.at.bound(who.ChannelBindings) {
		x.refuse(who.Domain, who.User)
		return true
	}
	c.agreed = agreement{user: who.String(), seal: ntlmSealer{session}, protocol: spnegoProtocol}
	x.accept(c.agreed.user)
	return false
}

// bound checks the channel binding of a logon; nil means that the client sent none.
func (e *endpoint) bound(theirs []byte) bool {
	if e.binding == nil || e.ChannelBinding == Unchecked {
		return true
	}
	if theirs == nil {
		return e.ChannelBinding != Strict
	}
	return bytes.Equal(theirs, e.binding)
}

// kerberos takes a token of the scheme Kerberos, or one under Negotiate that is not bare NTLM.
func (x *exchange) kerberos(scheme Scheme, token []byte) (answered bool) {
	c, s := x.conn, x.server
	if x.faulty() {
		return true
	}
	if c.kerberos == nil {
		c.forget()
		channel := Channel{Seal: !x.at.readable()}
		if x.at.binding != nil && x.at.ChannelBinding != Unchecked {
			channel.Binding, channel.Require = x.at.binding, x.at.ChannelBinding == Strict
		}
		c.kerberos = s.config.Kerberos(channel)
	}
	out, done, err := c.kerberos.Next(token)
	if err == nil && !done {
		x.demand(scheme, out)
		return true
	}
	var session Session
	if err == nil {
		session, err = c.kerberos.Session()
	}
	if err != nil {
		c.forget()
		x.at.countRefused("", "")
		x.demand(scheme, out) // the reason, if there is one: a KRB-ERROR
		return true
	}
	name, realm, _ := strings.Cut(session.Principal(), "@")
	account, ok := s.config.Accounts.Lookup(realm, name)
	if !ok || !s.config.Now().Before(session.Expires()) {
		x.refuse(realm, name)
		return true
	}
	c.forget()
	c.agreed = agreement{user: accountName(account), seal: session, protocol: spnegoProtocol, expires: session.Expires()}
	if scheme == Kerberos {
		c.agreed.protocol = kerberosProtocol
	}
	if len(out) > 0 {
		// The service's own proof travels with the answer, whatever that is.
		x.w.Header().Set("WWW-Authenticate", string(scheme)+" "+base64.StdEncoding.EncodeToString(out))
	}
	x.accept(c.agreed.user)
	return false
}

// basic takes a password in clear. It knows local accounts only, as Windows does ("Authentication for Remote
// Connections", Windows Remote Management documentation).
func (x *exchange) basic(value string) (answered bool) {
	if x.faulty() {
		return true
	}
	text, err := base64.StdEncoding.DecodeString(value)
	name, password, ok := strings.Cut(string(text), ":")
	if err != nil || !ok {
		x.refuse("", "")
		return true
	}
	domain, user, ok := strings.Cut(name, `\`)
	if !ok {
		domain, user = "", name
	}
	accounts := x.server.config.Accounts
	if a, ok := accounts.Lookup(domain, user); !ok || a.Domain != "" {
		x.refuse(domain, user)
		return true
	}
	account, err := ntlm.LogOn(accounts, domain, user, password)
	if err != nil {
		x.refuse(domain, user)
		return true
	}
	x.sign(accountName(account))
	return false
}

// sign accepts one request whose sender proved himself with it.
func (x *exchange) sign(user string) {
	if x.conn.signed == user {
		x.user = user
		return
	}
	x.conn.forget()
	x.conn.signed = user
	x.accept(user)
}

func (x *exchange) accept(user string) {
	x.user = user
	x.at.counting(func(s *Stats, l *ListenerStats) { s.Logons++; l.Logons++ })
}

// refuse ends a handshake; the next token starts a new one.
func (x *exchange) refuse(domain, user string) {
	x.conn.forget()
	x.at.countRefused(domain, user)
	x.demand("", nil)
}

// demand answers 401: with a token of a handshake, or with all schemes that are offered.
func (x *exchange) demand(scheme Scheme, token []byte) {
	if len(token) > 0 {
		x.w.Header().Set("WWW-Authenticate", string(scheme)+" "+base64.StdEncoding.EncodeToString(token))
	} else {
		for _, o := range x.at.offers() {
			x.w.Header().Add("WWW-Authenticate", o)
		}
	}
	x.w.WriteHeader(http.StatusUnauthorized)
}

func (s *Server) dnsName() string {
	if s.config.DNSDomain == "" {
		return s.config.Computer
	}
	return strings.ToLower(s.config.Computer) + "." + s.config.DNSDomain
}
