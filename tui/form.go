package tui

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/page"
	"cau/tui/relay"
	"cau/tui/wizard"
)

// form draws a wizard's pages, one at a time, and fills them in.
//
// While work goes on nothing of the form touches the wizard: what is drawn then is the page as it was.
type form struct {
	*app
	wizard   *wizard.Wizard
	overview backend.Overview
	// previewOnly ends the pages after the preview.
	previewOnly bool

	page page.Page
	rail []page.Entry
	ins  []input
	// focus is a field by its index, then Back, then Next.
	focus  int
	scroll int
	// shownRows and allRows are how much of the content the last drawing could show.
	shownRows, allRows int

	working  task
	starting task
	// stopping: the user gave the work up and its end is awaited.
	stopping bool
	notes    []string
	err      error
}

func newForm(a *app, o backend.Overview, previewOnly bool) *form {
	return &form{app: a, wizard: wizard.New(a.services, a.texts, o), overview: o, previewOnly: previewOnly}
}

func (f *form) shown() tea.Cmd { return f.turn() }

func (f *form) left() {
	f.working.end()
	f.starting.end()
}

// turn shows the wizard's current page from its beginning, and starts its work.
func (f *form) turn() tea.Cmd {
	f.read()
	f.err, f.notes = nil, nil
	f.fill()
	f.scroll = 0
	if f.page.Work == nil {
		return nil
	}
	return f.begin()
}

// fill makes the page's inputs and chooses where the user starts: at the first field; at Next where there is
// something to read first; at Back where going on needs a deliberate move.
func (f *form) fill() {
	f.ins = nil
	for _, field := range f.page.Fields {
		f.ins = append(f.ins, newInput(field))
	}
	f.focus = f.next()
	switch {
	case f.page.ID == wizard.Confirmation:
		f.focus = f.back()
	case len(f.page.Fields) > 0 && len(f.page.Lines) == 0:
		f.focus = 0
	}
	f.focusInput()
}

// read takes the page over as the wizard has it now.
func (f *form) read() {
	f.page, f.rail = f.wizard.Page(), f.wizard.Rail()
	if f.previewOnly {
		for i, e := range f.rail {
			if e.ID == wizard.Preview {
				f.rail = f.rail[:i+1]
				break
			}
		}
		if f.page.ID == wizard.Preview {
			f.page.Next, f.page.Blocked = f.texts.T(message.ScreenClose), ""
		}
	}
}

// begin starts the page's work.
func (f *form) begin() tea.Cmd {
	f.err, f.notes, f.stopping = nil, nil, false
	do := f.page.Work
	t, cmd := f.work.start(func(ctx context.Context, id int) (any, error) {
		return nil, do(ctx, func(note string) { f.relay.Note(ctx, id, note) })
	})
	f.working = t
	return cmd
}

func (f *form) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case relay.Batch:
		if msg.Task != 0 && msg.Task == f.working.id {
			f.notes = append(f.notes, msg.Notes...)
			f.notes = f.notes[max(0, len(f.notes)-relay.MaxNotes):]
		}
	case answer:
		switch msg.task {
		case f.working.id:
			return f.worked(msg.err)
		case f.starting.id:
			return f.started(msg)
		}
	case tea.PasteMsg:
		f.typeIn(msg)
	}
	return nil
}

// worked takes in the end of the page's work.
func (f *form) worked(err error) tea.Cmd {
	f.working.end()
	if f.stopping {
		f.stopping = false
		return f.goBack()
	}
	if err != nil {
		f.err = err
		f.focus = f.back()
		return nil
	}
	return f.turn()
}

// started opens the live view of the run, or says why there is none.
func (f *form) started(a answer) tea.Cmd {
	f.starting.end()
	if s, ok := a.value.(backend.Started); ok && a.err == nil {
		return f.replace(newWatch(f.app, s.Run, s.Where))
	}
	d := &dialog{title: f.texts.T(message.ScreenNotStart), buttons: []button{{caption: f.texts.T(message.ScreenClose)}}}
	if a.err != nil {
		d.plain = []string{message.Line(a.err.Error()), message.Clean(fault.Hint(a.err))}
	}
	f.tell(d)
	return nil
}

// busy tells whether something goes on that the page has to wait for.
func (f *form) busy() bool { return f.working.id != 0 || f.starting.id != 0 }

// The way on follows the last field, and the way back the way on: who fills a page in with tab or enter arrives there.
func (f *form) next() int { return len(f.page.Fields) }
func (f *form) back() int { return len(f.page.Fields) + 1 }

func (f *form) press(k tea.KeyPressMsg) tea.Cmd {
	keys := f.app.keys
	switch {
	case f.starting.id != 0:
		return nil
	case f.working.id != 0:
		if key.Matches(k, keys.cancel) && !f.stopping {
			f.stopping = true
			f.working.cancel()
		}
		return nil
	case key.Matches(k, keys.back):
		return f.goBack()
	case f.err != nil && key.Matches(k, keys.again):
		return f.turn()
	case key.Matches(k, keys.pageUp):
		f.scrollBy(-max(1, f.shownRows-1))
		return nil
	case key.Matches(k, keys.pageDown):
		f.scrollBy(max(1, f.shownRows-1))
		return nil
	case f.focus < len(f.page.Fields):
		f.pressField(k)
		return nil
	}
	return f.pressButton(k)
}

func (f *form) pressButton(k tea.KeyPressMsg) tea.Cmd {
	keys := f.app.keys
	switch {
	case key.Matches(k, keys.checkAgain) && f.rescans():
		f.wizard.Rescan()
		return f.turn()
	case key.Matches(k, keys.left), key.Matches(k, keys.right):
		f.focus = f.back() + f.next() - f.focus
	case k.String() == "up" && len(f.page.Fields) == 0:
		f.scrollBy(-1)
	case k.String() == "down" && len(f.page.Fields) == 0:
		f.scrollBy(1)
	case key.Matches(k, keys.next):
		f.moveFocus(1)
	case key.Matches(k, keys.previous):
		f.moveFocus(-1)
	case key.Matches(k, keys.enter) && f.focus == f.back():
		return f.goBack()
	case key.Matches(k, keys.enter):
		return f.goOn()
	}
	return nil
}

// rescans tells whether the page shows what was read from the cluster, and so can be read again.
func (f *form) rescans() bool {
	return f.err == nil && (f.page.ID == wizard.Checks || f.page.ID == wizard.Preview)
}

func (f *form) moveFocus(by int) {
	n := len(f.page.Fields) + 2
	f.focus = (f.focus + by + n) % n
	f.focusInput()
}

func (f *form) scrollBy(by int) { f.scroll = max(0, min(f.scroll+by, f.allRows-f.shownRows)) }

// goBack shows the page before; before the first one is the main window.
func (f *form) goBack() tea.Cmd {
	if !f.wizard.Back() {
		return f.pop()
	}
	return f.turn()
}

// showBlocking brings the field into view that keeps the page from going on: the first with a problem, or the first
// check that is still to be accepted.
func (f *form) showBlocking() {
	for i, field := range f.page.Fields {
		if field.Problem != "" || f.page.ID == wizard.Checks && field.Value != "True" {
			f.focus = i
			f.focusInput()
			return
		}
	}
}

// goOn goes to the next page, or does what the last one is for.
func (f *form) goOn() tea.Cmd {
	switch {
	case f.err != nil:
		return f.turn()
	case f.page.Blocked != "":
		f.say(f.page.Blocked, f.theme.Warn)
		f.showBlocking()
		return nil
	case f.previewOnly && f.page.ID == wizard.Preview:
		return f.pop()
	case f.wizard.Last():
		var cmd tea.Cmd
		f.starting, cmd = f.work.start(func(ctx context.Context, _ int) (any, error) { return f.wizard.Start(ctx) })
		return cmd
	}
	if err := f.wizard.Next(); err != nil {
		f.say(err.Error(), f.theme.Warn)
		return nil
	}
	return f.turn()
}

func (f *form) typing() bool {
	return !f.busy() && f.focus < len(f.page.Fields) && f.ins[f.focus].typed()
}

func (f *form) pulse() time.Duration {
	if f.busy() {
		return spinning
	}
	return 0
}

func (f *form) leaving() message.Key { return message.ScreenLeave }

func (f *form) keys() []key.Binding {
	k := f.app.keys
	switch {
	case f.starting.id != 0:
		return nil
	case f.working.id != 0:
		return []key.Binding{k.cancel}
	case f.err != nil:
		return []key.Binding{k.again, k.back}
	}
	var keys []key.Binding
	if f.focus < len(f.page.Fields) {
		switch f.page.Fields[f.focus].Kind {
		case page.Bool:
			keys = append(keys, k.toggle)
		case page.Choice:
			keys = append(keys, k.change)
		case page.Text, page.Secret:
		}
	} else {
		goes := f.page.Next
		if f.focus == f.back() {
			goes = f.texts.T(message.ScreenBack)
		}
		k.enter.SetHelp(k.enter.Help().Key, strings.ToLower(goes))
		keys = append(keys, k.enter, k.change)
	}
	if len(f.page.Fields) > 0 {
		keys = append(keys, k.move)
	}
	keys = append(keys, k.back)
	if f.allRows > f.shownRows {
		keys = append(keys, k.scroll)
	}
	if f.focus >= len(f.page.Fields) && f.rescans() {
		keys = append(keys, k.checkAgain)
	}
	return keys
}
