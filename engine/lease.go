package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
)

// A run works under the cluster's lease (R27): before it changes anything it has taken a new epoch, every change carries
// that, and a node that knows of a later one refuses. So a coordinator that slept, or was cut off, while another one took
// over does nothing more, whatever it still believes.

const (
	// leaseEvery is how often the lease is renewed.
	leaseEvery = 3 * time.Minute
	// LeaseStale is when a lease that was not renewed counts as left behind: five renewals did not come.
	LeaseStale = 5 * leaseEvery
)

// ErrTakenOver is the answer of Run when another coordinator has the run: nothing more is done here.
var ErrTakenOver = errors.New("another coordinator has taken over this run")

// LeaseCheck answers cluster.lease for a run that would take the lease: run is its id, "" for one that is not made yet.
func LeaseCheck(run string, l Lease, err error) check.Result {
	r := check.Result{ID: checkLease, Outcome: check.Pass, Evidence: "No run of cau holds the cluster."}
	switch {
	case err != nil:
		r = unverified(checkLease, "", err)
		r.Remedy = orElse(r.Remedy, "Without a lease nothing keeps a run of another host out: let the account manage the cluster, or accept the check by its id.")
		return r
	case l.Epoch == 0, run != "" && l.Run == run:
		return r
	}
	holder := "run " + orElse(l.Run, "(unknown)") + ", " + orElse(l.Holder, "whose holder is not known")
	switch age := l.Age(); {
	case age < 0:
		r.Outcome = check.CannotVerify
		r.Evidence = fmt.Sprintf("The cluster is held by %s, and when that was last renewed cannot be read.", holder)
		r.Remedy = "See if that run goes on, on its host with cau status. If its host is lost, go on with it by cau takeover, or accept the check by its id to leave it."
	case age > LeaseStale:
		r.Outcome = check.CannotVerify
		r.Evidence = fmt.Sprintf("The cluster is held by %s, and has not been renewed for %s: its coordinator is gone, or cannot reach the cluster.", holder, inMinutes(age))
		r.Remedy = "Go on with that run: cau resume on its host, or cau takeover on this one. To leave it as it is, accept the check by its id."
	default:
		r.Outcome = check.Fail
		r.Evidence = fmt.Sprintf("The cluster is being updated by %s, renewed %s ago.", holder, age.Round(time.Second))
		r.Remedy = "Wait for its end, or look at it with cau attach on its host."
	}
	return r
}

// takeLease takes the lease before anything else is done. It returns nil without one when somebody accepted that, or when
// nothing will be done in the run.
func (r *run) takeLease(ctx context.Context) error {
	if r.Lease == nil {
		r.ready()
		return nil
	}
	for {
		blocking, err := r.tryLease(ctx)
		switch {
		case err != nil, blocking == nil:
			return err
		case r.stopAsked() && r.untouched() && !r.leftSomething():
			return nil
		case r.beginsNothing():
			// What was begun is to be finished, and that needs the lease.
			if err := r.Clock.Sleep(ctx, gatePoll); err != nil {
				return err
			}
		default:
			if err := r.hold(ctx, "", []check.Result{*blocking}); err != nil {
				return err
			}
		}
	}
}

func (r *run) leftSomething() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.state.Nodes, func(n NodeRun) bool { return n.Traces || n.PausedByUs })
}

// tryLease takes the lease, and says what keeps it from that. A request whose answer was lost is found by its holder's name.
func (r *run) tryLease(ctx context.Context) (blocking *check.Result, over error) {
	var got Lease
	intent := false
	err := r.persist(ctx, contactPoll, contactPatience, func() error {
		now, err := r.Lease.ReadLease(ctx)
		if err != nil {
			r.ready()
			return finalWhenRefused(err)
		}
		if blocking, over = r.leaseFree(now); blocking != nil || over != nil {
			if over == nil {
				r.ready()
			}
			return &finalError{ErrTakenOver} // for whichever of the two
		}
		r.ready()
		if !intent {
			if over = r.record(Fact{Kind: FactLeaseIntent, Data: FactData{Holder: r.Holder}}); over != nil {
				return &finalError{over}
			}
			intent = true
		}
		switch got, err = r.Lease.TakeLease(ctx, now.Epoch, r.Plan.Run, r.Holder); {
		case err != nil:
			return finalWhenRefused(err)
		case !got.Taken:
			return &notYetError{"another coordinator was faster"}
		}
		return nil
	})
	switch {
	case blocking != nil || over != nil:
		return blocking, over
	case err != nil:
		return r.withoutLease(ctx, err)
	}
	r.Lease.Fence(got.Epoch)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leased, r.renewed = true, r.Clock.Now()
	return nil, r.recordLocked(Fact{Kind: FactLeaseTaken, Data: FactData{Lease: got.Epoch, Holder: r.Holder}})
}

func finalWhenRefused(err error) error {
	if refusedThere(err) {
		return &finalError{err}
	}
	return err
}

// leaseFree tells whether the lease that the cluster shows is free, or ours to go on with.
func (r *run) leaseFree(now Lease) (*check.Result, error) {
	r.mu.Lock()
	known := r.state.Lease
	r.mu.Unlock()
	ours := known.ours(now.LastEpoch, now.LastHolder)
	newer := known != nil && known.Epoch > 0 && now.LastEpoch > known.Epoch
	switch {
	case ours:
		return nil, nil
	case now.LastRun == r.Plan.Run && now.LastEpoch > 0:
		return nil, r.takenOver(fmt.Sprintf("This run was taken over by %s (epoch %d of the cluster's lease). Nothing more is done here.", orElse(now.LastHolder, "another coordinator"), now.LastEpoch))
	}
	c := LeaseCheck("", now, nil)
	if c.Outcome == check.Pass && newer && !r.beginsNothing() {
		c.Outcome = check.CannotVerify
		c.Evidence = fmt.Sprintf("Since this run lost the cluster's lease (epoch %d), others have held it, last run %s, %s: whether this run was taken over in between cannot be told.", known.Epoch, orElse(now.LastRun, "(unknown)"), orElse(now.LastHolder, "unknown"))
		c.Remedy = "Look at the nodes, then stop this run and make a new plan: what it began is wound up, and no node is begun."
	}
	if len(check.Gate([]check.Result{c}, r.Plan.Accepted)) == 0 {
		return nil, nil
	}
	return &c, nil
}

// withoutLease is what becomes of a run whose cluster gives no lease: it goes on when somebody accepted that.
func (r *run) withoutLease(ctx context.Context, err error) (*check.Result, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if e := r.brokenErr(); e != nil {
		return nil, e
	}
	if errors.Is(err, ErrCredential) {
		c := r.credentialLasts(r.nextNode(), err)
		return &c, nil
	}
	c := LeaseCheck(r.Plan.Run, Lease{}, err)
	if len(check.Gate([]check.Result{c}, r.Plan.Accepted)) > 0 {
		return &c, nil
	}
	return nil, r.record(Fact{Kind: FactLeaseNone, Data: FactData{Message: c.Evidence, Checks: []check.Result{c}}})
}

// keepLease renews the lease until ctx ends, and ends everything once a node says that another one is newer.
func (r *run) keepLease(ctx context.Context) {
	for {
		if err := r.Clock.Sleep(ctx, leaseEvery); err != nil {
			return
		}
		_ = r.renewLease(ctx) // it is asked again, and before every pause and restart; whoever is fenced has ended
	}
}

// watchFence ends the run as soon as something was refused.
func (r *run) watchFence(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-r.Lease.Fenced():
		_ = r.takenOver("")
	}
}

// renewLease asks for the lease once more. A run without one has nothing to renew.
func (r *run) renewLease(ctx context.Context) error {
	select {
	case r.leaseTurn <- struct{}{}:
		defer func() { <-r.leaseTurn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	epoch := int64(0)
	if r.leased {
		epoch = r.state.Lease.Epoch
	}
	r.mu.Unlock()
	if epoch == 0 {
		return nil
	}
	_, err := r.Lease.RenewLease(ctx, epoch, r.Plan.Run, r.Holder)
	switch {
	case errors.Is(err, ErrFenced):
		return r.takenOver("")
	case err != nil:
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renewed = r.Clock.Now()
	return nil
}

// awake renews the lease before a step when nobody could for long: a computer that slept may have slept through a takeover.
func (r *run) awake(ctx context.Context) error {
	r.mu.Lock()
	slept := r.leased && wall(r.renewed, r.Clock.Now()) > overslept
	r.mu.Unlock()
	if !slept {
		return nil
	}
	// Where the cluster gives no answer the nodes still refuse whoever was replaced.
	_ = r.persist(ctx, contactPoll, contactPatience, func() error { return r.renewLease(ctx) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.brokenErr()
}

// holdsLease answers cluster.lease for a node that would be taken next; nothing is answered where there is no lease.
func (r *run) holdsLease(ctx context.Context) []check.Result {
	if r.Lease == nil {
		return nil
	}
	r.mu.Lock()
	leased := r.leased
	r.mu.Unlock()
	if !leased {
		return nil // that was accepted by id, and is a fact
	}
	if err := r.renewLease(ctx); err != nil && ctx.Err() == nil {
		c := unverified(checkLease, "", err)
		return []check.Result{c}
	}
	return []check.Result{{ID: checkLease, Outcome: check.Pass}}
}

// dropLease gives the lease back before the run ends. That it could not is a remark: it is stale after a while.
func (r *run) dropLease(ctx context.Context) error {
	// One that is renewed while it is given back would look like one that was taken from us.
	select {
	case r.leaseTurn <- struct{}{}:
		defer func() { <-r.leaseTurn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	epoch := int64(0)
	if r.leased {
		epoch = r.state.Lease.Epoch
	}
	r.leased = false
	r.mu.Unlock()
	if epoch == 0 {
		return nil
	}
	err := r.persist(ctx, contactPoll, contactPatience, func() error {
		err := r.Lease.DropLease(ctx, epoch, r.Plan.Run, r.Holder)
		if errors.Is(err, ErrFenced) {
			return &finalError{err}
		}
		return finalWhenRefused(err)
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrFenced):
		return r.takenOver("")
	}
	f := Fact{Kind: FactLeaseDropped, Data: FactData{Lease: epoch, Holder: r.Holder}}
	if err != nil {
		f.Data.Cause = causeFrom(err)
	}
	return r.record(f)
}

// retakeLease takes the lease again that was given back for an end that did not come.
func (r *run) retakeLease(ctx context.Context) error {
	r.mu.Lock()
	given := r.state.Lease != nil && r.state.Lease.Dropped
	r.mu.Unlock()
	if !given {
		return nil
	}
	return r.takeLease(ctx)
}

// takenOver says in this host's journal that another coordinator has the run, and ends everything that is done here.
func (r *run) takenOver(message string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takenOverLocked(message)
}

func (r *run) takenOverLocked(message string) error {
	if r.broken != nil {
		return r.broken
	}
	if message == "" {
		message = "Another coordinator has taken over this run. Nothing more is done here."
	}
	hint := "Follow it on the host that has it now. Nothing was changed from here since."
	r.replaced = true
	_ = r.recordLocked(Fact{Kind: FactTakenOver, Data: FactData{Message: message, Cause: &fault.Cause{Op: "updating run", Message: message, Hint: hint}}})
	r.broken = &fault.Error{Op: "run " + r.Plan.Run, Err: fmt.Errorf("%w: %s", ErrTakenOver, message), Hint: hint}
	r.endHere()
	return r.broken
}

// fenced tells whether anything was refused because of a later lease. The caller holds mu.
func (r *run) fencedLocked() bool {
	if r.Lease == nil || r.replaced {
		return false
	}
	select {
	case <-r.Lease.Fenced():
		return true
	default:
		return false
	}
}
