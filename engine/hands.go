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

// What administrators decide about single nodes: which one is next, which one waits, and what the run does with a node
// that somebody had in hand.

// takeAll takes one node after the other. A node that is held back is passed over and come back to.
func (r *run) takeAll(ctx context.Context) error {
	for {
		np, held := r.nextToTake()
		switch {
		case np != nil:
			delete(r.watched, np.Name) // another attempt may leave it anew
			before := r.node(np.Name).Status
			if err := r.take(ctx, *np); err != nil {
				return err
			}
			if r.node(np.Name).Status != before {
				r.checkpoint(ctx, np.Name)
			}
			if err := r.beginWatches(ctx); err != nil {
				return err
			}
		case len(held) > 0:
			said := fmt.Sprintf("Only nodes that are held back are left: %s. They are taken after cau release, and left out with cau skip.", strings.Join(held, ", "))
			if err := r.waitFor(ctx, held[0], said); err != nil {
				return err
			}
		default:
			if again, err := r.takeFollowUps(ctx); !again || err != nil {
				return err
			}
		}
	}
}

// nextToTake is the node whose turn it is: one that is under way, else one that is taken over, because nothing else is
// begun meanwhile, else the first that waits. held are those that are held back, when nothing else is left.
func (r *run) nextToTake() (next *NodePlan, held []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.state
	begins := !s.beginsNothing() && s.Failures() <= s.FailureBudget
	rank := 3
	for i := range r.Plan.Nodes {
		np := &r.Plan.Nodes[i]
		n := s.Node(np.Name)
		at := 3
		switch {
		case n.Status.Ended():
		case n.Status == NodeUpdating:
			at = 0
		case !begins:
		case n.TakenBy != "":
			at = 1
		case n.HeldBackBy != "":
			held = append(held, n.Name)
		default:
			at = 2
		}
		if at < rank {
			next, rank = np, at
		}
	}
	if next != nil {
		held = nil
	}
	return next, held
}

// waitFor says what is waited for, once, and returns when something was asked.
func (r *run) waitFor(ctx context.Context, node, said string) error {
	r.mu.Lock()
	err := r.broken
	if err == nil && r.state.Waiting != said {
		err = r.recordLocked(Fact{Kind: FactGateWaiting, Node: node, Data: FactData{Message: said}})
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.woken:
		return nil
	}
}

// mayBegin tells whether the node, which waits, may be taken as far as anybody decided: it is not held back, and nobody
// has another one in hand or wants one finished first. mu is held.
func (s *State) mayBegin(node string) bool {
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.TakenBy != "" || n.Status == NodeUpdating {
			return false
		}
	}
	n := s.Node(node)
	return n != nil && n.Status == NodeWaiting && n.HeldBackBy == "" && !s.beginsNothing()
}

// free tells whether nobody decided meanwhile that the node is not to be begun.
func (r *run) free(node string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.mayBegin(node)
}

// beginFact records what begins the node, unless somebody decided otherwise just before.
func (r *run) beginFact(f Fact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.state.mayBegin(f.Node) || r.state.PauseAsked {
		return r.broken
	}
	return r.recordLocked(f)
}

// recordOpen records a fact about a node unless that has ended by an administrator's word meanwhile.
func (r *run) recordOpen(f Fact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.state.Node(f.Node); n != nil && n.Status.Ended() {
		return r.broken
	}
	return r.recordLocked(f)
}

// errInHands ends a wait for the gate of a node that somebody took over meanwhile.
var errInHands = errors.New("somebody has the node in hand")

// taken tells whether somebody has the node in hand.
func (r *run) taken(node string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.state.Node(node)
	return n != nil && n.TakenBy != ""
}

// midStep tells whether something was begun on the node that the run sees to its end before it lets go of the node: an
// update, a script, a restart, or a pause, a resume, that may or may not be done yet.
func (n *NodeRun) midStep() bool {
	begun := slices.ContainsFunc(n.Updates, func(u UpdateRun) bool { return !u.Started.IsZero() && u.Outcome == "" })
	moving := n.PausedByUs && (!n.Drained || n.Phase == PhaseResuming || n.Leave == LeaveUndone)
	return begun || moving || n.RestartFrom != "" || n.scriptOpen(plugins.PhasePre) || n.scriptOpen(plugins.PhasePost)
}

// standBy waits while somebody has the node in hand. When the run is stopped meanwhile, the node stays theirs.
func (r *run) standBy(ctx context.Context, np NodePlan, nr NodeRun) error {
	if r.stopAsked() {
		cause := &fault.Cause{Op: "stop", Node: np.Name, Message: fmt.Sprintf("%s: the run was stopped while %s had it in hand", np.Name, nr.TakenBy)}
		if nr.atWork() {
			return r.leavePaused(np, NodeHeld, cause)
		}
		return r.record(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: NodeCanceled, Cause: cause}})
	}
	return r.waitFor(ctx, np.Name, fmt.Sprintf("%s is in the hands of %s; nothing is begun before it is given back: cau give-back %s %s.", np.Name, nr.TakenBy, r.Plan.Run, np.Name))
}

// look finds out how the node is that somebody had in hand. Where it is out of service as it was left, the run goes on
// there; where it is in service again, it goes through its gate anew. Anything else is waited for.
func (r *run) look(ctx context.Context, np NodePlan, nr NodeRun) error {
	delete(r.maintained, np.Name)
	v, err := r.Cluster.Describe(ctx, np.Name)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var why string
	m := v.Member(np.Name)
	switch {
	case err != nil:
		why = sentence(err)
	case m == nil:
		why = "it is not a node of the cluster any more"
	case m.State == NodeUp && nr.Leave == LeaveUndone:
		return r.record(Fact{Kind: FactUndoDone, Node: np.Name, Data: FactData{Message: "Somebody resumed it."}})
	case m.State == NodeUp && nr.Leave == "" && !nr.Resumed && !nr.Rescanned:
		if left, err := r.leaveOwnMaintenance(ctx, np, nr); err != nil || !left {
			return err
		}
		return r.record(Fact{Kind: FactLooked, Node: np.Name, Data: FactData{Message: "Somebody resumed it; it goes through its gate anew."}})
	case m.State == NodeUp, m.State == NodePaused && (!nr.Drained || stillDrained(&v, np.Name, r.Plan.Options.drainMode()) == nil), m.State != NodePaused && nr.RestartFrom != "":
		return r.record(Fact{Kind: FactLooked, Node: np.Name, Data: FactData{On: true, Message: "The run goes on where it was."}})
	case m.State == NodePaused:
		why = sentence(stillDrained(&v, np.Name, r.Plan.Options.drainMode()))
	default:
		why = "its peers see it " + m.State.String()
	}
	said := fmt.Sprintf("%s was given back, and %s. Drain it or resume it; the run waits.", np.Name, strings.TrimSuffix(why, "."))
	if r.stopAsked() {
		return r.leavePaused(np, NodeHeld, &fault.Cause{Op: "look", Node: np.Name, Message: np.Name + ": " + why})
	}
	r.mu.Lock()
	if r.state.Waiting != said {
		err = r.recordLocked(Fact{Kind: FactGateWaiting, Node: np.Name, Data: FactData{Message: said}})
	} else {
		err = r.broken
	}
	r.mu.Unlock()
	if err != nil {
		return err
	}
	return r.sleepOrWake(ctx, gatePoll)
}

// leaveOwnMaintenance undoes the storage maintenance mode that we set and that whoever resumed the node left (R16).
func (r *run) leaveOwnMaintenance(ctx context.Context, np NodePlan, nr NodeRun) (bool, error) {
	if !nr.Maintenance {
		return true, nil
	}
	return r.leaveMaintenance(ctx, np)
}
