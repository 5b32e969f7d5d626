package criteria

import (
	"fmt"
	"strings"
	"unicode"
)

// Error is what is wrong with a query, and where.
type Error struct {
	// Column counts characters from 1; the end of the text is one behind the last.
	Column  int
	Problem string
	// Allowed says what may stand there.
	Allowed string
}

// Error is "column 5: problem".
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Problem) }

// shown is a piece of the query as it may stand in an error: bounded, and without characters that no screen shows (R33).
func shown(s string) string {
	const most = 40
	r := []rune(s)
	for i, c := range r {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			r[i] = unicode.ReplacementChar
		}
	}
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// nearest is the criterion whose name is spelt most like name, or empty where none is close.
func nearest(name string) string {
	best, found := 4, ""
	for _, c := range All() {
		if d := distance(strings.ToLower(name), strings.ToLower(c.Name), best); d < best {
			best, found = d, c.Name
		}
	}
	return found
}

// distance is how many letters must be changed, added or left out (Levenshtein); at least most where the lengths say so.
func distance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
