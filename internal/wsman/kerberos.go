package wsman

import (
	"context"
	"errors"
	"net"
	"strings"

	"cau/internal/fault"
	"cau/internal/kerberos"
)

// kerberosProtocol is the media type of bodies sealed under the scheme Kerberos (MS-WSMV 2.2.9.1.1.2.1).
const kerberosProtocol = "application/HTTP-Kerberos-session-encrypted"

// Kerberos makes a credential of a Kerberos identity. service is the node's service principal name, or a template
// with {host} in it; "" means WSMAN/<host>, and HTTP/<host> where the domain does not know that. The node must be
// named by its DNS name. Nothing but Kerberos is ever tried.
func Kerberos(c *kerberos.Client, service string) *Credential {
	return NewCredential(func(peer Peer) Handshake {
		return &kerberosHandshake{client: c, service: service, peer: peer}
	})
}

// KerberosOrNTLM tries Kerberos first. NTLM with the same password comes only where no KDC can be reached, the domain
// does not know the node's service, or the node is named by an IP address. A password that a KDC refused, or to whose
// proof it gave no answer, is not sent by NTLM either (R02).
func KerberosOrNTLM(c *kerberos.Client, service, user, domain, password string) *Credential {
	ntlm := NTLM(user, domain, password)
	return NewCredential(func(peer Peer) Handshake {
		return &eitherHandshake{kerberosHandshake{client: c, service: service, peer: peer}, ntlm.start(peer)}
	})
}

// eitherHandshake decides for Kerberos or NTLM before anything is sent to the node.
type eitherHandshake struct {
	kerberosHandshake
	other Handshake
}

// Prepare gets a ticket, or decides for NTLM.
func (h *eitherHandshake) Prepare(ctx context.Context) (Handshake, error) {
	ready, err := h.kerberosHandshake.Prepare(ctx)
	switch kind := kerberos.KindOf(err); {
	case err == nil:
		return ready, nil
	case ctx.Err() == nil && (kind == kerberos.Unreachable || kind == kerberos.UnknownService):
		return h.other, nil
	default:
		return nil, err
	}
}

// kerberosHandshake is one message to the node and its answer.
type kerberosHandshake struct {
	client  *kerberos.Client
	service string
	peer    Peer

	scheme    string
	initiator *kerberos.Initiator
}

// Schemes prefers Kerberos, whose token is bare.
func (h *kerberosHandshake) Schemes() []string { return []string{"Kerberos", "Negotiate"} }

func (h *kerberosHandshake) under(scheme string) { h.scheme = scheme }

// services are the names to ask for, in order.
func (h *kerberosHandshake) services() []string {
	if h.service == "" {
		return []string{"WSMAN/" + h.peer.Host, "HTTP/" + h.peer.Host}
	}
	return []string{strings.ReplaceAll(h.service, "{host}", h.peer.Host)}
}

// Prepare gets a ticket for the node.
func (h *kerberosHandshake) Prepare(ctx context.Context) (Handshake, error) {
	if net.ParseIP(h.peer.Host) != nil && (h.service == "" || strings.Contains(h.service, "{host}")) {
		return nil, authError(&fault.Error{
			Op: "ask for a ticket", Err: &kerberos.Error{Kind: kerberos.UnknownService, Err: errors.New("an IP address has no service name")},
			Hint: "Name the node by its DNS name, or say the service's name with --spn WSMAN/node.domain.",
		})
	}
	var first error
	for _, service := range h.services() {
		i, err := h.client.Initiate(ctx, service, h.peer.ChannelBinding)
		if err == nil {
			h.initiator = i
			return h, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil || kerberos.KindOf(err) != kerberos.UnknownService {
			return nil, authError(err)
		}
	}
	return nil, authError(first)
}

// Next sends the token. It proves who we are, but no secret to the node: a refusal is no failed logon.
func (h *kerberosHandshake) Next(_ context.Context, in []byte) (out []byte, proof bool, err error) {
	if in != nil {
		return nil, false, h.deny(in)
	}
	if strings.EqualFold(h.scheme, "Negotiate") {
		out, err = h.initiator.Negotiate()
		return out, false, err
	}
	return h.initiator.Token(), false, nil
}

// Accept checks that the node could read the ticket (mutual authentication).
func (h *kerberosHandshake) Accept(in []byte) (Session, error) {
	s, err := h.initiator.Accept(in)
	if err != nil {
		return Session{}, authError(err)
	}
	protocol := kerberosProtocol
	if strings.EqualFold(h.scheme, "Negotiate") {
		protocol = spnegoProtocol
	}
	return Session{Sealer: &kerberosSealer{s, protocol}, Mechanism: "Kerberos " + s.Encryption()}, nil
}

// deny reads why the node did not take the ticket. What the node says is never about the credential.
func (h *kerberosHandshake) deny(token []byte) *AuthError {
	refusal := &AuthError{Reason: TicketRefused, FromNode: true}
	if len(token) == 0 {
		return refusal
	}
	_, err := h.initiator.Accept(token)
	var auth *AuthError
	if err == nil {
		refusal.Err = errors.New("it proved itself and yet said no")
	} else if errors.As(authError(err), &auth) {
		auth.FromNode = true
		return auth
	}
	return refusal
}

// authError says in this package's words why Kerberos failed.
func authError(err error) error {
	var k *kerberos.Error
	if !errors.As(err, &k) {
		return &ConnError{opAuthenticate, NotSent, err}
	}
	e := &AuthError{FromNode: k.FromService, Err: err}
	switch k.Kind {
	case kerberos.Rejected:
		e.Reason = Rejected
	case kerberos.Locked:
		e.Reason = Locked
	case kerberos.Revoked:
		e.Reason = Disabled
	case kerberos.PasswordExpired:
		e.Reason = PasswordExpired
	case kerberos.AccountExpired:
		e.Reason = AccountExpired
	case kerberos.UnknownUser:
		e.Reason = UnknownAccount
	case kerberos.ClockSkew:
		e.Reason = ClockSkew
	case kerberos.Expired:
		e.Reason = Expired
	case kerberos.Refused:
		e.Reason = TicketRefused
	case kerberos.Unproven:
		e.Reason = Unproven
	default:
		e.Reason = NoTicket
	}
	if k.Final() && !e.Final() {
		e.Reason = Unanswered
	}
	return e
}

// kerberosSealer seals by RFC 4121.
type kerberosSealer struct {
	*kerberos.SecurityContext
	protocol string
}

// Protocol depends on the scheme under which the context was made.
func (s *kerberosSealer) Protocol() string { return s.protocol }

// Unwrap opens the next message.
func (s *kerberosSealer) Unwrap(header, sealed []byte) ([]byte, error) {
	plain, err := s.SecurityContext.Unwrap(header, sealed)
	if err != nil {
		return nil, &AuthError{Reason: Tampered, Err: err}
	}
	return plain, nil
}
