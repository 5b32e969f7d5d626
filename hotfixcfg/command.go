package hotfixcfg

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// maxCommandUnits is the longest command line that CreateProcess takes, in UTF-16 units with its zero.
const maxCommandUnits = 32767

// Command is what a node runs for one update. Environment variables in it are the node's to expand.
type Command struct {
	// Program is a full path without quotes.
	Program string `json:"program"`
	// Parameters is the rest of the command line, quoted as Windows parses it.
	Parameters string `json:"parameters,omitempty"`
}

// String is the whole command line. The program is in double quotes unless it is sure to need none.
func (c Command) String() string {
	program := c.Program
	if mayHaveSpaces(program) {
		program = `"` + program + `"`
	}
	if c.Parameters == "" {
		return program
	}
	return program + " " + c.Parameters
}

// mayHaveSpaces counts a variable as spaced unless Windows cannot be installed so that it is.
func mayHaveSpaces(program string) bool {
	plain := fold(program)
	for _, v := range []string{"%SYSTEMROOT%", "%WINDIR%", "%SYSTEMDRIVE%", "%COMSPEC%"} {
		plain = strings.TrimPrefix(plain, v)
	}
	return strings.ContainsFunc(plain, func(r rune) bool {
		return r == '%' || !unicode.IsPrint(r) || strings.ContainsRune(" &()[]{}^=;!'+,`~", r)
	})
}

// CommandLine builds what a node runs to install update by rule. The update is its full path on the
// node: X:\..., \\server\share\..., or beginning with one environment variable. It ends up inside double quotes
// exactly once, whether or not the template has quotes around $update$. A path that Windows, the
// environment expansion, or a shell named by the rule would read as something else is refused (R33).
// Source of the quoting rules: "Parsing C++ command-line arguments".
func CommandLine(rule Rule, update string) (Command, error) {
	if err := checkUpdatePath(update); err != nil {
		return Command{}, fmt.Errorf("update path %s: %w", quoted(update), err)
	}
	program, err := programOf(rule.Template.Path)
	if err != nil {
		return Command{}, fmt.Errorf("template path %s: %w", quoted(rule.Template.Path), err)
	}
	if program == placeholder {
		program = update
	}
	template := rule.Template.Parameters
	if strings.ContainsFunc(template, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
		return Command{}, errors.New("a control character in the template's parameters")
	}
	if strings.Count(fold(template), fold(placeholder)) != strings.Count(template, placeholder) {
		return Command{}, fmt.Errorf("%s must be written in lower case", placeholder)
	}
	shell := shellOf(program)
	if shell != "" {
		if err := checkForShell(update); err != nil {
			return Command{}, fmt.Errorf("update path %s: %w", quoted(update), err)
		}
	}
	var parameters string
	if shell == cmdShell {
		parameters = fillForCmd(template, update)
	} else if parameters, err = fill(template, update); err != nil {
		return Command{}, err
	}
	c := Command{Program: program, Parameters: parameters}
	if n := len(utf16.Encode([]rune(c.String()))); n >= maxCommandUnits {
		return Command{}, fmt.Errorf("the command line has %d characters; Windows takes at most %d", n, maxCommandUnits-1)
	}
	return c, nil
}

// checkUpdatePath takes full paths only, and none with a percent sign beyond its leading variable: the
// node expands variables after the path was put in.
func checkUpdatePath(path string) error {
	root, rest := splitRoot(path)
	if share, ok := strings.CutPrefix(path, `\\`); ok {
		if strings.Count(share, `\`) < 2 {
			return errors.New("a share alone is not a file")
		}
		root, rest = `\\`, share
	}
	if root == "" || rest == "" {
		return errors.New("not the full path of a file")
	}
	for _, part := range strings.Split(rest, `\`) {
		if why := nameFault(part); why != "" {
			return errors.New(why)
		}
	}
	if strings.Contains(rest, "%") {
		return errors.New("a percent sign could be read as an environment variable; rename the file")
	}
	return nil
}

const (
	cmdShell   = "cmd"
	powerShell = "powershell"
)

// shellOf names the shell that would interpret the parameters of program, or "".
func shellOf(program string) string {
	base := fold(program[strings.LastIndexByte(program, '\\')+1:])
	switch base = strings.TrimSuffix(base, ".EXE"); {
	case base == "CMD", base == "%COMSPEC%", strings.HasSuffix(base, ".CMD"), strings.HasSuffix(base, ".BAT"):
		return cmdShell
	case base == "POWERSHELL", base == "PWSH":
		return powerShell
	}
	return ""
}

// checkForShell allows what no shell gives a meaning, not even inside or outside of quotes. Letters and
// digits of every script are allowed; the typographic quotes, which PowerShell reads as quotes, are not.
func checkForShell(path string) error {
	if root, rest := splitRoot(path); strings.HasPrefix(root, "%") {
		path = rest
	}
	for _, r := range path {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(` \:._-+=~`, r) {
			return fmt.Errorf("the rule runs a shell, which could give the character %s a meaning; rename the file", quoted(string(r)))
		}
	}
	return nil
}

// fillForCmd puts the path in for cmd.exe, which knows no escaped quotes and takes the outermost pair
// away: quotes that already stand on both sides are kept, else a pair is added.
func fillForCmd(template, path string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(template, placeholder)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		if strings.HasSuffix(before, `"`) && strings.HasPrefix(after, `"`) {
			out.WriteString(path)
		} else {
			out.WriteString(`"` + path + `"`)
		}
		template = after
	}
}

// fill puts the path in for a program that parses its command line with the C runtime's rules. The
// template is kept byte for byte, except for quotes that would close and open again next to the path:
// a doubled quote inside quotes means different things to different runtimes.
func fill(template, path string) (string, error) {
	f := filling{closed: -1}
	for i := 0; i < len(template); i++ {
		if strings.HasPrefix(template[i:], placeholder) {
			f.put(path)
			i += len(placeholder) - 1
			continue
		}
		c := template[i]
		switch {
		case c != '"':
			f.out = append(f.out, c)
		case f.slashes%2 == 1:
			f.out = append(f.out, c)
		case f.in && i+1 < len(template) && template[i+1] == '"':
			return "", errors.New("a doubled quote inside quotes means different things to different programs")
		case f.in:
			f.out = append(f.out, c)
			f.closed, f.closedSlashes, f.in, f.ours = len(f.out), f.slashes, false, false
		case f.ours && f.closed == len(f.out):
			f.out, f.in = f.out[:len(f.out)-1], true
		default:
			f.out, f.in = append(f.out, c), true
		}
		if c == '\\' {
			f.slashes++
		} else {
			f.slashes = 0
		}
		f.ours = f.ours && f.closed == len(f.out)
	}
	if f.in {
		return "", errors.New("a quote is not closed")
	}
	return string(f.out), nil
}

// filling is a command line being built. A backslash means itself unless a quote follows.
type filling struct {
	out           []byte
	in            bool // inside quotes
	slashes       int  // backslashes right before
	closed        int  // length of out right after the last closing quote
	closedSlashes int  // backslashes right before that quote
	ours          bool // that quote is one that put added
}

func (f *filling) put(path string) {
	switch {
	case f.in:
		f.out = append(f.out, path...)
	case f.closed == len(f.out):
		// The argument goes on inside the quotes that just closed. Backslashes that were doubled for
		// the sake of that quote are single again without it.
		f.out = append(f.out[:len(f.out)-1-f.closedSlashes/2], path...)
		f.close()
	default:
		for range f.slashes {
			f.out = append(f.out, '\\')
		}
		f.out = append(append(f.out, '"'), path...)
		f.close()
	}
	f.slashes = 0
}

func (f *filling) close() {
	f.out = append(f.out, '"')
	f.closed, f.closedSlashes, f.ours = len(f.out), 0, true
}
