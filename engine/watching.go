package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"cau/plugins"
)

// A node that was left paused may still come to an end: an installer that outlived its limit (R18), a restart that was
// not proven in time (R22). And where nobody knows how an update ended, somebody may see it and say so (R19). Such nodes are
// watched beside everything else the run does, and for a while after it.

const (
	// watchLimit bounds one watch; the run does not end before its watches do.
	watchLimit = 2 * time.Hour
	// watchPoll is how often a node that may come back is looked at.
	watchPoll = 30 * time.Second
)

// Attacher is a Node that can wait for a job's end without ever starting it: the answers are those of RunJob, and
// plugins.ErrJobLost where there is no such job. Without it an installer is watched only by the very coordinator that
// saw it running, because asking for a job that is gone would start it again (R19).
type Attacher interface {
	AttachJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error)
}

// runsOn is the update whose installer outlived its limit and is not known to have ended, nil when there is none.
func (n *NodeRun) runsOn() *UpdateRun {
	for i := range n.Updates {
		if u := &n.Updates[i]; u.RunsOn && u.Late == nil {
			return u
		}
	}
	return nil
}

// mayReturn tells whether the node was left because its restart was not proven in time.
func (n *NodeRun) mayReturn() bool {
	return n.MayReturn && (n.PausedByUs || n.inService()) && n.RestartFrom != "" && n.Phase == PhaseDone
}

// returning tells whether the node returned late and is not yet done.
func (n *NodeRun) returning() bool { return n.Returned && n.Phase != PhaseDone }

// beginWatches starts a watch of every node that needs one and has none. It is called by the sequence alone.
func (r *run) beginWatches(ctx context.Context) error {
	for _, np := range r.Plan.Nodes {
		nr := r.node(np.Name)
		if r.watched[np.Name] || !nr.Status.Ended() {
			continue
		}
		switch u := nr.runsOn(); {
		case nr.returning():
			r.goWatch(ctx, np, r.windUp)
		case nr.WatchOver || r.stopAsked():
		case nr.mayReturn():
			if err := r.watchBegun(np, np.Name+" did not come back from its restart in time and is still watched."); err != nil {
				return err
			}
			r.goWatch(ctx, np, r.watchReturn)
		case nr.scriptRunsOn() && r.attaches(np.Name):
			if err := r.watchBegun(np, "A script runs on and is still watched."); err != nil {
				return err
			}
			r.goWatch(ctx, np, r.watchScript)
		case nr.scriptRunsOn() && nr.Watched:
			if err := r.watchOver(np, "A new coordinator cannot wait for the script: asking for it could start it again."); err != nil {
				return err
			}
		case u != nil && !r.attaches(np.Name):
			if err := r.watchOver(np, "A new coordinator cannot wait for "+u.Name+": asking for it could start it again."); err != nil {
				return err
			}
		case u != nil:
			if err := r.watchBegun(np, "The installer of "+u.Name+" runs on and is still watched."); err != nil {
				return err
			}
			id := u.ID
			r.goWatch(ctx, np, func(ctx context.Context, np NodePlan) error { return r.watchInstaller(ctx, np, id) })
		case nr.Status == NodeHeld && nr.unknownUpdate() != nil:
			if err := r.watchBegun(np, r.askHowItEnded(nr)); err != nil {
				return err
			}
			r.goWatch(ctx, np, r.watchWord)
		}
	}
	return nil
}

// attaches tells whether a job on the node can be waited for without any danger of starting it.
func (r *run) attaches(node string) bool {
	_, ok := r.Nodes(node).(Attacher)
	r.mu.Lock()
	defer r.mu.Unlock()
	return ok || r.ranHere[node]
}

func (r *run) goWatch(ctx context.Context, np NodePlan, watch func(context.Context, NodePlan) error) {
	r.watched[np.Name] = true
	r.mu.Lock()
	r.watching++
	r.mu.Unlock()
	r.watches.Go(func() {
		defer func() {
			r.mu.Lock()
			r.watching--
			r.mu.Unlock()
			r.wake()
		}()
		// What cannot be recorded is kept in r.broken, where the sequence meets it; an end of ctx needs no word.
		_ = watch(ctx, np)
	})
}

func (r *run) watchBegun(np NodePlan, message string) error {
	return r.record(Fact{Kind: FactWatchBegun, Node: np.Name, Data: FactData{Message: message}})
}

func (r *run) watchOver(np NodePlan, message string) error {
	return r.record(Fact{Kind: FactWatchEnded, Node: np.Name, Data: FactData{Message: message}})
}

// awaitWatches keeps the run alive until nothing is watched any more, or a node is asked for again.
func (r *run) awaitWatches(ctx context.Context) error {
	var names []string
	r.mu.Lock()
	for i := range r.state.Nodes {
		if n := &r.state.Nodes[i]; n.Watched || n.returning() {
			names = append(names, n.Name)
		}
	}
	r.mu.Unlock()
	if len(names) > 0 {
		message := fmt.Sprintf("Nothing is left to do; still watched: %s. The run ends with that, after %s at the latest, or when it is asked to stop.", strings.Join(names, ", "), watchLimit)
		if err := r.record(Fact{Kind: FactRunWatching, Data: FactData{Message: message}}); err != nil {
			return err
		}
	}
	for {
		r.mu.Lock()
		over, err := r.watching == 0 || r.state.open(), r.broken
		r.mu.Unlock()
		if over || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.woken:
		}
	}
}

// lateBound says when a watch is over: its time is up, or stop was asked.
type lateBound struct {
	*run
	np   NodePlan
	wait *patience
}

func (r *run) lateBound(np NodePlan) *lateBound {
	return &lateBound{run: r, np: np, wait: r.patience(watchLimit)}
}

// over records why nobody watches any more, once that is so.
func (b *lateBound) over() (bool, error) {
	switch {
	case b.stopAsked():
		return true, b.watchOver(b.np, "Stop was asked; "+b.np.Name+" is not watched any more.")
	case b.wait.over(b.Clock.Now()):
		return true, b.watchOver(b.np, fmt.Sprintf("%s is not watched any more after %s.", b.np.Name, watchLimit))
	}
	return false, nil
}

// sleepUntilStop sleeps for watchPoll, and ends early when stop is asked.
func (r *run) sleepUntilStop(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	release := context.AfterFunc(r.stopped, cancel)
	defer release()
	err := r.Clock.Sleep(ctx, watchPoll)
	if r.stopped.Err() != nil {
		return nil
	}
	return err
}

// watchReturn waits for a node whose restart was not proven in time. When it is back, ready and stable, it is brought
// back into service; it has failed all the same (R22). Nothing is asked of it meanwhile.
func (r *run) watchReturn(ctx context.Context, np NodePlan) error {
	nr := r.node(np.Name)
	bound := r.lateBound(np)
	w := &restartWatch{run: r, np: np, from: nr.RestartFrom, sampled: nr.BootRead, wait: r.patience(watchLimit), late: true}
	for {
		resumed := nr.PausedByUs && r.resumedByOthers(ctx, np.Name)
		proven := false
		if !resumed {
			proven, _ = w.poll(ctx) // what is missing yet is not asked for
		}
		_ = w.wait.over(r.Clock.Now()) // counts how long this was watched
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case r.brokenErr() != nil:
			return r.brokenErr()
		case proven:
			return r.returnedLate(ctx, np, w.seen)
		case resumed:
			return r.watchOver(np, "Somebody resumed "+np.Name+"; it is left to them.")
		case w.restarts > spontaneousLimit:
			return r.watchOver(np, fmt.Sprintf("%s restarted %d times by itself and is left alone.", np.Name, w.restarts-1))
		}
		if over, err := bound.over(); over {
			return err
		}
		if err := r.sleepUntilStop(ctx); err != nil {
			return err
		}
	}
}

// unknownUpdate is the first update of which nobody knows how it ended, nil when there is none.
func (n *NodeRun) unknownUpdate() *UpdateRun {
	for i := range n.Updates {
		if u := &n.Updates[i]; u.Unknown() {
			return u
		}
	}
	return nil
}

func (r *run) askHowItEnded(nr NodeRun) string {
	u := nr.unknownUpdate()
	return fmt.Sprintf("Nobody knows how %s ended. See it on the node, then: cau mark %s %s %s installed|not-applicable|failed. The node is finished from there.",
		u.Name, r.Plan.Run, nr.Name, u.ID)
}

// watchWord gives somebody time to say how an update ended (VerbMark): after the run's end that would be too late. Nothing is
// asked of the node.
func (r *run) watchWord(ctx context.Context, np NodePlan) error {
	attempt := r.node(np.Name).Attempt
	bound := r.lateBound(np)
	for {
		if nr := r.node(np.Name); nr.Attempt != attempt || !nr.Status.Ended() {
			return nil
		}
		if over, err := bound.over(); over {
			return err
		}
		if err := r.sleepUntilStop(ctx); err != nil {
			return err
		}
	}
}

// resumedByOthers tells whether the node that we left paused is in service, by somebody else's doing.
func (r *run) resumedByOthers(ctx context.Context, name string) bool {
	v, err := r.Cluster.Describe(ctx, name)
	m := v.Member(name)
	return err == nil && m != nil && m.State == NodeUp
}

func (r *run) returnedLate(ctx context.Context, np NodePlan, boot string) error {
	took := r.now().Sub(r.node(np.Name).Ended).Round(time.Second)
	said := fmt.Sprintf("it returned late, %s after its time was over", took)
	var pending PendingView
	err := r.persist(ctx, contactPoll, contactPatience, func() error {
		var err error
		pending, err = r.Nodes(np.Name).PendingRestart(ctx)
		return err
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return r.watchOver(np, said+"; it is left as it is, because nobody knows whether another restart is pending: "+sentence(err))
	case pending.Pending():
		return r.watchOver(np, said+"; it is left as it is, because another restart is pending: "+strings.Join(pending.Reasons, ", ")+".")
	}
	cause := r.lateCause(np.Name, said)
	cause.Hint = np.Name + " is in service again. See why its restart took so long, and give it more time with RebootTimeoutMinutes; what it did not get is offered again."
	if err := r.record(Fact{Kind: FactReturnedLate, Node: np.Name, Data: FactData{Boot: boot, BootRead: r.now(), Message: capital(said) + ".", Cause: cause}}); err != nil {
		return err
	}
	return r.windUp(ctx, np)
}

// windUp brings a node that returned late back into service, through the same steps as any other. Nobody stops it
// half-way (R29).
func (r *run) windUp(ctx context.Context, np NodePlan) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.brokenErr(); err != nil {
			return err
		}
		nr := r.node(np.Name)
		if !nr.returning() {
			return nil
		}
		if err := r.next(ctx, np, nr); err != nil {
			return err
		}
	}
}
