package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a failure with its place. Every field but Err and Op may be empty.
type Error struct {
	// Op is what was tried, in the words of the screen: "drain", "stage Update1.msu".
	Op string
	// Node is the node the operation was for, by its cluster name; empty for the run itself.
	Node string
	// Code is the number that Windows or an installer gave; 0 where there was none.
	Code Code
	// Err is the cause.
	Err error
	// Hint says what the administrator can do.
	Hint string
}

// Error renders node, operation, cause and code in one line, without the hint. A cause on the same node does
// not name it again.
func (e *Error) Error() string {
	if e.Node == "" {
		return e.text()
	}
	return e.Node + ": " + e.text()
}

func (e *Error) text() string {
	text := e.Op
	if e.Err != nil {
		cause := e.Err.Error()
		var inner *Error
		if errors.As(e.Err, &inner) && inner.Node == e.Node {
			cause = strings.Replace(cause, inner.Error(), inner.text(), 1)
		}
		text += ": " + cause
	}
	if e.Code != 0 {
		text += " (" + e.Code.String() + ")"
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns the first hint in err's chain: the explicit one, else the advice for its code, else "".
func Hint(err error) string {
	var advice string
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		if e.Hint != "" {
			return e.Hint
		}
		if advice == "" && e.Code != 0 {
			advice = e.Code.Advice()
		}
		err = e.Err
	}
	return advice
}

// Cause is an Error as data: what a journal keeps and a status shows.
type Cause struct {
	Op      string `json:"op,omitempty"`
	Node    string `json:"node,omitempty"`
	Code    string `json:"code,omitempty"`
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// CauseOf flattens err; nil gives nil. Place and operation are the outermost error's, the code is the first in
// the chain.
func CauseOf(err error) *Cause {
	if err == nil {
		return nil
	}
	c := &Cause{Message: err.Error(), Hint: Hint(err)}
	var e *Error
	if !errors.As(err, &e) {
		return c
	}
	c.Op, c.Node = e.Op, e.Node
	for {
		if e.Code != 0 {
			c.Code, c.Name = e.Code.Hex(), e.Code.Name()
			return c
		}
		if !errors.As(e.Err, &e) {
			return c
		}
	}
}

// String renders the cause in one line, without the hint.
func (c *Cause) String() string {
	if c == nil {
		return ""
	}
	return c.Message
}

// Code is a Win32 error, an HRESULT or an installer's exit code: 32 bits, compared as such (R20).
type Code uint32

// CodeOf keeps the low 32 bits of v: WinRM and tools print one code signed, unsigned, or as 64 bits.
func CodeOf(v int64) Code { return Code(uint32(v & 0xffffffff)) }

// Hex is the code as 0x and eight digits.
func (c Code) Hex() string { return fmt.Sprintf("0x%08X", uint32(c)) }

// Int32 is the code as Windows tools usually print it.
func (c Code) Int32() int32 { return int32(c) }

// Name is the symbolic name, or "" where we know none. An HRESULT that wraps a Win32 error is named HRESULT(...).
func (c Code) Name() string { return c.lookup().name }

// Meaning says in one sentence what the code stands for, or "" where we do not know it.
func (c Code) Meaning() string { return c.lookup().meaning }

// Advice is what to do about the code, or "".
func (c Code) Advice() string { return c.lookup().advice }

// String is the code in hex, with its name where we know one.
func (c Code) String() string {
	if n := c.Name(); n != "" {
		return c.Hex() + " " + n
	}
	return c.Hex()
}
