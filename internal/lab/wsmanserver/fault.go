package wsmanserver

import (
	"fmt"
)

// fault is a WS-Management fault: what a client reads from the code, and the SOAP words around it.
type fault struct {
	code uint32
	// subcode is a qualified name of WS-Management or WS-Addressing, such as w:TimedOut.
	subcode string
	// sender is true where the client is to blame.
	sender  bool
	message string
}

func (f *fault) Error() string { return fmt.Sprintf("fault %d: %s", f.code, f.message) }

// Fault codes (wsmerror.h).
const (
	CodeTimedOut         = 2150858793 // 0x80338029 ERROR_WSMAN_OPERATION_TIMEDOUT
	CodeUnknownSelector  = 2150858843 // 0x8033805B ERROR_WSMAN_UNEXPECTED_SELECTORS: unknown shell or command
	CodeMaxShells        = 2150859173 // 0x803381A5 ERROR_WSMAN_QUOTA_MAX_SHELLS
	CodeEnvelopeTooLarge = 2150858790 // 0x80338026 ERROR_WSMAN_ENVELOPE_TOO_LARGE
	CodeInvalidBody      = 2150858791 // 0x80338027 ERROR_WSMAN_INVALID_SOAP_BODY
	CodeInvalidXML       = 2150858819 // 0x80338043 ERROR_WSMAN_INVALID_XML
	CodeUnknownAction    = 2150858818 // 0x80338042 ERROR_WSMAN_UNSUPPORTED_FEATURE
	CodeLineTooLong      = 2147942606 // 0x800700CE ERROR_FILENAME_EXCED_RANGE
	CodeBusy             = 2150859174 // 0x803381A6 ERROR_WSMAN_QUOTA_MAX_OPERATIONS
)

func errTimedOut() *fault {
	return &fault{
		CodeTimedOut, "w:TimedOut", false,
		"The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
	}
}

func errNoShell(id string) *fault {
	return &fault{
		CodeUnknownSelector, "w:InvalidSelectors", true,
		"The request for the Windows Remote Shell with ShellId " + printable(id) + " failed because the shell was not found on the server.",
	}
}

func errNoCommand() *fault {
	return &fault{CodeUnknownSelector, "w:InvalidSelectors", true, "The command was not found in the shell."}
}

func errBody(why string) *fault {
	return &fault{CodeInvalidBody, "w:SchemaValidationError", true, "The SOAP body is not valid: " + why + "."}
}

// printable keeps what a client sent short and harmless.
func printable(s string) string {
	out := make([]rune, 0, 64)
	for _, r := range s {
		if len(out) == 64 {
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}
