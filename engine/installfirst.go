package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// Install-first: a node's updates are installed while it is in service, and it is paused only when a restart is due. Before
// it is begun the gate is as strict as before a drain, because a node may go bad; before it is paused the gate is looked
// at again. Nothing is installed while any node is out of service.

// installsFirst tells whether the node's updates are installed while it is in service.
func (r *run) installsFirst(np NodePlan) bool {
	return r.Plan.Options.InstallOrder == InstallFirst && len(np.Updates) > 0
}

// warnedInService says of updates that may restart their node what that does where they are installed in service.
func warnedInService(updates []plugins.Update) []plugins.Update {
	out := make([]plugins.Update, len(updates))
	for i, u := range updates {
		if u.MayRestart {
			u.Warnings = append(slices.Clone(u.Warnings), "It is installed while its node is in service: if its installer restarts the node by itself (exit code 1641), the roles there go down.")
		}
		out[i] = u
	}
	return out
}

// inService tells whether the node is being worked on while it is in service.
func (n *NodeRun) inService() bool { return n.InService && !n.PausedByUs && !n.Resumed }

// atWork tells whether the node was taken: it is out of service, or worked on in service.
func (n *NodeRun) atWork() bool { return n.PausedByUs || n.inService() }

// leaveNow is how the node is left when it fails now: resumed, or where it is when it was never paused (R22).
func (n *NodeRun) leaveNow() Leave {
	if n.inService() {
		return LeaveInService
	}
	return LeaveResumed
}

// workInService does one step for a node whose updates are installed while it is in service.
func (r *run) workInService(ctx context.Context, np NodePlan, nr NodeRun) error {
	if nr.RestartBegun {
		// Its installer restarts it with all that runs there; nothing of ours is asked, and the restart is proven.
		return r.record(Fact{Kind: FactRestartIntent, Node: np.Name, Data: FactData{
			Boot: nr.Boot, BootRead: nr.BootRead, Message: "Its installer restarts it, with what runs there.",
		}})
	}
	return r.work(ctx, np, nr)
}

// pauseForRestart takes the node out of service once the gate is open. When the run begins nothing more and the gate stays
// closed, the node is held as it is: its restart is still due (R29).
func (r *run) pauseForRestart(ctx context.Context, np NodePlan) error {
	results, open, err := r.awaitGate(ctx, np, midway)
	switch {
	case errors.Is(err, errInHands):
		return nil
	case err != nil:
		return err
	case !open:
		return r.leaveUnrestarted(np, fmt.Errorf("%s is not paused: %w", np.Name, gateClosed(results, r.Plan.Accepted)))
	}
	return r.pauseIntent(ctx, np, results)
}

// holdInService pauses a node in service whose installer runs on, or of which nobody knows how it ended: nothing is to run
// there that it could take down (R22). Its own installer does not keep the gate closed.
func (r *run) holdInService(ctx context.Context, np NodePlan, nr NodeRun) error {
	results, open, err := r.awaitGate(ctx, np, holding)
	switch {
	case errors.Is(err, errInHands):
		return nil
	case err != nil:
		return err
	case !open:
		return r.leavePaused(np, NodeHeld, nr.Cause)
	}
	return r.pauseIntent(ctx, np, results)
}

// gateClosed is what closes a gate, as an error.
func gateClosed(results []check.Result, accepted []string) error {
	text := "the gate is closed, and the run begins nothing more"
	if blocking := check.Gate(results, accepted); len(blocking) > 0 {
		text += ": " + blocking[0].Evidence
	}
	return &notYetError{text}
}

// holdNode is how a node ends that must be left to somebody: at once where it is paused, and in service by way of a pause.
func (r *run) holdNode(np NodePlan, nr NodeRun, cause *fault.Cause) error {
	if nr.inService() {
		return r.fail(np, LeaveHeld, cause)
	}
	return r.leavePaused(np, NodeHeld, cause)
}

// failNode ends a node as failed where it is: paused, or in service. hopeless is why another attempt would not help.
func (r *run) failNode(np NodePlan, nr NodeRun, hopeless string, cause *fault.Cause) error {
	if nr.inService() {
		return r.failForGood(np, LeaveInService, hopeless, cause)
	}
	return r.leavePaused(np, NodeFailed, cause)
}

// untilMayInstall waits until the node is seen as it must be for an installer: out of service and drained, or, with
// install-first, in service while every other node is, too.
func (r *run) untilMayInstall(ctx context.Context, name string, nr NodeRun, begun bool) error {
	if !nr.inService() {
		return r.untilOut(ctx, name, begun)
	}
	return r.persist(ctx, contactPoll, settlePatience, func() error {
		v, err := r.Cluster.Describe(ctx, name)
		if err != nil {
			return err
		}
		if away := v.notInService(""); len(away) > 0 {
			return &notYetError{strings.Join(away, ", ") + "; nothing is installed meanwhile"}
		}
		return nil
	})
}

// unsettled names the nodes that were not drained and are not at rest: an installer may be at work there, or their
// restart is not proven, so that they may go down at any time. No other node is taken out of service beside that.
func (r *run) unsettled(except string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for i := range r.state.Nodes {
		n := &r.state.Nodes[i]
		if n.Name == except || !n.Status.Ended() || !n.InService || n.Resumed || n.Drained {
			continue
		}
		if n.RestartFrom != "" {
			out = append(out, n.Name+" was restarted by its installer, and that is not proven")
			continue
		}
		for j := range n.Updates {
			if u := &n.Updates[j]; u.Outcome == plugins.Unknown || (u.RunsOn && u.Late == nil) {
				out = append(out, n.Name+" is held, and the installer of "+u.Name+" may be at work there")
				break
			}
		}
	}
	return out
}
