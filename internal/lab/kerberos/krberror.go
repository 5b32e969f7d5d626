package kerberos

import (
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Error is a refusal with a code of RFC 4120 7.5.9.
type Error struct {
	// Code is one of the KDC_ERR_ or KRB_AP_ERR_ numbers.
	Code int32
	// Reason says more. It stays here: like Windows, the lab sends codes only.
	Reason string

	data []byte // e-data of the message
}

func (e *Error) Error() string {
	text := errorcode.Lookup(e.Code)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

func refuse(code int32, reason string) *Error { return &Error{Code: code, Reason: reason} }

// message makes the KRB-ERROR that the peer gets.
func (e *Error) message(realm string, sname types.PrincipalName, now time.Time) ([]byte, error) {
	m := messages.NewKRBError(sname, realm, e.Code, "")
	m.STime, m.Susec = now.UTC(), microseconds(now)
	m.EData = e.data
	return m.Marshal()
}

// microseconds is the part of a time that Kerberos carries beside the seconds.
func microseconds(t time.Time) int { return t.Nanosecond() / int(time.Microsecond) }
