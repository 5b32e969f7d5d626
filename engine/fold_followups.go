package engine

import (
	"slices"
	"time"

	"cau/plugins"
)

// runOf is an update that nothing was done with yet.
func runOf(p *Plan, u plugins.Update) UpdateRun {
	run := UpdateRun{ID: u.ID, Name: u.Name, Rule: u.Rule}
	if len(p.Further) > 0 {
		run.Plugin = u.Plugin
	}
	return run
}

// applyFollowUps never writes into a list that a copy of the state may share.
func (n *NodeRun) applyFollowUps(f Fact) {
	switch f.Kind {
	case FactFollowUpsFound:
		n.begins(f)
	case FactFollowUpsLeft:
		n.leaves(f.Data.Updates, f.Data.Message)
	case FactFollowUpsAsked:
		n.Asked = f.Data.Updates
	case FactFollowUpsAnswered:
		n.TakeAgain = f.Data.Install
		if !f.Data.Install {
			n.leaves(n.Asked, f.Data.Message)
		}
	default:
	}
}

// begins opens a further pass. An update that was tried before keeps how that ended; the others are new on the node.
func (n *NodeRun) begins(f Fact) {
	if n.Status.Ended() {
		n.reopen(f.Time)
	}
	n.Pass, n.Rescanned = f.Data.Pass, false
	several := slices.ContainsFunc(n.Updates, func(u UpdateRun) bool { return u.Plugin != "" })
	for _, u := range f.Data.Updates {
		n.FollowUps = append(without(n.FollowUps, u.ID), u)
		at := n.Update(u.ID)
		if at == nil {
			n.Updates = append(n.Updates, UpdateRun{ID: u.ID, Name: u.Name, Rule: u.Rule})
			if several {
				n.Updates[len(n.Updates)-1].Plugin = u.Plugin
			}
			at, n.Staged = &n.Updates[len(n.Updates)-1], false
		}
		again := UpdateRun{ID: at.ID, Name: at.Name, Rule: at.Rule, Plugin: at.Plugin, FollowUp: true, Pass: n.Pass, Earlier: at.Earlier}
		if at.Outcome != "" {
			again.Earlier = append(slices.Clone(at.Earlier), EarlierEnd{Pass: at.Pass, Outcome: at.Outcome, ExitCode: at.ExitCode, Ended: at.Ended})
		}
		*at = again
	}
	n.Asked, n.TakeAgain = nil, false
	if n.atWork() {
		n.enter(PhaseInstalling, f.Time)
	}
}

// reopen lets a node that was done be taken once more: scripts, drain and all. What it got stays.
func (n *NodeRun) reopen(at time.Time) {
	n.Status, n.Started, n.Ended = NodeWaiting, time.Time{}, time.Time{}
	n.InService = false
	n.Staged, n.Drained, n.Maintenance, n.RestartDue, n.RestartBegun = false, false, false, false, false
	n.Resumed, n.Settled, n.BackInService, n.WatchOver = false, false, false, false
	n.PreScript, n.PostScript, n.TakenAgain, n.RestartsInRow = nil, nil, true, 0
	n.Boot, n.BootRead = "", time.Time{}
	n.enter(PhaseWaiting, at)
}

func (n *NodeRun) leaves(updates []plugins.Update, reason string) {
	left := slices.Clone(n.Left)
	for _, u := range updates {
		left = slices.DeleteFunc(left, func(l LeftUpdate) bool { return l.ID == u.ID })
		left = append(left, LeftUpdate{ID: u.ID, Name: u.Name, Reason: reason})
		n.Asked = without(n.Asked, u.ID)
	}
	n.Left = left
	n.TakeAgain = n.TakeAgain && len(n.Asked) > 0
}

func without(updates []plugins.Update, id string) []plugins.Update {
	var out []plugins.Update
	for _, u := range updates {
		if u.ID != id {
			out = append(out, u)
		}
	}
	return out
}

// applyAsking keeps when the run began to wait for answers: whoever goes on with it waits no longer for that.
func (s *State) applyAsking(f Fact) {
	s.Waiting = f.Data.Message
	if s.AskingSince.IsZero() {
		s.AskingSince = f.Time
	}
}

// applyPluginFailed lets the updates go that were not begun.
func (n *NodeRun) applyPluginFailed(f Fact) {
	n.PluginFailures = append(slices.Clone(n.PluginFailures), PluginFailure{Plugin: f.Data.Plugin, At: f.Time, Cause: f.Data.Cause})
	for _, id := range f.Data.Skipped {
		if u := n.Update(id); u != nil && u.Started.IsZero() {
			u.Skipped = f.Data.Message
		}
	}
}

// applyUnstaged ends the updates that did not come: they have failed before they began.
func (n *NodeRun) applyUnstaged(f Fact) {
	for _, one := range f.Data.Unstaged {
		if u := n.Update(one.Update); u != nil && u.open() && u.Started.IsZero() {
			u.Outcome, u.Ended, u.Cause = plugins.UpdateFailed, f.Time, one.Cause
		}
	}
}
