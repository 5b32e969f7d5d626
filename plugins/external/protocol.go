package external

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Protocol is the version that this program speaks; a plug-in that declares another is not used.
const Protocol = 1

// The bounds of what a plug-in says in one request.
const (
	maxLine     = 1 << 20
	maxMessages = 10_000
	maxBytes    = 16 << 20
	// MaxScript bounds a script in bytes, as the node does.
	MaxScript = 512 << 10
	// maxOutput is how much of a script's output is handed to the plug-in, in bytes.
	maxOutput = 64 << 10
	maxText   = 2000
)

// ErrProtocol says that the plug-in broke the protocol: garbage, a flood, another version, an act that is not its to ask for.
var ErrProtocol = errors.New("the plug-in broke the protocol")

// kind is what a message of a plug-in is.
type kind string

const (
	kindDescribe  kind = "describe"
	kindValidated kind = "validated"
	kindProgress  kind = "progress"
	kindAsk       kind = "ask"
	kindUpdate    kind = "update"
	kindIgnored   kind = "ignored"
	kindDone      kind = "done"
	kindResult    kind = "result"
	kindError     kind = "error"
)

// envelope is the one field that every message has.
type envelope struct {
	Type kind `json:"type"`
}

type progressMessage struct {
	envelope
	Message string `json:"message"`
	Percent *int   `json:"percent"`
}

type askMessage struct {
	envelope
	Job  string `json:"job"`
	Do   string `json:"do"`
	Node string `json:"node"`
	// Minutes bound the wait for a script or a program; 0 means as long as the update's limit, or without one.
	Minutes int    `json:"minutes"`
	Script  string `json:"script"`
	// Path, Offset and Data are of a read or a write.
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Data   []byte `json:"data"`
	// Files are all that lies in the update's folder, the program's own first; Program and Parameters are how it is called.
	Files      []askFile `json:"files"`
	Program    string    `json:"program"`
	Parameters string    `json:"parameters"`
}

type askFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

type updateMessage struct {
	envelope
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Identity     string   `json:"identity"`
	MayRestart   bool     `json:"may_restart"`
	LimitMinutes int      `json:"limit_minutes"`
	Warnings     []string `json:"warnings"`
	Data         string   `json:"data"`
}

type ignoredMessage struct {
	envelope
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type resultMessage struct {
	envelope
	Outcome         string `json:"outcome"`
	ExitCode        *int64 `json:"exit_code"`
	RestartRequired bool   `json:"restart_required"`
	Reason          string `json:"reason"`
	Hint            string `json:"hint"`
}

type errorMessage struct {
	envelope
	Reason string `json:"reason"`
	Hint   string `json:"hint"`
}

type validatedMessage struct {
	envelope
	Problems []problem `json:"problems"`
}

type problem struct {
	Name    string `json:"name"`
	Problem string `json:"problem"`
	Hint    string `json:"hint"`
}

// request is the first line that a plug-in reads. Fields that a request does not have are left out.
type request struct {
	Cau       int               `json:"cau"`
	Request   string            `json:"request"`
	Run       string            `json:"run,omitempty"`
	Cluster   string            `json:"cluster,omitempty"`
	Node      string            `json:"node,omitempty"`
	Update    *requestUpdate    `json:"update,omitempty"`
	Arguments map[string]string `json:"arguments,omitempty"`
}

type requestUpdate struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Identity string `json:"identity"`
	Data     string `json:"data"`
}

// answer is what a plug-in reads after each ask.
type answer struct {
	Cau       int    `json:"cau"`
	Answer    string `json:"answer"`
	OK        bool   `json:"ok"`
	ExitCode  int64  `json:"exit_code"`
	Truncated bool   `json:"truncated"`
	Error     string `json:"error,omitempty"`
	// Code is Windows' number for Error: an HRESULT, or a Win32 error as it stands.
	Code   uint32 `json:"code,omitempty"`
	Output string `json:"output"`
	// Size is a file's, where one was read or written; SHA256 of one that was written; Data what was read.
	Size   *int64 `json:"size,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Data   []byte `json:"data,omitempty"`
}

// cancelLine is what a plug-in reads when nobody waits for its answer any more.
type cancelLine struct {
	Cau    int  `json:"cau"`
	Cancel bool `json:"cancel"`
}

// reader reads the messages of one request within its bounds.
type reader struct {
	from            *bufio.Reader
	messages, bytes int
}

func newReader(r io.Reader) *reader { return &reader{from: bufio.NewReaderSize(r, 64<<10)} }

// next is the next message, of a type that decode knows. io.EOF is the end between two messages.
func (r *reader) next() (any, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	if r.messages++; r.messages > maxMessages {
		return nil, fmt.Errorf("%w: more than %d messages in one request", ErrProtocol, maxMessages)
	}
	m, err := decode(line)
	if err != nil {
		return nil, fmt.Errorf("%w: message %d: %w", ErrProtocol, r.messages, err)
	}
	return m, nil
}

// line reads up to a line feed and never holds more than maxLine.
func (r *reader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.from.ReadSlice('\n')
		r.bytes += len(part)
		line = append(line, part...)
		switch {
		case r.bytes > maxBytes:
			return nil, fmt.Errorf("%w: more than %d bytes in one request", ErrProtocol, maxBytes)
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: message %d has more than %d bytes", ErrProtocol, r.messages+1, maxLine)
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, fmt.Errorf("%w: message %d ends in the middle", ErrProtocol, r.messages+1)
		default:
			return nil, err
		}
	}
}

// decode reads one message. What it does not know it refuses, so that nothing is passed over in silence.
func decode(line []byte) (any, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("is not UTF-8")
	}
	var head envelope
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("is not a JSON object with a type, at column %d: %w", column(line, err), err)
	}
	var m any
	switch head.Type {
	case kindDescribe:
		m = &Declaration{}
	case kindValidated:
		m = &validatedMessage{}
	case kindProgress:
		m = &progressMessage{}
	case kindAsk:
		m = &askMessage{}
	case kindUpdate:
		m = &updateMessage{}
	case kindIgnored:
		m = &ignoredMessage{}
	case kindDone:
		m = &struct{ envelope }{}
	case kindResult:
		m = &resultMessage{}
	case kindError:
		m = &errorMessage{}
	default:
		return nil, fmt.Errorf("has the type %q, which does not exist", cut(string(head.Type), 40))
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("%s, at column %d: %w", head.Type, column(line, err), err)
	}
	return m, nil
}

// column is where in the line an error of the JSON reader stands, counted in bytes from 1.
func column(line []byte, err error) int {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return max(1, int(syntax.Offset))
	case errors.As(err, &typed):
		return max(1, int(typed.Offset))
	}
	return max(1, len(line))
}

// encode is one line for a plug-in: compact, and with every character but the needed ones as it is.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write to the plug-in: %w", err)
	}
	return b.Bytes(), nil
}

// cut bounds a text by characters.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
