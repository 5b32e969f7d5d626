package kerberos

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"

	"cau/internal/fault"
)

// Kind says why there is no ticket or no security context.
type Kind int

const (
	// Other is what none of the rest describes.
	Other Kind = iota
	// Rejected means that the KDC refused the password or the key (KDC_ERR_PREAUTH_FAILED). Final (R02).
	Rejected
	// Revoked means an account that is disabled, locked out or barred (KDC_ERR_CLIENT_REVOKED, KDC_ERR_POLICY).
	Revoked
	// Locked is Revoked where the KDC said that too many logons failed (STATUS_ACCOUNT_LOCKED_OUT).
	Locked
	// PasswordExpired means that the password must be changed first (KDC_ERR_KEY_EXPIRED).
	PasswordExpired
	// AccountExpired means that the account's own time is over (KDC_ERR_NAME_EXP).
	AccountExpired
	// UnknownUser means that the KDC does not know the account (KDC_ERR_C_PRINCIPAL_UNKNOWN).
	UnknownUser
	// ClockSkew means that the clocks differ by more than is allowed, five minutes by default.
	ClockSkew
	// UnknownService means that nobody has registered the service's name (KDC_ERR_S_PRINCIPAL_UNKNOWN).
	UnknownService
	// Unreachable means that no KDC could be reached, so nothing was proven to any.
	Unreachable
	// NoAnswer means that a KDC got the proof and did not answer: it may count as a failed logon.
	NoAnswer
	// Expired means that the ticket is too old and cannot be renewed without a new kinit.
	Expired
	// BadSource means that cache, keytab or configuration cannot be used.
	BadSource
	// Weak means that only encryption older than AES is on offer.
	Weak
	// Refused means that the service did not take our ticket.
	Refused
	// Unproven means that an answer does not prove what it must: a wrong key, a replay, or a malformed message.
	Unproven
)

// String is the kind in words.
func (k Kind) String() string {
	names := [...]string{
		Other: "Kerberos failed", Rejected: "the password or key was rejected", Revoked: "the account is disabled, locked or barred",
		Locked: "the account is locked out", PasswordExpired: "the password has expired or must be changed", AccountExpired: "the account has expired",
		UnknownUser: "the account is unknown", ClockSkew: "the clocks differ too much", UnknownService: "the service is unknown",
		Unreachable: "no domain controller can be reached", NoAnswer: "the domain controller did not answer the logon",
		Expired: "the ticket has expired", BadSource: "the Kerberos credential cannot be used", Weak: "no AES encryption is offered",
		Refused: "the ticket was refused", Unproven: "an answer does not verify",
	}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return names[k]
}

// Error is a failure of Kerberos. It never holds a secret or an account's name.
type Error struct {
	Kind Kind
	// Code is the KDC's or service's error code (RFC 4120 7.5.9), 0 where there was none.
	Code int32
	// Status is the NTSTATUS that an Active Directory KDC adds (MS-KILE 2.2.2), or 0.
	Status fault.Code
	// FromService is true when the node said it and not a KDC: it then says nothing about the credential.
	FromService bool
	Err         error

	// noVerdict says that a proof left and nobody said what became of it; spent, that it is not sent again.
	noVerdict, spent bool
}

// Error says the kind, the code by name and the cause.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Code != 0 {
		name, _, _ := strings.Cut(errorcode.Lookup(e.Code), " ")
		if fields := strings.Fields(errorcode.Lookup(e.Code)); len(fields) > 1 {
			name = fields[1]
		}
		s += fmt.Sprintf(" (Kerberos %d %s)", e.Code, name)
	}
	if e.Status != 0 {
		s += " " + statusName(e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.spent {
		s += "; it may count as a failed logon and is not sent again"
	}
	return s
}

// Unwrap gives the cause, if there is one.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first Error in err's chain, else Other.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Other
}

// failed wraps an Error with what was tried and what the user can do.
func failed(op string, e *Error) error {
	return &fault.Error{Op: op, Err: e, Hint: e.hint()}
}

func (e *Error) hint() string {
	switch e.Kind {
	case Rejected:
		return "Check user name, realm and password, or make the keytab again: it was tried once and will not be tried again."
	case Revoked:
		return "Ask a domain administrator to look at the account: disabled, locked out, outside its logon hours, or not allowed to log on from here."
	case Locked:
		return "Wait until the lockout ends or let a domain administrator unlock the account (Unlock-ADAccount)."
	case PasswordExpired:
		return "Change the password first (kpasswd, or on Windows), then start again."
	case AccountExpired:
		return "Ask a domain administrator to extend the account's lifetime."
	case UnknownUser:
		return "Check the user name and the realm (user@REALM); a node's local account has no Kerberos."
	case ClockSkew:
		return "Set this machine's clock by the domain's time (chronyc makestep, w32tm /resync): five minutes are allowed."
	case UnknownService:
		return "Name the node by its full DNS name, and check its service names on a domain member: setspn -L NODE."
	case Unreachable, NoAnswer:
		return "Check the domain controllers' names and that TCP port 88 to them is open."
	case Expired:
		return "Get a new ticket (kinit -c FILE:...), or use a keytab, which does not expire."
	case Weak:
		return "Allow AES for the account and the node's computer account (msDS-SupportedEncryptionTypes 0x18), then change the password once so that AES keys exist."
	case Refused:
		if e.Code == errorcode.KRB_AP_ERR_MODIFIED {
			return "The service name belongs to another account than the node's (setspn -Q), or the node's machine password is out of step (Test-ComputerSecureChannel)."
		}
		return "The account may not use WinRM on this node, or the node cannot read the ticket; look into its event log (Microsoft-Windows-WinRM/Operational)."
	case Unproven:
		return "This is not how a domain controller or a Windows node answers; check the address, and look for somebody in between."
	default:
		return ""
	}
}

// kdcKinds maps what a KDC says about us or about the service.
func kdcKind(code int32) Kind {
	switch code {
	case errorcode.KDC_ERR_PREAUTH_FAILED, errorcode.KRB_AP_ERR_BAD_INTEGRITY:
		return Rejected
	case errorcode.KDC_ERR_CLIENT_REVOKED, errorcode.KDC_ERR_POLICY, errorcode.KDC_ERR_CLIENT_NOTYET:
		return Revoked
	case errorcode.KDC_ERR_KEY_EXPIRED:
		return PasswordExpired
	case errorcode.KDC_ERR_NAME_EXP:
		return AccountExpired
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_WRONG_REALM:
		return UnknownUser
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_SERVICE_EXP, errorcode.KDC_ERR_MUST_USE_USER2USER, errorcode.KDC_ERR_PRINCIPAL_NOT_UNIQUE:
		return UnknownService
	case errorcode.KRB_AP_ERR_SKEW:
		return ClockSkew
	case errorcode.KDC_ERR_ETYPE_NOSUPP, errorcode.KDC_ERR_NULL_KEY:
		return Weak
	case errorcode.KRB_AP_ERR_TKT_EXPIRED, errorcode.KDC_ERR_TGT_REVOKED:
		return Expired
	default:
		return Other
	}
}

// The NTSTATUS values that MS-ERREF gives for a refused logon.
const (
	statusLockedOut      fault.Code = 0xC0000234
	statusDisabled       fault.Code = 0xC0000072
	statusLogonHours     fault.Code = 0xC000006F
	statusWorkstation    fault.Code = 0xC0000070
	statusExpired        fault.Code = 0xC0000071
	statusMustChange     fault.Code = 0xC0000224
	statusAccountExpired fault.Code = 0xC0000193
	statusRestriction    fault.Code = 0xC000006E
)

func statusName(s fault.Code) string {
	switch s {
	case statusLockedOut:
		return "STATUS_ACCOUNT_LOCKED_OUT"
	case statusDisabled:
		return "STATUS_ACCOUNT_DISABLED"
	case statusLogonHours:
		return "STATUS_INVALID_LOGON_HOURS"
	case statusWorkstation:
		return "STATUS_INVALID_WORKSTATION"
	case statusExpired:
		return "STATUS_PASSWORD_EXPIRED"
	case statusMustChange:
		return "STATUS_PASSWORD_MUST_CHANGE"
	case statusAccountExpired:
		return "STATUS_ACCOUNT_EXPIRED"
	case statusRestriction:
		return "STATUS_ACCOUNT_RESTRICTION"
	default:
		return fmt.Sprintf("NTSTATUS 0x%08X", uint32(s))
	}
}

// kdcError turns a KRB_ERROR into ours.
func kdcError(k messages.KRBError, now time.Time) *Error {
	e := &Error{Kind: kdcKind(k.ErrorCode), Code: k.ErrorCode, Status: extendedStatus(k.EData)}
	switch e.Status {
	case statusLockedOut:
		e.Kind = Locked
	case statusExpired, statusMustChange:
		e.Kind = PasswordExpired
	case statusAccountExpired:
		e.Kind = AccountExpired
	}
	if text := printable(k.EText, 120); text != "" {
		e.Err = errors.New(text)
	}
	if e.Kind == ClockSkew {
		e.Err = skew(k.STime, now)
	}
	return e
}

// skew says how far the other clock is from ours, to the second.
func skew(theirs, ours time.Time) error {
	ahead := theirs.Sub(ours).Round(time.Second)
	if ahead < 0 {
		return fmt.Errorf("the other clock is %v behind ours", -ahead)
	}
	return fmt.Errorf("the other clock is %v ahead of ours", ahead)
}

// printable makes text from outside safe and short enough for a screen (R33).
func printable(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > limit {
			break
		}
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			r = ' '
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
