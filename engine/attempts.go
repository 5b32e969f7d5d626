package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// A node that failed and is in service is tried again, scripts and gate and all, until its attempts are used up
// (MaxRetriesPerNode). Only then it counts as failed. Not tried again is what another attempt cannot change, and what
// nobody may touch: a node that was left paused, and one where something may still run.

// Setback is an attempt that failed, or a node's stop that a mark ended.
type Setback struct {
	// Attempt counts from 1.
	Attempt int `json:"attempt"`
	// Status is how the node would have ended with it.
	Status NodeStatus   `json:"status,omitempty"`
	Ended  time.Time    `json:"ended"`
	Cause  *fault.Cause `json:"cause,omitempty"`
	// Restarts is how many restarts the node had until then, of all attempts.
	Restarts int `json:"restarts,omitempty"`
	// Log: the node holds the log of what failed.
	Log bool `json:"log,omitempty"`
}

// triedAgain puts the node back to waiting where another attempt may help. It returns false when the node has ended.
func (r *run) triedAgain(np NodePlan, status NodeStatus, cause *fault.Cause) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	nr := r.state.Node(np.Name)
	if nr == nil || !r.state.retries(nr, status) {
		return false, nil
	}
	return true, r.recordLocked(Fact{Kind: FactNodeRetried, Node: np.Name, Data: FactData{NodeStatus: status, Cause: cause, Attempt: nr.Attempt, Again: nr.again()}})
}

// retries tells whether a node that would end as status is tried again by itself.
func (s *State) retries(n *NodeRun, status NodeStatus) bool {
	switch {
	case status != NodeFailed && status != NodePartiallyFailed:
		return false
	case s.beginsNothing(), s.Failures() > s.FailureBudget, n.Attempt >= s.Attempts:
		return false
	case n.Status.Ended(), n.PausedByUs, n.Returned, n.scriptRunsOn(), n.runsOn() != nil:
		return false
	}
	return n.Hopeless == "" && n.hopeful()
}

// hopeful tells whether something failed that another attempt could change.
func (n *NodeRun) hopeful() bool {
	failed := false
	for i := range n.Updates {
		u := &n.Updates[i]
		if u.Outcome == "" || u.Outcome.Final() {
			continue
		}
		if u.Outcome != plugins.UpdateFailed {
			return false
		}
		if u.hopeless() == "" {
			return true
		}
		failed = true
	}
	return !failed || n.Leave != "" || (n.PostScript != nil && n.PostScript.Cause != nil)
}

// again names the updates that another attempt starts anew: those that failed and may do better.
func (n *NodeRun) again() []string {
	var out []string
	for i := range n.Updates {
		if u := &n.Updates[i]; u.Outcome == plugins.UpdateFailed && u.hopeless() == "" {
			out = append(out, u.ID)
		}
	}
	return out
}

// hopeless is why the update would fail again on the same node, or empty. Every further attempt drains the node, so that
// what cannot change is not asked twice: files that the node refuses, and packages that their own installer calls
// unfit for this system or forbidden there (winerror.h).
func (u *UpdateRun) hopeless() string {
	if u.Refused {
		return "the node refuses it"
	}
	if u.ExitCode == nil {
		return ""
	}
	switch fault.CodeOf(*u.ExitCode) {
	case 1620, 1636: // ERROR_INSTALL_PACKAGE_INVALID, ERROR_PATCH_PACKAGE_INVALID
		return "its file is no valid package"
	case 1625, 1643: // ERROR_INSTALL_PACKAGE_REJECTED, ERROR_PATCH_PACKAGE_REJECTED
		return "a policy forbids it"
	case 1633, 1637, 0x800F081E: // ERROR_INSTALL_PLATFORM_UNSUPPORTED, ERROR_PATCH_PACKAGE_UNSUPPORTED, CBS_E_NOT_APPLICABLE
		return "it is not for this system"
	case 1639: // ERROR_INVALID_COMMAND_LINE
		return "its command line is wrong"
	}
	return ""
}

// nothingLeft tells whether an attempt finds nothing to install or to restart for. Then the node is not taken out of
// service for its scripts' sake.
func (n *NodeRun) nothingLeft() bool {
	if n.RestartDue || n.RestartBegun || n.RestartFrom != "" {
		return false
	}
	return len(n.Updates) > 0 && !slices.ContainsFunc(n.Updates, func(u UpdateRun) bool { return u.Outcome == "" })
}

// overAttempts is the cause of a node that ended after several attempts: the first one comes first, the last one says
// how it is now (R30).
func overAttempts(n *NodeRun, last *fault.Cause) *fault.Cause {
	first := firstCause(n)
	if first == nil || last == nil {
		return last
	}
	c := *first
	same := !slices.ContainsFunc(n.Earlier, func(s Setback) bool { return s.Cause == nil || s.Cause.Message != last.Message })
	if same {
		c.Message = fmt.Sprintf("%s (in each of %d attempts)", last.Message, n.Attempt)
	} else {
		c.Message += fmt.Sprintf("; attempt %d: %s", n.Attempt, strings.TrimPrefix(last.Message, n.Name+": "))
	}
	if last.Hint != "" {
		c.Hint = last.Hint
	}
	return &c
}

// neverBegun is how a node ends that waits and is not taken any more: it was not begun, or it has failed before.
func neverBegun(n *NodeRun) (NodeStatus, *fault.Cause) {
	if n.TakenAgain {
		return nodeSummary(*n) // it was done before, and is not taken for what became applicable since
	}
	for _, s := range slices.Backward(n.Earlier) {
		if s.Status == NodeFailed || s.Status == NodePartiallyFailed {
			return s.Status, firstCause(n)
		}
	}
	return NodeCanceled, nil
}

// firstCause is why the node's first attempt failed, nil where none is known (R30).
func firstCause(n *NodeRun) *fault.Cause {
	for _, s := range n.Earlier {
		if s.Cause != nil {
			return s.Cause
		}
	}
	return nil
}
