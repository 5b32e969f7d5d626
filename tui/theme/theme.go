// Package theme gives meanings their colours.
//
//	tui, tui/frame, tui/live -> theme   (imports nothing of ours)
//
// The colours are the sixteen that the user's terminal defines, so that the user's palette decides. Colour
// never carries a meaning alone: wherever a tone is used, a glyph and a word say the same.
package theme

import (
	"charm.land/lipgloss/v2"
)

// Theme is one style per meaning.
type Theme struct {
	// Dark tells what background it is for.
	Dark bool
	// Plain is the terminal's own text.
	Plain  lipgloss.Style
	Strong lipgloss.Style
	Muted  lipgloss.Style
	// Title is for headings, Key for names of keys, Code for lines to copy.
	Title lipgloss.Style
	Key   lipgloss.Style
	Code  lipgloss.Style
	// Good, Warn, Bad, Ask and Busy are states.
	Good lipgloss.Style
	Warn lipgloss.Style
	Bad  lipgloss.Style
	Ask  lipgloss.Style
	Busy lipgloss.Style
	// Edge is a border, EdgeFocus the border of the pane that keys go to.
	Edge      lipgloss.Style
	EdgeFocus lipgloss.Style
	// Focus is what keys act on: reverse video, which every terminal shows, also without colour.
	Focus lipgloss.Style
	// Input is where text can be typed.
	Input lipgloss.Style
}

// New is the theme for a dark or a light background.
func New(dark bool) Theme {
	base := lipgloss.NewStyle()
	color := func(onDark, onLight string) lipgloss.Style {
		if dark {
			return base.Foreground(lipgloss.Color(onDark))
		}
		return base.Foreground(lipgloss.Color(onLight))
	}
	accent := color("6", "4")
	return Theme{
		Dark: dark, Plain: base, Strong: base.Bold(true), Muted: base.Faint(true),
		Title: accent.Bold(true), Key: accent, Code: accent,
		// Yellow cannot be read on white.
		Good: color("2", "2"), Warn: color("3", "5"), Bad: color("1", "1").Bold(true), Ask: color("3", "5"), Busy: accent.Bold(true),
		Edge: base.Faint(true), EdgeFocus: accent,
		Focus: base.Reverse(true), Input: base.Underline(true),
	}
}
