package tui

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/frame"
	"cau/tui/glyph"
	"cau/tui/live"
	"cau/tui/relay"
	"cau/tui/theme"
)

// The least terminal that the screens are drawn for.
const (
	leastWidth  = 80
	leastHeight = 24
)

// screen is one page of the stack: a plain value that the app, the only model, calls from its loop. What a
// screen needs of the rest it asks the app for.
type screen interface {
	// shown is called when the screen comes to the top, the first time and again; left when it is closed.
	shown() tea.Cmd
	left()
	// press takes a key, take everything else: answers, batches, pastes.
	press(k tea.KeyPressMsg) tea.Cmd
	take(msg tea.Msg) tea.Cmd
	// view draws at most h lines of at most w cells.
	view(w, h int) []string
	// keys are what the screen obeys now, the important ones first.
	keys() []key.Binding
	// typing tells whether letters are text now.
	typing() bool
	// pulse is how often the screen changes by itself; 0 when it does not.
	pulse() time.Duration
	// leaving is asked when the user wants to leave the program: what to say first, or "" to let go.
	leaving() message.Key
}

// app is the only model: size, stack of screens, stack of dialogs, status line.
type app struct {
	services backend.Services
	texts    message.Texts
	glyphs   glyph.Set
	theme    *theme.Theme
	keys     keymap
	now      func() time.Time
	tick     func(time.Duration, tea.Msg) tea.Cmd
	work     *work
	relay    *relay.Relay

	w, h    int
	stack   []screen
	dialogs []*dialog
	// notice is one line about what just happened, until the next key.
	notice      string
	noticeStyle lipgloss.Style
	// leaveAsked: the next ctrl+c leaves.
	leaveAsked bool

	beat  int
	every time.Duration
	spin  int
}

// beatMsg is one beat of the pulse.
type beatMsg int

func newApp(cfg Config, w *work, r *relay.Relay) *app {
	th := theme.New(true)
	a := &app{services: cfg.Services, texts: cfg.Texts, glyphs: glyphs(cfg.ASCII, frame.Width), theme: &th, now: cfg.Now, tick: w.beat, work: w, relay: r}
	if a.now == nil {
		a.now = time.Now
	}
	a.keys = newKeymap(a.texts, a.glyphs)
	return a
}

// glyphs are ASCII where they are wanted, and where terminals draw lines and arrows two cells wide
// (RUNEWIDTH_EASTASIAN=1): everything is laid out with one.
func glyphs(ascii bool, width func(string) int) glyph.Set {
	unicode := glyph.Unicode()
	if ascii || width(unicode.Border[1]) != 1 || width(unicode.Up) != 1 {
		return glyph.ASCII()
	}
	return unicode
}

// Init asks for the background and shows the first screen.
func (a *app) Init() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, a.top().shown(), a.pulse())
}

// Update takes one message. It does no I/O.
func (a *app) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := a.take(msg)
	return a, tea.Batch(cmd, a.pulse())
}

func (a *app) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		a.w, a.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		*a.theme = theme.New(msg.IsDark())
	case beatMsg:
		if int(msg) == a.beat {
			a.spin++
			a.every = 0
		}
	case tea.KeyPressMsg:
		return a.press(msg)
	case tea.PasteMsg:
		switch {
		case a.tooSmall():
		case len(a.dialogs) > 0:
			a.dialogs[len(a.dialogs)-1].typeIn(msg)
		default:
			return a.top().take(msg)
		}
	case answer, relay.Batch:
		var cmds []tea.Cmd
		for _, s := range a.stack {
			cmds = append(cmds, s.take(msg))
		}
		return tea.Batch(cmds...)
	}
	return nil
}

// press gives a key to the one it is for: the program, the dialog on top, the screen on top.
func (a *app) press(k tea.KeyPressMsg) tea.Cmd {
	if key.Matches(k, a.keys.leave) {
		return a.leave()
	}
	if key.Matches(k, a.keys.redraw) {
		return tea.ClearScreen
	}
	if a.tooSmall() {
		return nil // nothing is shown that a key could be meant for
	}
	a.leaveAsked, a.notice = false, ""
	if len(a.dialogs) > 0 {
		return a.pressDialog(k)
	}
	if key.Matches(k, a.helpKey()) {
		a.ask(a.helpDialog())
		return nil
	}
	return a.top().press(k)
}

// leave leaves the program, after asking once when something is open.
func (a *app) leave() tea.Cmd {
	why := a.top().leaving()
	if why == "" || a.leaveAsked {
		return tea.Quit
	}
	a.leaveAsked = true
	a.say(a.texts.T(why), a.theme.Warn)
	return nil
}

// helpKey opens the keys' list; a question mark is text where text is typed.
func (a *app) helpKey() key.Binding {
	if a.top().typing() {
		return a.keys.helpTyping
	}
	return a.keys.help
}

// say puts a line into the status line.
func (a *app) say(text string, style lipgloss.Style) {
	a.notice, a.noticeStyle = message.Clean(text), style
}

func (a *app) top() screen { return a.stack[len(a.stack)-1] }

// push opens a screen on top of the others, replace opens it in place of the one on top.
func (a *app) push(s screen) tea.Cmd {
	a.stack = append(a.stack, s)
	return s.shown()
}

func (a *app) replace(s screen) tea.Cmd {
	a.top().left()
	a.stack[len(a.stack)-1] = s
	return s.shown()
}

// pop closes the screen on top; closing the last one leaves the program.
func (a *app) pop() tea.Cmd {
	a.top().left()
	if len(a.stack) == 1 {
		return tea.Quit
	}
	a.stack = a.stack[:len(a.stack)-1]
	return a.top().shown()
}

// pulse keeps one beat going while the screen on top changes by itself.
func (a *app) pulse() tea.Cmd {
	want := a.top().pulse()
	if want == a.every {
		return nil
	}
	a.beat++
	a.every = want
	if want == 0 {
		return nil
	}
	return a.tick(want, beatMsg(a.beat))
}

func (a *app) tooSmall() bool { return a.w < leastWidth || a.h < leastHeight }

// View draws the screen.
func (a *app) View() tea.View {
	v := tea.NewView(a.glyphs.Text(a.draw()))
	v.AltScreen = true
	return v
}

func (a *app) draw() string {
	if a.w <= 0 || a.h <= 0 {
		return ""
	}
	if a.tooSmall() {
		lines := frame.Wrap(a.texts.T(message.ScreenTooSmall, a.w, a.h), a.w)
		return join(frame.Center(lines, a.w, a.h, ""))
	}
	lines := frame.Block(a.top().view(a.w, a.h-2), a.w, a.h-2, a.glyphs.Cut)
	notice := a.noticeStyle.Render(frame.Cut(" "+a.notice, a.w, a.glyphs.Cut))
	lines = append(lines, frame.Fit(notice, a.w, ""), a.footer(a.w))
	screen := join(lines)
	if len(a.dialogs) > 0 {
		screen = a.over(screen, a.dialogs[len(a.dialogs)-1], a.w, a.h)
	}
	return screen
}

// footer names the keys; where there is no room the less important ones go, never the help.
func (a *app) footer(w int) string {
	name := func(b key.Binding) string { return a.theme.Key.Render(b.Help().Key) + " " + b.Help().Desc }
	last := name(a.helpKey())
	line := " "
	for _, b := range a.top().keys() {
		if next := line + name(b) + "  "; b.Enabled() && frame.Width(next)+frame.Width(last) <= w {
			line = next
		}
	}
	return frame.Fit(line+last, w, "")
}

// spinner is the picture of something going on.
func (a *app) spinner() string {
	return a.theme.Busy.Render(a.glyphs.Spin[a.spin%len(a.glyphs.Spin)])
}

func (a *app) look() live.Look {
	return live.Look{Texts: a.texts, Glyphs: a.glyphs, Theme: a.theme, Now: a.now}
}

// when is a time as people read it, in the user's own time zone; a dash for none.
func (a *app) when(t time.Time) string {
	if t.IsZero() {
		return a.glyphs.Dash
	}
	return t.In(a.now().Location()).Format("2006-01-02 15:04")
}

// took is how long something took, as 1:02:03.
func took(d time.Duration) string {
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

func join(lines []string) string { return strings.Join(lines, "\n") }
