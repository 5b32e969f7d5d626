package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
)

const (
	restartPoll = 5 * time.Second
	// stableFor is how long a restarted node must be ready without a break (R21).
	stableFor = 60 * time.Second
	// restartLimit is how many restarts the run asks for on one node (R21).
	restartLimit = 2
	// spontaneousLimit is how often a node may restart by itself while its restart is being proven.
	spontaneousLimit = 3
	// askAgain is the pause between two requests when the first came back with an error.
	askAgain = time.Minute
)

// askRestart records the intent to restart; prove acts on it. No restart without a completed drain (R15),
// and none while another node is out of service or the cluster would lose quorum: that is waited for (R14).
func (r *run) askRestart(ctx context.Context, np NodePlan, nr NodeRun) error {
	said := ""
	wait := r.patience(settlePatience)
	for {
		err := r.persist(ctx, contactPoll, contactPatience, func() error { return r.mayRestart(ctx, np.Name) })
		var closed *closedError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &closed) && !wait.over(r.Clock.Now()):
			if message := "Before the restart of " + np.Name + ": " + closed.Error(); message != said {
				said = message
				if err := r.record(Fact{Kind: FactGateWaiting, Node: np.Name, Data: FactData{Message: message, Checks: closed.blocking}}); err != nil {
					return err
				}
			}
			if err := r.Clock.Sleep(ctx, gatePoll); err != nil {
				return err
			}
			continue
		case err != nil:
			return r.leaveUnrestarted(np, err)
		}
		break
	}
	boot, read := nr.Boot, nr.BootRead
	if boot == "" {
		b, err := r.boot(ctx, np.Name)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return r.leaveUnrestarted(np, err)
		}
		boot, read = b.Identity, r.now()
	}
	return r.record(Fact{Kind: FactRestartIntent, Node: np.Name, Data: FactData{Boot: boot, BootRead: read}})
}

// restartDue tells whether the node is to restart now: something asks for it, or the options do, for every node on which
// something was done.
func (r *run) restartDue(np NodePlan, nr NodeRun) bool {
	if np.RestartOnly && !nr.restartedNow() {
		return true
	}
	always := r.Plan.Options.ForcePauseDrainAndReboot && nr.Restarts == 0 && nr.begun()
	return nr.RestartDue || always
}

// restartedMeanwhile tells whether a node that is taken only for its pending restart has none any more, before anything
// was done on it. A node that does not say is taken: what was asked for is done.
func (r *run) restartedMeanwhile(ctx context.Context, node string) bool {
	if nr := r.node(node); nr.PreScript != nil || nr.Attempt > 1 {
		return false
	}
	p := ask(ctx, func() (PendingView, error) { return r.Nodes(node).PendingRestart(ctx) })
	return p.Known && !p.Value.Pending()
}

// restartedNow tells whether the present attempt has restarted the node.
func (n *NodeRun) restartedNow() bool {
	if len(n.Earlier) == 0 {
		return n.Restarts > 0
	}
	return n.Restarts > n.Earlier[len(n.Earlier)-1].Restarts
}

// begun tells whether an installer was started on the node.
func (n *NodeRun) begun() bool {
	return slices.ContainsFunc(n.Updates, func(u UpdateRun) bool { return !u.Started.IsZero() })
}

// leaveUnrestarted holds a node that needs a restart and must not, or cannot, be asked for it.
func (r *run) leaveUnrestarted(np NodePlan, err error) error {
	if asked := (*fault.Error)(nil); !errors.As(err, &asked) {
		err = fmt.Errorf("a restart is due, but %w", err)
	}
	return r.leavePaused(np, NodeHeld, causeOfStep("restart", np.Name, err, restartDueHint(np.Name)))
}

func restartDueHint(node string) string {
	return fmt.Sprintf("The restart is still due: drain %s, restart it by hand, then resume it with Resume-ClusterNode.", node)
}

// closedError: the node is drained, and the rest of the cluster cannot spare it for a restart now.
type closedError struct{ blocking []check.Result }

func (e *closedError) Error() string { return e.blocking[0].Evidence }

// mayRestart looks once whether the node may be restarted now, as its peers see it and themselves.
func (r *run) mayRestart(ctx context.Context, name string) error {
	if err := r.renewLease(ctx); err != nil {
		return err
	}
	v, err := r.Cluster.Describe(ctx, name)
	if err != nil {
		return err
	}
	var notYet *notYetError
	switch err := stillDrained(&v, name, r.Plan.Options.drainMode()); {
	case errors.As(err, &notYet):
		return nil // it is going down by itself; prove finds out
	case err != nil:
		return err
	}
	others := check.Result{ID: checkNodesUp, Outcome: check.Pass}
	if away := v.notInService(name); len(away) > 0 {
		others.Outcome, others.Evidence = check.Fail, strings.Join(away, ", ")+"; "+name+" is not restarted meanwhile."
		others.Remedy = "Bring the nodes up and resume paused ones."
	}
	quorum, err := r.quorum(ctx, Observation{Cluster: AnswerOf(v, nil)}, name)
	if errors.Is(err, ErrCredential) {
		return err
	}
	if blocking := check.Gate([]check.Result{others, quorum}, r.Plan.Accepted); len(blocking) > 0 {
		return &finalError{&closedError{blocking}}
	}
	return nil
}

// stillDrained is final when the node carries roles again or may get some: somebody resumed it meanwhile. Where the plan
// says that nothing is moved, roles on a node that is still paused are no objection (R15).
func stillDrained(v *ClusterView, name string, mode DrainMode) error {
	m := v.Member(name)
	if m == nil {
		return &finalError{errors.New("it is not a node of the cluster any more")}
	}
	owned := v.ownedBy(name)
	switch {
	case len(owned) > 0 && (mode != DrainNone || m.State != NodePaused):
		return &finalError{fmt.Errorf("the node is not drained any more; it has %s", strings.Join(owned, ", "))}
	// A drain that was proven and is not known any more after a restart is no objection; one that goes on is.
	case m.State == NodeUp, m.State == NodePaused && (m.DrainStatus == DrainInProgress || m.DrainStatus == DrainFailed):
		return &finalError{fmt.Errorf("the node is not drained any more; its peers see it %s", m.State)}
	case m.State != NodePaused:
		return &notYetError{"its peers see it " + m.State.String()}
	}
	return nil
}

// restartWatch proves one restart: the boot identity changed, the node is ready, and stays so (R21).
type restartWatch struct {
	*run
	np NodePlan
	// from is the identity that must change; it was read at sampled, when so much of wait was spent.
	from    string
	sampled time.Time
	spent   time.Duration
	// seen is the new identity, restarts how many there were, stable for how long the node is ready.
	seen     string
	restarts int
	stable   unbroken
	wait     *patience
	// unasked: the node restarts by its installer's doing, in service, and nothing is asked of it.
	unasked bool
	// late: the node was left already, and is only looked at (R22).
	late bool
	// answers: the node answered the last look.
	answers bool
	// closed: the restart was not asked for, because the rest of the cluster cannot spare the node.
	closed bool
	// asked is when the restart was last asked for here; askErr what came back first when it failed.
	asked  time.Time
	askErr error
	// why is what is missing now, or the first error of an unbroken series.
	why      error
	inSeries bool
}

func (r *run) prove(ctx context.Context, np NodePlan, nr NodeRun) error {
	timeout := time.Duration(r.Plan.Options.RebootTimeoutMinutes) * time.Minute
	w := &restartWatch{run: r, np: np, from: nr.RestartFrom, sampled: nr.BootRead, wait: r.patience(timeout), unasked: nr.inService()}
	for {
		proven, err := w.poll(ctx)
		var final *finalError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.brokenErr() != nil:
			return r.brokenErr()
		case errors.As(err, &final):
			return r.leaveUnrestarted(np, final.err)
		case proven:
			return r.record(Fact{Kind: FactRestartProven, Node: np.Name, Data: FactData{Boot: w.seen, BootRead: r.now()}})
		}
		w.keep(err)
		r.excuse(w.wait, err)
		if w.restarts > spontaneousLimit {
			return w.leaveUnproven(fmt.Errorf("the node restarted %d times by itself", w.restarts-1), false)
		}
		if w.wait.over(r.Clock.Now()) {
			if w.closed {
				return r.leaveUnrestarted(np, w.cause())
			}
			if w.unasked && w.seen == "" && w.answers {
				why := fmt.Errorf("its installer said that it restarts the node, and after %s it did not", timeout)
				return r.holdNode(np, nr, causeOfStep("restart", np.Name, why, restartDueHint(np.Name)))
			}
			why := w.cause()
			if !w.answers && why != nil {
				why = r.lostContact(ctx, np.Name, why)
			}
			return w.leaveUnproven(fmt.Errorf("not proven after %s: %w", timeout, why), true)
		}
		if err := r.Clock.Sleep(ctx, restartPoll); err != nil {
			return err
		}
	}
}

// leaveUnproven leaves a node paused whose restart was asked for and is not proven (R22).
// One that was only too slow may return by itself.
func (w *restartWatch) leaveUnproven(err error, mayReturn bool) error {
	look := "Look at its console, and restart it by hand if it did not restart."
	if w.seen != "" {
		look = "It did restart: look at its System event log."
	}
	hint := fmt.Sprintf("%s %s stays paused and its roles stay where they are; once it is healthy, resume it with Resume-ClusterNode.", look, w.np.Name)
	if w.unasked {
		hint = look
	}
	end := w.pausedEnd(w.np, NodeFailed, causeOfStep("restart", w.np.Name, err, hint))
	end.Data.MayReturn = mayReturn
	return w.record(end)
}

// poll looks once. Errors are expected while the node is down.
func (w *restartWatch) poll(ctx context.Context) (bool, error) {
	node := w.Nodes(w.np.Name)
	b, err := node.Boot(ctx)
	w.closed = false
	w.answers = err == nil
	if err != nil {
		w.stable.broken()
		node.Reconnect()
		return false, err
	}
	if b.Identity == w.from {
		w.stable.broken()
		if w.late || w.unasked {
			return false, &notYetError{"the node did not restart"}
		}
		return false, w.ask(ctx, node)
	}
	if w.seen == "" && w.wasUp(b.Uptime) {
		// The identity is a wall-clock time and moves when the clock is set; a node that was up all the
		// while did not restart (Win32_OperatingSystem, LastBootUpTime).
		w.from, w.sampled, w.spent, w.asked = b.Identity, w.now(), w.wait.spent, time.Time{}
		if w.late {
			return false, &notYetError{"the node did not restart"}
		}
		return false, w.record(Fact{Kind: FactRestartIntent, Node: w.np.Name, Data: FactData{Boot: w.from, BootRead: w.sampled, Message: "The node's clock was set; it did not restart."}})
	}
	if b.Identity != w.seen {
		if w.seen != "" {
			// Cumulative updates may restart a second time: everything is proven anew.
			if err := w.record(Fact{Kind: FactRestartAgain, Node: w.np.Name, Data: FactData{Boot: b.Identity}}); err != nil {
				return false, err
			}
			w.wait = w.patience(w.wait.limit)
		}
		w.seen = b.Identity
		w.stable.broken()
		w.restarts++
	}
	if err := w.ready(ctx, b); err != nil {
		w.stable.broken()
		return false, err
	}
	if w.stable.seen(w.Clock.Now()) < stableFor {
		return false, &notYetError{"it is ready, but not yet for " + stableFor.String()}
	}
	return true, nil
}

// wasUp tells whether a node that is up for so long did not restart since its identity was sampled. How long
// ago that was is what the wall clock says, unless that was set back: then it is at least what was waited here.
// A clock that runs before the sample says nothing, and the identity is believed.
func (w *restartWatch) wasUp(uptime time.Duration) bool {
	ago := max(w.now().Sub(w.sampled), w.wait.spent-w.spent)
	return !w.sampled.IsZero() && !w.now().Before(w.sampled.Add(-overslept)) && uptime >= ago
}

// ask requests the restart once, and again only when the request itself came back with an error. Right
// before it the node is looked at as its peers see it (R15).
func (w *restartWatch) ask(ctx context.Context, node Node) error {
	if !w.asked.IsZero() && (w.askErr == nil || w.now().Sub(w.asked) < askAgain) {
		return &notYetError{"the node did not go down yet"}
	}
	if err := w.mayRestart(ctx, w.np.Name); err != nil {
		var closed *closedError
		if w.closed = errors.As(err, &closed); w.closed {
			return &notYetError{closed.Error()}
		}
		return err
	}
	w.asked = w.now()
	err := node.Restart(ctx, w.from, "Updating run "+w.Plan.Run)
	if err != nil && w.askErr == nil {
		w.askErr = err
	} else if err == nil {
		w.askErr = nil
	}
	node.Reconnect()
	if err == nil {
		err = &notYetError{"the node did not go down yet"}
	}
	return err
}

func (w *restartWatch) ready(ctx context.Context, b BootView) error {
	switch {
	case !b.LogonReady:
		return &notYetError{"boot-time servicing is not over"}
	case b.ServicingBusy:
		return &notYetError{"component servicing works"}
	case !b.ClusterService:
		return &notYetError{"the Cluster service does not run"}
	}
	v, err := w.Cluster.Describe(ctx, w.np.Name)
	if err != nil {
		return err
	}
	m := v.Member(w.np.Name)
	if m == nil || (m.State != NodeUp && m.State != NodePaused) {
		return &notYetError{"its peers do not see it Up or Paused"}
	}
	return nil
}

// keep remembers what is missing, or the first error of an unbroken series (R30).
func (w *restartWatch) keep(err error) {
	var notYet *notYetError
	switch {
	case errors.As(err, &notYet):
		w.why, w.inSeries = err, false
	case !w.inSeries:
		w.why, w.inSeries = err, true
	}
}

// cause is why the restart is not proven: a request that was refused comes before all else.
func (w *restartWatch) cause() error {
	if w.seen == "" && w.askErr != nil {
		return w.askErr
	}
	return w.why
}
