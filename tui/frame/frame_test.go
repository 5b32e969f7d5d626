package frame_test

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"

	"cau/tui/frame"
	"cau/tui/glyph"
)

// text is what names and messages may hold: wide characters, long words, blanks, styles.
func text() *rapid.Generator[string] {
	word := rapid.SampledFrom([]string{"node", "節点一", "a", "", strings.Repeat("long", 30), "é", "\\\\srv\\share", "\x1b[1mbold\x1b[0m"})
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(word, 0, 12).Draw(t, "words"), " ") })
}

func TestNothingIsWiderThanItsPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, other, w, h := text().Draw(t, "s"), text().Draw(t, "other"), rapid.IntRange(0, 120).Draw(t, "w"), rapid.IntRange(0, 20).Draw(t, "h")
		exact := func(name, got string) {
			if frame.Width(got) != w {
				t.Fatalf("%s(%q) is %d wide, not %d", name, s, frame.Width(got), w)
			}
		}
		exact("Fit", frame.Fit(s, w, "…"))
		exact("Right", frame.Right(s, w, "…"))
		exact("Between", frame.Between(s, other, w, "…"))
		exact("Bar", frame.Bar(0.5, w, glyph.Unicode()))
		for _, block := range [][]string{frame.Block([]string{s, other}, w, h, "…"), frame.Center([]string{s, other}, w, h, "…"), frame.Box{Glyphs: glyph.Unicode(), Title: s, Note: other}.Draw([]string{s, other}, w, h)} {
			if len(block) != h {
				t.Fatalf("%d lines, not %d", len(block), h)
			}
			for _, l := range block {
				exact("block", l)
			}
		}
	})
}

func TestWrappingKeepsEveryWordAndBreaksOnlyAtBlanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z-]{1,12}`), 1, 30).Draw(t, "words")
		w := rapid.IntRange(12, 80).Draw(t, "w")
		lines := frame.Wrap(strings.Join(words, " "), w)
		if got := strings.Join(lines, " "); got != strings.Join(words, " ") {
			t.Fatalf("%q", got)
		}
		for _, l := range lines {
			if frame.Width(l) > w {
				t.Fatalf("%q is wider than %d", l, w)
			}
		}
	})
}

func TestALongWordIsCutIntoPieces(t *testing.T) {
	long := strings.Repeat("節a", 40)
	lines := frame.Wrap(long, 7)
	if strings.Join(lines, "") != long {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if frame.Width(l) > 7 {
			t.Errorf("%q", l)
		}
	}
	if got := frame.Wrap("節", 1); len(got) != 0 {
		t.Errorf("%q in one cell", got)
	}
}

func TestScrollKeepsTheChosenLineInTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "n")
		h, at, top := rapid.IntRange(1, 40).Draw(t, "h"), rapid.IntRange(0, n-1).Draw(t, "at"), rapid.IntRange(0, n).Draw(t, "top")
		got := frame.Scroll(top, at, h, n)
		if got < 0 || at < got || at >= got+h || got > max(0, n-h) {
			t.Fatalf("Scroll(%d, %d, %d, %d) = %d", top, at, h, n, got)
		}
	})
}

func TestAStyleEndsWithItsLine(t *testing.T) {
	for _, l := range frame.Styled(frame.Wrap("one two three four", 8), lipgloss.NewStyle().Bold(true)) {
		if !strings.HasSuffix(l, "\x1b[m") {
			t.Errorf("%q", l)
		}
	}
}

func TestBothGlyphSetsAreOneCellPerGlyph(t *testing.T) {
	for _, g := range []glyph.Set{glyph.Unicode(), glyph.ASCII()} {
		all := []string{g.Up, g.Paused, g.Down, g.Unknown, g.Done, g.Failed, g.Warn, g.Ask, g.Busy, g.Waits, g.Held, g.Canceled, g.Cursor, g.Dot, g.Dash, g.Cut, g.Left, g.Right, g.MoreUp, g.MoreDown, g.BarFull, g.BarEmpty}
		for _, s := range append(append(all, g.Spin...), g.Border[:]...) {
			if frame.Width(s) != 1 {
				t.Errorf("%q is %d cells", s, frame.Width(s))
			}
		}
		if text := "a → b · c — d …"; frame.Width(g.Text(text)) != frame.Width(text) {
			t.Errorf("%q changes the width", g.Text(text))
		}
	}
}
