package tui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"cau/engine"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/frame"
	"cau/tui/live"
	"cau/tui/relay"
)

// ticking is how often the clock of a live run moves.
const ticking = time.Second

// watch is the live view of one run: it follows the run, obeys keys, and never stops it by being closed.
type watch struct {
	*app
	run   string
	board *live.Board
	// following is the task whose context keeps the news coming; its number names the news.
	following task
	asked     engine.Control
	asking    task
	// onClose: keys act on the way out, not on the nodes. endedAt is when the end was first shown.
	onClose bool
	endedAt time.Time
}

// newWatch makes the view of a run; where says where it lives, when this program started it.
func newWatch(a *app, run, where string) *watch {
	return &watch{app: a, run: run, board: live.New(a.look(), run, where)}
}

func (w *watch) shown() tea.Cmd {
	if w.following.id != 0 {
		return nil // back from the details; the news never stopped
	}
	var cmd tea.Cmd
	w.following, cmd = w.work.start(func(ctx context.Context, id int) (any, error) {
		news, err := w.services.Watch(ctx, w.run)
		if err != nil {
			return nil, err
		}
		w.relay.Follow(ctx, id, news)
		return nil, nil
	})
	return cmd
}

func (w *watch) left() {
	w.following.end()
	w.asking.end()
}

func (w *watch) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case relay.Batch:
		if msg.Watch == 0 || msg.Watch != w.following.id {
			return nil
		}
		before := w.board.Ended()
		w.board.Take(msg)
		if w.board.Ended() && !before {
			w.onClose, w.board.Focused, w.endedAt = true, false, w.now()
		}
	case answer:
		switch msg.task {
		case w.following.id:
			if msg.err != nil {
				w.board.Take(relay.Batch{Snapshot: backend.Snapshot{Err: msg.err}, Closed: true})
			}
		case w.asking.id:
			w.asking.end()
			w.answered(msg.err)
		}
	}
	return nil
}

func (w *watch) press(k tea.KeyPressMsg) tea.Cmd {
	keys := w.bindings()
	switch {
	case key.Matches(k, keys.closing):
		if w.now().Sub(w.endedAt) < graceQuiet {
			return nil // meant for the run that was still going on
		}
		return w.pop()
	case key.Matches(k, keys.detach), key.Matches(k, keys.back):
		return w.detach()
	case key.Matches(k, keys.quitRun), key.Matches(k, keys.quit):
		return tea.Quit
	case key.Matches(k, keys.again):
		// The news begin with the first fact again, so the board does too.
		w.following.end()
		w.board = live.New(w.look(), w.run, "")
		return w.shown()
	case key.Matches(k, keys.pause):
		return w.control(engine.Control{Verb: engine.VerbPause})
	case key.Matches(k, keys.resume):
		return w.control(engine.Control{Verb: engine.VerbResume})
	case key.Matches(k, keys.stop):
		w.ask(&dialog{title: w.texts.T(message.ScreenStopTitle), plain: []string{w.texts.T(message.ScreenStopText)}, buttons: []button{
			{caption: w.texts.T(message.ScreenStopNo)},
			{caption: w.texts.T(message.ScreenStopYes), act: func() tea.Cmd { return w.control(engine.Control{Verb: engine.VerbStop}) }},
		}})
	case key.Matches(k, keys.details):
		return w.push(newDetails(w.app, w.board, w.run))
	case key.Matches(k, keys.log):
		w.board.ToggleLog()
	case key.Matches(k, keys.up):
		w.choose(-1)
	case key.Matches(k, keys.down):
		w.choose(1)
	case key.Matches(k, keys.pane) && w.board.Ended():
		w.onClose = !w.onClose
		w.board.Focused = !w.onClose
	case key.Matches(k, keys.pageUp):
		w.board.ScrollLog(5)
	case key.Matches(k, keys.pageDown):
		w.board.ScrollLog(-5)
	case key.Matches(k, keys.end):
		w.board.ScrollLog(-1 << 20)
	default:
		w.pressVerb(k)
	}
	return nil
}

func (w *watch) choose(by int) {
	w.onClose, w.board.Focused = false, true
	w.board.Move(by)
}

// detach leaves the view; the run goes on.
func (w *watch) detach() tea.Cmd {
	if !w.board.Running() {
		return w.pop()
	}
	cmd := w.pop()
	if w.top() != screen(w) {
		w.say(w.texts.T(message.CLIDetached, w.run), w.theme.Good)
	}
	return cmd
}

// bindings are the keys that mean something now; the others are off.
func (w *watch) bindings() keymap {
	k := w.app.keys
	running, s := w.board.Running(), w.board.State()
	held := s.Status == engine.RunPaused || s.Status == engine.RunHeld || s.PauseAsked
	k.pause.SetEnabled(running && !held && !s.StopAsked)
	k.resume.SetEnabled(running && held)
	k.stop.SetEnabled(running && !s.StopAsked)
	k.detach.SetEnabled(running)
	k.quitRun.SetEnabled(running)
	k.quit.SetEnabled(!running)
	k.closing.SetEnabled(w.board.Ended() && w.onClose)
	k.details.SetEnabled(w.board.Known() && !w.onClose)
	k.log.SetEnabled(w.board.Known())
	k.choose.SetEnabled(w.board.Known())
	k.scroll.SetEnabled(w.board.Known())
	k.again.SetEnabled((w.board.Err() != nil || w.board.Lost()) && !running && !w.board.Ended())
	w.offer(&k)
	return k
}

func (w *watch) keys() []key.Binding {
	k := w.bindings()
	return []key.Binding{
		k.pause, k.resume, k.stop, k.closing, k.again, k.followUps, k.mark, k.retry, k.detach, k.hold, k.takeOver, k.log, k.choose, k.details, k.skip, k.stopNow,
		k.scroll, k.quitRun, k.quit,
	}
}

func (w *watch) typing() bool { return false }

func (w *watch) pulse() time.Duration {
	if w.board.Running() {
		return ticking
	}
	return 0
}

func (w *watch) leaving() message.Key {
	if w.board.Running() {
		return message.ScreenLeaveRun
	}
	return ""
}

func (w *watch) view(width, rows int) []string { return w.board.View(width, rows, w.onClose) }

// details is everything about one node of a run, to scroll through.
type details struct {
	*app
	board     *live.Board
	run, node string
	offset    int
}

func newDetails(a *app, b *live.Board, run string) *details {
	return &details{app: a, board: b, run: run, node: b.Chosen()}
}

func (d *details) shown() tea.Cmd       { return nil }
func (d *details) left()                {}
func (d *details) take(tea.Msg) tea.Cmd { return nil }
func (d *details) typing() bool         { return false }

func (d *details) pulse() time.Duration {
	if d.board.Running() {
		return ticking
	}
	return 0
}

func (d *details) leaving() message.Key {
	if d.board.Running() {
		return message.ScreenLeaveRun
	}
	return ""
}

func (d *details) keys() []key.Binding {
	k := d.app.keys
	return []key.Binding{k.back, k.scroll}
}

func (d *details) press(k tea.KeyPressMsg) tea.Cmd {
	keys := d.app.keys
	switch {
	case key.Matches(k, keys.back), key.Matches(k, keys.open):
		return d.pop()
	case key.Matches(k, keys.up):
		d.offset--
	case key.Matches(k, keys.down):
		d.offset++
	case key.Matches(k, keys.pageUp):
		d.offset -= 10
	case key.Matches(k, keys.pageDown):
		d.offset += 10
	}
	return nil
}

func (d *details) view(w, rows int) []string {
	lines := d.board.Details(d.node, w-4)
	d.offset = max(0, min(d.offset, len(lines)-(rows-2)))
	box := frame.Box{Glyphs: d.glyphs, Title: d.theme.Title.Render(d.texts.T(message.ScreenDetails, message.Clean(d.node), message.Clean(d.run))), Edge: d.theme.EdgeFocus}
	if d.board.State().Simulated {
		box.Note = d.theme.Warn.Render(d.texts.T(message.Simulated))
	}
	return box.Draw(lines[d.offset:], w, rows)
}
