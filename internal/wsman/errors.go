package wsman

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"cau/internal/fault"
)

// ErrClosed is the cause when a Node was closed.
var ErrClosed = errors.New("the connection to the node was closed by us")

// ErrSilent is the cause when a host gave no answer for longer than it may.
var ErrSilent = errors.New("the host does not answer")

// errTooLarge is the cause when an answer exceeds Config.MaxBody or a command's output Config.MaxOutput.
var errTooLarge = errors.New("the answer is larger than allowed")

// Stage says how far a message got, and so whether it may be repeated.
type Stage int

const (
	// NotSent says that the peer cannot have acted; the message may be repeated.
	NotSent Stage = iota
	// Maybe says that it was sent without a usable answer; the peer may have acted.
	Maybe
	// Answered says that an answer came, and not one that can be used; the peer has acted.
	Answered
)

// String is the stage in words.
func (s Stage) String() string {
	switch s {
	case NotSent:
		return "not sent"
	case Maybe:
		return "sent, no answer"
	case Answered:
		return "answered"
	default:
		return fmt.Sprintf("stage %d", int(s))
	}
}

// ConnError is a failure of the connection, or an answer that cannot be understood.
type ConnError struct {
	// Op is the message that was under way: "connect", "authenticate", "Create", "Command", "Receive", "Send", "Signal", "Delete".
	Op    string
	Stage Stage
	Err   error
}

// Error names the message, its stage and the cause.
func (e *ConnError) Error() string {
	if e.Op == opConnect {
		return "WinRM connect: " + e.Err.Error()
	}
	return fmt.Sprintf("WinRM %s (%s): %v", e.Op, e.Stage, e.Err)
}

// Unwrap gives the cause: a net error, context.Canceled, ErrSilent, ErrClosed.
func (e *ConnError) Unwrap() error { return e.Err }

// AuthReason says why there is no authenticated connection.
type AuthReason int

const (
	// Rejected means that the peer refused the proof. Final for the credential (R02).
	Rejected AuthReason = iota
	// NotOffered means that the peer offers no scheme that we may use (R03). It learnt nothing.
	NotOffered
	// WeakChallenge means that the peer's challenge is malformed or leaves out what sealing needs. It learnt no name.
	WeakChallenge
	// NotSealed means that the peer answered in clear where only a sealed answer counts, or accepted without any proof.
	NotSealed
	// Tampered means that a sealed answer does not verify; the peer does not know the key, or somebody changed bytes.
	Tampered
	// Locked means that too many logons failed; the account is locked out. Final.
	Locked
	// Disabled means that the account is disabled or barred from here or now. Final.
	Disabled
	// PasswordExpired means that the password has expired or must be changed first. Final.
	PasswordExpired
	// AccountExpired means that the account's own time is over. Final.
	AccountExpired
	// UnknownAccount means that the domain does not know the account. Final.
	UnknownAccount
	// ClockSkew means that the clocks differ too much for Kerberos. Final where a domain controller says so.
	ClockSkew
	// Expired means that the Kerberos ticket is over and cannot be renewed. A new one may come, so it is not final.
	Expired
	// NoTicket means that there is no ticket for the node: its service is unknown, no KDC is reached, the cache or
	// keytab cannot be used, or there is no AES.
	NoTicket
	// TicketRefused means that the node did not take our ticket. It says nothing about the credential.
	TicketRefused
	// Unproven means that the peer, or a KDC, did not prove itself.
	Unproven
	// Unanswered means that the first proof of a secret got no verdict, and so may count as a failed logon. Final: it
	// is not sent again by itself.
	Unanswered
)

// String is the reason in words.
func (r AuthReason) String() string {
	switch r {
	case Rejected:
		return "the logon was rejected"
	case NotOffered:
		return "no acceptable authentication is offered"
	case WeakChallenge:
		return "the challenge is malformed or weak"
	case NotSealed:
		return "the answer is not sealed"
	case Tampered:
		return "the answer's signature does not match"
	case Locked:
		return "the account is locked out"
	case Disabled:
		return "the account is disabled or barred"
	case PasswordExpired:
		return "the password has expired or must be changed"
	case AccountExpired:
		return "the account has expired"
	case UnknownAccount:
		return "the account is unknown"
	case ClockSkew:
		return "the clocks differ too much"
	case Expired:
		return "the Kerberos ticket has expired"
	case NoTicket:
		return "there is no Kerberos ticket for the node"
	case TicketRefused:
		return "the node did not take the Kerberos ticket"
	case Unproven:
		return "the peer did not prove itself"
	case Unanswered:
		return "the first logon got no verdict, and the secret is not sent again"
	default:
		return fmt.Sprintf("reason %d", int(r))
	}
}

// AuthError is a failed authentication or a broken security context. It never holds a secret or an account's name.
type AuthError struct {
	Reason AuthReason
	// Offered lists the schemes that the peer named, printable and bounded.
	Offered []string
	// FromNode is true when the node judged a ticket, and so nothing was said about the credential.
	FromNode bool
	Err      error
}

// Final reports whether the credential was refused, or may have been, so that it must not be used again anywhere (R02).
func (e *AuthError) Final() bool {
	switch e.Reason {
	case Rejected, Locked, Disabled, PasswordExpired, AccountExpired, UnknownAccount, ClockSkew, Unanswered:
		return !e.FromNode
	default:
		return false
	}
}

// Final reports whether err says that the credential itself was refused (R02).
func Final(err error) bool {
	var auth *AuthError
	return errors.As(err, &auth) && auth.Final()
}

// Error says the reason and, where it matters, what was offered.
func (e *AuthError) Error() string {
	s := "WinRM authentication: " + e.Reason.String()
	if e.Reason == NotOffered {
		s += " [" + strings.Join(e.Offered, " ") + "]"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause, if there is one.
func (e *AuthError) Unwrap() error { return e.Err }

// HTTPError is an answer of the web server in front of WinRM instead of WinRM's own.
type HTTPError struct {
	Op     string
	Status int
	// ContentType, Reason and Head (at most 120 characters of the body) are printable.
	ContentType, Reason, Head string
	// Sealed is true when the answer came through the security context.
	Sealed bool
}

// Error says status and reason.
func (e *HTTPError) Error() string {
	s := fmt.Sprintf("WinRM %s: HTTP %d", e.Op, e.Status)
	if e.Reason != "" {
		s += " " + e.Reason
	}
	if e.Head != "" {
		s += ": " + e.Head
	}
	return s
}

// Codes that this package acts on. Source: wsmerror.h and winerror.h.
const (
	// CodeTimedOut (2150858793) answers a Receive that found nothing new within its OperationTimeout: ask again.
	CodeTimedOut fault.Code = 0x80338029
	// CodeShellGone (2150858843) answers every message to a shell that the service no longer knows.
	CodeShellGone fault.Code = 0x8033805B
	// CodeTooManyOperations (2150859174) answers a Command in a shell whose ended commands still count towards
	// MaxConcurrentOperationsPerUser (1500 by default); a new shell begins anew. (Ansible's WinRM connection; unproven.)
	CodeTooManyOperations fault.Code = 0x803381A6
	// CodeTimeoutHeader (2150858881) answers a message whose OperationTimeout is above the node's MaxTimeoutms. (That
	// Windows refuses it and does not shorten it is unproven.)
	CodeTimeoutHeader fault.Code = 0x80338081
	// CodeAccessDenied answers a caller that is known but not allowed.
	CodeAccessDenied fault.Code = 5
)

// Fault is WinRM's own refusal of a message (MS-WSMV, WSManFault), read from a trusted answer.
type Fault struct { //nolint:errname // what MS-WSMV calls it
	Op string
	// Status is the HTTP status that carried it, usually 500.
	Status int
	// Code is WSManFault's Code; 0 where the fault has none.
	Code fault.Code
	// Subcode, Reason and Message are printable and bounded.
	Subcode, Reason, Message string
}

// Error says what was refused, the code and the node's own words.
func (e *Fault) Error() string {
	text := e.Message
	if text == "" {
		text = e.Reason
	}
	if text == "" {
		text = e.Subcode
	}
	s := "WinRM " + e.Op + " refused: " + text
	if e.Code != 0 {
		s += " (" + e.Code.String() + ")"
	}
	return s
}

// Retryable reports whether the same message may be sent again without the risk that it acts twice: it did
// not leave, or the web server said that WinRM is not ready (503). A logon failure is never retryable (R02).
func Retryable(err error) bool {
	var conn *ConnError
	if errors.As(err, &conn) {
		return conn.Stage == NotSent
	}
	var http *HTTPError
	return errors.As(err, &http) && http.Status == 503
}

// Code is the number in err's chain that Windows gave, or 0.
func Code(err error) fault.Code {
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return 0
}

// Hint is what the administrator can do about err, or "".
func Hint(err error) string {
	var auth *AuthError
	var http *HTTPError
	var f *Fault
	var conn *ConnError
	var record tls.RecordHeaderError
	switch {
	case fault.Hint(err) != "": // whoever knew more has said more
		return fault.Hint(err)
	case errors.As(err, &auth):
		return auth.hint()
	case errors.As(err, &f):
		if f.Code == CodeAccessDenied {
			return "The account is known but may not use WinRM; it must be an administrator of the node."
		}
		if f.Code == CodeTimeoutHeader {
			return "Set MaxTimeoutms of the node's WinRM back to its default (winrm set winrm/config @{MaxTimeoutms=\"60000\"}); a policy may have lowered it."
		}
		return f.Code.Advice()
	case errors.As(err, &http) && http.Status == 503:
		return "WinRM is not ready yet; after a restart of the node this passes."
	case errors.As(err, &http):
		return "Check that address and port belong to the node's WinRM listener (winrm enumerate winrm/config/listener)."
	case errors.Is(err, ErrSilent):
		return "Check that the node runs and that the firewall lets the WinRM port through."
	case errors.As(err, &record):
		return "The listener speaks plain HTTP; leave https:// out, or name its https port (5986)."
	case errors.As(err, &conn) && conn.Stage == NotSent:
		return "Check the name and that the host is up; WinRM listens on TCP 5985, or 5986 for https (on the node: winrm quickconfig)."
	default:
		return ""
	}
}

func (e *AuthError) hint() string {
	switch e.Reason {
	case Rejected:
		return "Check user name, domain and password. WinRM does not say whether the account is locked, expired or must change its password. It was tried once and will not be tried again."
	case NotOffered:
		return "Enable Negotiate on the node's WinRM service (winrm get winrm/config/service/auth). Clear text is never used, and Basic only when it was asked for by name, on TLS."
	case WeakChallenge, NotSealed, Tampered:
		return "This is not how a Windows node answers; check the address, and look for a proxy or somebody in between."
	case TicketRefused:
		return "The account may not use WinRM on this node, or the service name belongs to another account (setspn -Q)."
	case Unanswered:
		return "Somebody got the proof and said neither yes nor no; that may count as a failed logon. Look after that node or domain controller, or name another one first, and sign in anew."
	case NoTicket, Unproven, Locked, Disabled, PasswordExpired, AccountExpired, UnknownAccount, ClockSkew, Expired:
		return "Ask the domain's administrator about the account and the node's service names."
	default:
		return ""
	}
}

// printable makes text from a peer safe and short enough for a screen (R33): at most limit runes, every
// control or format character a space, runs of blanks folded.
func printable(s string, limit int) string {
	var b strings.Builder
	n, blank := 0, false
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar || r == ' ' {
			blank = n > 0
			continue
		}
		if blank {
			n++
		}
		if n >= limit {
			break
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
