package engine

import (
	"context"
	"fmt"
	"strings"

	"cau/plugins"
)

// RefusedError says why what was asked of a run is not done. Nothing was recorded.
type RefusedError struct {
	Verb Verb
	// Why is a sentence, Advice what can be done instead.
	Why, Advice string
}

// Error is the reason.
func (e *RefusedError) Error() string { return e.Why }

// listen takes what is asked of the run, at once and also while a node is being worked on, so that the
// state shows it. It ends with ctx or with the channel.
func (r *run) listen(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c, ok := <-r.Control:
			if !ok {
				return
			}
			r.ask(c)
		}
	}
}

// ask judges a control and records it, under one lock: what it was judged by does not change in between.
func (r *run) ask(c Control) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Status.Ended() {
		return
	}
	err := r.state.Judge(r.Plan.Version, &c)
	switch {
	case err != nil:
	case c.Verb == VerbFollowUps:
		err = r.answer(c)
	default:
		err = r.recordLocked(Fact{Kind: FactControl, Node: c.Node, Update: c.Update, Data: FactData{Verb: c.Verb, By: c.By, Outcome: c.Outcome}})
	}
	if err == nil {
		r.controlsChanged()
	}
	if r.Answer != nil {
		r.Answer(c, err)
	}
	if r.state.StopAsked {
		r.endWatches()
	}
	if r.state.StopNowBy != "" {
		r.endWork()
	}
	r.wake()
}

// wake lets whoever waits between nodes look again.
func (r *run) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// Judge tells whether a run in this state, by a plan of this version (Plan.Version), obeys a control, and gives node and
// update the names that the plan has for them. It changes nothing else, so that a screen asks it before the run is asked.
// What it does not obey is a *RefusedError.
func (s *State) Judge(version int, c *Control) error {
	no := func(why, advice string) error { return &RefusedError{Verb: c.Verb, Why: why, Advice: advice} }
	switch c.Verb {
	case VerbPause, VerbResume, VerbStop, VerbCredential:
		return nil
	case VerbStopNow:
		if !strings.EqualFold(strings.TrimSpace(c.Typed), s.Cluster) {
			return no(fmt.Sprintf("%q is not the name of the cluster.", c.Typed), "It leaves a node as it is, so that the cluster's name must be typed: "+s.Cluster+".")
		}
		return nil
	case VerbHold, VerbRelease, VerbSkip, VerbRetry, VerbTake, VerbGiveBack, VerbMark, VerbFollowUps:
	default:
		return no(fmt.Sprintf("%q is not a verb.", string(c.Verb)), "")
	}
	n := s.named(c.Node)
	if n == nil {
		return no(fmt.Sprintf("%q is not a node of this run.", c.Node), "Its nodes are "+strings.Join(s.nodeNames(), ", ")+".")
	}
	c.Node = n.Name
	switch {
	case version < 3:
		return no("The run was planned by an older version, which does not know what is asked of a node.", "Pause or stop the whole run instead: cau pause, cau stop.")
	case c.Verb == VerbRetry && s.NoMoreNodes != nil:
		return no(s.NoMoreNodes.Message, "Make a new plan for what is left.")
	case s.StopAsked && c.Verb != VerbTake && c.Verb != VerbRelease:
		return no("The run is stopping.", "Make a new plan for what is left.")
	}
	switch c.Verb { //nolint:exhaustive // those about the run are answered above
	case VerbHold:
		return s.judgeWaiting(n, no, n.HeldBackBy != "")
	case VerbSkip:
		return s.judgeWaiting(n, no, n.SkippedBy != "")
	case VerbTake:
		return judgeTake(n, no)
	case VerbRetry:
		return s.judgeRetry(n, no)
	case VerbMark:
		return judgeMark(n, c, no)
	case VerbFollowUps:
		return judgeFollowUps(n, no)
	}
	return nil // to release or give back what is not held or taken changes nothing
}

type refusing func(why, advice string) error

// judgeWaiting is for verbs that keep a node from being begun.
func (s *State) judgeWaiting(n *NodeRun, no refusing, already bool) error {
	switch {
	case already, n.Status == NodeWaiting:
		return nil
	case n.Status.Ended():
		return no(fmt.Sprintf("The run is done with %s: %s.", n.Name, n.Status), "")
	}
	return no(fmt.Sprintf("%s is under way (%s).", n.Name, n.Phase),
		fmt.Sprintf("Let it be finished, and the run wait after it: cau pause %s. Or take it over by hand: cau take %s %s.", s.Run, s.Run, n.Name))
}

func judgeTake(n *NodeRun, no refusing) error {
	switch {
	case n.returning():
		return no(n.Name+" has returned late and is being brought back into service.", "Wait until that is done.")
	case n.Status.Ended():
		return no(fmt.Sprintf("The run is done with %s: %s. It does nothing more there.", n.Name, n.Status), "")
	}
	return nil
}

// judgeRetry refuses what would touch a node where something may still run, or whose state nobody knows.
func (s *State) judgeRetry(n *NodeRun, no refusing) error {
	if !n.Status.Ended() {
		if n.Attempt > 1 {
			return nil // asked twice
		}
		return no(fmt.Sprintf("%s has not ended: %s, %s.", n.Name, n.Status, n.Phase), "")
	}
	switch n.Status { //nolint:exhaustive // the others can be tried again
	case NodeSucceeded, NodeUpToDate:
		return no(fmt.Sprintf("%s ended as %s; there is nothing to try again.", n.Name, n.Status), "")
	case NodeCanceled:
		if n.NotTaken != "" {
			return no(n.Name+" is left out of this run. "+n.NotTaken, "Make a new plan for it.")
		}
	}
	switch u := n.runsOn(); {
	case n.returning():
		return no(n.Name+" has returned late and is being brought back into service.", "Wait until that is done.")
	case n.scriptRunsOn():
		return no("A script may still run on "+n.Name+".", "See whether it ended; its late end is journalled.")
	case u != nil && n.Watched:
		return no(fmt.Sprintf("The installer of %s still runs on %s.", u.Name, n.Name), "Wait for its end, which is journalled, or see it with cau job list.")
	case n.mayReturn() && n.Watched:
		return no(n.Name+" may still come back from its restart and is watched.", "When it is back it is finished by itself; look at its console.")
	}
	if u := n.unknownUpdate(); u != nil {
		return no(fmt.Sprintf("Nobody knows how %s ended on %s.", u.Name, n.Name),
			fmt.Sprintf("See on the node how it ended, then: cau mark %s %s %s installed|not-applicable|failed.", s.Run, n.Name, u.ID))
	}
	return nil
}

// judgeMark finds the update by its id or, where only one has it, by its name.
func judgeMark(n *NodeRun, c *Control, no refusing) error {
	u := n.Update(c.Update)
	if u == nil {
		var found []*UpdateRun
		for i := range n.Updates {
			if strings.EqualFold(n.Updates[i].Name, c.Update) {
				found = append(found, &n.Updates[i])
			}
		}
		switch len(found) {
		case 0:
			return no(fmt.Sprintf("%q is not an update of %s.", c.Update, n.Name), "cau status lists its updates; cau status --json their ids.")
		case 1:
			u = found[0]
		default:
			return no(fmt.Sprintf("%s has several updates of the name %q.", n.Name, c.Update), "Name it by its id: "+found[0].ID+" or "+found[1].ID+".")
		}
	}
	c.Update = u.ID
	switch c.Outcome {
	case plugins.Installed, plugins.NotApplicable, plugins.UpdateFailed:
	default:
		return no(fmt.Sprintf("%q is no outcome that can be marked.", string(c.Outcome)), "installed, not-applicable or failed.")
	}
	switch {
	case u.MarkedBy != "" && u.Outcome == c.Outcome:
		return nil // asked twice
	case !u.Unknown():
		return no(fmt.Sprintf("How %s ended on %s is known: %s.", u.Name, n.Name, orElse(string(u.Outcome), "not yet begun or not ended")), "")
	case n.Status != NodeHeld:
		return no(n.Name+" is not held yet.", "Ask again in a moment.")
	case u.RunsOn && n.Watched:
		return no(fmt.Sprintf("The installer of %s still runs on %s and is watched.", u.Name, n.Name), "Wait for its end, which is journalled.")
	}
	return nil
}

func judgeFollowUps(n *NodeRun, no refusing) error {
	if len(n.Asked) == 0 {
		return no("Nothing beyond the plan is being asked about on "+n.Name+".", "")
	}
	return nil
}

// named finds a node by its name, whatever its case.
func (s *State) named(name string) *NodeRun {
	for i := range s.Nodes {
		if strings.EqualFold(s.Nodes[i].Name, name) {
			return &s.Nodes[i]
		}
	}
	return nil
}

func (s *State) nodeNames() []string {
	out := make([]string, 0, len(s.Nodes))
	for i := range s.Nodes {
		out = append(out, s.Nodes[i].Name)
	}
	return out
}
