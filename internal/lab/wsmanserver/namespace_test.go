package wsmanserver

import (
	"strings"
	"testing"

	"github.com/masterzen/winrm"
)

// Windows knows elements by their namespaces; a client that mixes them up must not learn that here last.
func TestR32_AnElementOfAnotherNamespaceIsNotTheOneThatIsMeant(t *testing.T) {
	p := winrm.DefaultParameters
	messages := map[string]string{
		"Create":  winrm.NewOpenShellRequest("http://x/wsman", p).String(),
		"Command": winrm.NewExecuteCommandRequest("http://x/wsman", "A", "echo", nil, p).String(),
		"Receive": winrm.NewGetOutputRequest("http://x/wsman", "A", "B", "stdout stderr", p).String(),
		"Send":    winrm.NewSendInputRequest("http://x/wsman", "A", "B", []byte("x"), true, p).String(),
		"Signal":  winrm.NewSignalRequest("http://x/wsman", "A", "B", p).String(),
		"Delete":  winrm.NewDeleteShellRequest("http://x/wsman", "A", p).String(),
	}
	for op, message := range messages {
		whole := sketch(t, message)
		if !strings.HasPrefix(whole, op+" ") || op != "Create" && !strings.Contains(whole, "shell=A") {
			t.Errorf("%s is read as %q", op, whole)
		}
		for _, namespace := range []string{
			"http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/ws/2004/08/addressing",
			"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd", "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
		} {
			other := strings.Replace(message, `="`+namespace+`"`, `="urn:other"`, 1)
			if op == "Delete" && strings.HasSuffix(namespace, "/shell") {
				continue // it has nothing of the shell's own
			}
			if got := sketch(t, other); other == message || got == whole {
				t.Errorf("%s without %s is still %q", op, namespace, got)
			}
		}
	}
}

// sketch is what was understood of a message.
func sketch(t *testing.T, message string) string {
	t.Helper()
	e, err := parse([]byte(message))
	if err != nil {
		return err.Error()
	}
	out := e.operation() + " shell=" + e.shellID() + " timeout=" + e.Header.OperationTimeout
	for part, there := range map[string]bool{
		"Shell": e.Body.Shell != nil, "CommandLine": e.Body.CommandLine != nil && e.Body.CommandLine.Command != "",
		"Receive": e.Body.Receive != nil && e.Body.Receive.Desired.CommandID != "", "Send": e.Body.Send != nil && len(e.Body.Send.Streams) > 0,
		"Signal": e.Body.Signal != nil && e.Body.Signal.Code != "",
	} {
		if there {
			out += " " + part
		}
	}
	return out
}
