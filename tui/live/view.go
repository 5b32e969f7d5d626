package live

import (
	"fmt"
	"strings"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/frame"
)

// wide is from how many cells on the updates and the log stand side by side.
const wide = 100

// View is the board in exactly w by h cells. onClose tells that keys act on the way out of a run that ended.
func (b *Board) View(w, h int, onClose bool) []string {
	if !b.Known() {
		return b.unknown(w, h)
	}
	b.estimate()
	lines := append([]string{b.header(w), b.progress(w)}, b.status(w)...)
	table, lower := b.heights(h - len(lines))
	lines = append(lines, b.nodes(w, table)...)
	if lower > 0 {
		lines = append(lines, b.lower(w, lower, onClose)...)
	}
	return frame.Block(lines, w, h, b.look.Glyphs.Cut)
}

// heights shares rows between the nodes and the panes below: both get what they need, the nodes first.
func (b *Board) heights(rows int) (table, lower int) {
	table = min(len(b.state.Nodes)+2, max(3, rows-8))
	lower = rows - table
	if lower < 3 {
		return rows, 0
	}
	return table, lower
}

// unknown is the view while there is no news, or never will be.
func (b *Board) unknown(w, h int) []string {
	t, th := b.look.Texts.T, b.look.Theme
	head := []string{frame.Fit(" "+th.Title.Render(t(message.ScreenLive, message.Clean(b.run))), w, b.look.Glyphs.Cut)}
	h--
	if b.err == nil {
		return append(head, frame.Center([]string{th.Muted.Render(t(message.ScreenLoading))}, w, h, b.look.Glyphs.Cut)...)
	}
	room := min(w-4, 76)
	lines := []string{th.Bad.Render(b.look.Glyphs.Failed + " " + t(message.ScreenWatchFails))}
	lines = append(lines, frame.Wrap(message.Line(b.err.Error()), room)...)
	lines = append(lines, frame.Styled(frame.Wrap(message.Clean(fault.Hint(b.err)), room), th.Code)...)
	return append(head, frame.Center(lines, w, h, b.look.Glyphs.Cut)...)
}

func (b *Board) header(w int) string {
	t, th, g := b.look.Texts.T, b.look.Theme, b.look.Glyphs
	s := &b.state
	left := " " + th.Title.Render(t(message.ScreenLive, message.Clean(s.Run))) + th.Muted.Render(" "+g.Dot+" ") + th.Strong.Render(message.Clean(s.Cluster)) +
		th.Muted.Render(" "+g.Dot+" ") + message.Clean(s.Plugin)
	if s.Simulated {
		left += "  " + th.Warn.Render(t(message.Simulated))
	}
	ended := s.Ended
	if ended.IsZero() {
		ended = b.clock.now(b.look.Now())
	}
	right := span(s.Started, ended) + " "
	if w >= wide && !s.Started.IsZero() {
		right = th.Muted.Render(t(message.ScreenStarted, s.Started.In(b.look.Now().Location()).Format("15:04:05"))) + "   " + right
		if eta := b.etaText(true); eta != "" {
			right += "  " + th.Muted.Render(eta) + " "
		}
	}
	return frame.Between(left, right, w, g.Cut)
}

func (b *Board) progress(w int) string {
	t, th, g := b.look.Texts.T, b.look.Theme, b.look.Glyphs
	s := &b.state
	done, steps, all := 0, 0, 0
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Status.Ended() {
			done++
		}
		d, a := b.nodeProgress(n)
		steps, all = steps+d, all+a
	}
	share := 0.0
	if all > 0 {
		share = float64(steps) / float64(all)
	}
	left := " " + t(message.ScreenNodesDone, done, len(s.Nodes)) + "  "
	failures := s.Failures()
	budget := t(message.ScreenBudget, failures, s.FailureBudget+1) + " "
	percent := fmt.Sprintf(" %3d %%   ", int(share*100))
	if eta := b.etaText(false); eta != "" && w < wide {
		percent += eta + "   "
	}
	style := th.Muted
	if failures > 0 {
		style = th.Bad
	}
	bar := min(48, w-frame.Width(left)-frame.Width(budget)-frame.Width(percent)-2)
	if bar < 5 {
		return frame.Between(left, style.Render(budget), w, g.Cut)
	}
	return frame.Between(left+th.Key.Render(frame.Bar(share, bar, g))+percent, style.Render(budget), w, g.Cut)
}

// nodeProgress counts the steps of a node that are behind it: drain, each update, rescan, resume.
func (b *Board) nodeProgress(n *engine.NodeRun) (done, all int) {
	all = len(n.Updates) + 3
	if n.Status.Ended() {
		return all, all
	}
	for i := range n.Updates {
		if n.Updates[i].Outcome != "" {
			done++
		}
	}
	for _, step := range []bool{wasDrained(n), n.Rescanned, n.Resumed} {
		if step {
			done++
		}
	}
	return done, all
}

// waitingRows bounds each of the two texts that say what the run waits for and what to do about it.
const waitingRows = 3

// status is the run's state in words with the most urgent thing to know about it, in one line; what the run waits for
// takes as many as it needs.
func (b *Board) status(w int) []string {
	t, th := b.look.Texts.T, b.look.Theme
	s := &b.state
	mark := b.look.RunMark(s.Status)
	line := " " + mark.Style.Render(mark.Glyph+" "+t(message.Status(string(s.Status))))
	more, style := "", th.Muted
	switch {
	case b.Lost():
		more, style = t(message.ScreenCarrierGone, s.Run), th.Bad
	case b.err != nil:
		more, style = message.Line(b.err.Error()), th.Bad
	case b.Ended():
	case s.StopNowBy != "":
		more, style = t(message.CLIStopNowAsked, message.Clean(s.StopNowBy)), th.Warn
	case s.StopAsked:
		more, style = t(message.ScreenStopAsked), th.Warn
	case s.Waiting != "":
		return b.waiting(line, w)
	case s.PauseAsked && s.Status != engine.RunPaused:
		more, style = t(message.ScreenPausing), th.Warn
	case b.where != "":
		more = message.Clean(b.where)
		if frame.Width(line)+2+frame.Width(more) > w {
			more = t(message.ScreenOutlives) // cut, it would end in the middle of "closing this terminal does not stop it"
		}
	}
	if more != "" {
		line += "  " + style.Render(more)
	}
	return []string{frame.Fit(line, w, b.look.Glyphs.Cut)}
}

// waiting is what the run waits for, after head, and, where it is held, what to do.
func (b *Board) waiting(head string, w int) []string {
	s, th, cut := &b.state, b.look.Theme, b.look.Glyphs.Cut
	at := frame.Width(head) + 2
	lines := frame.Styled(bounded(frame.Wrap(message.Clean(s.Waiting), w-at-1), cut), th.Warn)
	if s.Status == engine.RunHeld && s.Cause != nil && s.Cause.Hint != "" {
		lines = append(lines, frame.Styled(bounded(frame.Wrap(message.Clean(s.Cause.Hint), w-at-1), cut), th.Code)...)
	}
	for i := range lines {
		before := head + "  "
		if i > 0 {
			before = strings.Repeat(" ", at)
		}
		lines[i] = frame.Fit(before+lines[i], w, cut)
	}
	return lines
}

// bounded keeps the first rows of a text and says that there is more.
func bounded(lines []string, cut string) []string {
	if len(lines) <= waitingRows {
		return lines
	}
	lines = lines[:waitingRows:waitingRows]
	lines[waitingRows-1] += " " + cut
	return lines
}

func (b *Board) nodes(w, h int) []string {
	s := &b.state
	inner, rows := w-4, h-2
	name, word, at := 4, 7, 0
	for i := range s.Nodes {
		n := &s.Nodes[i]
		name = max(name, min(15, frame.Width(message.Clean(n.Name))))
		word = max(word, min(16, frame.Width(b.nodeWord(n))))
		if n.Name == b.chosen {
			at = i
		}
	}
	b.top = frame.Scroll(b.top, at, rows, len(s.Nodes))
	var lines []string
	for i := b.top; i < min(len(s.Nodes), b.top+rows); i++ {
		lines = append(lines, b.row(&s.Nodes[i], inner, name, word))
	}
	box := b.box(b.look.Texts.T(message.ScreenNodes))
	if len(s.Nodes) > rows {
		box.Note = b.look.Theme.Muted.Render(fmt.Sprintf("%d-%d/%d", b.top+1, min(len(s.Nodes), b.top+rows), len(s.Nodes)))
	}
	return box.Draw(lines, w, h)
}

func (b *Board) box(title string) frame.Box {
	return frame.Box{Glyphs: b.look.Glyphs, Title: b.look.Theme.Title.Render(title), Edge: b.look.Theme.Edge}
}

// lower is the result of a run that ended or the chosen node's updates, and the log.
func (b *Board) lower(w, h int, onClose bool) []string {
	first := b.updates
	if b.Ended() {
		first = func(w, h int) []string { return b.result(w, h, onClose) }
	}
	switch {
	case b.logOnly:
		return b.logPane(w, h)
	case w >= wide:
		half := w / 2
		return frame.Beside(first(half, h), b.logPane(w-half, h))
	}
	return first(w, h)
}

func (b *Board) logPane(w, h int) []string {
	th, inner, rows := b.look.Theme, w-4, h-2
	b.back = max(0, min(b.back, len(b.log)-rows))
	to := len(b.log) - b.back
	var lines []string
	for _, l := range b.log[max(0, to-rows):to] {
		when := l.Time.In(b.look.Now().Location()).Format("15:04:05")
		said := message.Clean(l.Text)
		if l.Node != "" {
			said = th.Strong.Render(message.Clean(l.Node)) + " " + said
		}
		lines = append(lines, frame.Cut(th.Muted.Render(when)+" "+said, inner, b.look.Glyphs.Cut))
	}
	if len(b.log) == 0 {
		lines = []string{th.Muted.Render(b.look.Texts.T(message.ScreenNoLog))}
	}
	box := b.box(b.look.Texts.T(message.ScreenLog))
	if b.back > 0 {
		box.Note = th.Warn.Render(b.look.Texts.T(message.ScreenLogEarlier, b.back))
	}
	return box.Draw(lines, w, h)
}
