package smbcheck

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"cau/internal/fault"
)

// ErrLocation is the cause of every refusal by ParseUNC.
var ErrLocation = errors.New("not a usable UNC path")

// Location is a hotfix root: a share, and a folder in it.
type Location struct {
	Server string
	Share  string
	// Root is the folder below the share, parts separated by backslashes; empty for the share itself.
	Root string
}

// String is the UNC path that ParseUNC reads.
func (l Location) String() string {
	s := `\\` + l.Server + `\` + l.Share
	if l.Root != "" {
		s += `\` + l.Root
	}
	return s
}

// maxPath bounds a path in UTF-16 units: what Windows takes at most (MS-FSCC 2.1.5).
const maxPath = 32760

// ParseUNC reads \\server\share or \\server\share\folder. It refuses what Windows could
// understand differently than we do: parent folders, alternate streams, wildcards, control
// characters, device names, trailing dots and spaces. The error is a fault.Error with a hint.
func ParseUNC(s string) (Location, error) {
	refuse := func(why, hint string) (Location, error) {
		return Location{}, &fault.Error{Op: fmt.Sprintf("read the path %q", clip(s)), Err: fmt.Errorf("%w: %s", ErrLocation, why), Hint: hint}
	}
	const example = `Give it as \\server\share\folder.`
	rest, ok := strings.CutPrefix(s, `\\`)
	switch {
	case s == "":
		return refuse("it is empty", example)
	case len(s) >= 2 && s[1] == ':' && isLetter(s[0]):
		return refuse("it is a folder on a drive of the nodes, which this version does not read", `Put the updates on an SMB share and give it as \\server\share\folder.`)
	case strings.HasPrefix(strings.ToLower(s), "file:"):
		return refuse("it is a folder on this computer, which this version does not push", `Put the updates on an SMB share and give it as \\server\share\folder.`)
	case strings.Contains(s, "/"):
		return refuse("it has a forward slash", `Write it with backslashes; in a shell put it in single quotes: '\\server\share\folder'.`)
	case !ok:
		return refuse("it does not start with two backslashes", example+` In a shell put it in single quotes.`)
	case len(utf16.Encode([]rune(s))) > maxPath:
		return refuse("it is too long", "Use a shorter path.")
	}
	parts := strings.Split(rest, `\`)
	if strings.HasSuffix(rest, `\`) {
		return refuse("it ends with a backslash", "Leave out the last backslash.")
	}
	if len(parts) < 2 {
		return refuse("it names no share", example)
	}
	if why := badServer(parts[0]); why != "" {
		return refuse(why, example)
	}
	for _, p := range parts[1:] {
		if why := badName(p); why != "" {
			return refuse(fmt.Sprintf("%q %s", clip(p), why), "Rename the folder or choose another one.")
		}
	}
	if why := badShare(parts[1]); why != "" {
		return refuse(why, "Choose a share that holds files.")
	}
	return Location{Server: parts[0], Share: parts[1], Root: strings.Join(parts[2:], `\`)}, nil
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }

func badServer(s string) string {
	if s == "" {
		return "it names no server"
	}
	if len(s) > 255 {
		return "the server's name is too long"
	}
	if strings.Trim(s, ".") == "" || s[0] == '-' {
		return fmt.Sprintf("%q is not a server's name", clip(s))
	}
	for _, r := range s {
		if r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError {
			return fmt.Sprintf("%q in the server's name", r)
		}
	}
	return ""
}

func badShare(s string) string {
	switch strings.ToUpper(s) {
	case "IPC$", "PIPE", "MAILSLOT", "PRINT$":
		return fmt.Sprintf("%q is not a share for files", s)
	}
	if len(utf16.Encode([]rune(s))) > 80 { // MS-SRVS 2.2.4.23: NNLEN
		return "the share's name is too long"
	}
	return ""
}

// badName says why a part of a path is refused, or "". It holds for what a user types and for what a
// server lists (R33): the rules are those of Windows, "Naming Files, Paths, and Namespaces".
func badName(s string) string {
	switch {
	case s == "":
		return "is an empty part"
	case s == "." || s == "..":
		return "leads to another folder"
	case len(utf16.Encode([]rune(s))) > 255:
		return "is longer than 255 characters"
	case strings.HasSuffix(s, ".") || strings.HasSuffix(s, " "):
		return "ends with a dot or a space, which Windows drops"
	case s[0] == ' ':
		return "starts with a space"
	case isDevice(s):
		return "is the name of a device on Windows"
	}
	for _, r := range s {
		switch {
		case strings.ContainsRune(`<>:"/\|?*`, r):
			return fmt.Sprintf("has the character %q", r)
		case unicode.IsControl(r):
			return "has a control character"
		case unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
			return "has a character that reorders or breaks the line on a screen"
		case r == utf8.RuneError:
			return "has a character that is not Unicode"
		}
	}
	return ""
}

// isDevice tells reserved device names, with any extension: NUL, nul.txt, COM1, LPT³.
func isDevice(s string) bool {
	base, _, _ := strings.Cut(s, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	number, ok := strings.CutPrefix(base, "COM")
	if !ok {
		number, ok = strings.CutPrefix(base, "LPT")
	}
	r, n := utf8.DecodeRuneInString(number)
	return ok && n > 0 && n == len(number) && strings.ContainsRune("0123456789¹²³", r)
}

// cleanRelative checks a path relative to the root; it never contains ".." and never starts with "\".
func cleanRelative(path string) error {
	if len(utf16.Encode([]rune(path))) > maxPath {
		return fmt.Errorf("%w: the path is too long", ErrName)
	}
	for p := range strings.SplitSeq(path, `\`) {
		if why := badName(p); why != "" {
			return fmt.Errorf("%w: %q %s", ErrName, clip(p), why)
		}
	}
	return nil
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + `\` + b
}

// clip keeps a text that came from outside short enough for one line.
func clip(s string) string {
	const most = 120
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// shown quotes a path for people, its backslashes as they are; one with anything that does not print is escaped.
func shown(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return r == '"' || !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", clip(path))
	}
	return `"` + clip(path) + `"`
}
