package live

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/frame"
)

// cachedRow is a row as drawn last, with everything that it was drawn from.
type cachedRow struct {
	key  rowKey
	line string
}

type rowKey struct {
	version, width, name, word int
	chosen, dark               bool
	span, phase                string
}

// row is one node in exactly w cells; name and word are the widths of its first columns.
func (b *Board) row(n *engine.NodeRun, w, name, word int) string {
	now := b.clock.now(b.look.Now())
	key := rowKey{version: b.versions[n.Name], width: w, name: name, word: word, chosen: n.Name == b.chosen && b.Focused, dark: b.look.Theme.Dark}
	switch {
	case !n.Ended.IsZero():
		key.span = span(n.Started, n.Ended)
	case n.Status == engine.NodeUpdating:
		key.span = span(n.Started, now)
		if !n.PhaseStarted.IsZero() {
			key.phase = short(now.Sub(n.PhaseStarted))
		}
	default:
		key.span = b.nodeETA(n.Name)
	}
	if c, ok := b.rows[n.Name]; ok && c.key == key {
		return c.line
	}
	line := b.draw(n, key)
	b.rows[n.Name] = cachedRow{key, line}
	return line
}

func (b *Board) draw(n *engine.NodeRun, key rowKey) string {
	l := b.look
	mark := b.nodeMark(n)
	cells := []piece{
		{mark.Glyph + " ", mark.Style},
		{frame.Fit(message.Clean(n.Name), key.name, l.Glyphs.Cut) + "  ", l.Theme.Strong},
		{frame.Fit(b.nodeWord(n), key.word, l.Glyphs.Cut) + "  ", mark.Style},
	}
	room := key.width - 2 - key.name - 2 - key.word - 2 - 10
	detail := fitting(b.details(n, key.phase), room)
	tail := frame.Right(key.span, 10, "")
	head := render(cells)
	if key.chosen {
		head = l.Theme.Focus.Render(strings.TrimSuffix(text(cells), " ")) + " "
	}
	return head + frame.Fit(render(detail), room, l.Glyphs.Cut) + l.Theme.Muted.Render(tail)
}

// piece is text of one style.
type piece struct {
	text  string
	style lipgloss.Style
}

func text(pieces []piece) string {
	var s strings.Builder
	for _, p := range pieces {
		s.WriteString(p.text)
	}
	return s.String()
}

func render(pieces []piece) string {
	var s strings.Builder
	for _, p := range pieces {
		s.WriteString(p.style.Render(p.text))
	}
	return s.String()
}

// fitting is the first of the forms that fits into w cells, else the last.
func fitting(forms [][]piece, w int) []piece {
	for _, f := range forms {
		if frame.Width(text(f)) <= w {
			return f
		}
	}
	return forms[len(forms)-1]
}

// details are what a row says about its node, from the longest form to the shortest. Whose decision the node stands
// under comes first.
func (b *Board) details(n *engine.NodeRun, phase string) [][]piece {
	forms := b.progressOf(n, phase)
	_, _, whose := b.decision(n)
	if whose == "" {
		return forms
	}
	first := piece{whose + "  ", b.look.Theme.Warn}
	if n.Status == engine.NodeUpdating { // its word is the decision, so that what is being done stands here
		forms = append(slices.Concat(forms, b.steps(n, phase)), []piece{{strings.ToLower(b.stateWord(n)), b.look.Theme.Busy}})
	}
	return append(led(first, forms), []piece{first})
}

// led puts a piece before each form.
func led(first piece, forms [][]piece) [][]piece {
	out := make([][]piece, 0, len(forms)+1)
	for _, form := range forms {
		out = append(out, append([]piece{first}, form...))
	}
	return out
}

// attempt says which attempt of how many it is.
func (b *Board) attempt(n *engine.NodeRun) string {
	return b.look.Texts.T(message.CLIStateAttempt, n.Attempt, max(n.Attempt, b.state.Attempts))
}

// progressOf is how far a node is, or how it ended, from the longest form to the shortest.
func (b *Board) progressOf(n *engine.NodeRun, phase string) [][]piece {
	t, th := b.look.Texts.T, b.look.Theme
	switch {
	case n.Status == engine.NodeUpdating && n.Attempt > 1:
		return led(piece{b.attempt(n) + "  ", th.Warn}, b.steps(n, phase))
	case n.Status == engine.NodeUpdating:
		return b.steps(n, phase)
	case n.Cause != nil:
		text := message.Clean(strings.TrimPrefix(n.Cause.String(), n.Name+": "))
		if n.Watched {
			text = t(message.ScreenWatched) + ": " + text
		}
		return [][]piece{{{text, th.Plain}}}
	case n.Status == engine.NodeWaiting && len(n.Earlier) > 0:
		return [][]piece{{{b.setback(n), th.Warn}}}
	case n.Status == engine.NodeWaiting && n.Staged:
		return [][]piece{{{t(message.ScreenStaged), th.Muted}}}
	case n.Status == engine.NodeSucceeded:
		installed := 0
		for i := range n.Updates {
			if n.Updates[i].Outcome == plugins.Installed {
				installed++
			}
		}
		parts := []string{t(message.ScreenInstalled, installed)}
		switch {
		case n.Restarts == 1:
			parts = append(parts, t(message.ScreenRestarted1))
		case n.Restarts > 1:
			parts = append(parts, t(message.ScreenRestarted, n.Restarts))
		}
		return [][]piece{{{strings.Join(parts, ", "), th.Plain}}}
	}
	return [][]piece{nil}
}

// step is one of the things that are done to a node, in order.
type step struct {
	name        string
	done, going bool
	note        string
}

// wasDrained tells whether the drain is behind the node; resuming takes back what was drained.
func wasDrained(n *engine.NodeRun) bool { return n.Drained || n.Resumed }

// nodeSteps are the node's steps. A restart that was proven stays marked while later updates install.
func (b *Board) nodeSteps(n *engine.NodeRun, phase string) []step {
	final := 0
	for i := range n.Updates {
		if n.Updates[i].Outcome.Final() {
			final++
		}
	}
	at := func(p engine.Phase) bool { return n.Phase == p }
	restart := step{name: "restart", done: n.Restarts > 0 && !at(engine.PhaseRestarting), going: at(engine.PhaseRestarting)}
	if restart.going && phase != "" {
		restart.note = phase
		if b.plan != nil && b.plan.Options.RebootTimeoutMinutes > 0 {
			limit := short(time.Duration(b.plan.Options.RebootTimeoutMinutes) * time.Minute)
			restart.note = b.look.Texts.T(message.ScreenOfMinutes, phase, limit)
		}
	}
	steps := []step{
		{name: "drain", done: wasDrained(n), going: at(engine.PhaseDraining)},
		{name: "install", done: final == len(n.Updates), going: at(engine.PhaseInstalling), note: strconv.Itoa(final) + "/" + strconv.Itoa(len(n.Updates))},
		restart,
		{name: "rescan", done: n.Rescanned, going: at(engine.PhaseRescanning)},
		{name: "resume", done: n.Resumed, going: at(engine.PhaseResuming) || at(engine.PhaseSettling)},
	}
	if b.plan != nil && b.plan.PreScript != nil {
		steps = slices.Insert(steps, 0, scriptStep("pre-script", n.PreScript))
	}
	if b.plan != nil && b.plan.PostScript != nil {
		steps = append(steps, scriptStep("post-script", n.PostScript))
	}
	return steps
}

func scriptStep(name string, s *engine.ScriptRun) step {
	return step{name: name, done: s != nil && !s.Ended.IsZero() && s.Cause == nil, going: s != nil && s.Ended.IsZero()}
}

// steps are the step marks: all, then without what is still to come, then only what is going on.
func (b *Board) steps(n *engine.NodeRun, phase string) [][]piece {
	th := b.look.Theme
	var all, begun, going []piece
	for _, s := range b.nodeSteps(n, phase) {
		p := piece{b.look.Texts.T(message.Step(s.name)), th.Muted}
		if s.note != "" && (s.done || s.going || s.name == "install" && n.Phase == engine.PhaseInstalling) {
			p.text += " " + s.note
		}
		switch {
		case s.going:
			p.style = th.Busy
		case s.done:
			p.text += " " + b.look.Glyphs.Done
			p.style = th.Good
		}
		p.text += "  "
		all = append(all, p)
		if s.going || s.done {
			begun = append(begun, p)
		}
		if s.going {
			going = append(going, p)
		}
	}
	return [][]piece{all, begun, going}
}

// setback says which attempt comes next and why the last one failed.
func (b *Board) setback(n *engine.NodeRun) string {
	said := b.attempt(n)
	if last := n.Earlier[len(n.Earlier)-1]; last.Cause != nil {
		said += ": " + message.Clean(strings.TrimPrefix(last.Cause.String(), n.Name+": "))
	}
	return said
}
