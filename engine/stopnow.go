package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cau/internal/fault"
	"cau/plugins"
)

// errStopNow keeps anything from being begun once that was asked.
var errStopNow = errors.New("stop now was asked")

// begins tells whether an act follows the fact that changes the node: after stop now none does (R29).
func (k FactKind) begins() bool {
	switch k { //nolint:exhaustive // the others begin nothing
	case FactStageIntent, FactScriptIntent, FactPauseIntent, FactUndoIntent, FactMaintenanceIntent, FactInstallIntent, FactRestartIntent, FactResumeIntent, FactNodeRetried, FactFollowUpsFound, FactInService:
		return true
	}
	return false
}

// stopNowBy is who asked for stop now; empty while nobody did.
func (r *run) stopNowBy() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.StopNowBy
}

// stopHere ends the run with every node as it is. An installer that was begun runs on, and nobody waits for it (R18).
func (r *run) stopHere(ctx context.Context) error {
	r.watches.Wait()
	for _, np := range r.Plan.Nodes {
		nr := r.node(np.Name)
		if nr.Status.Ended() && !nr.returning() {
			continue
		}
		if nr.PausedByUs {
			if err := r.lookHere(ctx, np, nr); err != nil {
				return err
			}
		}
		if err := r.leaveHere(np, r.node(np.Name)); err != nil {
			return err
		}
	}
	if err := r.dropCheckpoints(ctx); err != nil {
		return err
	}
	if err := r.dropLease(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	status, cause := summary(&r.state)
	cause = withDiskFull(&r.state, status, cause)
	return r.recordLocked(Fact{Kind: FactRunEnded, Data: FactData{RunStatus: status, Cause: cause}})
}

// lookHere finds out whether a node that is to be paused, or to be resumed, is so: to ask changes nothing.
func (r *run) lookHere(ctx context.Context, np NodePlan, nr NodeRun) error {
	v, err := r.Cluster.Describe(ctx, np.Name)
	if m := v.Member(np.Name); err != nil || m == nil || m.State != NodeUp {
		return ctx.Err()
	}
	if nr.Leave == LeaveUndone {
		return r.record(Fact{Kind: FactUndoDone, Node: np.Name, Data: FactData{Message: "It is in service."}})
	}
	return r.record(Fact{Kind: FactLooked, Node: np.Name, Data: FactData{Message: "It is in service."}})
}

// leaveHere ends a node that stop now found.
func (r *run) leaveHere(np NodePlan, nr NodeRun) error {
	by := r.stopNowBy()
	for i := range nr.Updates {
		u := &nr.Updates[i]
		if u.Started.IsZero() || u.Outcome != "" {
			continue
		}
		cause := &fault.Cause{Op: "install " + u.Name, Node: np.Name, Message: "nobody waited for its end, because stop now was asked by " + by}
		data := FactData{Result: &plugins.Result{Outcome: plugins.Unknown, Cause: cause}, Leave: LeaveHeld, RunsOn: true}
		data.Cause = causeOfUpdate(np.Name, &UpdateRun{Name: u.Name, Outcome: plugins.Unknown, Cause: cause})
		if err := r.record(Fact{Kind: FactInstallDone, Node: np.Name, Update: u.ID, Data: data}); err != nil {
			return err
		}
	}
	for phase, s := range map[string]*ScriptRun{plugins.PhasePre: nr.PreScript, plugins.PhasePost: nr.PostScript} {
		if s == nil || !s.Ended.IsZero() {
			continue
		}
		cause := &fault.Cause{Op: phase + "-update script " + s.Name, Node: np.Name, Message: np.Name + ": nobody waited for the end of " + s.Name + ", because stop now was asked by " + by}
		done := FactData{Script: &ScriptFact{Phase: phase, Name: s.Name, RunsOn: true}, Cause: cause}
		if phase == plugins.PhasePre {
			done.Leave = LeaveInService
		}
		if err := r.record(Fact{Kind: FactScriptDone, Node: np.Name, Data: done}); err != nil {
			return err
		}
	}
	now := r.node(np.Name)
	cause := &fault.Cause{
		Op: "stop now", Node: np.Name, Hint: nr.hereHint(r.Plan.Run),
		Message: fmt.Sprintf("%s: stop now was asked by %s while it was in phase %s; it is left as it is", np.Name, by, nr.Phase),
	}
	if nr.atWork() {
		return r.leavePaused(np, NodeHeld, cause)
	}
	status, first := NodeCanceled, (*fault.Cause)(nil)
	switch {
	case now.BackInService, now.Leave != "", slices.ContainsFunc(now.Updates, func(u UpdateRun) bool { return u.Outcome != "" }):
		status, first = nodeSummary(now)
	case len(now.Earlier) > 0:
		status, first = neverBegun(&now)
	}
	if first == nil && !nr.Started.IsZero() && status != NodeSucceeded {
		first = cause
	}
	return r.record(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: status, Cause: overAttempts(&now, first)}})
}

// hereHint says how the node is and what is to be done about it.
func (n *NodeRun) hereHint(run string) string {
	var parts []string
	for i := range n.Updates {
		if u := &n.Updates[i]; !u.Started.IsZero() && u.Outcome == "" {
			parts = append(parts, fmt.Sprintf("The installer of %s may run on: do not restart %s before it has ended (cau job list --run %s).", u.Name, n.Name, run))
		}
	}
	switch {
	case n.RestartFrom != "":
		parts = append(parts, "Its restart was asked for: see that it comes back.")
	case n.RestartDue:
		parts = append(parts, "A restart is due.")
	case n.PausedByUs && !n.Drained:
		parts = append(parts, "Its drain may go on.")
	}
	if n.Maintenance {
		parts = append(parts, "Its disks are in storage maintenance mode: leave that before it is resumed (Disable-StorageMaintenanceMode).")
	}
	if n.PausedByUs {
		parts = append(parts, fmt.Sprintf("%s is paused: resume it with Resume-ClusterNode.", n.Name))
	}
	if n.Traces {
		parts = append(parts, "What the run left there goes with cau node clean.")
	}
	return strings.Join(parts, " ")
}
