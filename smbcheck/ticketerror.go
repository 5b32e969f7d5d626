package smbcheck

import (
	"errors"

	"cau/internal/fault"
	"cau/internal/kerberos"
)

// ticketError is a failure of Kerberos in this package's words for callers, and in its own for people: what KDC or file
// server said stays in the chain.
type ticketError struct {
	kind error // one of the Err values
	err  error
}

func (e *ticketError) Error() string { return e.err.Error() }

// Unwrap gives both.
func (e *ticketError) Unwrap() []error { return []error{e.kind, e.err} }

// noTicket says why there is no ticket for server, or no proof by it.
func noTicket(server string, err error) error {
	fail := &fault.Error{Op: `sign in to \\` + server, Err: err, Hint: fault.Hint(err)}
	var k *kerberos.Error
	if !errors.As(err, &k) {
		return fail
	}
	fail.Err = &ticketError{ticketKind(k), err}
	if hint := ticketHint(k); hint != "" {
		fail.Hint = hint
	}
	return fail
}

// ticketKind maps what Kerberos says. Only a domain controller's word is about the password or the account.
func ticketKind(k *kerberos.Error) error {
	if k.FromService {
		return ErrTicket
	}
	switch k.Kind {
	case kerberos.Rejected, kerberos.UnknownUser:
		return ErrLogon
	case kerberos.Revoked, kerberos.Locked, kerberos.PasswordExpired, kerberos.AccountExpired, kerberos.ClockSkew:
		return ErrAccount
	case kerberos.Unproven:
		return ErrTampered
	default:
		return ErrTicket
	}
}

const hintTicketRefused = "The service name belongs to another account than the file server's (setspn -Q cifs/SERVER), the server is no member of the domain, or it may have to renew its own password (Test-ComputerSecureChannel -Repair). Or name an account with a password."

// ticketHint is what helps with a file server, where Kerberos's own hint speaks of a node.
func ticketHint(k *kerberos.Error) string {
	switch k.Kind {
	case kerberos.UnknownService:
		return "Name the file server by its full DNS name, and check its service names on a domain member: setspn -Q cifs/SERVER and setspn -Q HOST/SERVER."
	case kerberos.Refused:
		return hintTicketRefused
	case kerberos.Unproven:
		return "This is not how a domain controller or a file server of the domain answers; check the address, and look for somebody in between."
	default: // the rest has its hint already
		return ""
	}
}

// ticketRefused is a ticket that the file server did not take, with the status that it gave.
func ticketRefused(server string, status fault.Code, why string) error {
	return &fault.Error{
		Op: `sign in to \\` + server, Code: status, Hint: hintTicketRefused,
		Err: &ticketError{ErrTicket, &kerberos.Error{Kind: kerberos.Refused, FromService: true, Err: errors.New(why)}},
	}
}
