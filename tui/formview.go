package tui

import (
	"slices"
	"strconv"

	"charm.land/lipgloss/v2"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/frame"
	"cau/tui/page"
)

// railWide is from how many cells on the pages stand in a rail of their own.
const (
	railWide = 100
	railSize = 26
)

func (f *form) view(w, rows int) []string {
	lines := []string{f.header(w)}
	rows--
	rail := []string(nil)
	if w >= railWide {
		rail = f.railBox(rows)
		w -= railSize
	}
	return append(lines, frame.Beside(rail, f.pageBox(w, rows, rail == nil))...)
}

func (f *form) header(w int) string {
	action := message.ActionApply
	if f.previewOnly {
		action = message.ActionPreview
	}
	left := " " + f.theme.Title.Render(message.Clean(f.overview.Cluster)) + f.theme.Muted.Render(" "+f.glyphs.Dot+" ") + f.theme.Strong.Render(f.texts.T(action))
	right := ""
	if f.overview.Simulated {
		right = f.theme.Warn.Render(f.texts.T(message.Simulated)) + " "
	}
	return frame.Between(left, right, w, f.glyphs.Cut)
}

// railBox lists the pages: behind, current, to come.
func (f *form) railBox(rows int) []string {
	var lines []string
	for _, e := range f.rail {
		switch {
		case e.Current:
			lines = append(lines, f.theme.Title.Render(f.glyphs.Cursor+" "+e.Title))
		case e.Done:
			lines = append(lines, f.theme.Good.Render(f.glyphs.Done)+" "+e.Title)
		default:
			lines = append(lines, f.theme.Muted.Render("  "+e.Title))
		}
	}
	return frame.Box{Glyphs: f.glyphs, Edge: f.theme.Edge}.Draw(lines, railSize, rows)
}

func (f *form) pageBox(w, rows int, position bool) []string {
	title := f.page.Title
	if position {
		at := slices.IndexFunc(f.rail, func(e page.Entry) bool { return e.Current })
		title = f.texts.T(message.ScreenPageOf, at+1, len(f.rail), title)
	}
	inner, foot := w-4, f.foot(w-4)
	body := f.body(inner, max(1, rows-2-len(foot)))
	box := frame.Box{Glyphs: f.glyphs, Title: f.theme.Title.Render(title), Edge: f.theme.EdgeFocus}
	if f.allRows > f.shownRows {
		box.Note = f.theme.Muted.Render(f.glyphs.MoreUp + f.glyphs.MoreDown + " " + strconv.Itoa(f.scroll+1) + "-" + strconv.Itoa(f.scroll+f.shownRows) + "/" + strconv.Itoa(f.allRows))
	}
	return box.Draw(append(frame.Block(body, inner, rows-2-len(foot), f.glyphs.Cut), foot...), w, rows)
}

// foot is what stays in place below the content: the focused field's help or problem, and the buttons.
func (f *form) foot(w int) []string {
	buttons := f.buttons(w)
	if len(f.page.Fields) == 0 || f.busy() || f.err != nil {
		return []string{"", buttons}
	}
	text, style := "", f.theme.Muted
	if f.focus < len(f.page.Fields) {
		field := f.page.Fields[f.focus]
		text = field.Help
		if field.Problem != "" {
			text, style = f.glyphs.Failed+" "+f.texts.T(message.WizardFieldProblem, field.Caption, field.Problem), f.theme.Bad
		}
	}
	help := frame.Block(frame.Styled(frame.Wrap(message.Clean(text), w), style), w, 2, f.glyphs.Cut)
	return append(append([]string{""}, help...), buttons)
}

func (f *form) buttons(w int) string {
	if f.busy() {
		return ""
	}
	back := f.texts.T(message.ScreenBack)
	if len(f.rail) > 0 && f.rail[0].Current {
		back = f.texts.T(message.ScreenCancel)
	}
	next, style := f.page.Next, f.theme.Plain
	switch {
	case f.err != nil:
		next = f.texts.T(message.ScreenTryAgain)
	case f.page.Blocked != "":
		style = f.theme.Muted
	}
	draw := func(caption string, at int, style lipgloss.Style) string {
		if f.focus == at {
			style = f.theme.Focus
		}
		return style.Render("[ " + caption + " ]")
	}
	row := draw(back, f.back(), f.theme.Plain) + "  " + draw(next, f.next(), style)
	told := f.focus < len(f.page.Fields) && f.page.Fields[f.focus].Problem != ""
	if f.page.Blocked != "" && f.err == nil && !told {
		row += "  " + f.theme.Warn.Render(f.glyphs.Warn+" "+message.Clean(f.page.Blocked))
	}
	return frame.Cut(row, w, f.glyphs.Cut)
}

// body is the part of the content that fits into rows, scrolled to where the user is.
func (f *form) body(w, rows int) []string {
	lines, spans := f.content(w)
	f.shownRows, f.allRows = min(rows, len(lines)), len(lines)
	if f.scroll < 0 {
		f.scroll = 0
		if f.focus < len(spans) && spans[f.focus][1] > rows {
			f.scroll = spans[f.focus][1] - rows
		}
	}
	f.scroll = max(0, min(f.scroll, len(lines)-rows))
	return lines[f.scroll:]
}

// content is everything of the page, and where in it each field stands.
func (f *form) content(w int) (lines []string, spans [][2]int) {
	lines = frame.Styled(frame.Wrap(f.page.Intro, w), f.theme.Muted)
	lines = append(lines, "")
	switch {
	case f.starting.id != 0:
		return append(lines, f.spinner()+" "+f.texts.T(message.ScreenStarting)), nil
	case f.working.id != 0:
		return append(lines, f.progress(w)...), nil
	case f.err != nil:
		return append(lines, f.failure(w)...), nil
	}
	for _, l := range f.page.Lines {
		lines = append(lines, f.line(l, w)...)
	}
	if len(f.page.Lines) > 0 && len(f.page.Fields) > 0 {
		lines = append(lines, "")
	}
	caption := 0
	for _, field := range f.page.Fields {
		if c := frame.Width(field.Caption); field.Kind != page.Bool && c <= 34 {
			caption = max(caption, c)
		}
	}
	for i, field := range f.page.Fields {
		from := len(lines)
		lines = append(lines, f.field(i, field, caption, w)...)
		spans = append(spans, [2]int{from, len(lines)})
	}
	return lines, spans
}

// progress is what the work has done so far.
func (f *form) progress(w int) []string {
	word := message.ScreenWorking
	if f.stopping {
		word = message.ScreenStopping
	}
	var lines []string
	for _, n := range f.notes {
		lines = append(lines, f.theme.Muted.Render(f.glyphs.Dot)+" "+frame.Cut(message.Clean(n), w-2, f.glyphs.Cut))
	}
	return append(lines[max(0, len(lines)-8):], f.spinner()+" "+f.texts.T(word))
}

func (f *form) failure(w int) []string {
	lines := []string{f.theme.Bad.Render(f.glyphs.Failed + " " + f.texts.T(message.ScreenWorkFails))}
	lines = append(lines, frame.Wrap(message.Line(f.err.Error()), w)...)
	if hint := fault.Hint(f.err); hint != "" {
		lines = append(lines, "")
		lines = append(lines, frame.Styled(frame.Wrap(message.Clean(hint), w), f.theme.Code)...)
	}
	return lines
}

// line is one line of the page, wrapped, its tone as glyph and colour; the word is in the text.
func (f *form) line(l page.Line, w int) []string {
	glyph, style := "", f.theme.Plain
	switch l.Tone {
	case page.Strong:
		style = f.theme.Strong
	case page.Muted:
		style = f.theme.Muted
	case page.Good:
		glyph, style = f.glyphs.Done, f.theme.Good
	case page.Warn:
		glyph, style = f.glyphs.Warn, f.theme.Warn
	case page.Bad:
		glyph, style = f.glyphs.Failed, f.theme.Bad
	case page.Ask:
		glyph, style = f.glyphs.Ask, f.theme.Ask
	case page.Code:
		style = f.theme.Code
	case page.Plain:
	}
	indent := 2 * l.Indent
	text := message.Clean(l.Text)
	if glyph == "" {
		return frame.Indent(frame.Styled(frame.Wrap(text, w-indent), style), indent)
	}
	lines := frame.Indent(frame.Styled(frame.Wrap(text, w-indent-2), style), indent+2)
	if len(lines) > 0 {
		lines[0] = frame.Indent([]string{style.Render(glyph) + lines[0][indent+1:]}, indent)[0]
	}
	return lines
}

// field is one field: its caption, its value, and beside it what is wrong with it.
func (f *form) field(i int, field page.Field, caption, w int) []string {
	focused := i == f.focus
	mark, style := "  ", f.theme.Plain
	if focused {
		mark, style = f.theme.Key.Render(f.glyphs.Cursor+" "), f.theme.Strong
	}
	if field.Kind == page.Bool {
		box := "[ ]"
		if field.Value == "True" {
			box = "[x]"
		}
		if focused {
			box = f.theme.Focus.Render(box)
		}
		lines := frame.Indent(frame.Styled(frame.Wrap(message.Clean(field.Caption), w-6), style), 6)
		if len(lines) == 0 {
			return []string{mark + box}
		}
		lines[0] = mark + box + lines[0][5:]
		return lines
	}
	name := message.Clean(field.Caption)
	if frame.Width(name) > caption {
		head := frame.Wrap(name, w-2)
		lines := frame.Indent(frame.Styled(head, style), 2)
		if len(lines) > 0 {
			lines[0] = mark + lines[0][2:]
		}
		return append(lines, "    "+f.value(i, field, w-4))
	}
	return []string{mark + style.Render(frame.Fit(name, caption, f.glyphs.Cut)) + "  " + f.value(i, field, w-4-caption)}
}

// value is a field's value in at most w cells, with its problem where there is room; the foot has it in full.
func (f *form) value(i int, field page.Field, w int) string {
	size := min(44, w-2)
	var shown string
	switch field.Kind {
	case page.Choice:
		shown = f.choice(field, i == f.focus)
	case page.Text, page.Secret, page.Bool:
		if f.ins[i].narrow {
			size = min(size, 8)
		}
		shown = f.ins[i].draw(size, f.theme.Input, f.glyphs.Cut)
	}
	if field.Problem != "" {
		shown += "  " + f.theme.Bad.Render(f.glyphs.Failed)
		if room := w - frame.Width(shown) - 1; room >= frame.Width(field.Problem) {
			shown += " " + f.theme.Bad.Render(message.Clean(field.Problem))
		}
	}
	return frame.Cut(shown, w, f.glyphs.Cut)
}

func (f *form) choice(field page.Field, focused bool) string {
	caption := field.Value
	for _, o := range field.Choices {
		if o.Value == field.Value {
			caption = o.Caption
		}
	}
	text := f.glyphs.Left + " " + message.Clean(caption) + " " + f.glyphs.Right
	if len(field.Choices) < 2 {
		text = message.Clean(caption)
	}
	if focused {
		return f.theme.Focus.Render(text)
	}
	return text
}
