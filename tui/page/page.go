// Package page is a wizard's page as data.
//
//	tui/wizard makes pages -> page <- tui (Bubble Tea) and tui/lines (line by line) render them
//
// A page knows nothing of terminals: fields with captions, help and checks, lines to read, and what the way
// forward is called.
package page

import "context"

// ID names a page.
type ID string

// Kind is how a field is filled in.
type Kind string

// The kinds of field.
const (
	// Text is one line.
	Text Kind = "text"
	// Secret is one line that is not shown (R04).
	Secret Kind = "secret"
	// Bool is "True" or "False".
	Bool Kind = "bool"
	// Choice is one of Choices, by value.
	Choice Kind = "choice"
)

// Field is one thing to fill in.
type Field struct {
	// Key identifies the field on its page.
	Key     string
	Kind    Kind
	Caption string
	Help    string
	Value   string
	// Choices are for Kind Choice.
	Choices []Option
	// Problem is what is wrong with Value, or empty. It stands beside the field while typing.
	Problem string
}

// Option is one value of a choice.
type Option struct {
	Value   string
	Caption string
	Help    string
}

// Tone is what a line is about; it chooses glyph and colour, the word is in the text.
type Tone string

// The tones.
const (
	Plain  Tone = ""
	Strong Tone = "strong"
	Muted  Tone = "muted"
	Good   Tone = "good"
	Warn   Tone = "warn"
	Bad    Tone = "bad"
	Ask    Tone = "ask"
	// Code is a line to copy.
	Code Tone = "code"
)

// Line is one line to read, free of control characters.
type Line struct {
	Tone   Tone
	Indent int
	Text   string
}

// Page is one page of a wizard.
type Page struct {
	ID    ID
	Title string
	// Intro is one to three sentences.
	Intro  string
	Fields []Field
	Lines  []Line
	// Next is what the way forward is called: "Next", "Update".
	Next string
	// Blocked says why there is no way forward now; empty when there is.
	Blocked string
	// Work must be done before the page's content is known; nil when there is nothing to do. The renderer
	// runs it once, off the screen's loop, shows note's texts meanwhile, and then asks for the page again.
	Work func(ctx context.Context, note func(string)) error
}

// Entry is one page in the rail.
type Entry struct {
	ID      ID
	Title   string
	Current bool
	// Done: the page is behind the current one.
	Done bool
}
