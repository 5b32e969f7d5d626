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

// Line is Clean for text that may have several lines, as joined errors do, and has to stand in one sentence.
func Line(s string) string {
	var parts []string
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return Clean(strings.Join(parts, "; "))
}
