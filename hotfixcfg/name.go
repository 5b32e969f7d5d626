package hotfixcfg

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// NameError is a path from the root's server that cannot be shown or used safely (R33).
type NameError struct {
	// Path as the server gave it; Error() escapes it.
	Path string
	// Reason says what is wrong with it.
	Reason string
	// More counts further paths that are refused as well.
	More int
}

// Error escapes the path, whatever it holds.
func (e *NameError) Error() string {
	s := fmt.Sprintf("the hotfix root holds a name that is refused: %s: %s", quoted(e.Path), e.Reason)
	if e.More > 0 {
		s += fmt.Sprintf(" (and %d more)", e.More)
	}
	return s
}

// maxNameUnits is the longest name of a file or folder, in UTF-16 units (MS-FSCC 2.1.5).
const maxNameUnits = 255

// nameFault says why Windows would not take name for a plain file or folder name, or a terminal not
// show it as it is; "" means that it is fine. Source: "Naming Files, Paths, and Namespaces".
func nameFault(name string) string {
	switch {
	case name == "":
		return "an empty name"
	case name == ".", name == "..":
		return "a step to another folder"
	case !utf8.ValidString(name):
		return "not valid UTF-8"
	case len(utf16.Encode([]rune(name))) > maxNameUnits:
		return fmt.Sprintf("longer than %d characters", maxNameUnits)
	}
	for _, r := range name {
		switch {
		case !unicode.IsGraphic(r) || r == utf8.RuneError:
			return fmt.Sprintf("control, direction or private character U+%04X", r)
		case r == ':':
			return "a colon names an alternate stream or a drive"
		case strings.ContainsRune(`<>"/\|?*`, r):
			return fmt.Sprintf("the character %c cannot stand in a Windows name", r)
		}
	}
	if last := name[len(name)-1]; last == '.' || last == ' ' {
		return "Windows drops the dot or space at its end"
	}
	if isDevice(name) {
		return "Windows reads it as a device"
	}
	return ""
}

// isDevice tells the reserved names, which stay reserved with an extension and with spaces before it.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = fold(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(base, port); ok {
			switch n {
			case "1", "2", "3", "4", "5", "6", "7", "8", "9", "\u00b9", "\u00b2", "\u00b3":
				return true
			}
		}
	}
	return false
}
