package message

import (
	"strings"
	"unicode"
)

// Clean makes text from outside safe for a terminal (R33): control characters, including escape and the
// C1 range, bidirectional overrides and other invisible format characters become U+FFFD; a tab becomes a blank.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
