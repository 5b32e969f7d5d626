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
	"cau/plugins"
)

const (
	// drainPoll is how often the cluster is asked how far the drain is.
	drainPoll = 2 * time.Second
	// adoptLooks is how often a node that an earlier coordinator may have paused is looked at before a pause
	// without a drain counts as somebody else's: ours always drains.
	adoptLooks = 5
)

// What MSCluster_Node.Pause answers (winerror.h): two codes mean that there is nothing to do, and degraded
// storage is waited for, as Invoke-CauRun does (its SuspendClusterNodeTimeoutMinutes).
const (
	codePaused          fault.Code = 5070
	codeDrainInProgress fault.Code = 5962
	codeSpaceDegraded   fault.Code = 5987
)

// Group states (CLUSTER_GROUP_STATE, clusapi.h).
const (
	groupOnline  = 0
	groupOffline = 1
	groupFailed  = 2
	groupPending = 4
)

// foreignError: another updating run appeared around the pause (R12).
type foreignError struct {
	blocking []check.Result
	// untouched: the node was not paused by us, so that there is nothing to undo.
	untouched bool
}

func (e *foreignError) Error() string { return e.blocking[0].Evidence }

// notOursError: the node is not as the gate left it, and not by our doing. It is not touched; the gate is
// looked at again, which holds the run when it stays so.
type notOursError struct{ why string }

func (e *notOursError) Error() string { return e.why }

// drain pauses the node through its peers and waits until nothing is owned there. After a crash it finds
// the node paused by this run and does not pause it again. A node that is out of service before we asked is
// somebody else's and goes back to the gate.
func (r *run) drain(ctx context.Context, np NodePlan) error {
	timeout := time.Duration(r.Plan.Options.DrainTimeoutMinutes) * time.Minute
	nr := r.node(np.Name)
	d := &drainWatch{run: r, node: np.Name, wait: r.patience(timeout), midway: nr.InService, mode: r.Plan.Options.drainMode()}
	_, decidedHere := r.entered[np.Name]
	d.adopted = !decidedHere
	err := r.persistWith(ctx, drainPoll, d.wait, func() error { return d.poll(ctx) })
	delete(r.entered, np.Name)
	var foreign *foreignError
	var notOurs *notOursError
	switch {
	case err == nil:
		return r.record(Fact{Kind: FactDrainDone, Node: np.Name, Data: FactData{Drain: forcedMode(d.mode), Roles: d.left}})
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &foreign):
		return r.undoAndHold(ctx, np, foreign)
	case errors.As(err, &notOurs):
		return r.record(Fact{Kind: FactUndoDone, Node: np.Name, Data: FactData{Message: notOurs.why}})
	}
	var notYet *notYetError
	if errors.As(err, &notYet) {
		err = fmt.Errorf("not done after %s: %w", timeout, err)
	}
	switch cause := causeOfStep("drain", np.Name, err, d.hint()); {
	case nr.Leave == LeaveHeld: // an installer may be at work there: what is left of its roles is left where it is
		return r.leavePaused(np, NodeHeld, cause)
	case nr.RestartDue:
		cause.Hint += " " + restartDueHint(np.Name)
		return r.fail(np, LeaveUndone, cause)
	default:
		return r.fail(np, LeaveUndone, cause)
	}
}

type drainWatch struct {
	*run
	node string
	mode DrainMode
	// midway: its updates are installed already, and a restart is due (install-first).
	midway bool
	// tried: a pause was asked for here, so that a paused node is paused by us. adopted: the intent is an
	// earlier coordinator's, and nobody knows whether its pause was done; adoptedLooks counts looks at that.
	tried, adopted bool
	adoptedLooks   int
	// pauses counts the pauses that were accepted, refusals those that were refused for another reason than degraded storage.
	pauses, refusals int
	// wait is the drain's own limit. degraded is how long storage has kept the pause from being accepted; nil while it has not.
	wait, degraded *patience
	// closed is since when the gate is found closed here.
	closed *patience
	// looked tells whether the lock was looked at since the pause.
	looked bool
	// left is what the last look found on the paused node, said what was last reported of it; resumed tells that
	// somebody keeps resuming it.
	left, said []string
	resumed    bool
}

// hint is what to do about a drain that failed. The pause is undone without failback (R22).
func (d *drainWatch) hint() string {
	what := "See what the cluster's events say about " + d.node
	switch {
	case d.resumed:
		what = "Find out who resumes " + d.node
	case len(d.left) > 0:
		what = "Move " + firstOf(d.left) + " off " + d.node + " by hand, or see why that does not move: its possible owners, a move that is locked, too little memory elsewhere"
	}
	return what + "; then start a new run. Every role stays where it is now."
}

// firstOf names a few and counts the rest.
func firstOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func (d *drainWatch) poll(ctx context.Context) error {
	d.left = nil
	v, err := d.Cluster.Describe(ctx, d.node)
	if err != nil {
		return err
	}
	m := v.Member(d.node)
	if m == nil {
		return &finalError{errors.New("it is not a node of the cluster any more")}
	}
	if err := d.ours(m); err != nil {
		return err
	}
	// The lock is looked at right before the pause and right after it (R12).
	if m.State == NodeUp {
		if err := d.open(ctx); err != nil {
			return err
		}
		if blocking := d.foreign(ctx); blocking != nil {
			return &finalError{&foreignError{blocking: blocking, untouched: true}}
		}
	}
	again := d.mode != DrainNone && d.tried && d.pauses < d.pauseTries() && m.State == NodePaused && m.DrainStatus == DrainNotInitiated
	if m.State == NodeUp || again {
		if err := d.pause(ctx); err != nil {
			return err
		}
		d.looked = false
	}
	if !d.looked {
		if blocking := d.foreign(ctx); blocking != nil {
			return &finalError{&foreignError{blocking: blocking}}
		}
		d.looked = true
	}
	if m.State == NodePaused {
		d.goesOn(v.ownedBy(d.node))
	}
	return drained(&v, m, d.mode)
}

// goesOn keeps what is still on the node, and says so whenever that changes.
func (d *drainWatch) goesOn(left []string) {
	if d.left = left; d.mode != DrainNone && len(left) > 0 && !slices.Equal(left, d.said) {
		d.said = left
		d.report(d.node)(plugins.Progress{Message: "drains, still there: " + strings.Join(left, ", "), Percent: -1})
	}
}

// ours tells whether the node is out of service by our own pause, as far as it is. An administrator's pause is
// never taken for ours, because we would undo it in the end: ours drains, unless the plan says that it does not.
func (d *drainWatch) ours(m *MemberView) error {
	switch {
	case m.State == NodeUp, d.tried:
		return nil
	case !d.adopted:
		return &finalError{&notOursError{"The node became " + m.State.String() + " before it was paused by this run."}}
	case d.mode == DrainNone && m.State == NodePaused && m.DrainStatus != DrainNotInitiated:
		return &finalError{&notOursError{"The node is paused and drained, and this run's pause does not drain."}}
	case d.mode == DrainNone:
	case m.State == NodePaused && m.DrainStatus == DrainNotInitiated:
		if d.adoptedLooks++; d.adoptedLooks >= adoptLooks {
			return &finalError{&notOursError{"The node is paused without a drain, which is not this run's pause."}}
		}
		return &notYetError{"the node is paused and no drain has begun"}
	}
	return nil
}

// open tells whether the node, which is in service, may be paused now. The gate that was found open here just
// before counts once; whoever comes later, after a crash, a sleep or a pause that did not hold, looks twice
// again (R14). A gate that stays closed is waited for where nothing is taken yet.
func (d *drainWatch) open(ctx context.Context) error {
	if d.pauses >= d.pauseTries() {
		d.resumed = true
		return &finalError{fmt.Errorf("the pause was asked for %d times and somebody resumed the node each time", d.pauses)}
	}
	at, ok := d.entered[d.node]
	if age := wall(at, d.Clock.Now()); ok && !d.tried && age >= 0 && age <= overslept {
		return nil
	}
	var clean unbroken
	for {
		if d.waitAsked() && !d.midway || d.taken(d.node) {
			return &finalError{&notOursError{"The node is not paused, and the run was asked to wait or to stop."}}
		}
		blocking := check.Gate(d.lookFor(ctx, d.node, d.midway), d.Plan.Accepted)
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(blocking) > 0 {
			if d.closed == nil {
				d.closed = d.patience(0)
			}
			d.closed.limit = d.patienceWith(blocking)
			if !d.tried && d.closed.limit == patienceWithoutEnd {
				return &finalError{&notOursError{"The node is not paused yet: " + blocking[0].Evidence}}
			}
			if err := d.degradedToo(blocking); err != nil {
				return err
			}
			if !d.tried && d.closed.over(d.Clock.Now()) {
				return &finalError{&notOursError{"The node is not paused, and the gate is closed: " + blocking[0].Evidence}}
			}
			return &notYetError{"it is not paused: " + blocking[0].Evidence}
		}
		if clean.seen(d.Clock.Now()) >= gatePoll {
			return nil
		}
		if err := d.Clock.Sleep(ctx, gatePoll); err != nil {
			return err
		}
	}
}

// foreign looks for a foreign run and returns what stands in the way, nil when nothing does. A question that
// fails is repeated a few times, then it counts as not verified.
func (d *drainWatch) foreign(ctx context.Context) []check.Result {
	var runs []ForeignRun
	err := d.persist(ctx, drainPoll, 5*drainPoll, func() error {
		var err error
		runs, err = d.Cluster.ForeignRuns(ctx, d.node)
		return err
	})
	return check.Gate([]check.Result{noForeignRun(Observation{Foreign: AnswerOf(runs, err)})}, d.Plan.Accepted)
}

// win32Code is the code in err as a Win32 error, whether it came as one or as HRESULT_FROM_WIN32; 0 without one.
func win32Code(err error) fault.Code {
	var e *fault.Error
	if !errors.As(err, &e) {
		return 0
	}
	if e.Code&0xffff0000 == 0x80070000 {
		return e.Code & 0xffff
	}
	return e.Code
}

// drained tells whether the node is out of service: paused, drain completed, and nothing owned. The state
// alone says nothing: a node is paused first, so that it takes nothing new, and drained then (Suspend-ClusterNode). Where
// the plan says that nothing is moved, a node that is paused is out of service with its roles (R15).
func drained(v *ClusterView, m *MemberView, mode DrainMode) error {
	owned := v.ownedBy(m.Name)
	switch {
	case mode == DrainNone && m.State == NodePaused && m.DrainStatus == DrainNotInitiated:
		return nil
	case m.State == NodePaused && m.DrainStatus == DrainFailed:
		err := errors.New("the cluster says that the drain failed")
		if len(owned) > 0 {
			err = fmt.Errorf("the cluster says that the drain failed; still there: %s", strings.Join(owned, ", "))
		}
		return &finalError{err}
	case m.State != NodePaused:
		return &notYetError{"the node is " + m.State.String() + " and not Paused"}
	case len(owned) > 0:
		return &notYetError{"still there: " + strings.Join(owned, ", ")}
	case m.DrainStatus != DrainCompleted:
		return &notYetError{"the drain goes on"}
	}
	return nil
}

// ownedBy names the groups at work on the node and the shared volumes that it owns.
func (v *ClusterView) ownedBy(node string) []string {
	var out []string
	for _, g := range v.Groups {
		if strings.EqualFold(g.Owner, node) && g.State != groupOffline && g.State != groupFailed {
			out = append(out, g.Name)
		}
	}
	for _, g := range v.SharedVolumes {
		if strings.EqualFold(g.Owner, node) {
			out = append(out, g.Name)
		}
	}
	return out
}

// undoAndHold takes the pause back and holds the run, because someone else has begun to act (R12).
func (r *run) undoAndHold(ctx context.Context, np NodePlan, foreign *foreignError) error {
	var err error
	if foreign.untouched {
		err = r.record(Fact{Kind: FactUndoDone, Node: np.Name, Data: FactData{Message: "The node was not paused."}})
	} else {
		err = r.undo(ctx, np)
	}
	if err != nil {
		return err
	}
	if r.node(np.Name).Status.Ended() {
		return nil
	}
	return r.hold(ctx, np.Name, foreign.blocking)
}

// undo resumes the node and leaves the roles where they are. A node that cannot be resumed has failed and
// stays paused.
func (r *run) undo(ctx context.Context, np NodePlan) error {
	if err := r.record(Fact{Kind: FactUndoIntent, Node: np.Name, Data: FactData{Failback: FailbackNone}}); err != nil {
		return err
	}
	r.checkpoint(ctx, np.Name)
	if err := r.resumeNode(ctx, np.Name, FailbackNone); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return r.leavePaused(np, NodeFailed, causeOf("undo the pause", np.Name, err))
	}
	return r.record(Fact{Kind: FactUndoDone, Node: np.Name})
}

// leaveUndone ends a node that failed before anything was installed (R22).
func (r *run) leaveUndone(ctx context.Context, np NodePlan) error {
	if left, err := r.leaveMaintenance(ctx, np); err != nil || !left {
		return err
	}
	return r.undo(ctx, np)
}
