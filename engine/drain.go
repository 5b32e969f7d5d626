package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
)

const (
	// drainPoll is how often the cluster is asked how far the drain is.
	drainPoll = 2 * time.Second
	// pauseLimit is how often a pause is asked for while others undo or refuse it.
	pauseLimit = 3
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

// drain pauses the node through its peers and waits until nothing is owned there. After a crash it finds
// the node paused by this run and does not pause it again.
func (r *run) drain(ctx context.Context, np NodePlan) error {
	timeout := time.Duration(r.Plan.Options.DrainTimeoutMinutes) * time.Minute
	d := &drainWatch{run: r, node: np.Name}
	err := r.persist(ctx, drainPoll, timeout, func() error { return d.poll(ctx) })
	var foreign *foreignError
	switch {
	case err == nil:
		return r.record(Fact{Kind: FactDrainDone, Node: np.Name})
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &foreign):
		return r.undoAndHold(ctx, np, foreign)
	}
	var notYet *notYetError
	if errors.As(err, &notYet) {
		err = fmt.Errorf("not done after %s: %w", timeout, err)
	}
	return r.fail(np, LeaveUndone, causeOfStep("drain", np.Name, err, d.hint()))
}

type drainWatch struct {
	*run
	node string
	// pauses counts what was asked; looked tells whether the lock was looked at since.
	pauses int
	looked bool
	// left is what the last look found on the paused node; resumed tells that somebody keeps resuming it.
	left    []string
	resumed bool
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
	// The lock is looked at right before the pause and right after it (R12).
	if m.State == NodeUp {
		if blocking := d.foreign(ctx); blocking != nil {
			return &finalError{&foreignError{blocking: blocking, untouched: d.pauses == 0}}
		}
	}
	if m.State == NodeUp || (m.State == NodePaused && m.DrainStatus == DrainNotInitiated) {
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
		d.left = v.ownedBy(d.node)
	}
	return drained(&v, m)
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

func (d *drainWatch) pause(ctx context.Context) error {
	if d.pauses >= pauseLimit {
		d.resumed = true
		return &finalError{fmt.Errorf("the pause was asked for %d times and somebody resumed the node each time", d.pauses)}
	}
	err := d.Cluster.Pause(ctx, d.node)
	switch code := win32Code(err); {
	case err == nil, code == codePaused, code == codeDrainInProgress:
		d.pauses++
		return nil
	case code == codeSpaceDegraded:
		if e := d.Clock.Sleep(ctx, gatePoll); e != nil {
			return e
		}
	case code != 0:
		if d.pauses++; d.pauses >= pauseLimit {
			return &finalError{err}
		}
	}
	return err
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
// alone says nothing: a node is paused first, so that it takes nothing new, and drained then (Suspend-ClusterNode).
func drained(v *ClusterView, m *MemberView) error {
	owned := v.ownedBy(m.Name)
	switch {
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
	if err := r.resumeNode(ctx, np.Name, FailbackNone); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return r.leavePaused(np, NodeFailed, causeOf("undo the pause", np.Name, err))
	}
	return r.record(Fact{Kind: FactUndoDone, Node: np.Name})
}

// leaveUndone ends a node that failed before anything was installed (R22).
func (r *run) leaveUndone(ctx context.Context, np NodePlan, nr NodeRun) error {
	if !nr.PausedByUs {
		return r.end(ctx, np, nr)
	}
	if left, err := r.leaveMaintenance(ctx, np); err != nil || !left {
		return err
	}
	return r.undo(ctx, np)
}
