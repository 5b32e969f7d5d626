package plugins

import (
	"fmt"
	"strings"
	"unicode"
)

// MaxArgumentText bounds a text of arguments in bytes.
const MaxArgumentText = 64 << 10

// Place is where something stands in a text: line and column count from 1, columns in characters. Zero is no place.
type Place struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Placed is an argument with the places of its name and of its value's first character.
type Placed struct {
	Argument
	At, ValueAt Place
}

// ParseArguments reads a text of arguments: one plug-in's as the CAU UI writes them, `Name1=Value1;Name2="Value with Spaces"`,
// or those of several in their order as PowerShell takes them, `@{Name1='Value1'; Name2='x'}, @{}`. What is wrong is an
// ArgumentError with its place. Neither form is documented with a grammar: a quotation mark within quotes is doubled.
func ParseArguments(text string) ([][]Placed, error) {
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "@") {
		sets, rest, err := ReadHashtables(text)
		if err == nil && strings.TrimSpace(rest) != "" {
			r := newArgumentReader(text)
			r.at = len(r.text) - len([]rune(strings.TrimLeft(rest, " \t\r\n")))
			err = r.fail(r.at, "", "something stands behind the last hashtable", "Write @{Name1='Value1'; Name2='Value2'}, one for each plug-in, with commas between them.")
		}
		return sets, err
	}
	if len(text) > MaxArgumentText {
		return nil, tooLong()
	}
	r := newArgumentReader(text)
	var set []Placed
	for {
		r.skip(" \t\r\n;")
		if r.ended() {
			return [][]Placed{set}, nil
		}
		p, err := r.pair()
		if err != nil {
			return nil, err
		}
		set = append(set, p)
	}
}

func tooLong() error {
	return ArgumentError{Name: "the arguments", Problem: fmt.Sprintf("are longer than %d bytes", MaxArgumentText)}
}

type argumentReader struct {
	text []rune
	at   int
}

func newArgumentReader(text string) *argumentReader { return &argumentReader{text: []rune(text)} }

func (r *argumentReader) ended() bool { return r.at >= len(r.text) }

// next is the next character, 0 at the end.
func (r *argumentReader) next() rune {
	if r.ended() {
		return 0
	}
	return r.text[r.at]
}

func (r *argumentReader) skip(set string) {
	for !r.ended() && strings.ContainsRune(set, r.text[r.at]) {
		r.at++
	}
}

// place is where the character at an offset stands.
func (r *argumentReader) place(at int) Place {
	p := Place{1, 1}
	for _, c := range r.text[:min(at, len(r.text))] {
		p.Column++
		if c == '\n' {
			p = Place{p.Line + 1, 1}
		}
	}
	return p
}

func (r *argumentReader) fail(at int, name, problem, hint string) error {
	if name == "" {
		name = "the arguments"
	}
	return ArgumentError{Name: name, Problem: problem, Hint: hint, At: r.place(at)}
}

const uiForm = `Write Name1=Value1;Name2="Value with Spaces".`

// pair reads Name=Value in the form of the CAU UI, without the semicolon behind it.
func (r *argumentReader) pair() (Placed, error) {
	start := r.at
	for !r.ended() && r.next() != '=' && r.next() != ';' {
		r.at++
	}
	name := strings.TrimSpace(string(r.text[start:r.at]))
	switch {
	case r.next() != '=':
		return Placed{}, r.fail(start, shortName(name), "is not of the form Name=Value", uiForm)
	case name == "":
		return Placed{}, r.fail(start, "", "the name is missing", uiForm)
	}
	r.at++
	r.skip(" \t")
	p := Placed{Argument: Argument{Name: name}, At: r.place(start), ValueAt: r.place(r.at)}
	if r.next() == '"' {
		p.ValueAt = r.place(r.at + 1)
		var err error
		if p.Value, err = r.quoted(name); err != nil {
			return p, err
		}
		r.skip(" \t\r\n")
		if !r.ended() && r.next() != ';' {
			return p, r.fail(r.at, shortName(name), "goes on behind its closing quotation mark", "Put a semicolon between two arguments, and double a quotation mark within a value.")
		}
		return p, nil
	}
	start = r.at
	for !r.ended() && r.next() != ';' {
		if r.next() == '"' {
			return p, r.fail(r.at, shortName(name), "has a quotation mark within a value that does not begin with one", "Put quotation marks around the whole value.")
		}
		r.at++
	}
	p.Value = strings.TrimRight(string(r.text[start:r.at]), " \t\r\n")
	return p, nil
}

// quoted reads a value in quotation marks; two of them are one.
func (r *argumentReader) quoted(name string) (string, error) {
	open := r.at
	r.at++
	var b strings.Builder
	for !r.ended() {
		c := r.next()
		r.at++
		if c != '"' {
			b.WriteRune(c)
			continue
		}
		if r.next() != '"' {
			return b.String(), nil
		}
		b.WriteRune('"')
		r.at++
	}
	return "", r.fail(open, shortName(name), "has a quotation mark that is not closed", uiForm)
}

// shortName is a name as it may stand in an error: bounded, and without characters that no screen shows (R33).
func shortName(s string) string {
	const most = 60
	r := []rune(s)
	for i, c := range r {
		r[i] = printable(c)
	}
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// printable is a character as it may stand in an error.
func printable(c rune) rune {
	if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
		return unicode.ReplacementChar
	}
	return c
}
