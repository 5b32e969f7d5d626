package tui

import (
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"cau/tui/frame"
	"cau/tui/page"
)

// input is what is typed into a field that takes text; other kinds keep nothing here.
type input struct {
	kind  page.Kind
	model textinput.Model
	// narrow: it began as a number; its width stays, whatever is typed.
	narrow bool
}

func newInput(f page.Field) input {
	in := input{kind: f.Kind}
	if !in.typed() {
		return in
	}
	in.model = textinput.New()
	in.model.Prompt = ""
	// The terminal pastes; the clipboard of this host is not the user's.
	in.model.KeyMap.Paste.SetEnabled(false)
	if f.Kind == page.Secret {
		in.model.EchoMode = textinput.EchoPassword
	}
	in.model.SetValue(f.Value)
	if _, err := strconv.Atoi(f.Value); err == nil {
		in.narrow = true
	}
	return in
}

func (in *input) typed() bool { return in.kind == page.Text || in.kind == page.Secret }

// draw is the input in w cells, with the cursor while it has the focus.
func (in *input) draw(w int, text lipgloss.Style, cut string) string {
	if !in.model.Focused() {
		value := in.model.Value()
		if in.kind == page.Secret {
			value = strings.Repeat("*", len([]rune(value)))
		}
		return text.Render(frame.Fit(value, w, cut))
	}
	var s textinput.Styles
	s.Focused.Text, s.Blurred.Text = text, text
	in.model.SetStyles(s)
	in.model.SetWidth(w - 1)
	return frame.Fit(in.model.View(), w, cut)
}

// focusInput gives the cursor to the focused field.
func (f *form) focusInput() {
	for i := range f.ins {
		if !f.ins[i].typed() {
			continue
		}
		if i == f.focus {
			f.ins[i].model.Focus()
			f.ins[i].model.CursorEnd()
		} else {
			f.ins[i].model.Blur()
		}
	}
	f.scroll = -1 // the next drawing brings the focused field into view
}

// pressField gives a key to the focused field.
func (f *form) pressField(k tea.KeyPressMsg) {
	keys, field := f.app.keys, f.page.Fields[f.focus]
	switch {
	case key.Matches(k, keys.next):
		f.moveFocus(1)
	case key.Matches(k, keys.previous):
		f.moveFocus(-1)
	case key.Matches(k, keys.enter):
		f.moveFocus(1)
	case f.ins[f.focus].typed():
		f.typeIn(k)
	case field.Kind == page.Bool && key.Matches(k, keys.toggle):
		value := "True"
		if field.Value == value {
			value = "False"
		}
		f.set(field.Key, value)
	case field.Kind == page.Choice && (key.Matches(k, keys.right) || key.Matches(k, keys.toggle)):
		f.turnChoice(field, 1)
	case field.Kind == page.Choice && key.Matches(k, keys.left):
		f.turnChoice(field, -1)
	}
}

func (f *form) turnChoice(field page.Field, by int) {
	n := len(field.Choices)
	if n == 0 {
		return
	}
	at := slices.IndexFunc(field.Choices, func(o page.Option) bool { return o.Value == field.Value })
	f.set(field.Key, field.Choices[(max(0, at)+by+n)%n].Value)
}

// typeIn gives keys and pastes to the focused text; what is pasted is text and never presses a key.
func (f *form) typeIn(msg tea.Msg) {
	if !f.typing() {
		return
	}
	in, field := &f.ins[f.focus], f.page.Fields[f.focus]
	in.model, _ = in.model.Update(msg)
	if in.model.Value() != field.Value {
		f.set(field.Key, in.model.Value())
	}
}

// set fills a field in; the page then says what is wrong with it, and may have other fields.
func (f *form) set(name, value string) {
	f.wizard.Set(name, value)
	f.read()
	if len(f.page.Fields) != len(f.ins) {
		f.fill()
		// Who turns a choice stays at it: the next key is meant for the same field.
		if i := slices.IndexFunc(f.page.Fields, func(field page.Field) bool { return field.Key == name }); i >= 0 {
			f.focus = i
			f.focusInput()
		}
	}
}
