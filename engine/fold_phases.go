package engine

import (
	"slices"
	"time"
)

// PhaseTime is how long a node was in a phase, every stay of this attempt added up.
type PhaseTime struct {
	Phase Phase `json:"phase"`
	// Millis is in milliseconds, as exact as facts are: a state that is read back must be the same.
	Millis int64 `json:"took_ms"`
}

// leavePhase keeps how long the node was in the phase that it leaves for next. It never writes into a list that a copy of
// the state may share.
func (n *NodeRun) leavePhase(next Phase, at time.Time) {
	if next == PhaseWaiting && n.Phase != PhaseStaging && n.Phase != PhasePreScript {
		// It begins again from the gate: what it took so far is no measure of anything.
		n.Phases = slices.DeleteFunc(slices.Clone(n.Phases), func(p PhaseTime) bool { return p.Phase != PhaseStaging })
		return
	}
	if n.PhaseStarted.IsZero() || n.Phase == PhaseDone {
		return
	}
	// Waiting belongs to the node's own time only between its script and its pause; before, it waits for others.
	if n.Phase == PhaseWaiting && (n.Started.IsZero() || !n.Started.Before(at)) {
		return
	}
	took := max(0, at.Sub(n.PhaseStarted)).Milliseconds()
	phases := slices.Clone(n.Phases)
	if i := slices.IndexFunc(phases, func(p PhaseTime) bool { return p.Phase == n.Phase }); i >= 0 {
		phases[i].Millis += took
	} else {
		phases = append(phases, PhaseTime{n.Phase, took})
	}
	n.Phases = phases
}

// was is how long the node was in a phase before the one that it is in now, and whether it was in it at all.
func (n *NodeRun) was(p Phase) (time.Duration, bool) {
	for _, t := range n.Phases {
		if t.Phase == p {
			return time.Duration(t.Millis) * time.Millisecond, true
		}
	}
	return 0, false
}

// took is how long the node was in a phase before the one that it is in now.
func (n *NodeRun) took(p Phase) time.Duration {
	d, _ := n.was(p)
	return d
}
