// Package glyph is the drawing characters of the screens, as two sets.
//
//	tui, tui/frame, tui/live -> glyph   (imports nothing)
//
// Every glyph is one cell wide. None is an emoji, a braille pattern or a combination: those have other widths
// in other terminals, and screen readers spell them out.
package glyph

import "strings"

// Set is the drawing characters of one kind of terminal.
type Set struct {
	// States of nodes, runs, checks and updates.
	Up, Paused, Down, Unknown            string
	Done, Failed, Warn, Ask, Busy, Waits string
	Held, Canceled                       string
	// Cursor marks the chosen line, Dot separates, Dash stands for nothing, Cut for what did not fit.
	Cursor, Dot, Dash, Cut string
	// Left and Right stand around a choice, More above and below what scrolls.
	Left, Right, MoreUp, MoreDown string
	BarFull, BarEmpty             string
	// Keys are the names of the arrow keys.
	KeysUpDown, KeysLeftRight string
	// Spin are the pictures of something going on.
	Spin []string
	// Border is top left, top, top right, side, bottom left, bottom right.
	Border [6]string

	// plain replaces punctuation in texts, one cell by one cell; nil when the terminal can show it.
	plain *strings.Replacer
}

// Unicode is for every terminal that shows UTF-8.
func Unicode() Set {
	return Set{
		Up: "●", Paused: "◐", Down: "○", Unknown: "?",
		Done: "✓", Failed: "✗", Warn: "!", Ask: "?", Busy: "▶", Waits: "·", Held: "◐", Canceled: "-",
		Cursor: "▸", Dot: "·", Dash: "—", Cut: "…",
		Left: "‹", Right: "›", MoreUp: "↑", MoreDown: "↓", BarFull: "█", BarEmpty: "░",
		KeysUpDown: "↑↓", KeysLeftRight: "←→",
		Spin:   []string{"◐", "◓", "◑", "◒"},
		Border: [6]string{"╭", "─", "╮", "│", "╰", "╯"},
	}
}

// ASCII is for terminals and fonts that show nothing else.
func ASCII() Set {
	return Set{
		Up: "*", Paused: "=", Down: "o", Unknown: "?",
		Done: "+", Failed: "x", Warn: "!", Ask: "?", Busy: ">", Waits: ".", Held: "=", Canceled: "-",
		Cursor: ">", Dot: "-", Dash: "-", Cut: "~",
		Left: "<", Right: ">", MoreUp: "^", MoreDown: "v", BarFull: "#", BarEmpty: ".",
		KeysUpDown: "up/down", KeysLeftRight: "left/right",
		Spin:   []string{"|", "/", "-", "\\"},
		Border: [6]string{"+", "-", "+", "|", "+", "+"},
		plain:  strings.NewReplacer("→", ">", "·", "-", "—", "-", "–", "-", "…", "~", "✓", "+", "✗", "x", "\ufffd", "?"),
	}
}

// Text is a text with this set's punctuation; its width stays.
func (s Set) Text(text string) string {
	if s.plain == nil {
		return text
	}
	return s.plain.Replace(text)
}
