package smbcheck

import (
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"strings"

	"cau/internal/fault"
	"cau/internal/kerberos"
)

// Kerberos signs in with a ticket for the file server, which must prove that it could read it. No password goes to the
// file server. The ticket comes from a domain controller before the file server is dialled.
type Kerberos struct {
	// Client is who signs in. It counts its logons at the domain controllers itself (R02).
	Client *kerberos.Client
	// Service is the file server's service principal name, a template with {host}. Empty means cifs/{host}, which
	// Windows derives from the computer's HOST service; {host} is Location.Server in lower case.
	Service string
}

// KerberosOrNTLM is Kerberos, and NTLM only where no domain controller can be reached, the domain does not know the file
// server's service, or the file server is named by an IP address. A password that a domain controller refused, or to
// whose proof it gave no answer, is not sent by NTLM either (R02).
type KerberosOrNTLM struct {
	Kerberos Kerberos
	NTLM     NTLM
}

// ErrTicket is the cause where there is no ticket for the file server, or it does not take the one that it got. Nothing
// is wrong with the password then, as far as anybody knows.
var ErrTicket = errors.New("no Kerberos sign-in at the file server")

// Format writes the principal and never a secret, whatever the verb (R04).
func (k Kerberos) Format(f fmt.State, _ rune) {
	if k.Client == nil {
		_, _ = fmt.Fprint(f, "Kerberos")
		return
	}
	_, _ = fmt.Fprintf(f, "Kerberos %q", k.Client.Principal())
}

// Format writes both accounts and never a secret, whatever the verb (R04).
func (k KerberosOrNTLM) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%v or %v", k.Kerberos, k.NTLM)
}

// Choose says how to sign in to server: by Kerberos, for which there is a ticket then, or by NTLM. Nothing is sent to
// the server. Errors are as those of Connect.
func (k KerberosOrNTLM) Choose(ctx context.Context, server string) (Credentials, error) {
	_, err := k.Kerberos.initiator(ctx, server)
	if err == nil {
		return k.Kerberos, nil
	}
	switch kind := kerberos.KindOf(err); {
	case ctx.Err() != nil, kind != kerberos.Unreachable && kind != kerberos.UnknownService:
		return nil, err
	case k.Kerberos.Client != nil:
		if refused := k.Kerberos.Client.Refused(); refused != nil {
			return nil, noTicket(server, refused)
		}
	}
	return k.NTLM, nil
}

func (k KerberosOrNTLM) initiator(ctx context.Context, server string) (initiator, error) {
	chosen, err := k.Choose(ctx, server)
	if err != nil {
		return nil, err
	}
	return chosen.initiator(ctx, server)
}

func (k Kerberos) initiator(ctx context.Context, server string) (initiator, error) {
	if k.Client == nil {
		return nil, fmt.Errorf("%w: nobody signs in", ErrTicket)
	}
	service, err := k.service(server)
	if err != nil {
		return nil, noTicket(server, err)
	}
	i, err := k.Client.Initiate(ctx, service, nil)
	if err != nil {
		return nil, noTicket(server, err)
	}
	return &ticketInitiator{server: server, ticket: i}, nil
}

// service is the name to ask a ticket for.
func (k Kerberos) service(server string) (string, error) {
	template := k.Service
	if template == "" {
		template = "cifs/{host}"
	}
	host := strings.ToLower(strings.TrimSuffix(server, "."))
	if strings.Contains(template, "{host}") && (net.ParseIP(host) != nil || strings.HasSuffix(host, ".ipv6-literal.net")) {
		return "", &kerberos.Error{Kind: kerberos.UnknownService, Err: errors.New("an IP address has no service name")}
	}
	return strings.ReplaceAll(template, "{host}", host), nil
}

// ticketInitiator shows a ticket to one file server. The library asks for the token, gives the answer, and then takes
// the key; what went wrong it keeps only as a text, so the error itself stays here.
type ticketInitiator struct {
	server  string
	ticket  *kerberos.Initiator
	context *kerberos.SecurityContext
	err     error
}

// OID is Kerberos (RFC 1964).
func (*ticketInitiator) OID() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
}

// InitSecContext gives the token, as long as nobody has answered it.
func (i *ticketInitiator) InitSecContext() ([]byte, error) {
	if i.ticket == nil {
		return nil, i.fail(fmt.Errorf("%w: the ticket was shown already", ErrProtocol))
	}
	return i.ticket.Token(), nil
}

// AcceptSecContext checks that the server could read the ticket (mutual authentication). There is nothing to answer.
func (i *ticketInitiator) AcceptSecContext(answer []byte) ([]byte, error) {
	if i.ticket == nil {
		return nil, i.fail(fmt.Errorf("%w: the sign-in was answered twice", ErrProtocol))
	}
	ticket := i.ticket
	i.ticket = nil
	var err error
	if i.context, err = ticket.Accept(answer); err != nil {
		return nil, i.fail(noTicket(i.server, err))
	}
	return nil, nil
}

// Sum signs SPNEGO's list of mechanisms, which the library sends where the server wants one more round.
func (i *ticketInitiator) Sum(list []byte) []byte {
	if i.context == nil {
		return nil
	}
	mic, err := i.context.MIC(list)
	if err != nil {
		return nil
	}
	return mic
}

// SessionKey is empty before the server has proven itself; nothing verifies under an empty key.
func (i *ticketInitiator) SessionKey() []byte {
	if i.context == nil {
		return nil
	}
	return i.context.SessionKey()
}

func (i *ticketInitiator) fail(err error) error {
	i.err = err
	return err
}

// why is the reason for a failed sign-in where this side knows it better than the library, or nil. status is that of the
// last SESSION_SETUP answer: with a ticket, a failed logon is no word about a password.
func (i *ticketInitiator) why(status uint32) error {
	if i.err != nil {
		return i.err
	}
	m, known := meanings(status)
	switch {
	case status == statusMoreProcessing && i.ticket != nil:
		return ticketRefused(i.server, 0, "the file server wants another way to sign in")
	case known && errors.Is(m.err, ErrLogon), status == statusInvalidParameter, status == statusNotSupported:
		return ticketRefused(i.server, fault.Code(status), "the file server does not take it")
	}
	return nil
}
