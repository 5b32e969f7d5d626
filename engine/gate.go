package engine

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"cau/internal/check"
	"cau/plugins"
)

const (
	// gatePoll is the distance of the two polls that must both be clean (R14).
	gatePoll = 30 * time.Second
	// gatePatience is how long a gate may stay closed for a passing reason before the run is held: a node
	// that joins, a peer that does not answer.
	gatePatience = 5 * time.Minute
	// slowPatience is the same for what takes its time and ends: a backup, an installation of somebody else's. For storage
	// that repairs itself after a node came back WaitForStorageRepairTimeoutMinutes says it.
	slowPatience = 2 * time.Hour
	// patienceWithoutEnd is for what opens at a moment that is known.
	patienceWithoutEnd = time.Duration(math.MaxInt64)
)

// preflight looks at the cluster before anything is staged. Once a node was taken it has nothing to say:
// that node itself would be in its way.
func (r *run) preflight(ctx context.Context) error {
	for {
		if !r.untouched() {
			return nil
		}
		if r.heldNow() {
			if err := r.standStill(ctx); err != nil {
				return err
			}
		}
		if r.beginsNothing() {
			return nil
		}
		o := observeCluster(ctx, r.Cluster, "")
		results := []check.Result{noForeignRun(o), nodesUp(o, r.Plan.Options.RequireAllNodesOnline), storageHealthy(o)}
		asked := []error{o.Cluster.Err, o.Storage.Err, o.Foreign.Err}
		for _, np := range r.Plan.Nodes {
			if np.hasWork() {
				quorum, err := r.quorum(ctx, o, np.Name)
				results, asked = append(results, quorum), append(asked, err)
			}
		}
		results = slices.Insert(results, 0, r.credentialLasts(r.nextNode(), asked...))
		if err := ctx.Err(); err != nil {
			return err
		}
		blocking := check.Gate(results, r.Plan.Accepted)
		if len(blocking) == 0 {
			return nil
		}
		if err := r.hold(ctx, "", blocking); err != nil {
			return err
		}
	}
}

// untouched tells whether there is work and no node was taken yet.
func (r *run) untouched() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := false
	for i := range r.state.Nodes {
		n := &r.state.Nodes[i]
		if !n.Started.IsZero() {
			return false
		}
		waiting = waiting || n.Status == NodeWaiting
	}
	return waiting
}

func (r *run) heldNow() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Status == RunHeld
}

// enter begins the node when every condition held on two polls in a row (R14): with its pre-update script, with its
// updates where they are installed first, or by taking it out of service. When stop was asked it leaves the node where it
// is. The decision and the intent are one fact.
func (r *run) enter(ctx context.Context, np NodePlan) error {
	results, open, err := r.awaitGate(ctx, np, beginning)
	switch {
	case err != nil || !open:
		return err
	case np.RestartOnly && r.restartedMeanwhile(ctx, np.Name):
		return r.record(Fact{Kind: FactUpToDate, Node: np.Name, Data: FactData{Message: "No restart is pending there any more."}})
	case len(np.Updates) > 0 && !r.node(np.Name).Staged:
		return r.stage(ctx, np) // for another attempt, while nobody is away; then the gate is looked at again
	case r.Plan.PreScript != nil && r.node(np.Name).PreScript == nil:
		return r.beginFact(r.scriptIntent(np, plugins.PhasePre, r.Plan.PreScript, notPlain(results)))
	case r.installsFirst(np):
		return r.beginFact(Fact{Kind: FactInService, Node: np.Name, Data: FactData{Checks: notPlain(results)}})
	}
	return r.pauseIntent(ctx, np, results)
}

func (r *run) pauseIntent(ctx context.Context, np NodePlan, results []check.Result) error {
	data := r.pauseData(ctx, np.Name, results)
	if err := ctx.Err(); err != nil {
		return err
	}
	r.entered[np.Name] = r.Clock.Now()
	delete(r.maintained, np.Name) // another attempt looks anew
	f := Fact{Kind: FactPauseIntent, Node: np.Name, Data: data}
	if nr := r.node(np.Name); nr.atWork() {
		return r.record(f)
	}
	return r.beginFact(f)
}

// gateFor is what a gate is waited for.
type gateFor int

const (
	// beginning: nothing was done on the node yet; a pause or a stop of the run keeps it from being begun.
	beginning gateFor = iota
	// midway: its updates are installed and a restart is due; what was asked of the run comes after the node (R29).
	midway
	// holding: as midway, and an installer of ours may be at work on the node.
	holding
)

// awaitGate waits until every condition held on two polls in a row (R14): for what passes by itself, and with the run held
// for the rest. open is false when the run begins nothing more; midway, only when the gate stays closed then.
func (r *run) awaitGate(ctx context.Context, np NodePlan, why gateFor) (results []check.Result, open bool, err error) {
	var closed *patience
	var clean unbroken
	said := ""
	for {
		if why == beginning || r.heldNow() {
			if err := r.standStill(ctx); err != nil {
				return nil, false, err
			}
		}
		r.lookAtTime()
		switch {
		case why == beginning && !r.free(np.Name):
			return nil, false, nil
		case why != beginning && r.taken(np.Name):
			return nil, false, errInHands
		}
		results := r.lookFor(ctx, np.Name, why != beginning)
		if why == holding {
			results = slices.DeleteFunc(results, func(c check.Result) bool { return c.ID == checkUpdaters })
		}
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		// The answers took their time: what is decided now is decided by the clock as it is now.
		r.lookAtTime()
		if why == beginning && r.beginsNothing() {
			return nil, false, nil
		}
		blocking := check.Gate(results, r.Plan.Accepted)
		if len(blocking) == 0 {
			closed = nil
			if clean.seen(r.Clock.Now()) >= gatePoll {
				return results, true, nil
			}
		} else {
			clean.broken()
			if closed == nil {
				closed = r.patience(0)
			}
			if closed.limit = r.patienceWith(blocking); closed.limit == patienceWithoutEnd {
				closed = r.patience(patienceWithoutEnd) // nobody's patience is used up by what passes at a known moment
			}
			if closed.over(r.Clock.Now()) {
				if r.beginsNothing() {
					return results, false, nil // nobody is going to decide
				}
				if err := r.hold(ctx, np.Name, blocking); err != nil {
					return nil, false, err
				}
				closed, said = nil, ""
				continue
			}
			if message := "Before " + np.Name + ": " + blocking[0].Evidence; message != said {
				said = message
				if err := r.record(Fact{Kind: FactGateWaiting, Node: np.Name, Data: FactData{Message: message, Checks: blocking, Until: r.opensBy(blocking)}}); err != nil {
					return nil, false, err
				}
			}
		}
		poll := gatePoll
		if opens := r.opensBy(blocking); opens.After(r.Clock.Now()) {
			poll = min(poll, wall(r.Clock.Now(), opens))
		}
		if err := r.sleepOrWake(ctx, poll); err != nil {
			return nil, false, err
		}
	}
}

// lookFor asks what a node is taken by, or, midway, what it may be paused by: window and soak are for nodes that are begun,
// and a due restart is done whatever the time (R29).
func (r *run) lookFor(ctx context.Context, node string, midway bool) []check.Result {
	if midway {
		return r.lookAtWorld(ctx, node)
	}
	return r.lookAtGate(ctx, node)
}

// lookAtGate asks everything once. Outside the window nobody is asked, because no answer would open it.
func (r *run) lookAtGate(ctx context.Context, node string) []check.Result {
	window := r.windowOpen()
	if window != nil && window.Outcome != check.Pass {
		return []check.Result{*window}
	}
	results := r.lookAtWorld(ctx, node)
	for _, own := range []*check.Result{window, r.soaked(node)} {
		if own != nil {
			results = append(results, *own)
		}
	}
	// The administrator's gate comes last: it is asked whether the node may be taken now, not whether it could be.
	if len(check.Gate(results, r.Plan.Accepted)) == 0 {
		if own := r.ownGate(ctx, node); own != nil {
			results = append(results, *own)
		}
	}
	return results
}

// lookAtWorld asks the cluster through a peer of the node, and the node about itself.
func (r *run) lookAtWorld(ctx context.Context, node string) []check.Result {
	n := r.Nodes(node)
	o := Observation{
		Cluster: ask(ctx, func() (ClusterView, error) { return r.Cluster.Describe(ctx, node) }),
		Storage: ask(ctx, func() (StorageView, error) { return r.Cluster.Storage(ctx, node) }),
		Foreign: ask(ctx, func() ([]ForeignRun, error) { return r.Cluster.ForeignRuns(ctx, node) }),
		Backups: ask(ctx, func() ([]string, error) { return r.Cluster.Backups(ctx, node) }),
	}
	quorum, quorumErr := r.quorum(ctx, o, node)
	updaters := ask(ctx, func() (UpdatersView, error) { return n.Updaters(ctx) })
	bitLocker := ask(ctx, func() (BitLockerView, error) { return n.BitLocker(ctx) })
	roles := ask(ctx, func() ([]RoleView, error) { return n.Roles(ctx) })
	residents := ask(ctx, func() (ResidentsView, error) { return n.Residents(ctx) })
	// First, because it is why the others cannot be read.
	lasts := r.credentialLasts(node, o.Cluster.Err, o.Storage.Err, o.Foreign.Err, o.Backups.Err, quorumErr, updaters.Err, bitLocker.Err, roles.Err, residents.Err)
	return append([]check.Result{
		lasts, noForeignRun(o), r.allAtRest(node, everyoneInService(o, node)), quorum, storageHealthy(o), noBackup(o),
		installsNothing(node, updaters), noSelfUpdateMeanwhile(updaters, r.Clock.Now(), r.mostOf(node)), startsAlone(node, bitLocker),
		rolesMayMove(node, o.Cluster, roles, r.Plan.Options), nothingIsLocked(node, o.Cluster, true), residentsStay(node, residents),
	}, r.holdsLease(ctx)...)
}

// ask puts a question a second time when no answer came to the first: one message that got lost does not close a
// gate that needs many answers at once.
func ask[T any](ctx context.Context, question func() (T, error)) Answer[T] {
	v, err := question()
	if err != nil && ctx.Err() == nil {
		v, err = question()
	}
	return AnswerOf(v, err)
}

// quorum answers for a node, with the error of the cluster's own answer.
func (r *run) quorum(ctx context.Context, o Observation, node string) (check.Result, error) {
	if err := o.Cluster.problem(); err != nil {
		return unverified(checkQuorum, node, err), err
	}
	loses := ask(ctx, func() (bool, error) { return r.Cluster.LosesQuorum(ctx, node) })
	return quorumWithout(node, o.Cluster.Value, loses), loses.Err
}

// everyoneInService is strict, unlike the check before the run, and the node itself counts too: a node
// that someone else paused is not ours to resume.
func everyoneInService(o Observation, node string) check.Result {
	r := nodesUp(o, true)
	if r.Outcome != check.Pass && r.Outcome != check.Fail {
		return r
	}
	v := o.Cluster.Value
	switch away := v.notInService(""); {
	case v.Member(node) == nil:
		return check.Result{ID: checkNodesUp, Outcome: check.Fail, Subject: node, Evidence: node + " is not a node of the cluster any more.", Remedy: "Stop the run and make a new plan."}
	case len(away) > 0:
		r.Evidence = strings.Join(away, ", ") + "; no other node is taken out of service meanwhile."
	case len(v.moving()) > 0:
		return check.Result{ID: checkNodesUp, Outcome: check.Fail, Evidence: "Roles are still moving: " + strings.Join(v.moving(), ", ") + ".", Remedy: "Let them come to rest, or repair them."}
	}
	return r
}

// allAtRest fails a gate that would be open while a node in service is not at rest.
func (r *run) allAtRest(node string, result check.Result) check.Result {
	if busy := r.unsettled(node); len(busy) > 0 && result.Outcome == check.Pass {
		return check.Result{
			ID: checkNodesUp, Outcome: check.Fail, Evidence: strings.Join(busy, ", ") + "; no other node is taken out of service meanwhile.",
			Remedy: "Look at the node; once it is at rest, stop the run and make a new plan.",
		}
	}
	return result
}

// patienceWith is how long the reasons may last before a person must decide. A foreign run and a quorum that
// would be lost are decisions at once. A node that may still return by itself is waited for as long as it is watched (R22).
func (r *run) patienceWith(blocking []check.Result) time.Duration {
	joining := gatePatience
	if r.someoneMayReturn() {
		joining = watchLimit
	}
	d := patienceWithoutEnd
	for _, b := range blocking {
		d = min(d, r.patienceFor(b, joining))
	}
	return d
}

// patienceFor is the same for one reason.
func (r *run) patienceFor(b check.Result, joining time.Duration) time.Duration {
	if b.ID == checkWindow || b.ID == checkSoak {
		return patienceWithoutEnd
	}
	passes := b.Outcome == check.Fail && (b.ID == checkBackup || b.ID == checkUpdaters || b.ID == checkLocked || b.ID == checkSelfUpdating)
	switch {
	case b.ID == checkStorage:
		return time.Duration(r.Plan.Options.WaitForStorageRepairTimeoutMinutes) * time.Minute
	case b.ID == checkGate:
		return ownGatePatience
	case b.ID == checkNodesUp:
		return joining
	case passes:
		return slowPatience
	case b.Outcome == check.CannotVerify:
		return gatePatience
	}
	return 0
}

func (r *run) someoneMayReturn() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.state.Nodes, func(n NodeRun) bool { return n.returning() || (n.Watched && n.mayReturn()) })
}

func notPlain(results []check.Result) []check.Result {
	var out []check.Result
	for _, r := range results {
		if r.Outcome != check.Pass {
			out = append(out, r)
		}
	}
	return out
}

// sleepOrWake sleeps, but not past a control.
func (r *run) sleepOrWake(ctx context.Context, d time.Duration) error {
	sleep, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-r.woken:
			cancel()
		case <-stop:
		}
	}()
	err := r.Clock.Sleep(sleep, d)
	close(stop)
	<-gone
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if sleep.Err() != nil {
		return nil
	}
	return err
}
