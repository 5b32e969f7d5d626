package winnode

import (
	"errors"
	"fmt"
	"strings"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// ErrWrongNode says that an address leads to another computer than the node it is given for. Nothing was done there.
var ErrWrongNode = errors.New("the address leads to another computer")

// ErrUnknownNode says that no address is known for a node.
var ErrUnknownNode = errors.New("no address is known for this node")

// ErrFenced is engine.ErrFenced: nothing more may be done under the lease that we hold (R27).
var ErrFenced = engine.ErrFenced

// OperationError is a node's own refusal of an operation, or its failure there.
type OperationError struct {
	// Kind is one of agent.OpError's: win32, hresult, refused, missing, fenced, script.
	Kind string
	// Message is the node's words, printable and bounded.
	Message string
}

// Error is the node's words.
func (e *OperationError) Error() string { return e.Message }

// Is makes errors.Is(err, ErrFenced) true for a refusal of that kind.
func (e *OperationError) Is(target error) bool { return target == ErrFenced && e.Kind == kindFenced }

// RefusedByNode tells the engine that it was the node that said no, and not the way to it.
func (e *OperationError) RefusedByNode() bool { return true }

// Kinds of refusals that are acted on here (agent.OpError).
const (
	kindFenced  = "fenced"
	kindRefused = "refused"
	kindMissing = "missing"
)

// transportError is a failure to ask at all, or to understand what came back: nobody knows whether the
// operation was done. Another node may be asked instead.
type transportError struct{ err error }

// Error leaves out the number that a WinRM fault ends with: fault.Error shows it.
func (e *transportError) Error() string {
	text := e.err.Error()
	if code := wsman.Code(e.err); code != 0 {
		text = strings.TrimSuffix(text, " ("+code.String()+")")
	}
	return text
}

func (e *transportError) Unwrap() error { return e.err }

// Is makes errors.Is(err, engine.ErrCredential) true where the credential is at fault and not the way to the node.
func (e *transportError) Is(target error) bool {
	return target == engine.ErrCredential && credentialOver(e.err)
}

// credentialOver tells whether err says that the credential does not work any more: it was refused, or its ticket ended
// or cannot be had. What a node alone says of a ticket is no word on the credential.
func credentialOver(err error) bool {
	var auth *wsman.AuthError
	if !errors.As(err, &auth) {
		return false
	}
	return auth.Final() || !auth.FromNode && (auth.Reason == wsman.Expired || auth.Reason == wsman.NoTicket)
}

func isTransport(err error) bool {
	var t *transportError
	return errors.As(err, &t)
}

// passing tells whether a node refused for a reason that passes by itself.
func passing(err error) bool {
	var e *fault.Error
	var o *OperationError
	if !errors.As(err, &e) || !errors.As(err, &o) {
		return false
	}
	switch e.Code {
	case 32, 33, // a file is in use
		1450,             // insufficient system resources
		1722, 1726, 1753, // RPC server unavailable, call failed, no endpoint
		0x80041315, 0x80041322: // the Task Scheduler does not run, is too busy
		return true
	}
	return false
}

// codeOf is the number of an operation's error as a Win32 error where it is one: an HRESULT of facility
// Win32 (0x8007xxxx) and the plain number are the same error, and callers compare the plain one.
func codeOf(e *agent.OpError) fault.Code {
	c := fault.CodeOf(e.Code)
	if c&0xffff0000 == 0x80070000 {
		c &= 0xffff
	}
	return c
}

// refusal turns a node's error into ours.
func refusal(op, node string, e *agent.OpError) *fault.Error {
	message := agent.Printable(e.Message, maxMessage)
	if message == "" {
		message = "the node gave no reason"
	}
	return &fault.Error{Op: op, Node: node, Code: codeOf(e), Err: &OperationError{Kind: agent.Printable(e.Kind, 20), Message: message}}
}

// unreached turns a transport's error into ours, with what the administrator can do.
func unreached(op, node string, err error) *fault.Error {
	return &fault.Error{Op: op, Node: node, Code: wsman.Code(err), Err: &transportError{err}, Hint: wsman.Hint(err)}
}

// unanswered says why a command left no answer.
func unanswered(op, node string, exit int32, stderr []byte, cause error) *fault.Error {
	e := &fault.Error{Op: op, Node: node}
	switch exit {
	case agent.ExitLanguage:
		e.Err = errors.New("PowerShell is not in FullLanguage mode")
		e.Hint = "AppLocker or WDAC puts PowerShell into ConstrainedLanguage mode; allow the scripts below %ProgramFiles%\\cau for administrators."
		return e
	case agent.ExitNoBundle, agent.ExitBadBundle:
		cause = errors.New("the scripts that were uploaded are not on the node, or are changed")
		e.Hint = "Something on the node removes or changes files below %ProgramFiles%\\cau\\agent; look at its anti-virus."
	}
	if text := agent.ErrorText(stderr); text != "" {
		cause = fmt.Errorf("%w; PowerShell said: %s", cause, text)
	}
	if exit != 0 {
		cause = fmt.Errorf("%w; exit code %d", cause, exit)
	}
	e.Err = &transportError{cause}
	return e
}

// maxMessage bounds what a node may say in an error or an event, in characters.
const maxMessage = 500
