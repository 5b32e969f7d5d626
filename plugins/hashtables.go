package plugins

import (
	"strings"
	"unicode"
)

const psForm = "Write @{Name1='Value1'; Name2='Value2'}."

// PowerShell's quotes (language specification, 2.3.5.2): each of a kind opens and closes.
const (
	singleQuotes = "'\u2018\u2019\u201a\u201b"
	doubleQuotes = "\"\u201c\u201d\u201e"
)

// ReadHashtables reads PowerShell's hashtables from the beginning of a text, `@{ 'Name'='Value'; … }, @{…}`, also within
// `@( … )`, and gives back what stands behind the last one. Names and values are words, strings without variables, $true and
// $false: nothing is evaluated.
func ReadHashtables(text string) (sets [][]Placed, rest string, err error) {
	if len(text) > MaxArgumentText {
		return nil, "", tooLong()
	}
	r := newArgumentReader(text)
	r.skip(" \t\r\n")
	array := r.take("@(")
	for {
		r.skip(" \t\r\n")
		set, err := r.hashtable()
		if err != nil {
			return nil, "", err
		}
		sets = append(sets, set)
		behind := r.at
		r.skip(" \t\r\n")
		if r.next() == ',' {
			r.at++
			continue
		}
		if array {
			if r.next() != ')' {
				return nil, "", r.fail(r.at, "", `a comma or ")" is missing`, "Write @(@{…}, @{…}).")
			}
			r.at++
			behind = r.at
		}
		return sets, string(r.text[behind:]), nil
	}
}

// take goes behind s where the text goes on with it.
func (r *argumentReader) take(s string) bool {
	want := []rune(s)
	if r.at+len(want) > len(r.text) || string(r.text[r.at:r.at+len(want)]) != s {
		return false
	}
	r.at += len(want)
	return true
}

func (r *argumentReader) hashtable() ([]Placed, error) {
	open := r.at
	if !r.take("@{") {
		return nil, r.fail(r.at, "", "a hashtable is missing", psForm)
	}
	set := []Placed{}
	for {
		r.skip(" \t\r\n;")
		switch {
		case r.ended():
			return nil, r.fail(open, "", "the hashtable that begins here is not closed", psForm)
		case r.take("}"):
			return set, nil
		}
		start := r.at
		name, _, err := r.token("")
		if err != nil {
			return nil, err
		}
		r.skip(" \t")
		if r.next() != '=' || name == "" {
			return nil, r.fail(start, shortName(name), "is not of the form Name=Value", psForm)
		}
		r.at++
		r.skip(" \t\r\n")
		p := Placed{Argument: Argument{Name: name}, At: r.place(start)}
		var from int
		if p.Value, from, err = r.token(name); err != nil {
			return nil, err
		}
		p.ValueAt = r.place(from)
		set = append(set, p)
		r.skip(" \t")
		if c := r.next(); !r.ended() && !strings.ContainsRune(";}\r\n", c) {
			return nil, r.fail(r.at, shortName(name), "goes on behind its value", "Put a semicolon between two arguments.")
		}
	}
}

// token reads a name, or the value of one: a string, a word, $true or $false; from is where its content begins.
func (r *argumentReader) token(of string) (text string, from int, err error) {
	what := orArguments(of)
	from = r.at
	switch c := r.next(); {
	case r.ended():
		return "", from, r.fail(r.at, what, "the text ends where a name or a value should stand", psForm)
	case strings.ContainsRune(singleQuotes, c):
		text, err = r.literal(what)
		return text, from + 1, err
	case strings.ContainsRune(doubleQuotes, c):
		text, err = r.expandable(what)
		return text, from + 1, err
	}
	for !r.ended() && !strings.ContainsRune(" \t\r\n;=}", r.next()) {
		if c := r.next(); strings.ContainsRune("`(){@|&<>,"+singleQuotes+doubleQuotes, c) || c == '$' && r.at > from {
			return "", from, r.fail(r.at, what, "has "+string(printable(c))+" outside of quotes", "Put the value in single quotes.")
		}
		r.at++
	}
	text = string(r.text[from:r.at])
	switch {
	case text == "":
		return "", from, r.fail(from, what, "has no value", psForm)
	case strings.EqualFold(text, "$true"):
		return "True", from, nil
	case strings.EqualFold(text, "$false"):
		return "False", from, nil
	case text[0] == '$':
		return "", from, r.fail(from, what, "is a variable, and nothing is evaluated here", "Write its value in single quotes.")
	}
	return text, from, nil
}

// literal is a single-quoted string: a quote in it is doubled.
func (r *argumentReader) literal(what string) (string, error) {
	open := r.at
	r.at++
	var b strings.Builder
	for !r.ended() {
		c := r.next()
		r.at++
		if strings.ContainsRune(singleQuotes, c) {
			if r.ended() || !strings.ContainsRune(singleQuotes, r.next()) {
				return b.String(), nil
			}
			r.at++
		}
		b.WriteRune(c)
	}
	return "", r.fail(open, what, "has a quote that is not closed", psForm)
}

// expandable is a double-quoted string in which nothing is to be expanded.
func (r *argumentReader) expandable(what string) (string, error) {
	open := r.at
	r.at++
	var b strings.Builder
	for !r.ended() {
		c := r.next()
		r.at++
		switch {
		case strings.ContainsRune(doubleQuotes, c):
			if r.ended() || !strings.ContainsRune(doubleQuotes, r.next()) {
				return b.String(), nil
			}
			r.at++
		case c == '`':
			c = r.next()
			if r.ended() || !strings.ContainsRune("`$'"+doubleQuotes, c) {
				return "", r.fail(r.at-1, what, "has an escape that is none of `` `$ `\"", "Put the value in single quotes.")
			}
			r.at++
		case c == '$' && (unicode.IsLetter(r.next()) || unicode.IsDigit(r.next()) || strings.ContainsRune("({_:?^$", r.next()) && !r.ended()):
			return "", r.fail(r.at-1, what, "holds a variable, and nothing is evaluated here", "Put the value in single quotes.")
		}
		b.WriteRune(c)
	}
	return "", r.fail(open, what, "has a quotation mark that is not closed", psForm)
}

func orArguments(name string) string {
	if name == "" {
		return "the arguments"
	}
	return shortName(name)
}
