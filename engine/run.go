package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// Recorder makes facts durable.
type Recorder interface {
	// Record returns when f is durable; only then does the run act on it (R25). After an error nothing more
	// is recorded and nothing more is done. Calls never overlap.
	Record(f Fact) error
}

// Progress is telemetry: it may be lost and decides nothing (R25).
type Progress struct {
	Time   time.Time `json:"time"`
	Node   string    `json:"node"`
	Update string    `json:"update,omitempty"`
	// Message is one line for people; Percent is 0 to 100, or -1 when unknown.
	Message string `json:"message"`
	Percent int    `json:"percent"`
}

// Telemetry takes progress. Calls come from several goroutines and must not block for long.
type Telemetry interface{ Report(p Progress) }

// RunInput is what a run is made of. Every field but State, Further, Telemetry, Control, Answer and Credential is needed.
type RunInput struct {
	Plan *Plan
	// State is what was folded so far; zero for a new run.
	State State
	// Plugin is the plan's first plug-in; Further are the others by their instances, nil where there are none.
	Plugin  plugins.Plugin
	Further map[string]plugins.Plugin
	Cluster Cluster
	// Nodes gives the node of a plan by its name, always the same one.
	Nodes    func(name string) Node
	Recorder Recorder
	// Telemetry may be nil.
	Telemetry Telemetry
	// Control may be nil; closing it means that nobody will ask any more.
	Control <-chan Control
	// Answer may be nil. It is told what became of each control, in the order in which they came: nil once it is a fact, a
	// *RefusedError where it cannot be obeyed. It must not block.
	Answer func(c Control, err error)
	Clock  Clock
	// DiskFull says that the recorder's room is used up but for a reserve; nil while there is some, and the field may be nil.
	// It is asked after every record, and the run stops cleanly on it.
	DiskFull func() *fault.Cause
	// Gate may be nil where the plan has none.
	Gate Gatekeeper
	// Lease may be nil: then nothing keeps a coordinator of another host out. Holder is this coordinator's name in it,
	// printable and unique to it.
	Lease  LeaseKeeper
	Holder string
	// Ready may be nil. It is called once, when the run is this coordinator's to work on, or nothing but time or somebody's
	// decision is missing for that; never when another coordinator has it.
	Ready func()
	// Checkpoints may be nil; they are written under a lease only.
	Checkpoints CheckpointKeeper
	// Credential may be nil: then its end is not known, and only its refusal is seen (R05).
	Credential Credential
}

// ErrBlocked is the answer of Run when a check of the plan keeps it from running (R07). Nothing was done.
var ErrBlocked = errors.New("a check keeps the plan from running")

// Run executes the plan, or goes on with it after a crash (R26), until the run has ended, and returns the
// state it left. An error means that the run has not ended: ctx ended (the facts stay as they are and a later
// call goes on), a fact could not be recorded, or the plan is blocked. How the run went is State.Status.
//
// A run that was held or paused when its coordinator died stays so until VerbResume or VerbStop comes. Only one that
// is held for its credential goes on by itself (R05).
func Run(ctx context.Context, in RunInput) (State, error) {
	if in.State.Run == "" {
		in.State = NewState(in.Plan)
	}
	r := &run{
		RunInput: in, state: in.State.clone(), woken: make(chan struct{}, 1),
		maintained: map[string]bool{}, entered: map[string]time.Time{}, watched: map[string]bool{}, ranHere: map[string]bool{},
		excused: map[string]*patience{}, leaseTurn: make(chan struct{}, 1), keptOf: map[string]kept{}, keepTurn: make(chan struct{}, 1), keepAsked: make(chan struct{}, 1),
	}
	r.endHere = func() {}
	r.ready = sync.OnceFunc(func() {
		if in.Ready != nil {
			in.Ready()
		}
	})
	r.stopped, r.endWatches = context.WithCancel(context.Background())
	defer r.endWatches()
	if r.state.Facts == 0 {
		if blocking := in.Plan.Blocking(); len(blocking) > 0 {
			return r.state, fmt.Errorf("%w: %s: %s", ErrBlocked, blocking[0].ID, blocking[0].Evidence)
		}
	}
	if r.state.Status.Ended() {
		return r.state, nil
	}
	// The plan is a file: what takes roles down is asked for its typed name here too (R15).
	if p := in.Plan.Options.OutageProblem(in.Plan.Cluster); len(p) > 0 {
		return r.state, fmt.Errorf("%w: %w", ErrBlocked, p[0])
	}
	if err := in.pluginsMissing(); err != nil {
		return r.state, err
	}
	begin := Fact{Kind: FactRunContinued}
	if r.state.Facts == 0 {
		times, err := in.Plan.Options.times(r.now())
		if err != nil {
			return r.state, err
		}
		begin = Fact{Kind: FactRunStarted, Data: FactData{Message: "cau " + in.Plan.Program}}
		if times != (RunTimes{}) {
			begin.Data.Times = &times
		}
	}
	// Nobody is listened to before this is durable, so that a run always begins with its beginning.
	if err := r.record(begin); err != nil {
		return r.state, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r.mu.Lock()
	r.endHere = cancel
	r.mu.Unlock()
	var listening sync.WaitGroup
	if in.Lease != nil {
		listening.Go(func() { r.keepLease(ctx) })
		listening.Go(func() { r.watchFence(ctx) })
		listening.Go(func() { r.keepControls(ctx) })
	}
	work, endWork := context.WithCancel(ctx)
	r.mu.Lock()
	r.endWork = endWork
	if r.state.StopNowBy != "" {
		endWork() // asked of an earlier coordinator
	}
	r.mu.Unlock()
	listening.Go(func() { r.listen(ctx) })
	r.lookAtTime()
	listening.Go(func() { r.keepTime(ctx) })
	err := r.sequence(work)
	if r.stopNowBy() != "" && r.brokenErr() == nil && ctx.Err() == nil {
		err = r.stopHere(ctx)
	}
	endWork()
	cancel()
	listening.Wait()
	r.watches.Wait()
	if r.replaced {
		err = r.broken // and not that what was under way was given up
	}
	return r.state, err
}

// run is one call of Run. mu guards state and broken, and orders the calls of Recorder.
type run struct {
	RunInput
	mu     sync.Mutex
	state  State
	broken error
	// woken tells the sequence that a control was recorded.
	woken chan struct{}
	// maintained are the nodes whose storage maintenance this call has looked at (R16).
	maintained map[string]bool
	// entered is when this call found the gate before a node open and decided to pause it.
	entered map[string]time.Time
	// watches are the goroutines that watch nodes which were left; watched are those nodes, and ranHere, guarded by mu,
	// those on which this call saw a job outlive its limit. stopped ends the watches without a failure.
	watches    sync.WaitGroup
	watched    map[string]bool
	ranHere    map[string]bool
	stopped    context.Context //nolint:containedctx // it is the word that stop was asked, not a call's context
	endWatches context.CancelFunc
	// leased: the lease is ours, renewed when it was last. replaced: another coordinator has the run, and endHere ends what is
	// under way. mu guards all of them.
	// leaseTurn lets one ask about the lease at a time; it is taken before mu, and waited for only as long as ctx lasts: the
	// one who has it may be waiting for a node.
	leaseTurn        chan struct{}
	leased, replaced bool
	renewed          time.Time
	endHere          context.CancelFunc
	// watching counts those that go on; mu guards it. endWork ends everything that is being done, for stop now.
	watching int
	endWork  context.CancelFunc
	// ready says once that the run is worked on.
	ready func()
	// keptOf is what the last look for a checkpoint saw of a node; mu guards it. keepTurn lets one checkpoint be written at a
	// time, in the order of their facts; it is taken before mu. keepAsked says that a control was recorded since.
	keepTurn  chan struct{}
	keepAsked chan struct{}
	keptOf    map[string]kept
	// unkept: the last checkpoint could not be written, and that was said. unwanted: the run ends, and none is written any more.
	// mu guards both.
	unkept, unwanted bool
	// excused is how long steps of a node have waited here for a credential that works again; mu guards it.
	excused map[string]*patience
}

// sequence is the run: what needs nothing, preflight, staging, then one node after the other.
func (r *run) sequence(ctx context.Context) error {
	if err := r.takeLease(ctx); err != nil {
		return err
	}
	r.checkpoint(ctx, r.workedOn())
	if err := r.beginWatches(ctx); err != nil {
		return err
	}
	for _, np := range r.Plan.Nodes {
		nr := r.node(np.Name)
		f := Fact{Kind: FactUpToDate, Node: np.Name}
		switch {
		case nr.Status.Ended():
			continue
		case np.NotTaken != "":
			f.Kind, f.Data.Message = FactNotTaken, np.NotTaken
		case np.hasWork():
			continue
		}
		if err := r.record(f); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{r.preflight, r.stageAll, r.takeAll} {
		if err := r.awake(ctx); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	for {
		if ended, err := r.finish(ctx); ended || err != nil {
			return err
		}
		// Somebody asked for a node again.
		if err := r.retakeLease(ctx); err != nil {
			return err
		}
		r.checkpointAgain(ctx)
		if err := r.takeAll(ctx); err != nil {
			return err
		}
	}
}
