package smbcheck

import (
	"context"
	"fmt"
	"strings"

	"github.com/cloudsoda/go-smb2"
)

// Credentials signs in to a file server: NTLM, Kerberos or KerberosOrNTLM.
type Credentials interface {
	// initiator makes a fresh sign-in for one connection to server. It may ask a domain controller for a ticket; it
	// sends nothing to server.
	initiator(ctx context.Context, server string) (initiator, error)
}

// initiator is the library's sign-in; its session key is what facts are proven with.
type initiator = smb2.Initiator

// NTLM signs in with a password by NTLMv2.
type NTLM struct {
	// User is the account: "name", "DOMAIN\name" (only while Domain is empty), or "name@domain".
	User string
	// Domain is the account's domain or the server's own name; may be empty.
	Domain string
	// Password never appears in a formatted NTLM.
	Password string `json:"-"`
}

func (n NTLM) initiator(context.Context, string) (initiator, error) {
	if n.User == "" {
		return nil, fmt.Errorf("%w: no user name", ErrLogon)
	}
	user, domain := n.User, n.Domain
	if d, u, ok := strings.Cut(user, `\`); ok && domain == "" {
		user, domain = u, d
	}
	return &smb2.NTLMInitiator{User: user, Domain: domain, Password: n.Password}, nil
}

// Format writes the account and never the password, whatever the verb (R04).
func (n NTLM) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "NTLM %q", join(n.Domain, n.User))
}
