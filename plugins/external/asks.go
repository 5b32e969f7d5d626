package external

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"cau/plugins"
)

// The acts that a plug-in may ask for.
const (
	actScript       = "script"
	actProgram      = "program"
	actRead         = "read"
	actWrite        = "write"
	actReadAnywhere = "read-anywhere"
)

const (
	// maxFiles bounds the files that a program is started with.
	maxFiles = 64
	// maxCommand bounds a program's path and its parameters, in characters, below what Windows takes (32767).
	maxCommand = 8000
)

var (
	fullPath = regexp.MustCompile(`^[A-Za-z]:\\.`)
	sumShape = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ask does on the node what the plug-in asks for, if it may, and answers. What it may not is the end of the conversation.
func (c *conversation) ask(ctx context.Context, m *askMessage) error {
	if problem := c.wrong(m); problem != "" {
		return fmt.Errorf("%w: ask: %s", ErrProtocol, problem)
	}
	if c.asked == nil {
		c.asked = map[string]bool{}
	}
	c.asked[m.Job] = true
	return c.send(c.do(ctx, m))
}

// wrong is why the plug-in may not ask for that here and now, or an empty text.
func (c *conversation) wrong(m *askMessage) string {
	if c.node == nil {
		return c.request.Request + " has no node"
	}
	act, problem := m.act()
	if problem != "" {
		return problem
	}
	switch need := capability(act, c.request.Request); {
	case !slices.Contains(Capabilities(), need):
		return fmt.Sprintf("a %s asks for no %s", c.request.Request, act)
	case !slices.Contains(c.granted, need):
		return fmt.Sprintf("it did not declare the capability %s", need)
	case m.Node != "" && !strings.EqualFold(m.Node, c.node.Name()):
		return fmt.Sprintf("it is the turn of %s and not of %s", c.node.Name(), cut(m.Node, 40))
	case !idShape.MatchString(m.Job):
		return fmt.Sprintf("the job's name %q is not of [a-z0-9-], 1 to 40 characters", cut(m.Job, 40))
	case c.asked[m.Job]:
		return fmt.Sprintf("the job's name %s comes twice", m.Job)
	case m.Minutes < 0 || m.Minutes > 24*60:
		return fmt.Sprintf("%d is no number of minutes from 0 to 1440", m.Minutes)
	}
	return m.outOfBounds(act)
}

// act is what is asked for. A field that belongs to another act is a mistake, and nothing that is passed over.
func (m *askMessage) act() (act, problem string) {
	fields := map[string]bool{
		"script": m.Script != "", "path": m.Path != "", "offset": m.Offset != 0, "data": m.Data != nil, "files": m.Files != nil,
		"program": m.Program != "", "parameters": m.Parameters != "", "minutes": m.Minutes != 0,
	}
	takes := map[string][]string{
		actScript: {"script", "minutes"}, actProgram: {"files", "program", "parameters", "minutes"}, actRead: {"path", "offset"}, actWrite: {"path", "offset", "data"},
	}[m.Do]
	if takes == nil {
		return "", fmt.Sprintf("there is nothing called %q to do", cut(m.Do, 40))
	}
	for _, name := range []string{"script", "path", "offset", "data", "files", "program", "parameters", "minutes"} {
		if fields[name] && !slices.Contains(takes, name) {
			return "", fmt.Sprintf("a %s has no %s", m.Do, name)
		}
	}
	if m.Do == actRead && fullPath.MatchString(m.Path) {
		return actReadAnywhere, ""
	}
	return m.Do, ""
}

func (m *askMessage) outOfBounds(act string) string {
	switch act {
	case actScript:
		if m.Script == "" || len(m.Script) > MaxScript {
			return fmt.Sprintf("a script has 1 to %d bytes, this one has %d", MaxScript, len(m.Script))
		}
		return ""
	case actProgram:
		return m.badProgram()
	case actReadAnywhere:
		if problem := badPath(m.Path[len(`C:\`):]); problem != "" {
			return problem
		}
	default:
		if problem := badPath(m.Path); problem != "" {
			return problem
		}
	}
	switch {
	case m.Offset < 0:
		return "the offset is less than 0"
	case act == actWrite && len(m.Data) > plugins.MaxFileWrite:
		return fmt.Sprintf("one write has at most %d bytes, this one has %d", plugins.MaxFileWrite, len(m.Data))
	case act == actWrite && m.Offset+int64(len(m.Data)) > plugins.MaxFile:
		return fmt.Sprintf("a file has at most %d bytes", plugins.MaxFile)
	}
	return ""
}

func (m *askMessage) badProgram() string {
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Sprintf("a program has 1 to %d files, its own first", maxFiles)
	}
	for _, f := range m.Files {
		if problem := badPath(f.Path); problem != "" {
			return problem
		}
		if f.Size < 0 || f.Size > plugins.MaxFile || !sumShape.MatchString(f.SHA256) {
			return fmt.Sprintf("the file %q has no size, or no SHA-256 in 64 lower-case hex digits", cut(f.Path, 80))
		}
	}
	for _, text := range []string{m.Program, m.Parameters} {
		if utf8.RuneCountInString(text) > maxCommand || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Sprintf("the program or its parameters have more than %d characters, or a control character", maxCommand)
		}
	}
	return ""
}

// badPath is what is wrong with a path below a folder of the node: it has backslashes and no drive, stream, way up or device.
// The node looks again.
func badPath(path string) string {
	if path == "" || utf8.RuneCountInString(path) > 200 {
		return "a path has 1 to 200 characters"
	}
	for _, name := range strings.Split(path, `\`) {
		bad := strings.Trim(name, ".") == "" || strings.ContainsAny(name, `<>:"/|?*`) || strings.HasSuffix(name, " ") || strings.HasSuffix(name, ".")
		if bad || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Sprintf("%q is not a plain path below a folder", cut(path, 80))
		}
	}
	return ""
}
