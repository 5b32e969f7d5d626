package coordinator

import (
	"strings"
	"unicode"
)

// printable makes text from outside safe for a terminal (R33): control and formatting characters, which move the
// cursor or turn the direction of writing, are replaced.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
