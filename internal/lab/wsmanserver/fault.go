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

// Fault codes (wsmerror.h). Which one Windows gives is seen in the field for CodeTimedOut, CodeUnknownSelector,
// CodeMaxShells, CodeBusy and CodeAccessDenied; for the others, UNVERIFIED, the header file's words fit and no
// Windows was asked:
//
//   - CodeTimeoutHeader for an OperationTimeout above MaxTimeoutms
//   - CodeProcesses for MaxProcessesPerShell (the job object's limit, ERROR_NOT_ENOUGH_QUOTA)
//   - CodeSmallEnvelope for a MaxEnvelopeSize below 8192 bytes
//   - the HTTP status 413 for a request above MaxEnvelopeSizekb, 503 for a connection above MaxConnections, 401
//     for a certificate that maps to nobody, 401 without the offer of Basic where readable bodies are not taken
const (
	CodeAccessDenied     = 5          // ERROR_ACCESS_DENIED
	CodeUnexpected       = 2147549183 // 0x8000FFFF E_UNEXPECTED
	CodeProcesses        = 2147944216 // 0x80070718 ERROR_NOT_ENOUGH_QUOTA
	CodeLineTooLong      = 2147942606 // 0x800700CE ERROR_FILENAME_EXCED_RANGE
	CodeEnvelopeTooLarge = 2150858790 // 0x80338026 ERROR_WSMAN_ENVELOPE_TOO_LARGE
	CodeInvalidBody      = 2150858791 // 0x80338027 ERROR_WSMAN_INVALID_SOAP_BODY
	CodeTimedOut         = 2150858793 // 0x80338029 ERROR_WSMAN_OPERATION_TIMEDOUT
	CodeUnknownAction    = 2150858818 // 0x80338042 ERROR_WSMAN_UNSUPPORTED_FEATURE
	CodeInvalidXML       = 2150858819 // 0x80338043 ERROR_WSMAN_INVALID_XML
	CodeUnknownSelector  = 2150858843 // 0x8033805B ERROR_WSMAN_UNEXPECTED_SELECTORS: unknown shell or command
	CodeSmallEnvelope    = 2150858878 // 0x8033807E ERROR_WSMAN_MIN_ENVELOPE_SIZE
	CodeTimeoutHeader    = 2150858881 // 0x80338081 ERROR_WSMAN_INVALID_TIMEOUT_HEADER
	CodeMaxShells        = 2150859173 // 0x803381A5 ERROR_WSMAN_QUOTA_MAX_SHELLS
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

func errXML() *fault {
	return &fault{CodeInvalidXML, "w:SchemaValidationError", true, "The request contains invalid XML."}
}

func errAccessDenied() *fault {
	return &fault{CodeAccessDenied, "w:AccessDenied", true, "Access is denied."}
}

func errShells() *fault {
	return &fault{
		CodeMaxShells, "w:QuotaLimit", true, "The WS-Management service cannot process the request. " +
			"The maximum number of concurrent shells for this user has been exceeded. Close existing shells or raise the quota for this user.",
	}
}

func errOperations() *fault {
	return &fault{
		CodeBusy, "w:QuotaLimit", true, "The WS-Management service cannot process the request. " +
			"The maximum number of concurrent operations for this user has been exceeded. Close existing operations for this user, or raise the quota for this user.",
	}
}

func errProcesses() *fault {
	return &fault{CodeProcesses, "w:QuotaLimit", true, "Not enough quota is available to process this command."}
}

func errTimeout() *fault {
	return &fault{
		CodeTimeoutHeader, "w:InvalidParameter", true,
		"The WS-Management service cannot process the request because the timeout header in the request is invalid.",
	}
}

func errSmallEnvelope() *fault {
	return &fault{
		CodeSmallEnvelope, "w:EncodingLimit", true,
		"The WS-Management service cannot process the request because the envelope size in the request is too small.",
	}
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
