package agent

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
)

// Version is the version of requests and responses.
const Version = 1

// MaxInline is how much JSON a request may carry on the command line, in bytes. cmd.exe takes 8191
// characters, and -EncodedCommand turns one byte into 3.6 of them; field reports put the practical limit
// lower. A larger request goes by standard input.
const MaxInline = 1000

// MaxCommand is the longest command line we send, in characters.
const MaxCommand = 8000

// maxRequest bounds a request that comes by standard input, in bytes of JSON: ConvertFrom-Json of Windows PowerShell 5.1
// refuses a text of more than 2097152 characters (JavaScriptSerializer.MaxJsonLength).
const maxRequest = 2_000_000

// inputLine is the length of a line on standard input; Windows PowerShell reads it line by line.
const inputLine = 1000

// Exit codes of the loaders, when they cannot even start the bundle and so answer no frame.
const (
	// ExitNoBundle: the bundle is not on the node; upload it, then try again.
	ExitNoBundle = 90
	// ExitBadBundle: what is on the node, or what came by standard input, is not the bundle.
	ExitBadBundle = 91
	// ExitLanguage: PowerShell is not in FullLanguage mode there.
	ExitLanguage = 92
)

// commandPrefix starts every command line. 5.1 is named by its program, in full because cmd.exe looks in its current
// folder first; PowerShell 7 is pwsh.exe.
const commandPrefix = `%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe` + " -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand "

// Invocation is one command for a node: a command line and what goes to its standard input. Nil Stdin
// means that the command reads none.
type Invocation struct {
	Command string
	Stdin   []byte
}

// Upload brings the bundle to a node. The command line holds the bundle's hash, so the node accepts
// exactly this one; it answers a frame with Installed.
func Upload() Invocation {
	return Invocation{Command: UploadCommand(), Stdin: Bundle()}
}

// UploadCommand is the command line of Upload.
func UploadCommand() string {
	return encodeCommand(fill(compact(script("boot/install.ps1")), ""))
}

// RunCommand is the invocation of one operation. The bundle must be on the node; if it is not, the exit
// code is ExitNoBundle.
func RunCommand(req Request) (Invocation, error) {
	if req.V == 0 {
		req.V = Version
	}
	if len(req.Args) == 0 {
		req.Args = json.RawMessage("{}")
	}
	text, err := json.Marshal(req)
	if err != nil {
		return Invocation{}, fmt.Errorf("request %s: %w", req.Op, err)
	}
	if len(text) > maxRequest {
		return Invocation{}, fmt.Errorf("request %s has %d bytes, more than %d", req.Op, len(text), maxRequest)
	}
	argument := base64.StdEncoding.EncodeToString(text)
	if len(text) <= MaxInline {
		return Invocation{Command: encodeCommand(fill(runLoader(), argument))}, nil
	}
	var b strings.Builder
	for len(argument) > inputLine {
		b.WriteString(argument[:inputLine] + "\n")
		argument = argument[inputLine:]
	}
	b.WriteString(argument + "\n")
	sum := sha256.Sum256(text)
	return Invocation{Command: encodeCommand(fill(runLoader(), stdinMark+hex.EncodeToString(sum[:]))), Stdin: []byte(b.String())}, nil
}

const stdinMark = "stdin:"

// runLoader is the loader of operations. Jobs start with the same one and the verb "job"; the node fills
// that in itself.
func runLoader() string {
	return strings.ReplaceAll(compact(script("boot/run.ps1")), "@VERB@", "run")
}

// fill puts the bundle's hash and the argument in place. The argument must be base64 or a stdin mark:
// nothing that could end the quoted string it stands in (R33).
func fill(loader, argument string) string {
	return strings.ReplaceAll(strings.ReplaceAll(loader, "@SHA256@", BundleSHA256()), "@ARGUMENT@", argument)
}

func encodeCommand(text string) string {
	units := utf16.Encode([]rune(text))
	raw := make([]byte, 0, 2*len(units))
	for _, u := range units {
		raw = append(raw, byte(u), byte(u>>8))
	}
	return commandPrefix + base64.StdEncoding.EncodeToString(raw)
}

// Parsed is a command line that is one of ours, byte for byte.
type Parsed struct {
	// Upload: the command installs the bundle from standard input. Otherwise it runs an operation.
	Upload bool
	// FromStdin: the command reads standard input to its end.
	FromStdin bool
	argument  string
}

// ErrNotOurs says that a command line is not one that this package makes.
var ErrNotOurs = errors.New("not a command of cau's")

// ErrBadInput says that what came by standard input is not what the command line announces.
var ErrBadInput = errors.New("standard input is not what the command announces")

var argumentShape = regexp.MustCompile(`^(?:stdin:[0-9a-f]{64}|[A-Za-z0-9+/]+={0,2})$`)

// ParseCommand recognises what UploadCommand and RunCommand make, for this bundle, and nothing else: what
// stands in for a node must not run scripts that no node was tested with (R32).
func ParseCommand(line string) (Parsed, error) {
	if line == UploadCommand() {
		return Parsed{Upload: true, FromStdin: true}, nil
	}
	encoded, ok := strings.CutPrefix(line, commandPrefix)
	if !ok || len(line) > MaxCommand {
		return Parsed{}, ErrNotOurs
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw)%2 != 0 {
		return Parsed{}, ErrNotOurs
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	before, after, _ := strings.Cut(fill(runLoader(), "\x00"), "\x00")
	text, ok := strings.CutPrefix(string(utf16.Decode(units)), before)
	if !ok {
		return Parsed{}, ErrNotOurs
	}
	argument, ok := strings.CutSuffix(text, after)
	if !ok || !argumentShape.MatchString(argument) || encodeCommand(fill(runLoader(), argument)) != line {
		return Parsed{}, ErrNotOurs
	}
	return Parsed{FromStdin: strings.HasPrefix(argument, stdinMark), argument: argument}, nil
}

// CheckUpload tells whether stdin is the bundle that an upload command announces.
func (p Parsed) CheckUpload(stdin []byte) error {
	if sum := sha256.Sum256(stdin); !p.Upload || hex.EncodeToString(sum[:]) != BundleSHA256() {
		return ErrBadInput
	}
	return nil
}

// Request is the request that the command carries; stdin is what came by standard input, if it reads that.
func (p Parsed) Request(stdin []byte) (Request, error) {
	if p.Upload {
		return Request{}, ErrNotOurs
	}
	argument := p.argument
	sum, fromStdin := strings.CutPrefix(argument, stdinMark)
	if fromStdin {
		argument = strings.NewReplacer("\r", "", "\n", "").Replace(string(stdin))
	}
	if base64.StdEncoding.DecodedLen(len(argument)) > maxRequest+3 {
		return Request{}, ErrBadInput
	}
	text, err := base64.StdEncoding.DecodeString(argument)
	if err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrBadInput, err)
	}
	if h := sha256.Sum256(text); fromStdin && hex.EncodeToString(h[:]) != sum {
		return Request{}, ErrBadInput
	}
	var req Request
	if err := json.Unmarshal(text, &req); err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrBadInput, err)
	}
	if req.V != Version || req.Op == "" {
		return Request{}, fmt.Errorf("%w: version %d, operation %q", ErrBadInput, req.V, req.Op)
	}
	return req, nil
}
