package hotfixcfg

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is something in a configuration file that cannot be interpreted, with its place.
type Error struct {
	// Line counts from 1.
	Line int `json:"line"`
	// Column counts characters of that line from 1.
	Column int `json:"column"`
	// Msg is free of control characters, whatever the file holds.
	Msg string `json:"msg"`
}

// Error renders place and message in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// quoted makes text from outside safe for a message: escaped, bounded, in double quotes.
func quoted(s string) string { return strconv.Quote(bounded(s)) }

// printable is quoted without the quotes, for text that is mostly ours.
func printable(s string) string {
	q := quoted(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

func bounded(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
