package live

import (
	"fmt"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/frame"
)

// updates is the chosen node's updates.
func (b *Board) updates(w, h int) []string {
	n := b.state.Node(b.chosen)
	if n == nil {
		return b.box("").Draw(nil, w, h)
	}
	inner := w - 4
	lines := b.cause(n.Cause, inner)
	lines = append(lines, b.updateLines(n, inner)...)
	return b.box(message.Clean(n.Name)).Draw(lines, w, h)
}

// updateLines is one line for each update of a node, followed by its cause where it failed.
func (b *Board) updateLines(n *engine.NodeRun, w int) []string {
	th := b.look.Theme
	if len(n.Updates) == 0 {
		return []string{th.Muted.Render(b.look.Texts.T(message.ScreenNoUpdates))}
	}
	name := 0
	for i := range n.Updates {
		name = max(name, frame.Width(message.Clean(n.Updates[i].Name)))
	}
	name = min(name, w/2)
	var lines []string
	for i := range n.Updates {
		u := &n.Updates[i]
		mark, word := b.updateMark(n, u)
		line := mark.Style.Render(mark.Glyph) + " " + frame.Fit(message.Clean(u.Name), name, b.look.Glyphs.Cut) + "  " + mark.Style.Render(word)
		if more := b.updateNotes(u); more != "" {
			line += th.Muted.Render(", " + more)
		}
		if u.Rule != "" {
			line += th.Muted.Render("  (" + message.Clean(u.Rule) + ")")
		}
		lines = append(lines, frame.Cut(line, w, b.look.Glyphs.Cut))
		lines = append(lines, frame.Indent(b.cause(u.Cause, w-2), 2)...)
	}
	return lines
}

func (b *Board) updateNotes(u *engine.UpdateRun) string {
	t := b.look.Texts.T
	var notes []string
	if u.ExitCode != nil {
		notes = append(notes, t(message.ScreenExit, *u.ExitCode))
	}
	if u.MarkedBy != "" {
		notes = append(notes, t(message.CLIMarked, message.Clean(u.MarkedBy)))
	}
	if u.RestartRequired {
		notes = append(notes, t(message.ScreenNeedsBoot))
	}
	switch {
	case u.Late != nil:
		notes = append(notes, t(message.ScreenLate, t(message.UpdateOutcome(string(u.Late.Outcome)))))
	case u.RunsOn:
		notes = append(notes, t(message.ScreenRunsOn))
	}
	if s := u.Signature; s != nil && !s.Valid {
		notes = append(notes, t(message.ScreenSignature, message.Clean(s.Status)))
	}
	return strings.Join(notes, ", ")
}

// cause is what went wrong and what to do, wrapped; nothing for nil.
func (b *Board) cause(c *fault.Cause, w int) []string {
	if c == nil {
		return nil
	}
	lines := frame.Styled(frame.Wrap(message.Clean(c.String()), w), b.look.Theme.Bad)
	return append(lines, frame.Styled(frame.Wrap(message.Clean(c.Hint), w), b.look.Theme.Code)...)
}

// result is how the run ended: the causes first, then the counts, then the way out.
func (b *Board) result(w, h int, onClose bool) []string {
	t, th := b.look.Texts.T, b.look.Theme
	s := &b.state
	inner := w - 4
	mark := b.look.RunMark(s.Status)
	lines := []string{mark.Style.Render(mark.Glyph + " " + t(message.Status(string(s.Status))))}
	causes := b.nodeCauses(inner)
	if len(causes) == 0 {
		causes = b.cause(s.Cause, inner)
	}
	lines = append(lines, causes...)
	lines = append(lines, b.counts(inner))
	button := "[ " + t(message.ScreenClose) + " ]"
	if onClose {
		button = th.Focus.Render(button)
	}
	room := max(1, h-2-1)
	if len(lines) > room {
		lines = append(lines[:room-1:room-1], th.Muted.Render(b.look.Glyphs.Cut))
	}
	lines = append(frame.Block(lines, inner, room, b.look.Glyphs.Cut), button)
	return b.box(t(message.ScreenResult)).Draw(lines, w, h)
}

// nodeCauses are the first causes (R30), the nodes in the order of their ends.
func (b *Board) nodeCauses(w int) []string {
	var lines []string
	for i := range b.state.Nodes {
		n := &b.state.Nodes[i]
		if n.Cause == nil {
			continue
		}
		c := *n.Cause
		if !strings.Contains(c.Message, n.Name) {
			c.Message = n.Name + ": " + c.Message
		}
		lines = append(lines, b.cause(&c, w)...)
	}
	return lines
}

func (b *Board) counts(w int) string {
	var order []engine.NodeStatus
	count := map[engine.NodeStatus]int{}
	for i := range b.state.Nodes {
		st := b.state.Nodes[i].Status
		if count[st] == 0 {
			order = append(order, st)
		}
		count[st]++
	}
	var parts []string
	for _, st := range order {
		m := b.look.NodeMark(st)
		parts = append(parts, m.Style.Render(m.Glyph)+" "+b.look.Texts.T(message.ScreenResultNodes, count[st], strings.ToLower(b.look.Texts.T(message.Status(string(st))))))
	}
	return frame.Cut(strings.Join(parts, "   "), w, b.look.Glyphs.Cut)
}

// Details is everything about one node, wrapped to w cells.
func (b *Board) Details(name string, w int) []string {
	n := b.state.Node(name)
	if n == nil {
		return nil
	}
	t, th := b.look.Texts.T, b.look.Theme
	mark, word, whose := b.decision(n)
	lines := []string{frame.Cut(mark.Style.Render(mark.Glyph+" "+word)+"  "+th.Muted.Render(span(n.Started, b.nodeEnd(n))), w, b.look.Glyphs.Cut)}
	if n.Attempt > 1 {
		whose = strings.TrimPrefix(whose+", "+b.attempt(n), ", ")
	}
	lines = append(lines, frame.Styled(frame.Wrap(whose, w), th.Warn)...)
	if eta := b.etaOfNode(name); eta != "" {
		lines = append(lines, frame.Styled(frame.Wrap(eta, w), th.Muted)...)
	}
	if b.Lost() {
		lines = append(lines, frame.Styled(frame.Wrap(t(message.CLICoordinatorGone, message.Clean(b.state.Run)), w), th.Bad)...)
	}
	if len(n.Updates) > 0 && !n.Started.IsZero() {
		lines = append(lines, b.stepLines(n, w)...)
	}
	if c := n.Connection; c != nil {
		proof := t(message.ScreenOpen)
		switch {
		case c.Encrypted:
			proof = t(message.ScreenEncrypted)
		case c.Signed:
			proof = t(message.ScreenSigned)
		}
		lines = append(lines, frame.Styled(frame.Wrap(t(message.ScreenShare, message.Clean(c.Account), message.Clean(c.Dialect), proof), w), th.Muted)...)
	}
	for _, before := range n.Earlier {
		if before.Cause != nil {
			lines = append(lines, frame.Styled(frame.Wrap(t(message.Earlier(before.Status == engine.NodeCanceled), before.Attempt, message.Clean(before.Cause.String())), w), th.Warn)...)
		}
	}
	if n.Watched {
		lines = append(lines, frame.Cut(th.Warn.Render(t(message.ScreenWatched)), w, b.look.Glyphs.Cut))
	}
	for _, s := range []*engine.ScriptRun{n.PreScript, n.PostScript} {
		lines = append(lines, b.scriptLines(s, w)...)
	}
	lines = append(lines, "")
	if cause := b.cause(n.Cause, w); cause != nil {
		lines = append(append(lines, cause...), "")
	}
	lines = append(lines, b.updateLines(n, w)...)
	lines = append(lines, "", th.Title.Render(t(message.ScreenLog)))
	before := len(lines)
	for _, l := range b.log {
		if l.Node == n.Name {
			lines = append(lines, b.logDetails(l.Time.In(b.look.Now().Location()).Format("15:04:05"), l.Text, w)...)
		}
	}
	if len(lines) == before {
		lines = append(lines, th.Muted.Render(t(message.ScreenNoLog)))
	}
	return lines
}

// scriptLines are a script with its last output.
func (b *Board) scriptLines(s *engine.ScriptRun, w int) []string {
	if s == nil {
		return nil
	}
	head := message.Clean(s.Name)
	if s.Account != "" {
		head += " (" + message.Clean(s.Account) + ")"
	}
	if s.ExitCode != nil {
		head += ", " + b.look.Texts.T(message.ScreenExit, *s.ExitCode)
	}
	switch {
	case s.LateExit != nil:
		head += ", " + b.look.Texts.T(message.ScreenLate, b.look.Texts.T(message.ScreenExit, *s.LateExit))
	case s.RunsOn:
		head += ", " + b.look.Texts.T(message.ScreenRunsOn)
	}
	lines := frame.Wrap(head, w)
	for _, said := range s.Output {
		lines = append(lines, frame.Indent(frame.Styled(frame.Wrap(message.Clean(said), w-2), b.look.Theme.Muted), 2)...)
	}
	return lines
}

func (b *Board) logDetails(when, said string, w int) []string {
	wrapped := frame.Wrap(message.Clean(said), w-9)
	out := make([]string, len(wrapped))
	for i, line := range wrapped {
		head := strings.Repeat(" ", 9)
		if i == 0 {
			head = b.look.Theme.Muted.Render(fmt.Sprintf("%-9s", when))
		}
		out[i] = head + line
	}
	return out
}

// stepLines are all steps in as many lines as they need.
func (b *Board) stepLines(n *engine.NodeRun, w int) []string {
	phase := ""
	if !n.PhaseStarted.IsZero() && n.Status == engine.NodeUpdating {
		phase = short(b.clock.now(b.look.Now()).Sub(n.PhaseStarted))
	}
	var lines []string
	var line []piece
	for _, p := range b.steps(n, phase)[0] {
		if len(line) > 0 && frame.Width(strings.TrimRight(text(append(line, p)), " ")) > w {
			lines, line = append(lines, frame.Cut(render(line), w, "")), nil
		}
		line = append(line, p)
	}
	return append(lines, frame.Cut(render(line), w, b.look.Glyphs.Cut))
}

func (b *Board) nodeEnd(n *engine.NodeRun) time.Time {
	if n.Ended.IsZero() {
		return b.clock.now(b.look.Now())
	}
	return n.Ended
}
