package wsman

import (
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/masterzen/winrm"
	"github.com/masterzen/winrm/soap"
)

const (
	// envelopeSize is what we declare as MaxEnvelopeSize: the smallest that any supported Windows has as its quota.
	envelopeSize = 153600
	// inputChunk is the most of stdin in one Send: base64 of it stays below envelopeSize.
	inputChunk = 96 << 10
	// maxLine is cmd.exe's limit of 8191 characters, less a reserve for what the service puts in front.
	maxLine = 8191 - 80

	locale      = "en-US"
	resourceCmd = nsShell + "/cmd"
)

// messages builds the requests to one node. Everything that it puts into XML is ours or checked: the builders
// behind it escape nothing.
type messages struct{ url string }

// parameters never uses the library's shared default.
func parameters(hold time.Duration) *winrm.Parameters {
	return winrm.NewParameters(isoDuration(hold), locale, envelopeSize)
}

// isoDuration is d as xs:duration; whole seconds have no fraction.
func isoDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("PT%dS", d/time.Second)
	}
	return fmt.Sprintf("PT%.3fS", d.Seconds())
}

func (m messages) create(hold time.Duration) []byte {
	return []byte(winrm.NewOpenShellRequest(m.url, parameters(hold)).String())
}

// command builds a Command. With piped input the remote stdin must be a pipe (WINRS_CONSOLEMODE_STDIN FALSE),
// which the library's builder cannot say.
func (m messages) command(shellID, line string, piped bool, hold time.Duration) ([]byte, error) {
	if err := checkLine(line); err != nil {
		return nil, err
	}
	if !piped {
		safe := strings.ReplaceAll(line, "]]>", "]]]]><![CDATA[>") // the builder wraps it in one CDATA section
		return []byte(winrm.NewExecuteCommandRequest(m.url, shellID, safe, nil, parameters(hold)).String()), nil
	}
	var escaped strings.Builder
	if err := xml.EscapeText(&escaped, []byte(line)); err != nil {
		return nil, err
	}
	msg := soap.NewMessage()
	msg.Header().
		To(m.url).
		ReplyTo(nsAddressing + "/role/anonymous").
		MaxEnvelopeSize(envelopeSize).
		Id(messageID()).
		Locale(locale).
		Timeout(isoDuration(hold)).
		Action(nsShell + "/Command").
		ResourceURI(resourceCmd).
		ShellId(shellID).
		AddOption(soap.NewHeaderOption("WINRS_CONSOLEMODE_STDIN", "FALSE")).
		AddOption(soap.NewHeaderOption("WINRS_SKIP_CMD_SHELL", "FALSE")).
		Build()
	body := msg.CreateBodyElement("CommandLine", soap.DOM_NS_WIN_SHELL)
	msg.CreateElement(body, "Command", soap.DOM_NS_WIN_SHELL).SetContent(escaped.String())
	return []byte(msg.String()), nil
}

func (m messages) receive(shellID, commandID string, hold time.Duration) []byte {
	return []byte(winrm.NewGetOutputRequest(m.url, shellID, commandID, "stdout stderr", parameters(hold)).String())
}

func (m messages) send(shellID, commandID string, data []byte, end bool, hold time.Duration) []byte {
	return []byte(winrm.NewSendInputRequest(m.url, shellID, commandID, data, end, parameters(hold)).String())
}

func (m messages) signal(shellID, commandID string, hold time.Duration) []byte {
	return []byte(winrm.NewSignalRequest(m.url, shellID, commandID, parameters(hold)).String())
}

func (m messages) remove(shellID string, hold time.Duration) []byte {
	return []byte(winrm.NewDeleteShellRequest(m.url, shellID, parameters(hold)).String())
}

// messageID is a random UUID (RFC 9562 version 4) as WS-Addressing wants it.
func messageID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its contract
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("uuid:%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// checkLine refuses a command line that XML would change or cmd.exe would cut (R33).
func checkLine(line string) error {
	if line == "" {
		return errors.New("the command line is empty")
	}
	if !utf8.ValidString(line) || strings.IndexFunc(line, func(r rune) bool {
		return unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError
	}) >= 0 {
		return errors.New("the command line holds control or invalid characters")
	}
	if n := len(utf16.Encode([]rune(line))); n > maxLine {
		return fmt.Errorf("the command line has %d characters; cmd.exe takes %d: pass the rest as input", n, maxLine)
	}
	return nil
}

// checkID admits the ids that Windows makes. They come from the peer and go back to it inside XML.
func checkID(id string) error {
	if len(id) == 0 || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool {
		return !strings.ContainsRune("0123456789abcdefABCDEF-", r)
	}) {
		return errors.New("the node gave an id that is none")
	}
	return nil
}
