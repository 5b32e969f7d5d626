package engine

import (
	"context"
	"slices"
	"strings"

	"cau/internal/fault"
	"cau/plugins"
)

// finish cancels what was not begun, cleans up what staging left, waits for what is still watched, and ends the run. It
// returns false when there is something to do again.
func (r *run) finish(ctx context.Context) (bool, error) {
	for _, np := range r.Plan.Nodes {
		if err := r.endWaiting(np); err != nil {
			return false, err
		}
		if nr := r.node(np.Name); nr.cleanedAtEnd() {
			if err := r.clean(ctx, np); err != nil {
				return false, err
			}
		}
	}
	if err := r.awaitWatches(ctx); err != nil {
		return false, err
	}
	if err := r.compare(ctx); err != nil {
		return false, err
	}
	if r.openNow() {
		return false, nil
	}
	if err := r.dropCheckpoints(ctx); err != nil {
		return false, err
	}
	if err := r.dropLease(ctx); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.open() {
		return false, nil // asked for in this very moment; the lease is taken again
	}
	status, cause := summary(&r.state)
	cause = withDiskFull(&r.state, status, cause)
	return true, r.recordLocked(Fact{Kind: FactRunEnded, Data: FactData{RunStatus: status, Cause: cause}})
}

// openNow tells whether a node waits for its turn.
func (r *run) openNow() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.open()
}

// endWaiting ends a node that is not taken any more, because stop was asked or too many nodes failed.
func (r *run) endWaiting(np NodePlan) error {
	why := r.notBegun(np.Name, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	nr := r.state.Node(np.Name)
	if nr.Status != NodeWaiting || !r.state.beginsNothing() && r.state.Failures() <= r.state.FailureBudget {
		return r.broken
	}
	status, cause := neverBegun(nr)
	if cause == nil {
		cause = why
	}
	return r.recordLocked(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: status, Cause: cause}})
}

// open tells whether the run has something left to do on a node.
func (s *State) open() bool {
	return slices.ContainsFunc(s.Nodes, func(n NodeRun) bool { return !n.Status.Ended() })
}

// summary is how the run ended in CAU's words: failures decide first, then what was not done.
func summary(s *State) (RunStatus, *fault.Cause) {
	installed, canceled := false, false
	for i := range s.Nodes {
		installed = installed || s.Nodes[i].installed() > 0
		canceled = canceled || s.Nodes[i].Status == NodeCanceled
	}
	switch {
	case s.Failures() > 0 && installed:
		return RunPartiallyFailed, causeOfRun(s)
	case s.Failures() > 0:
		return RunFailed, causeOfRun(s)
	case canceled && s.NoMoreNodes != nil:
		return RunCanceled, s.NoMoreNodes
	case canceled:
		return RunCanceled, s.TimeUp
	}
	return RunSucceeded, nil
}

// installed counts the updates that this run installed on the node.
func (n *NodeRun) installed() int {
	c := 0
	for i := range n.Updates {
		if n.Updates[i].Outcome == plugins.Installed {
			c++
		}
	}
	return c
}

// causeOfRun names every failed node with its cause, and carries the first one's code and hint (R30).
func causeOfRun(s *State) *fault.Cause {
	var first *NodeRun
	var parts []string
	failed := slices.DeleteFunc(slices.Clone(s.Nodes), func(n NodeRun) bool {
		return n.Status != NodeFailed && n.Status != NodePartiallyFailed && n.Status != NodeHeld
	})
	for i := range failed {
		n := &failed[i]
		if first == nil || (n.Cause != nil && first.Cause != nil && n.Ended.Before(first.Ended)) {
			first = n
		}
	}
	for i := range failed {
		n := &failed[i]
		text := n.Cause.String()
		if !strings.HasPrefix(text, n.Name+": ") {
			text = n.Name + ": " + text
		}
		// The first one's hint says it; of the others only this is shown.
		if n.PausedByUs && n != first {
			text += " (it was left paused)"
		}
		parts = append(parts, text)
	}
	if first == nil {
		return nil
	}
	c := &fault.Cause{Op: "updating run", Node: first.Name, Message: strings.Join(parts, "; ")}
	if first.Cause != nil {
		c.Op, c.Code, c.Name, c.Hint = first.Cause.Op, first.Cause.Code, first.Cause.Name, first.Cause.Hint
	}
	return c
}

// causeOfStep is err as the cause why a whole step of a node failed: the step comes first, whatever was asked
// last within it, and what to do about the step follows what to do about err.
func causeOfStep(step, node string, err error, hint string) *fault.Cause {
	if inner := fault.Hint(err); inner != "" {
		hint = inner + " " + hint
	}
	return causeFrom(&fault.Error{Op: step, Node: node, Err: err, Hint: hint})
}

// causeOf is err as a node's cause: its own place and code where it has them, else this one.
func causeOf(op, node string, err error) *fault.Cause {
	c := causeFrom(err)
	if c.Op == "" {
		c.Op = op
		c.Message = op + ": " + c.Message
	}
	if c.Node == "" {
		c.Node = node
		c.Message = node + ": " + c.Message
	}
	return c
}
