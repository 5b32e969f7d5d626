package engine

import (
	"context"
	"slices"

	"cau/internal/fault"
)

// Checkpoints are the plan and the state of a run on two of the cluster's own nodes, so that another host can go on with it
// when this one is lost (R27). They are written before each act after which a state from before would be wrong (a pause, storage
// maintenance, a script, an installation, a restart, a resume); when a node is done; and after a control, so that whoever takes the run over knows what it was told. What
// fails here is a remark.

// CheckpointKeeper writes a run's checkpoint.
type CheckpointKeeper interface {
	// Put writes it to two nodes that are in service, the named ones first, and tells where it lies now. sequence grows with
	// every checkpoint of a run, across its coordinators too.
	Put(ctx context.Context, s State, sequence int64, prefer []string) (on []string, err error)
	// Drop removes it everywhere. One that is not there is no failure.
	Drop(ctx context.Context) error
}

// epochBits is the room for facts in a checkpoint's sequence; the lease's epoch stands above them, so that whoever takes a run
// over writes later ones than the one that was replaced, however far that came.
const epochBits = 32

// checkpoint writes the state as it is; about is the node that is worked on, which is not to keep it if others can.
func (r *run) checkpoint(ctx context.Context, about string) {
	select {
	case r.keepTurn <- struct{}{}:
		defer func() { <-r.keepTurn }()
	case <-ctx.Done():
		return
	}
	r.mu.Lock()
	leased := r.leased && r.broken == nil && !r.unwanted
	s := r.state.clone()
	r.mu.Unlock()
	if !leased || r.Checkpoints == nil {
		return
	}
	on, err := r.Checkpoints.Put(ctx, s, s.Lease.Epoch<<epochBits+int64(s.Facts), r.keepers(about))
	if ctx.Err() != nil {
		return
	}
	slices.Sort(on)
	r.mu.Lock()
	defer r.mu.Unlock()
	// A failure to record is kept in r.broken, where the sequence meets it.
	switch {
	case err != nil && !r.unkept:
		r.unkept = true
		_ = r.recordLocked(Fact{Kind: FactCheckpointFailed, Data: FactData{Nodes: on, Cause: keptBy("write the checkpoint", err)}})
	case err == nil && (r.unkept || !slices.Equal(on, r.state.Keepers)):
		r.unkept = false
		_ = r.recordLocked(Fact{Kind: FactCheckpointDone, Data: FactData{Nodes: on}})
	}
}

// kept is what of a node a checkpoint must know before anything further is done there.
type kept struct {
	paused, resumed bool
	restartFrom     string
	attempt         int
	leave           Leave
}

// checkpointWhenDue writes a checkpoint before a step of a node that one from before would have wrong: the intent to pause it
// or to restart it is a fact since, or it is back.
func (r *run) checkpointWhenDue(ctx context.Context, nr NodeRun) {
	now := kept{nr.PausedByUs, nr.Resumed, nr.RestartFrom, nr.Attempt, nr.Leave}
	r.mu.Lock()
	before, seen := r.keptOf[nr.Name]
	r.keptOf[nr.Name] = now
	r.mu.Unlock()
	if seen && now != before {
		r.checkpoint(ctx, nr.Name)
	}
}

func keptBy(op string, err error) *fault.Cause {
	c := causeFrom(err)
	if c.Op == "" {
		c.Op = op
	}
	return c
}

// workedOn is a node that was begun and is not done; empty when there is none.
func (r *run) workedOn() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.state.Nodes {
		if n := &r.state.Nodes[i]; n.Status == NodeUpdating {
			return n.Name
		}
	}
	return ""
}

// keepers are the nodes of the plan in the order in which they should keep a checkpoint: neither the node that is worked on
// nor the one that is taken next, if others can.
func (r *run) keepers(about string) []string {
	next := r.nextNode()
	var first, last []string
	for _, np := range r.Plan.Nodes {
		switch np.Name {
		case about:
		case next:
			last = append(last, np.Name)
		default:
			first = append(first, np.Name)
		}
	}
	if about != "" {
		last = append(last, about)
	}
	return append(first, last...)
}

// keepControls writes a checkpoint after what was asked of the run, until ctx ends. Whoever asked does not wait for it, and
// neither does what comes after: stop now would be late.
func (r *run) keepControls(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.keepAsked:
			r.checkpoint(ctx, r.workedOn())
		}
	}
}

// controlsChanged asks for a checkpoint of what somebody asked of the run.
func (r *run) controlsChanged() {
	select {
	case r.keepAsked <- struct{}{}:
	default: // one that is to come holds it
	}
}

// checkpointAgain goes on with checkpoints for a run whose end did not come.
func (r *run) checkpointAgain(ctx context.Context) {
	r.mu.Lock()
	r.unwanted = false
	r.mu.Unlock()
	r.checkpoint(ctx, r.workedOn())
}

// dropCheckpoints removes what no other host is to go on from any more.
func (r *run) dropCheckpoints(ctx context.Context) error {
	select {
	case r.keepTurn <- struct{}{}:
		defer func() { <-r.keepTurn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	r.unwanted = true
	leased := r.leased
	r.mu.Unlock()
	if !leased || r.Checkpoints == nil {
		return nil
	}
	err := r.Checkpoints.Drop(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return r.record(Fact{Kind: FactCheckpointFailed, Data: FactData{Cause: keptBy("remove the checkpoint", err)}})
	}
	return r.brokenErr()
}
