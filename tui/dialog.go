package tui

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"cau/internal/message"
	"cau/tui/frame"
)

// A dialog that opens by itself takes no key before the keyboard was quiet for graceQuiet, so that a key meant
// for the page below cannot answer it; after graceMost it takes keys in any case.
const (
	graceQuiet = 425 * time.Millisecond
	graceMost  = 1500 * time.Millisecond
)

// dialog asks for one decision, or says one thing.
type dialog struct {
	title string
	// lines are as they are drawn; plain is wrapped to fit.
	plain   []string
	lines   []string
	buttons []button
	at      int
	// stacked: one button a line, for choices of any length and number.
	stacked bool
	// field, where there is one, is typed into; letters are text then. problem is what is wrong with it.
	field   *input
	problem string
	// grace is set when the dialog opens by itself.
	grace         bool
	opened, quiet time.Time
}

// button is one way to answer; a nil act only closes. Where wrong says what is wrong with the answer, the dialog stays.
type button struct {
	caption string
	act     func() tea.Cmd
	wrong   func() string
}

// typed is what was typed into the dialog's field.
func (d *dialog) typed() string { return d.field.model.Value() }

// ask opens a dialog in answer to a key; its first button is chosen, so that one is the harmless one.
func (a *app) ask(d *dialog) { a.dialogs = append(a.dialogs, d) }

// tell opens a dialog that nobody asked for.
func (a *app) tell(d *dialog) {
	d.grace, d.opened, d.quiet = true, a.now(), a.now()
	a.ask(d)
}

// waits tells whether the key was too early to be meant for the dialog.
func (d *dialog) waits(now time.Time) bool {
	early := d.grace && now.Sub(d.quiet) < graceQuiet && now.Sub(d.opened) < graceMost
	d.quiet = now
	return early
}

// pressDialog gives a key to the dialog on top.
func (a *app) pressDialog(k tea.KeyPressMsg) tea.Cmd {
	d := a.dialogs[len(a.dialogs)-1]
	if d.waits(a.now()) {
		return nil
	}
	switch {
	case key.Matches(k, a.keys.back):
		a.closeDialog()
	case key.Matches(k, a.keys.enter):
		return a.answerDialog(d)
	case key.Matches(k, a.keys.previous):
		d.move(-1)
	case key.Matches(k, a.keys.next):
		d.move(1)
	case d.field != nil:
		d.typeIn(k)
	case key.Matches(k, a.keys.quit), len(d.buttons) < 2 && key.Matches(k, a.keys.help):
		a.closeDialog()
	case key.Matches(k, a.keys.left), key.Matches(k, a.keys.up):
		d.move(-1)
	case key.Matches(k, a.keys.right), key.Matches(k, a.keys.down):
		d.move(1)
	}
	return nil
}

func (d *dialog) move(by int) { d.at = (d.at + len(d.buttons) + by) % len(d.buttons) }

// typeIn gives keys and pastes to the field; what is pasted is text and never presses a key.
func (d *dialog) typeIn(msg tea.Msg) {
	if d.field != nil {
		d.field.model, _ = d.field.model.Update(msg)
		d.problem = ""
	}
}

// answerDialog takes the chosen button for the answer.
func (a *app) answerDialog(d *dialog) tea.Cmd {
	b := d.buttons[d.at]
	if b.wrong != nil {
		if d.problem = b.wrong(); d.problem != "" {
			return nil
		}
	}
	a.closeDialog()
	if b.act == nil {
		return nil
	}
	return b.act()
}

func (a *app) closeDialog() { a.dialogs = a.dialogs[:len(a.dialogs)-1] }

// over draws the dialog on top of a screen of w by h.
func (a *app) over(base string, d *dialog, w, h int) string {
	inner := min(68, w-8)
	lines := []string{""}
	for _, p := range d.plain {
		lines = append(lines, frame.Wrap(p, inner)...)
	}
	for _, l := range d.lines {
		lines = append(lines, frame.Cut(l, inner, a.glyphs.Cut))
	}
	if d.field != nil {
		lines = append(lines, "", d.field.draw(min(inner, fieldWidth), a.theme.Strong, a.glyphs.Cut))
		lines = append(lines, frame.Styled(frame.Wrap(d.problem, inner), a.theme.Bad)...)
	}
	rows := a.buttonRows(d, inner, h/3)
	lines = lines[:min(len(lines), max(1, h-5-len(rows)))]
	wide := 0
	for _, l := range append(rows, lines...) {
		wide = max(wide, frame.Width(l))
	}
	wide = min(inner, max(wide, frame.Width(d.title)))
	lines = append(append(lines, ""), rows...)
	box := frame.Box{Glyphs: a.glyphs, Title: a.theme.Title.Render(d.title), Edge: a.theme.EdgeFocus}.Draw(lines, wide+4, len(lines)+2)
	x, y := max(0, (w-wide-4)/2), max(0, (h-len(box))/2)
	return lipgloss.NewCompositor(lipgloss.NewLayer(base), lipgloss.NewLayer(join(box)).X(x).Y(y).Z(1)).Render()
}

// fieldWidth is the width of a dialog's field in cells.
const fieldWidth = 40

// buttonRows are the buttons of a dialog in one row, or one below the other in at most most rows around the chosen one.
func (a *app) buttonRows(d *dialog, w, most int) []string {
	var rows []string
	row := ""
	for i, b := range d.buttons {
		caption := frame.Cut("[ "+b.caption+" ]", w, a.glyphs.Cut)
		if i == d.at {
			caption = a.theme.Focus.Render(caption)
		}
		if d.stacked {
			rows = append(rows, caption)
		}
		row += caption + "  "
	}
	if !d.stacked {
		return []string{row}
	}
	top := frame.Scroll(0, d.at, most, len(rows))
	return rows[top:min(len(rows), top+most)]
}

// helpDialog lists the keys of the screen that is shown, from the same bindings that it obeys.
func (a *app) helpDialog() *dialog {
	all := append(append([]key.Binding{}, a.top().keys()...), a.helpKey(), a.keys.redraw, a.keys.leave)
	wide := 0
	for _, b := range all {
		wide = max(wide, frame.Width(b.Help().Key))
	}
	d := &dialog{title: a.texts.T(message.ScreenHelp), buttons: []button{{caption: a.texts.T(message.ScreenClose)}}}
	for _, b := range all {
		if b.Enabled() {
			d.lines = append(d.lines, a.theme.Key.Render(frame.Fit(b.Help().Key, wide, ""))+"  "+b.Help().Desc)
		}
	}
	return d
}
