package wsman

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// logon is one authentication of one link.
type logon struct {
	link     *link
	leave    *admission
	patience *budget
}

// authenticate turns a fresh link into an authenticated one with empty messages only: whatever the peer turns out
// to be, it has not seen a body. Errors are ConnError, HTTPError or AuthError.
func (l *link) authenticate(ctx context.Context, cfg Config, leave *admission, patience *budget) (Negotiated, error) {
	peer, facts := Peer{Host: cfg.Host}, Negotiated{}
	if secure, ok := l.conn.(*tls.Conn); ok {
		state := secure.ConnectionState()
		facts.TLS = tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
		if !cfg.NoChannelBinding && len(state.PeerCertificates) > 0 {
			peer.ChannelBinding = channelBinding(state.PeerCertificates[0])
		}
	}
	on := logon{l, leave, patience}
	scheme, session, err := on.run(ctx, func() (Handshake, error) { return on.prepare(ctx, cfg.Auth.start(peer)) })
	if err != nil {
		return facts, err
	}
	switch {
	case facts.TLS != "":
		if session.Authorization != "" {
			l.authorization = hide(session.Authorization)
		}
		facts.ChannelBinding = peer.ChannelBinding != nil && session.Authorization == ""
	case session.Sealer == nil:
		return facts, &AuthError{Reason: NotSealed, Err: errors.New(session.Mechanism + " cannot seal, and there is no TLS")}
	default:
		l.sealer, facts.Sealed = session.Sealer, true
	}
	facts.Scheme, facts.Mechanism, facts.Computer, facts.Domain = scheme, session.Mechanism, session.Computer, session.Domain
	return facts, nil
}

// prepare lets h get ready within the budget.
func (on logon) prepare(ctx context.Context, h Handshake) (Handshake, error) {
	p, ok := h.(Preparer)
	if !ok {
		return h, nil
	}
	limited, cancel := on.patience.limit(ctx)
	defer cancel()
	return p.Prepare(limited)
}

// run shakes hands under the preferred scheme, or under another one of the handshake's if only that is offered.
func (on logon) run(ctx context.Context, begin func() (Handshake, error)) (scheme string, s Session, err error) {
	h, err := begin()
	if err != nil {
		return "", s, err
	}
	scheme = h.Schemes()[0]
	s, other, err := on.shakeHands(ctx, h, scheme)
	if other != "" {
		if h, err = begin(); err != nil {
			return "", s, err
		}
		scheme = other
		s, _, err = on.shakeHands(ctx, h, scheme)
	}
	return scheme, s, err
}

// shakeHands runs h under scheme. If the peer offers only another of h's schemes, nothing was proven yet, and that
// one is given back as other, with an error for the case that there is no second try.
func (on logon) shakeHands(ctx context.Context, h Handshake, scheme string) (s Session, other string, err error) {
	if named, ok := h.(schemed); ok {
		named.under(scheme)
	}
	var in, body []byte
	if p, ok := h.(probing); ok {
		body = p.probe()
	}
	proven := false
	for round := range maxRounds {
		out, proof, err := h.Next(ctx, in)
		if err != nil {
			return s, "", err
		}
		if proof {
			if err := on.patience.spare(func() error { return on.leave.hold(ctx) }); err != nil {
				var auth *AuthError
				if errors.As(err, &auth) {
					return s, "", err
				}
				return s, "", &ConnError{opAuthenticate, NotSent, err}
			}
			on.leave.proving()
		}
		proven = proven || proof
		a, stage, err := on.link.post(ctx, soapType, authorization(scheme, out), body, on.patience.left())
		on.leave.sent = on.leave.sent || proof && stage != NotSent
		if err != nil {
			return s, "", &ConnError{opAuthenticate, stage, err}
		}
		token, offered, err := challenges(a.header.Values("Www-Authenticate"), scheme, body == nil)
		switch {
		case err != nil && proven && a.status == 401:
			return s, "", &AuthError{Reason: Rejected, Offered: offered}
		case err != nil:
			return s, "", &AuthError{Reason: WeakChallenge, Err: err}
		}
		reader, readable := h.(denied)
		a.knows = proven || readable // a proof or a ticket
		switch {
		case a.status == 200:
			s, err = h.Accept(token)
			if err == nil && !a.keepsLinkUp {
				err = &ConnError{opAuthenticate, Maybe, errors.New("the peer accepted the logon and closed its connection")}
			}
			return s, "", err
		case a.status != 401:
			return s, "", a.httpError(opAuthenticate, false)
		case readable && (len(token) > 0 || offers(offered, scheme)):
			refusal := reader.deny(token)
			refusal.Offered = offered
			return s, "", refusal
		case len(token) > 0 && a.keepsLinkUp:
			in = token
		case proven && scheme == schemeBasic && len(offered) > 0 && !offers(offered, scheme):
			return s, "", &AuthError{Reason: NotOffered, Offered: offered}
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

// authorization is the header's value; a scheme without a token stands alone.
func authorization(scheme string, token []byte) string {
	if len(token) == 0 {
		return scheme
	}
	return scheme + " " + base64.StdEncoding.EncodeToString(token)
}

// challenges reads WWW-Authenticate: the names of all schemes and, of those that have rounds, scheme's token.
func challenges(values []string, scheme string, rounds bool) (token []byte, offered []string, err error) {
	for _, v := range values[:min(len(values), 16)] {
		name, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
		offered = append(offered, printable(strings.TrimRight(name, ","), 24))
		if rounds && strings.EqualFold(name, scheme) && strings.TrimSpace(rest) != "" && token == nil {
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
	if offers(offered, tried) {
		return "" // it is offered and yet was not taken: trying under another name helps nobody
	}
	for _, o := range ours {
		if offers(offered, o) {
			return o
		}
	}
	return ""
}

// offers looks for a scheme's name in any case of letters.
func offers(schemes []string, name string) bool {
	return slices.ContainsFunc(schemes, func(s string) bool { return strings.EqualFold(s, name) })
}
