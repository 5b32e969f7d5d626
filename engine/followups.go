package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// What the run installs can make further updates applicable. They are not in the preview, and FollowUps decides about
// them (R08). They are looked for when nothing is pending any more, on a node that is still out of service.

const (
	// passLimit is how many passes a node gets, the plan's own counted. What is found after that is left.
	passLimit = 5
	// answerPatience is how long a run with nothing else to do waits for answers about follow-ups.
	answerPatience = 4 * time.Hour
)

// updatesOf are the updates of the plan's own pass and then those of further passes, in the order in which they install.
func updatesOf(np NodePlan, nr NodeRun) []plugins.Update {
	out := make([]plugins.Update, 0, len(np.Updates)+len(nr.FollowUps))
	for _, u := range np.Updates {
		if run := nr.Update(u.ID); run == nil || run.Pass == 0 {
			out = append(out, u)
		}
	}
	return append(out, nr.FollowUps...)
}

// findUpdate finds an update that the node gets, by its id; nil when it does not.
func findUpdate(np NodePlan, nr NodeRun, id string) *plugins.Update {
	all := updatesOf(np, nr)
	i := slices.IndexFunc(all, func(u plugins.Update) bool { return u.ID == id })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// ownUpdates are the node's updates of one plug-in.
func (p *Plan) ownUpdates(place int, np NodePlan, nr NodeRun) []plugins.Update {
	return slices.DeleteFunc(updatesOf(np, nr), func(u plugins.Update) bool { return p.place(u) != place })
}

// inPass tells what is done in a further pass from the same thing done before: it is another job (R26).
func inPass(what string, pass int) string {
	if pass < 2 {
		return what
	}
	return fmt.Sprintf("%s-f%d", what, pass)
}

// updateJob is the job of an update in the pass that it is in.
func (r *run) updateJob(nr NodeRun, id string) string {
	pass := 0
	if u := nr.Update(id); u != nil {
		pass = u.Pass
	}
	return jobID(r.Plan.Run, nr.Name, inPass(id, pass), nr.Attempt)
}

// lookBeyond asks what became applicable and acts as FollowUps says. It returns true when rescanning is not over with that:
// a further pass was begun, or the node has failed. A stopped run begins none (R29).
func (r *run) lookBeyond(ctx context.Context, np NodePlan, nr NodeRun) (bool, error) {
	if r.stopAsked() {
		return false, nil
	}
	found, err := r.offers(ctx, np, nr)
	var loop *loopError
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &loop):
		return true, r.failForGood(np, nr.leaveNow(), loopGuardEnded, loop.cause)
	case err != nil:
		// What was planned is done: that more could not be looked for is a remark.
		cause := causeOf("look for follow-ups", np.Name, err)
		return false, r.record(Fact{Kind: FactFollowUpsLeft, Node: np.Name, Data: FactData{Message: "It is not known whether anything became applicable.", Cause: cause}})
	case len(found) == 0:
		return false, nil
	}
	next := max(nr.Pass, 1) + 1
	switch how := r.Plan.Options.FollowUps; {
	case how == FollowUpsAsk:
		return false, r.record(Fact{Kind: FactFollowUpsAsked, Node: np.Name, Data: FactData{Updates: found, Message: "Not in the preview: " + namesOf(found) + ". Install or leave with: cau follow-ups " + r.Plan.Run + " " + np.Name + " install|leave."}})
	case how != FollowUpsSameRun:
		return false, r.leaveFollowUps(np, found, "FollowUps is "+string(FollowUpsPlannedOnly)+".")
	case next > passLimit:
		return false, r.leaveFollowUps(np, found, fmt.Sprintf("A run makes %d passes on a node at most.", passLimit))
	}
	if c := r.shortFor(np.Name, found); c != nil {
		return false, r.leaveFollowUps(np, found, c.Evidence) // R05: nothing more is begun
	}
	return true, r.beginPass(np, found, next)
}

// loopError: what succeeded is offered again (R21).
type loopError struct{ cause *fault.Cause }

func (e *loopError) Error() string { return e.cause.Message }

// offers are what the plug-ins would install on the node beyond what is done, in their order. What failed there is no
// follow-up, and a plug-in whose updates are skipped is not asked.
func (r *run) offers(ctx context.Context, np NodePlan, nr NodeRun) ([]plugins.Update, error) {
	var found []plugins.Update
	for place, pp := range r.Plan.Instances() {
		plugin, _ := r.pluginAt(place)
		asked, ok := plugin.(plugins.FollowUper)
		if !ok || r.skips(place, np, nr) {
			continue
		}
		req := plugins.FollowUpRequest{
			Run: r.Plan.Run, JobID: jobID(r.Plan.Run, np.Name, inPass(idMark(place)+"look", max(nr.Pass, 1)+1), nr.Attempt), Source: pp.Source, Arguments: pp.Arguments,
			Updates: r.Plan.ownUpdates(place, np, nr), Done: nr.done(),
		}
		var offered []plugins.Update
		err := r.persist(ctx, contactPoll, contactPatience, func() error {
			var err error
			if offered, err = asked.FollowUps(ctx, r.Nodes(np.Name), req); err != nil {
				r.Nodes(np.Name).Reconnect()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, u := range offered {
			u = pp.own(place, u)
			run := nr.Update(u.ID)
			switch known := findUpdate(np, nr, u.ID); {
			case slices.ContainsFunc(found, func(have plugins.Update) bool { return have.ID == u.ID }):
			case run == nil && (!updateID.MatchString(u.ID) || u.Name == ""):
				return nil, &fault.Error{Op: "look for follow-ups", Node: np.Name, Err: fmt.Errorf("the plug-in %s offers an update without a name, or with the id %q, which is not of [a-z0-9-], 1 to %d characters", pp.Instance, u.ID, maxUpdateID)}
			case run == nil:
				found = append(found, u)
			case succeeded(run.Outcome):
				return nil, &loopError{offeredAgain(np.Name, *known, run.Outcome)}
			case run.Outcome == plugins.NotApplicable:
				// It is what was pinned, whatever the plug-in makes of it (R08).
				found = append(found, *known)
			}
		}
	}
	return found, nil
}

// done is how updates ended on the node, in that order.
func (n *NodeRun) done() []plugins.Done {
	type end struct {
		at time.Time
		plugins.Done
	}
	var ends []end
	for i := range n.Updates {
		u := &n.Updates[i]
		for _, e := range u.Earlier {
			ends = append(ends, end{e.Ended, plugins.Done{Update: u.ID, Outcome: e.Outcome}})
		}
		if u.Outcome != "" {
			ends = append(ends, end{u.Ended, plugins.Done{Update: u.ID, Outcome: u.Outcome}})
		}
	}
	slices.SortStableFunc(ends, func(a, b end) int { return a.at.Compare(b.at) })
	out := make([]plugins.Done, 0, len(ends))
	for _, e := range ends {
		out = append(out, e.Done)
	}
	return out
}

func (r *run) leaveFollowUps(np NodePlan, updates []plugins.Update, reason string) error {
	return r.record(Fact{Kind: FactFollowUpsLeft, Node: np.Name, Data: FactData{Updates: updates, Message: reason}})
}

func (r *run) beginPass(np NodePlan, updates []plugins.Update, pass int) error {
	return r.record(Fact{Kind: FactFollowUpsFound, Node: np.Name, Data: FactData{Updates: updates, Pass: pass}})
}

func namesOf(updates []plugins.Update) string {
	names := make([]string, 0, len(updates))
	for _, u := range updates {
		names = append(names, u.Name)
	}
	return firstOf(names)
}

// answer takes down what is to be done with follow-ups that were asked about, once. The caller holds mu.
func (r *run) answer(c Control) error {
	nr := r.state.Node(c.Node)
	if c.Install && nr.TakeAgain {
		return nil
	}
	data := FactData{By: c.By, Verb: c.Verb, Install: c.Install}
	if !c.Install {
		data.Message = "Left by " + c.By + "."
	}
	return r.recordLocked(Fact{Kind: FactFollowUpsAnswered, Node: nr.Name, Data: data})
}

// takeFollowUps takes nodes once more whose follow-ups were answered with yes, and waits, for a bounded time, for answers
// that are still missing. A node does not stay out of service for a question: it was finished without them. It returns
// true when a node waits for its turn meanwhile.
func (r *run) takeFollowUps(ctx context.Context) (bool, error) {
	for {
		if next, held := r.nextToTake(); next != nil || len(held) > 0 {
			return true, nil
		}
		np, open, err := r.nextAnswered()
		switch {
		case err != nil:
			return false, err
		case np != nil:
			nr := r.node(np.Name)
			if err := r.beginPass(*np, nr.Asked, max(nr.Pass, 1)+1); err != nil {
				return false, err
			}
			if err := r.take(ctx, *np); err != nil {
				return false, err
			}
			if err := r.beginWatches(ctx); err != nil {
				return false, err
			}
			continue
		case len(open) == 0:
			return false, nil
		}
		if over, err := r.awaitAnswers(ctx, open); over || err != nil {
			return false, err
		}
	}
}

// nextAnswered is the next node to take once more, or else those with open questions. A question about a node that cannot
// be taken, or when no node is begun any more, is over.
func (r *run) nextAnswered() (*NodePlan, []string, error) {
	var open []string
	for i := range r.Plan.Nodes {
		np := &r.Plan.Nodes[i]
		nr := r.node(np.Name)
		var reason string
		switch {
		case len(nr.Asked) == 0:
			continue
		case r.stopAsked():
			reason = "The run was asked to stop."
		case r.overBudget():
			reason = "More nodes failed than may."
		case !nr.Status.Ended():
			continue // a stop or a failure elsewhere came in between
		case nr.PausedByUs || nr.Leave != "" || nr.scriptRunsOn() || nr.runsOn() != nil:
			reason = np.Name + " ended " + string(nr.Status) + "."
		case r.leftPaused() != "":
			reason = r.leftPaused() + " stays out of service, and no other node is taken meanwhile."
		case max(nr.Pass, 1) >= passLimit:
			reason = fmt.Sprintf("A run makes %d passes on a node at most.", passLimit)
		case nr.TakeAgain:
			return np, nil, nil
		default:
			open = append(open, np.Name)
			continue
		}
		if err := r.leaveFollowUps(*np, nr.Asked, reason); err != nil {
			return nil, nil, err
		}
	}
	return nil, open, nil
}

// leftPaused names a node that ended paused, empty where there is none.
func (r *run) leftPaused() string {
	for _, np := range r.Plan.Nodes {
		if nr := r.node(np.Name); nr.Status.Ended() && nr.PausedByUs {
			return np.Name
		}
	}
	return ""
}

// awaitAnswers waits until somebody says something, and returns true when the time for that is over.
func (r *run) awaitAnswers(ctx context.Context, open []string) (bool, error) {
	r.mu.Lock()
	since := r.state.AskingSince
	r.mu.Unlock()
	if since.IsZero() {
		since = r.now()
		until := since.Add(answerPatience).Format(timeOfDay)
		message := fmt.Sprintf("Nothing is left to do but what became applicable on %s. Install or leave it with: cau follow-ups %s NODE install|leave. At %s it is left and the run ends.", firstOf(open), r.Plan.Run, until)
		if err := r.record(Fact{Kind: FactRunAsking, Data: FactData{Message: message}}); err != nil {
			return false, err
		}
	}
	left := answerPatience - wall(since, r.Clock.Now())
	if left <= 0 {
		for _, name := range open {
			if err := r.leaveFollowUps(NodePlan{Name: name}, r.node(name).Asked, fmt.Sprintf("Nobody answered within %d hours.", int(answerPatience.Hours()))); err != nil {
				return false, err
			}
		}
		return true, nil
	}
	return false, r.sleepOrWake(ctx, min(left, gatePoll))
}

// beyondPlan is the name of an update that the plan does not hold, empty for one that it does: then whoever reads the
// journal finds the name there.
func beyondPlan(np NodePlan, u plugins.Update) string {
	if slices.ContainsFunc(np.Updates, func(have plugins.Update) bool { return have.ID == u.ID }) {
		return ""
	}
	return u.Name
}
