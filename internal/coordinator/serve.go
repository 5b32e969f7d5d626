package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/journal"
	"cau/plugins"
)

// ServeInput is what a coordinator works with.
type ServeInput struct {
	Home *Home
	Run  string
	// Plugin, Further, Cluster, Nodes and Clock are as in engine.RunInput.
	Plugin  plugins.Plugin
	Further map[string]plugins.Plugin
	Cluster engine.Cluster
	Nodes   func(name string) engine.Node
	Clock   engine.Clock
	// Lease is the cluster's; nil where nothing keeps a coordinator of another host out (R27).
	Lease engine.LeaseKeeper
	// Checkpoints may be nil: then no other host can go on with the run.
	Checkpoints CheckpointStore
	// Credential is as in engine.RunInput; nil where nothing is known of its end (R05).
	Credential engine.Credential
	// SignIn proves another sign-in and goes on with it, or says why not; nil where that cannot be changed. What it is given
	// is overwritten when it returns.
	SignIn func(ctx context.Context, secret []byte) error
	// Notices tells people about the run; nil where nobody is to be told.
	Notices *Notices
	// Gate is as in engine.RunInput.
	Gate engine.Gatekeeper
	// Child tells the starter that the run is being worked on, or why not; nil where there is no starter.
	Child *Child
	// Seams are where a test takes part; the zero value is nothing of it.
	Seams Seams
}

// Seams are the places at which a coordinator's life can be watched and ended by a test, at an exact point. Nil functions
// change nothing.
type Seams struct {
	// Disk is put in front of the journal's file.
	Disk func(journal.Disk) journal.Disk
	// Listener is put in front of the control socket.
	Listener func(net.Listener) net.Listener
	// SnapshotEvery is how many facts lie between two snapshots; 0 is as always. Step is asked before each step of writing one,
	// and may refuse it.
	SnapshotEvery int
	Step          func(name string) error
}

// Serve is the coordinator's work: it takes the locks of run and cluster, folds the journal, answers the control
// socket and executes the plan until the run has ended; it returns the state it left. ErrAlive, ErrEnded and
// ErrClusterBusy keep it from beginning. When ctx ends, or SIGTERM comes, it returns at once with an error and the
// run waits to be resumed. Whatever way it ends, locks and socket are given back.
func Serve(ctx context.Context, in ServeInput) (engine.State, error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	p := &post{desk: newDesk(), state: engine.State{Run: in.Run}, snapshot: snapshots{home: in.Home, run: in.Run, every: in.Seams.SnapshotEvery, step: in.Seams.Step}}
	p.desk.signIn = in.SignIn
	err := p.take(ctx, in)
	if err == nil {
		err = p.work(ctx, in)
	}
	err = errors.Join(err, p.leave())
	if err != nil {
		in.Child.Fail(err)
	}
	return p.state, err
}

// post is everything a coordinator holds while it works.
type post struct {
	plan    *engine.Plan
	state   engine.State
	journal *journal.Writer
	desk    *desk
	// snapshot folds beside the engine what is recorded.
	snapshot snapshots
	room     *room
	progress *telemetry
	// facts counts the journal's; notices, which may be nil, tells people about them.
	facts   int
	notices *notifier
	// held are given back in reverse order.
	held []func() error
}

func (p *post) hold(c io.Closer) { p.held = append(p.held, c.Close) }

// take takes the locks first: what is read below must not change any more.
func (p *post) take(ctx context.Context, in ServeInput) error {
	plan, err := in.Home.Plan(in.Run)
	if err != nil {
		return err
	}
	p.plan = plan
	runLock, err := in.Home.lockRun(ctx, in.Run)
	if err != nil {
		return err
	}
	p.hold(runLock)
	// The last messages are waited for when the cluster is free again, and before another coordinator can go on.
	p.held = append(p.held, func() error {
		within := cutNotices
		if p.state.Status.Ended() {
			within = lastNotices
		}
		p.notices.close(within)
		return nil
	})
	clusterLock, err := in.Home.lockCluster(ctx, plan)
	if err != nil {
		return err
	}
	p.hold(clusterLock)
	p.journal, err = journal.OpenThrough(in.Home.in(in.Run, journalFile), in.Seams.Disk)
	if err != nil {
		return err
	}
	p.hold(p.journal)
	// The journal's chain was checked from its first record on; only folding starts at the snapshot.
	if p.state, p.snapshot.at, err = in.Home.fold(plan); err != nil {
		return fmt.Errorf("go on with run %s: %w", in.Run, err)
	}
	switch {
	case p.state.Status == engine.RunTakenOver:
		return fmt.Errorf("run %s: %w", in.Run, ErrTakenOver)
	case p.state.Status.Ended():
		return fmt.Errorf("run %s: %w", in.Run, ErrEnded)
	}
	p.room, err = openRoom(in.Home, in.Run)
	return err
}

// work lets the run be controlled and executes it.
func (p *post) work(ctx context.Context, in ServeInput) error {
	progress, err := openTelemetry(in.Home.in(in.Run, telemetryFile))
	if err != nil {
		return err
	}
	p.hold(progress)
	p.progress = progress
	if err := p.answer(ctx, in); err != nil {
		return err
	}
	p.snapshot.begin(&p.state, p.journal, progress, in.Clock)
	if err := p.tell(in, progress); err != nil {
		return err
	}
	p.state, err = engine.Run(ctx, engine.RunInput{
		Plan: p.plan, State: p.state, Plugin: in.Plugin, Further: in.Further, Cluster: in.Cluster, Nodes: in.Nodes,
		Recorder: p, Telemetry: progress, Control: p.desk.control,
		Answer: func(_ engine.Control, err error) { p.desk.answered(err) }, Clock: in.Clock, Gate: in.Gate, Credential: in.Credential,
		DiskFull: func() *fault.Cause { return p.room.spent }, Lease: in.Lease, Holder: holderName(),
		Ready: in.Child.Ready, Checkpoints: keeperOf(in.Checkpoints, p.plan),
	})
	why := ErrNotAlive
	if p.state.Status.Ended() {
		why = ErrEnded
		err = errors.Join(err, p.room.drop())
	}
	p.desk.close(fmt.Errorf("run %s: %w", in.Run, why))
	return err
}

// tell begins to tell people, and what they were not told before the last coordinator died.
func (p *post) tell(in ServeInput, progress *telemetry) error {
	p.facts = p.state.Facts
	if in.Notices == nil {
		return nil
	}
	p.notices = in.Home.notify(in.Run, *in.Notices, p.facts, func(line string) {
		progress.Report(engine.Progress{Time: in.Clock.Now(), Message: line, Percent: -1})
	})
	if p.notices.after == p.facts {
		return nil
	}
	number := 0
	return in.Home.eachFact(in.Run, func(f engine.Fact) error {
		number++
		p.notices.tell(number, f)
		return nil
	})
}

// answer opens the control socket. What is held before it, the journal above all, is given back only after the last
// request is answered.
func (p *post) answer(ctx context.Context, in ServeInput) error {
	l, remove, err := in.Home.listen(ctx, in.Run)
	if err != nil {
		return err
	}
	if in.Seams.Listener != nil {
		l = in.Seams.Listener(l)
	}
	ctx, cancel := context.WithCancel(ctx)
	var answering sync.WaitGroup
	answering.Go(func() { answerControls(ctx, l, p.desk) })
	p.held = append(p.held, func() error {
		cancel()
		err := errors.Join(ignoreClosed(l.Close()), remove())
		answering.Wait()
		return err
	})
	return nil
}

// Record implements engine.Recorder: the fact is on disk when it returns (R25).
func (p *post) Record(f engine.Fact) error {
	data, err := json.Marshal(f)
	if err == nil {
		err = p.append(data)
	}
	if err == nil {
		p.snapshot.recorded(data)
		p.facts++
		p.notices.tell(p.facts, f)
	}
	return err
}

// append writes a fact, at the cost of the reserve when there is no other room for it.
func (p *post) append(data []byte) error {
	_, err := p.journal.Append(data)
	if !errors.Is(err, journal.ErrFull) {
		return err
	}
	// Whatever else is written here takes the room of facts.
	p.progress.stop()
	p.snapshot.off = true
	p.notices.keepNothing()
	if p.room.giveUp() {
		_, err = p.journal.Append(data)
	}
	if errors.Is(err, journal.ErrFull) {
		return p.room.usedUp(err)
	}
	return err
}

// leave gives everything back, the locks last.
func (p *post) leave() error {
	var errs []error
	for _, release := range slices.Backward(p.held) {
		errs = append(errs, release())
	}
	return errors.Join(errs...)
}
