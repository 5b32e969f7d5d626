package wsman

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxRounds is one more than any mechanism of ours needs.
const maxRounds = 4

// Negotiated is what a connection agreed on, for people and for checks.
type Negotiated struct {
	// Scheme is the HTTP authentication scheme, Mechanism what ran under it.
	Scheme, Mechanism string
	// Sealed is true when the bodies are encrypted by the security context itself.
	Sealed bool
	// TLS is version and cipher suite, or empty on plain HTTP.
	TLS string
	// ChannelBinding is true when the logon was tied to the TLS channel.
	ChannelBinding bool
	// Computer and Domain are the node's own names as it claims them.
	Computer, Domain string
}

// String is the dialect in one line: "NTLMv2 (Negotiate), sealed, plain HTTP".
func (n Negotiated) String() string {
	s := n.Mechanism + " (" + n.Scheme + ")"
	switch {
	case n.TLS != "" && n.ChannelBinding:
		s += ", bound to " + n.TLS
	case n.TLS != "":
		s += ", " + n.TLS
	case n.Sealed:
		s += ", sealed, plain HTTP"
	}
	return s
}

// authenticate turns a fresh link into an authenticated one with empty messages only: whatever the peer turns out
// to be, it has not seen a body. Errors are ConnError, HTTPError or AuthError.
func (l *link) authenticate(ctx context.Context, cfg Config, patience time.Duration) (Negotiated, error) {
	peer, facts := Peer{Host: cfg.Host}, Negotiated{}
	if secure, ok := l.conn.(*tls.Conn); ok {
		state := secure.ConnectionState()
		facts.TLS = tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
		if !cfg.NoChannelBinding && len(state.PeerCertificates) > 0 {
			peer.ChannelBinding = channelBinding(state.PeerCertificates[0])
			facts.ChannelBinding = true
		}
	}
	h := cfg.Auth.start(peer)
	scheme := h.Schemes()[0]
	session, other, err := l.shakeHands(ctx, h, scheme, patience)
	if other != "" {
		scheme = other
		session, _, err = l.shakeHands(ctx, cfg.Auth.start(peer), scheme, patience)
	}
	if err != nil {
		return facts, err
	}
	if facts.TLS == "" {
		if session.Sealer == nil {
			return facts, &AuthError{Reason: NotSealed, Err: errors.New(session.Mechanism + " cannot seal, and there is no TLS")}
		}
		l.sealer, facts.Sealed = session.Sealer, true
	}
	facts.Scheme, facts.Mechanism, facts.Computer, facts.Domain = scheme, session.Mechanism, session.Computer, session.Domain
	return facts, nil
}

// shakeHands runs h under scheme. If the peer offers only another of h's schemes, nothing was proven yet, and that
// one is given back as other, with an error for the case that there is no second try.
func (l *link) shakeHands(ctx context.Context, h Handshake, scheme string, patience time.Duration) (s Session, other string, err error) {
	var in []byte
	proven := false
	for round := range maxRounds {
		out, proof, err := h.Next(ctx, in)
		if err != nil {
			return s, "", err
		}
		proven = proven || proof
		a, stage, err := l.post(ctx, soapType, scheme+" "+base64.StdEncoding.EncodeToString(out), nil, patience)
		if err != nil {
			return s, "", &ConnError{opAuthenticate, stage, err}
		}
		token, offered, err := challenges(a.header.Values("Www-Authenticate"), scheme)
		if err != nil {
			return s, "", &AuthError{Reason: WeakChallenge, Err: err}
		}
		switch {
		case a.status == 200:
			s, err = h.Accept(token)
			if err == nil && !a.keepsLinkUp {
				err = &ConnError{opAuthenticate, Maybe, errors.New("the peer accepted the logon and closed its connection")}
			}
			return s, "", err
		case a.status != 401:
			return s, "", a.httpError(opAuthenticate, false)
		case len(token) > 0 && a.keepsLinkUp:
			in = token
		case proven:
			return s, "", &AuthError{Reason: Rejected, Offered: offered}
		case len(token) > 0:
			return s, "", &ConnError{opAuthenticate, Maybe, errors.New("the peer closes its connection within the logon")}
		default:
			if round == 0 && a.keepsLinkUp {
				other = alternative(h.Schemes(), scheme, offered)
			}
			return s, other, &AuthError{Reason: NotOffered, Offered: offered}
		}
	}
	if proven {
		return s, "", &AuthError{Reason: Rejected}
	}
	return s, "", &AuthError{Reason: WeakChallenge, Err: errors.New("too many rounds")}
}

// challenges reads WWW-Authenticate: scheme's token, if it has one, and the names of all schemes.
func challenges(values []string, scheme string) (token []byte, offered []string, err error) {
	for _, v := range values[:min(len(values), 16)] {
		name, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
		offered = append(offered, printable(strings.TrimRight(name, ","), 24))
		if strings.EqualFold(name, scheme) && strings.TrimSpace(rest) != "" && token == nil {
			token, err = base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
			if err != nil {
				return nil, offered, fmt.Errorf("the %s token is not base64", scheme)
			}
		}
	}
	return token, offered, nil
}

// alternative is the first of ours, other than tried, that is among offered.
func alternative(ours []string, tried string, offered []string) string {
	for _, name := range offered {
		if strings.EqualFold(name, tried) {
			return "" // it is offered and yet was not taken: trying under another name helps nobody
		}
	}
	for _, o := range ours {
		for _, name := range offered {
			if strings.EqualFold(name, o) {
				return o
			}
		}
	}
	return ""
}
