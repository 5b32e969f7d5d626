package live

import (
	"charm.land/lipgloss/v2"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
)

// Mark is a state's glyph and style; the word beside it says the same.
type Mark struct {
	Glyph string
	Style lipgloss.Style
}

// RunMark is a run's state.
func (l Look) RunMark(s engine.RunStatus) Mark {
	switch s {
	case engine.RunSucceeded:
		return Mark{l.Glyphs.Done, l.Theme.Good}
	case engine.RunPartiallyFailed, engine.RunFailed:
		return Mark{l.Glyphs.Failed, l.Theme.Bad}
	case engine.RunCanceled:
		return Mark{l.Glyphs.Canceled, l.Theme.Warn}
	case engine.RunPaused, engine.RunHeld, engine.RunStopping, engine.RunTakenOver:
		return Mark{l.Glyphs.Held, l.Theme.Warn}
	case engine.RunRunning:
	}
	return Mark{l.Glyphs.Busy, l.Theme.Busy}
}

// NodeMark is a node's state in a run.
func (l Look) NodeMark(s engine.NodeStatus) Mark {
	switch s {
	case engine.NodeSucceeded, engine.NodeUpToDate:
		return Mark{l.Glyphs.Done, l.Theme.Good}
	case engine.NodePartiallyFailed, engine.NodeFailed:
		return Mark{l.Glyphs.Failed, l.Theme.Bad}
	case engine.NodeHeld:
		return Mark{l.Glyphs.Held, l.Theme.Warn}
	case engine.NodeCanceled:
		return Mark{l.Glyphs.Canceled, l.Theme.Warn}
	case engine.NodeNotTaken:
		return Mark{l.Glyphs.Canceled, l.Theme.Muted}
	case engine.NodeUpdating:
		return Mark{l.Glyphs.Busy, l.Theme.Busy}
	case engine.NodeWaiting:
	}
	return Mark{l.Glyphs.Waits, l.Theme.Muted}
}

// updateMark is an update's state on a node, with its word.
func (b *Board) updateMark(n *engine.NodeRun, u *engine.UpdateRun) (Mark, string) {
	t, l := b.look.Texts.T, b.look
	switch u.Outcome {
	case plugins.Installed, plugins.AlreadyInstalled:
		return Mark{l.Glyphs.Done, l.Theme.Good}, t(message.UpdateOutcome(string(u.Outcome)))
	case plugins.UpdateFailed, plugins.Unknown:
		return Mark{l.Glyphs.Failed, l.Theme.Bad}, t(message.UpdateOutcome(string(u.Outcome)))
	case plugins.NotApplicable, plugins.Excluded:
		return Mark{l.Glyphs.Canceled, l.Theme.Muted}, t(message.UpdateOutcome(string(u.Outcome)))
	}
	if n.Status.Ended() {
		return Mark{l.Glyphs.Canceled, l.Theme.Muted}, t(message.UpdateOutcome("not-begun"))
	}
	if !u.Started.IsZero() && u.Ended.IsZero() {
		return Mark{l.Glyphs.Busy, l.Theme.Busy}, t(message.UpdateOutcome("running"))
	}
	return Mark{l.Glyphs.Waits, l.Theme.Muted}, t(message.UpdateOutcome("waiting"))
}

// decision is what an administrator decided about a node that matters now: its mark and its word, and whose decision
// it is. The last is empty where nobody decided anything, and where the word is the node's own.
func (b *Board) decision(n *engine.NodeRun) (mark Mark, word, whose string) {
	t, l := b.look.Texts.T, b.look
	held := Mark{l.Glyphs.Held, l.Theme.Warn}
	switch {
	case n.Status == engine.NodeCanceled && n.SkippedBy != "":
		return Mark{l.Glyphs.Canceled, l.Theme.Warn}, t(message.NodeWordSkipped), "" // its cause says by whom
	case n.Status.Ended():
	case n.TakenBy != "":
		return held, t(message.NodeWordTaken), t(message.CLITaken, message.Clean(n.TakenBy))
	case n.HeldBackBy != "":
		return held, t(message.NodeWordHeld), t(message.CLIHeldBack, message.Clean(n.HeldBackBy))
	case n.Look:
		return l.NodeMark(n.Status), b.stateWord(n), t(message.CLILook)
	}
	return l.NodeMark(n.Status), b.stateWord(n), ""
}

// nodeMark is a node's mark with what was decided about it.
func (b *Board) nodeMark(n *engine.NodeRun) Mark {
	mark, _, _ := b.decision(n)
	return mark
}

// nodeWord is the word beside the mark.
func (b *Board) nodeWord(n *engine.NodeRun) string {
	_, word, _ := b.decision(n)
	return word
}

// stateWord is a node's status, or what is being done to it.
func (b *Board) stateWord(n *engine.NodeRun) string {
	phase := n.Phase
	if n.Status == engine.NodeUpdating && phase != engine.PhaseWaiting && phase != engine.PhaseDone ||
		n.Status == engine.NodeWaiting && phase == engine.PhaseStaging {
		return b.look.Texts.T(message.PhaseWord(string(phase)))
	}
	return b.look.Texts.T(message.Status(string(n.Status)))
}
