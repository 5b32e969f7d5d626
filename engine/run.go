package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// record makes a fact durable and folds it. After one failure nothing is recorded any more.
func (r *run) record(f Fact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recordLocked(f)
}

func (r *run) recordLocked(f Fact) error {
	if r.broken != nil {
		return r.broken
	}
	if r.fencedLocked() {
		return r.takenOverLocked("")
	}
	if r.state.StopNowBy != "" && f.Kind.begins() {
		return errStopNow
	}
	f.Time = r.now()
	f.MayIgnore = f.Kind.Ignorable()
	if err := r.Recorder.Record(f); err != nil {
		r.broken = &fault.Error{Op: "record " + string(f.Kind), Node: f.Node, Err: err, Hint: "The run stops here; resume it when its folder can be written again."}
		return r.broken
	}
	if err := r.state.Apply(f); err != nil {
		r.broken = err
		return r.broken
	}
	return r.stopWhenFull()
}

// now is the run's time as facts hold it: it must read back from JSON as the same value.
func (r *run) now() time.Time { return r.Clock.Now().UTC().Truncate(time.Millisecond) }

// node is a copy of the node's state.
func (r *run) node(name string) NodeRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	nr := r.state.Node(name)
	if nr == nil {
		return NodeRun{Name: name, Status: NodeCanceled}
	}
	return nr.clone()
}

// brokenErr is why nothing can be recorded any more, nil while it can.
func (r *run) brokenErr() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

func (r *run) stopAsked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.StopAsked
}

// waitAsked tells whether somebody wants a pause or a stop: no further node is started then.
func (r *run) waitAsked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.beginsNothing() || r.state.PauseAsked
}

// overBudget tells whether one node more than the budget has failed.
func (r *run) overBudget() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Failures() > r.state.FailureBudget
}

func (r *run) report(node string) func(plugins.Progress) {
	return func(p plugins.Progress) {
		if r.Telemetry != nil {
			r.Telemetry.Report(Progress{Time: r.now(), Node: node, Update: p.Update, Message: p.Message, Percent: p.Percent})
		}
	}
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

// finish cancels what was not begun, cleans up what staging left, waits for what is still watched, and ends the run. It
// returns false when there is something to do again.
func (r *run) finish(ctx context.Context) (bool, error) {
	for _, np := range r.Plan.Nodes {
		if err := r.endWaiting(np); err != nil {
			return false, err
		}
		if nr := r.node(np.Name); nr.cleanedAtEnd() {
			if err := r.clean(ctx, np); err != nil {
				return false, err
			}
		}
	}
	if err := r.awaitWatches(ctx); err != nil {
		return false, err
	}
	if err := r.compare(ctx); err != nil {
		return false, err
	}
	if r.openNow() {
		return false, nil
	}
	if err := r.dropCheckpoints(ctx); err != nil {
		return false, err
	}
	if err := r.dropLease(ctx); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.open() {
		return false, nil // asked for in this very moment; the lease is taken again
	}
	status, cause := summary(&r.state)
	cause = withDiskFull(&r.state, status, cause)
	return true, r.recordLocked(Fact{Kind: FactRunEnded, Data: FactData{RunStatus: status, Cause: cause}})
}

// openNow tells whether a node waits for its turn.
func (r *run) openNow() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.open()
}

// endWaiting ends a node that is not taken any more, because stop was asked or too many nodes failed.
func (r *run) endWaiting(np NodePlan) error {
	why := r.notBegun(np.Name, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	nr := r.state.Node(np.Name)
	if nr.Status != NodeWaiting || !r.state.beginsNothing() && r.state.Failures() <= r.state.FailureBudget {
		return r.broken
	}
	status, cause := neverBegun(nr)
	if cause == nil {
		cause = why
	}
	return r.recordLocked(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: status, Cause: cause}})
}

// open tells whether the run has something left to do on a node.
func (s *State) open() bool {
	return slices.ContainsFunc(s.Nodes, func(n NodeRun) bool { return !n.Status.Ended() })
}

// summary is how the run ended in CAU's words: failures decide first, then what was not done.
func summary(s *State) (RunStatus, *fault.Cause) {
	installed, canceled := false, false
	for i := range s.Nodes {
		installed = installed || s.Nodes[i].installed() > 0
		canceled = canceled || s.Nodes[i].Status == NodeCanceled
	}
	switch {
	case s.Failures() > 0 && installed:
		return RunPartiallyFailed, causeOfRun(s)
	case s.Failures() > 0:
		return RunFailed, causeOfRun(s)
	case canceled && s.NoMoreNodes != nil:
		return RunCanceled, s.NoMoreNodes
	case canceled:
		return RunCanceled, s.TimeUp
	}
	return RunSucceeded, nil
}

// installed counts the updates that this run installed on the node.
func (n *NodeRun) installed() int {
	c := 0
	for i := range n.Updates {
		if n.Updates[i].Outcome == plugins.Installed {
			c++
		}
	}
	return c
}

// causeOfRun names every failed node with its cause, and carries the first one's code and hint (R30).
func causeOfRun(s *State) *fault.Cause {
	var first *NodeRun
	var parts []string
	failed := slices.DeleteFunc(slices.Clone(s.Nodes), func(n NodeRun) bool {
		return n.Status != NodeFailed && n.Status != NodePartiallyFailed && n.Status != NodeHeld
	})
	for i := range failed {
		n := &failed[i]
		if first == nil || (n.Cause != nil && first.Cause != nil && n.Ended.Before(first.Ended)) {
			first = n
		}
	}
	for i := range failed {
		n := &failed[i]
		text := n.Cause.String()
		if !strings.HasPrefix(text, n.Name+": ") {
			text = n.Name + ": " + text
		}
		// The first one's hint says it; of the others only this is shown.
		if n.PausedByUs && n != first {
			text += " (it was left paused)"
		}
		parts = append(parts, text)
	}
	if first == nil {
		return nil
	}
	c := &fault.Cause{Op: "updating run", Node: first.Name, Message: strings.Join(parts, "; ")}
	if first.Cause != nil {
		c.Op, c.Code, c.Name, c.Hint = first.Cause.Op, first.Cause.Code, first.Cause.Name, first.Cause.Hint
	}
	return c
}

// causeOfStep is err as the cause why a whole step of a node failed: the step comes first, whatever was asked
// last within it, and what to do about the step follows what to do about err.
func causeOfStep(step, node string, err error, hint string) *fault.Cause {
	if inner := fault.Hint(err); inner != "" {
		hint = inner + " " + hint
	}
	return causeFrom(&fault.Error{Op: step, Node: node, Err: err, Hint: hint})
}

// causeOf is err as a node's cause: its own place and code where it has them, else this one.
func causeOf(op, node string, err error) *fault.Cause {
	c := causeFrom(err)
	if c.Op == "" {
		c.Op = op
		c.Message = op + ": " + c.Message
	}
	if c.Node == "" {
		c.Node = node
		c.Message = node + ": " + c.Message
	}
	return c
}
