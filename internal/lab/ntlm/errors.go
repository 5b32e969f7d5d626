package ntlm

import "fmt"

// Status is the NTSTATUS that a server answers a logon with (MS-ERREF 2.3.1).
type Status uint32

// The answers to a logon that clients tell apart.
const (
	StatusLogonFailure    Status = 0xC000006D // unknown account or wrong password: never told apart
	StatusPasswordExpired Status = 0xC0000071
	StatusAccountDisabled Status = 0xC0000072
	StatusAccountExpired  Status = 0xC0000193
	StatusMustChange      Status = 0xC0000224
	StatusLockedOut       Status = 0xC0000234
)

func (s Status) String() string {
	switch s {
	case StatusLogonFailure:
		return "STATUS_LOGON_FAILURE"
	case StatusPasswordExpired:
		return "STATUS_PASSWORD_EXPIRED"
	case StatusAccountDisabled:
		return "STATUS_ACCOUNT_DISABLED"
	case StatusAccountExpired:
		return "STATUS_ACCOUNT_EXPIRED"
	case StatusMustChange:
		return "STATUS_PASSWORD_MUST_CHANGE"
	case StatusLockedOut:
		return "STATUS_ACCOUNT_LOCKED_OUT"
	}
	return fmt.Sprintf("0x%08X", uint32(s))
}

// LogonError says that a well-formed logon was refused, and how.
type LogonError struct {
	Status       Status
	Domain, User string // as the client sent them: hostile text
}

func (e *LogonError) Error() string {
	return fmt.Sprintf("logon of %q in domain %q refused: %v", e.User, e.Domain, e.Status)
}

// WeakError says that the client offered less protection than is accepted. No
// account was looked up, so no failed logon was counted.
type WeakError struct{ What string }

func (e *WeakError) Error() string { return "weak NTLM refused: " + e.What }

// MessageError says that a token could not be understood, came out of order or
// was altered on its way.
type MessageError struct{ Err error }

func (e *MessageError) Error() string { return "bad NTLM token: " + e.Err.Error() }

// Unwrap gives the reason.
func (e *MessageError) Unwrap() error { return e.Err }
