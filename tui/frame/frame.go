// Package frame lays out lines of text in cells.
//
//	tui, tui/live -> frame -> tui/theme, tui/glyph
//
// A block is a slice of lines. What must stay true: no function returns a line wider than the width it was
// given, nor more lines than the height it was given; styles never run over the end of a line.
package frame

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"cau/tui/glyph"
)

// Width is how many cells s takes.
func Width(s string) int { return ansi.StringWidth(s) }

// Cut shortens s to w cells; cut marks where.
func Cut(s string, w int, cut string) string {
	if w <= 0 {
		return ""
	}
	return ansi.Truncate(s, w, cut)
}

// Fit makes s exactly w cells wide.
func Fit(s string, w int, cut string) string {
	s = Cut(s, w, cut)
	return s + blanks(w-Width(s))
}

// Right makes s exactly w cells wide with the blanks before it.
func Right(s string, w int, cut string) string {
	s = Cut(s, w, cut)
	return blanks(w-Width(s)) + s
}

// Between puts left and right at the ends of w cells; the left side gives way.
func Between(left, right string, w int, cut string) string {
	if right == "" {
		return Fit(left, w, cut)
	}
	right = Cut(right, w, cut)
	room := w - Width(right) - 2
	if room < 1 {
		return Fit(right, w, cut)
	}
	return Fit(left, room, cut) + "  " + right
}

// Wrap breaks plain text into lines of at most w cells, at blanks where there are some and
// nowhere else: a command line that is copied stays whole. Styled text would be cut wrongly.
func Wrap(s string, w int) []string {
	if w <= 0 || s == "" {
		return nil
	}
	var lines []string
	line, started := "", false
	for word := range strings.SplitSeq(s, " ") {
		switch {
		case !started:
			line, started = word, true
		case Width(line)+1+Width(word) <= w:
			line += " " + word
		default:
			lines = append(lines, strings.TrimRight(line, " "))
			line = word
		}
		for Width(line) > w {
			head := ansi.Truncate(line, w, "")
			if head == "" {
				return lines // a wide character in a single cell
			}
			lines = append(lines, head)
			line = line[len(head):]
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

// Styled gives every line the style.
func Styled(lines []string, style lipgloss.Style) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = style.Render(l)
	}
	return out
}

// Indent puts n blanks before every line.
func Indent(lines []string, n int) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = blanks(n) + l
	}
	return out
}

// Block makes lines exactly w by h.
func Block(lines []string, w, h int, cut string) []string {
	out := make([]string, 0, max(0, h))
	for i := range max(0, h) {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out = append(out, Fit(line, w, cut))
	}
	return out
}

// Beside puts blocks next to each other; each is as wide as its first line, and as high as the highest.
func Beside(blocks ...[]string) []string {
	height := 0
	for _, b := range blocks {
		height = max(height, len(b))
	}
	out := make([]string, height)
	for _, b := range blocks {
		w := 0
		if len(b) > 0 {
			w = Width(b[0])
		}
		for i := range out {
			if i < len(b) {
				out[i] += b[i]
			} else {
				out[i] += blanks(w)
			}
		}
	}
	return out
}

// Center puts lines in the middle of w by h.
func Center(lines []string, w, h int, cut string) []string {
	wide := 0
	for _, l := range lines {
		wide = max(wide, Width(l))
	}
	out := make([]string, max(0, (h-len(lines))/2), max(1, h))
	out = append(out, Indent(lines, max(0, (w-wide)/2))...)
	return Block(out, w, h, cut)
}

// Box is a bordered pane.
type Box struct {
	Glyphs glyph.Set
	// Title stands in the top border, Note at its right end; both may be styled.
	Title, Note string
	// Edge is the border's style.
	Edge lipgloss.Style
}

// Draw is the pane around lines, exactly w by h. Lines start one cell from the border.
func (b Box) Draw(lines []string, w, h int) []string {
	if w < 4 || h < 2 {
		return Block(nil, w, h, "")
	}
	g := b.Glyphs.Border
	out := make([]string, 0, h)
	out = append(out, b.top(w))
	for _, l := range Block(lines, w-4, h-2, b.Glyphs.Cut) {
		out = append(out, b.Edge.Render(g[3])+" "+l+" "+b.Edge.Render(g[3]))
	}
	return append(out, b.Edge.Render(g[4]+strings.Repeat(g[1], w-2)+g[5]))
}

func (b Box) top(w int) string {
	g := b.Glyphs.Border
	room := w - 2
	title, note := "", ""
	if b.Title != "" {
		title = " " + Cut(b.Title, room-3, b.Glyphs.Cut) + " "
	}
	if b.Note != "" && Width(title)+Width(b.Note)+4 <= room {
		note = " " + b.Note + " "
	}
	line := strings.Repeat(g[1], max(0, room-Width(title)-Width(note)))
	return b.Edge.Render(g[0]) + title + b.Edge.Render(line) + note + b.Edge.Render(g[2])
}

// Bar is a progress bar of w cells, done from 0 to 1.
func Bar(done float64, w int, g glyph.Set) string {
	full := int(min(1, max(0, done)) * float64(max(0, w)))
	return strings.Repeat(g.BarFull, full) + strings.Repeat(g.BarEmpty, max(0, w-full))
}

// Scroll keeps at inside a window of h lines out of n that starts at top, and returns the new start.
func Scroll(top, at, h, n int) int {
	top = min(top, at)
	top = max(top, at-h+1)
	return max(0, min(top, n-h))
}

func blanks(n int) string { return strings.Repeat(" ", max(0, n)) }
