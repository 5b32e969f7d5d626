package engine

import (
	"slices"
	"time"
)

// setBack keeps how an attempt failed, and clears the present cause. What is appended is never shared with a copy of
// the state.
func (n *NodeRun) setBack(f Fact, status NodeStatus) {
	cause := f.Data.Cause
	if cause == nil {
		cause = n.Cause
	}
	n.Earlier = append(slices.Clip(n.Earlier), Setback{Attempt: n.Attempt, Status: status, Ended: f.Time, Cause: cause, Restarts: n.Restarts, Log: n.keepsLog()})
	n.Cause = nil
}

// tryAgain puts the node back to waiting with a new attempt. What succeeded stays; the updates that anew tells are begun
// anew. Files that were cleaned up are staged again.
func (n *NodeRun) tryAgain(f Fact, status NodeStatus, anew func(u *UpdateRun) bool) {
	n.setBack(f, status)
	n.Attempt++
	for i := range n.Updates {
		if u := &n.Updates[i]; anew(u) {
			n.Staged = n.Staged && !u.Started.IsZero() // what did not come is fetched again
			*u = UpdateRun{ID: u.ID, Name: u.Name, Rule: u.Rule, Plugin: u.Plugin, FollowUp: u.FollowUp, Pass: u.Pass, Earlier: u.Earlier}
		}
		n.Updates[i].Skipped = ""
	}
	if len(n.PluginFailures) > 0 {
		n.Staged, n.PluginFailures = false, nil
	}
	n.TakenAgain, n.RestartsInRow = false, 0
	n.PreScript, n.PostScript = nil, nil
	n.Staged = n.Staged && n.Traces
	n.Drained, n.Maintenance, n.Rescanned, n.Resumed, n.Settled, n.BackInService = false, false, false, false, false, false
	// Where updates are installed first, the next attempt drains for the restart that this one could not do.
	n.RestartDue = n.RestartDue && n.InService
	n.InService, n.RestartBegun, n.RestartFrom, n.Boot, n.BootRead = false, false, "", "", time.Time{}
	n.Leave, n.Hopeless, n.MayReturn, n.Returned, n.Watched, n.WatchOver = "", "", false, false, false, false
	n.Status, n.Ended = NodeWaiting, time.Time{}
	n.enter(PhaseWaiting, f.Time)
}

func (n *NodeRun) applyRetried(f Fact) {
	n.tryAgain(f, f.Data.NodeStatus, func(u *UpdateRun) bool { return slices.Contains(f.Data.Again, u.ID) })
}
