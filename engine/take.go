package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cau/internal/fault"
	"cau/plugins"
)

// take brings one node through its phases. What comes next is read from the folded state alone, so that a
// run that was killed anywhere goes on where its facts end (R26).
func (r *run) take(ctx context.Context, np NodePlan) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		// What was asked of the run may be what could not be recorded: then nothing more is done either (R25).
		if err := r.brokenErr(); err != nil {
			return err
		}
		if err := r.awake(ctx); err != nil {
			return err
		}
		r.lookAtTime()
		nr := r.node(np.Name)
		switch {
		case nr.Status.Ended():
			return nil
		case nr.Status == NodeWaiting && (r.beginsNothing() || r.overBudget()):
			return nil
		case nr.TakenBy != "" && nr.Status == NodeWaiting:
			return r.standBy(ctx, np, nr) // then whose turn it is is found out anew
		case nr.Status == NodeWaiting && !r.free(np.Name):
			return nil // it is held back, or another one comes first
		}
		step := r.next
		switch {
		case nr.TakenBy != "" && !nr.midStep():
			step = r.standBy
		case nr.Look:
			step = r.look
		}
		if err := step(ctx, np, nr); err != nil {
			return err
		}
	}
}

// next does one step for the node.
func (r *run) next(ctx context.Context, np NodePlan, nr NodeRun) error {
	r.checkpointWhenDue(ctx, nr)
	switch {
	case nr.Leave == LeaveHeld && nr.inService():
		return r.holdInService(ctx, np, nr)
	case nr.Leave == LeaveHeld && nr.InService && !nr.Drained:
		return r.drain(ctx, np)
	case nr.Leave == LeaveHeld:
		return r.leavePaused(np, NodeHeld, nr.Cause)
	case nr.scriptOpen(plugins.PhasePre):
		return r.preScript(ctx, np)
	case nr.Leave == LeaveInService && (!nr.BackInService || !r.postScriptDue(nr)):
		return r.end(ctx, np, nr)
	case nr.Leave == LeaveUndone && nr.PausedByUs:
		return r.leaveUndone(ctx, np)
	case nr.Resumed && !nr.Settled:
		return r.settle(ctx, np)
	case nr.BackInService && r.postScriptDue(nr):
		return r.postScript(ctx, np)
	case nr.Resumed, nr.Leave == LeaveUndone, nr.Rescanned && nr.inService():
		return r.end(ctx, np, nr)
	case nr.Leave == LeaveResumed || nr.Rescanned:
		return r.resume(ctx, np, nr)
	case nr.RestartFrom != "":
		return r.prove(ctx, np, nr)
	case nr.inService():
		return r.workInService(ctx, np, nr)
	case !nr.PausedByUs && nr.nothingLeft() && (r.Plan.PreScript == nil || nr.PreScript != nil):
		return r.scriptsOnly(ctx, np, nr)
	case !nr.PausedByUs:
		return r.enter(ctx, np)
	case !nr.Drained:
		return r.drain(ctx, np)
	case !r.maintained[np.Name]:
		return r.enterMaintenance(ctx, np, nr)
	case nr.RestartBegun:
		return r.askRestart(ctx, np, nr)
	}
	return r.work(ctx, np, nr)
}

// work does one step of what is to be done on a node that was taken: the next update, a restart that is due, or a look at
// what is left.
func (r *run) work(ctx context.Context, np NodePlan, nr NodeRun) error {
	if f := r.pluginStops(np, nr); f != nil {
		return r.record(*f)
	}
	u := r.nextUpdate(np, nr)
	switch {
	case u == nil:
	case !nr.Staged:
		return r.stage(ctx, np)
	case !r.restartsBefore(nr, *u):
		return r.install(ctx, np, *u, nr)
	}
	switch due := r.restartDue(np, nr); {
	case due && nr.inService():
		return r.pauseForRestart(ctx, np)
	case due:
		return r.askRestart(ctx, np, nr)
	}
	return r.rescan(ctx, np, nr)
}

// scriptsOnly ends an attempt that finds nothing left to install: the node is in service and stays so.
func (r *run) scriptsOnly(ctx context.Context, np NodePlan, nr NodeRun) error {
	if r.postScriptDue(nr) {
		return r.postScript(ctx, np)
	}
	return r.end(ctx, np, nr)
}

// nextUpdate is the first update without an outcome. After a stop only one that has begun is finished (R29).
func (r *run) nextUpdate(np NodePlan, nr NodeRun) *plugins.Update {
	stop := r.stopAsked()
	all := updatesOf(np, nr)
	for i := range all {
		u := nr.Update(all[i].ID)
		if u == nil || u.Outcome != "" || (u.Started.IsZero() && (stop || u.Skipped != "")) {
			continue
		}
		return &all[i]
	}
	return nil
}

// fail records that the node has failed and in which way it is left (R22).
func (r *run) fail(np NodePlan, leave Leave, cause *fault.Cause) error {
	return r.record(Fact{Kind: FactNodeFailing, Node: np.Name, Data: FactData{Leave: leave, Cause: cause}})
}

// failForGood is fail where another attempt would not help, and says why not.
func (r *run) failForGood(np NodePlan, leave Leave, why string, cause *fault.Cause) error {
	return r.record(Fact{Kind: FactNodeFailing, Node: np.Name, Data: FactData{Leave: leave, Hopeless: why, Cause: cause}})
}

// leavePaused ends the node where it is: paused, and nothing more is done on it (R22). The cause says so
// whatever it is about; what made the node fail in the first place stays in front (R30).
func (r *run) leavePaused(np NodePlan, status NodeStatus, cause *fault.Cause) error {
	return r.record(r.pausedEnd(np, status, cause))
}

func (r *run) pausedEnd(np NodePlan, status NodeStatus, cause *fault.Cause) Fact {
	c := *cause
	if first := r.node(np.Name).Cause; first != nil && first.Message != cause.Message {
		c = *first
		c.Message += "; then " + strings.TrimPrefix(cause.Message, np.Name+": ")
		c.Hint = cause.Hint
	}
	switch nr := r.node(np.Name); {
	case nr.inService():
		c.Hint = strings.TrimSpace(c.Hint + " " + np.Name + " was not paused and is in service.")
	case !strings.Contains(c.Hint, "Resume-ClusterNode"):
		c.Hint = strings.TrimSpace(c.Hint + " " + np.Name + " stays paused: look at it, then resume it with Resume-ClusterNode.")
	}
	nr := r.node(np.Name)
	return Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: status, Cause: overAttempts(&nr, &c)}}
}

// end is the last step of a node that is back in service, or was never out of it.
func (r *run) end(ctx context.Context, np NodePlan, nr NodeRun) error {
	status, cause := nodeSummary(nr)
	if again, err := r.triedAgain(np, status, cause); again || err != nil {
		return err
	}
	if nr.Traces && !nr.scriptRunsOn() && !nr.keepsLog() {
		if err := r.clean(ctx, np); err != nil {
			return err
		}
	}
	if status == NodeCanceled && cause == nil {
		cause = r.notBegun(np.Name, true)
	}
	return r.record(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: status, Cause: overAttempts(&nr, cause)}})
}

// keepsLog tells whether the node's traces hold the log of something that failed: then they stay for the one who
// looks for the cause, until `cau node clean`.
func (n *NodeRun) keepsLog() bool {
	for _, s := range []*ScriptRun{n.PreScript, n.PostScript} {
		if s != nil && s.Cause != nil && s.Log != "" {
			return true
		}
	}
	return slices.ContainsFunc(n.Updates, func(u UpdateRun) bool { return u.Outcome == plugins.UpdateFailed && u.Log != "" })
}

// cleanedAtEnd tells whether the run's end removes the node's traces. One that is still paused keeps them: its installer
// may be running (R18).
func (n *NodeRun) cleanedAtEnd() bool {
	if !n.Traces || n.PausedByUs {
		return false
	}
	switch {
	case n.TakenAgain:
		return !n.keepsLog() && !n.scriptRunsOn()
	case n.Status == NodeCanceled || !n.Staged:
		return true
	}
	// It may have ended while it waited for another attempt.
	last := len(n.Earlier) - 1
	return last >= 0 && !n.Earlier[last].Log && !n.keepsLog() && !n.scriptRunsOn()
}

// nodeSummary is how the node ended in CAU's words.
func nodeSummary(nr NodeRun) (NodeStatus, *fault.Cause) {
	var first *UpdateRun
	notBegun := false
	for i := range nr.Updates {
		u := &nr.Updates[i]
		switch {
		case u.Outcome == "" && u.FollowUp, u.Skipped != "":
			// The plan is done without the one; the other is its plug-in's failure.
		case u.Outcome == "":
			notBegun = true
		case !u.Outcome.Final() && first == nil:
			first = u
		}
	}
	switch {
	case nr.Leave != "":
		return NodeFailed, nr.Cause
	case len(nr.PluginFailures) > 0 && (first == nil || !nr.PluginFailures[0].At.After(first.Ended)):
		if nr.installed() > 0 {
			return NodePartiallyFailed, nr.PluginFailures[0].Cause
		}
		return NodeFailed, nr.PluginFailures[0].Cause
	case first != nil && nr.installed() > 0:
		return NodePartiallyFailed, causeOfUpdate(nr.Name, first)
	case first != nil:
		return NodeFailed, causeOfUpdate(nr.Name, first)
	case nr.PostScript != nil && nr.PostScript.Cause != nil && nr.installed() > 0:
		return NodePartiallyFailed, nr.PostScript.Cause
	case nr.PostScript != nil && nr.PostScript.Cause != nil:
		return NodeFailed, nr.PostScript.Cause
	case notBegun:
		return NodeCanceled, nil
	}
	return NodeSucceeded, nil
}

// causeOfUpdate says which update it was, how it ended, and why as far as that is known.
func causeOfUpdate(node string, u *UpdateRun) *fault.Cause {
	c := fault.Cause{Op: "install " + u.Name, Node: node, Message: "how it ended is not known"}
	if u.ExitCode != nil {
		code := fault.CodeOf(*u.ExitCode)
		c.Code, c.Name, c.Message, c.Hint = code.Hex(), code.Name(), "exit code "+code.String(), code.Advice()
	}
	if u.Cause != nil {
		c.Message = strings.TrimPrefix(u.Cause.Message, node+": ")
		if u.Cause.Hint != "" {
			c.Hint = u.Cause.Hint
		}
		if u.Cause.Code != "" {
			c.Code, c.Name = u.Cause.Code, u.Cause.Name
		}
	}
	name := u.Name
	if u.Plugin != "" {
		name += " of the " + u.Plugin + " plug-in"
	}
	c.Message = fmt.Sprintf("%s: %s %s: %s", node, name, u.Outcome, c.Message)
	return &c
}

// clean removes what the run left on the node. That it could not is a remark, not a failure of the node (R23).
func (r *run) clean(ctx context.Context, np NodePlan) error {
	err := r.Nodes(np.Name).Clean(ctx, r.Plan.Run)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return r.record(Fact{Kind: FactCleanFailed, Node: np.Name, Data: FactData{Cause: causeOf("clean up", np.Name, err)}})
	}
	return r.record(Fact{Kind: FactCleanDone, Node: np.Name})
}
