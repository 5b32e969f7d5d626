package engine

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cau/plugins"
)

// jobID is the same for the same run, node, thing and attempt, so that a resumed run attaches to the job that is there
// and never starts a second one (R26), and another attempt does start one. At most 100 characters of
// [a-z0-9-], which a node takes as one folder's name (R17): 8+1+20+1+64+1+5, where a further pass takes three from the node's.
func jobID(run, node, what string, attempt int) string {
	plain := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, node)
	room := 100 - len(run) - len(what) - 3 - 5
	return run + "-" + plain[:min(len(plain), 20, room)] + "-" + what + "-" + strconv.Itoa(attempt)
}

// stageAll brings the updates to every node before the first drain, on a few nodes at once (R23). A node
// that cannot be staged has failed and is not drained; when that is more than the budget, none is. What is
// being staged is finished even then, so that every node's own reason is known (R30). After a crash nodes may be out of
// service: then what is not staged yet waits for its node's turn, because who serves the files may be among them (R11).
func (r *run) stageAll(ctx context.Context) error {
	var todo []NodePlan
	for _, np := range r.Plan.Nodes {
		if nr := r.node(np.Name); !r.someoneAway() && nr.Status == NodeWaiting && !nr.Staged && len(np.Updates) > 0 {
			todo = append(todo, np)
		}
	}
	queue := make(chan NodePlan, len(todo))
	for _, np := range todo {
		queue <- np
	}
	close(queue)
	each, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	for range min(r.Plan.Options.StageNodesAtOnce, len(todo)) {
		workers.Go(func() {
			for np := range queue {
				if err := r.stage(each, np); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(each)
}

// someoneAway tells whether the run has a node out of service, or left one so.
func (r *run) someoneAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.state.Nodes, func(n NodeRun) bool { return n.PausedByUs })
}

// stage returns an error only when the run cannot go on: ctx ended, or nothing can be recorded. In a further pass the
// node is out of service, and is finished without what could not be staged.
func (r *run) stage(ctx context.Context, np NodePlan) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	nr := r.node(np.Name)
	if nr.Status.Ended() || !nr.atWork() && (nr.TakenBy != "" || r.beginsNothing() || r.overBudget()) {
		return nil
	}
	job := jobID(r.Plan.Run, np.Name, inPass("stage", nr.Pass), nr.Attempt)
	// What a further pass needs was announced by the fact that began it.
	if nr.Phase != PhaseStaging && !nr.atWork() {
		if err := r.record(Fact{Kind: FactStageIntent, Node: np.Name, Data: FactData{Job: job}}); err != nil {
			return err
		}
	}
	done := r.stagePlugins(ctx, np, nr)
	for _, s := range done {
		if s.err == nil {
			continue
		}
		again := r.retryCredential(ctx, np.Name, s.err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case again:
			return r.stage(ctx, np)
		case errors.Is(s.err, ErrCredential) && (r.stopAsked() || !nr.atWork() && r.beginsNothing()):
			return nil // it is cancelled with all that were not begun
		}
	}
	return r.staged(ctx, np, nr, job, done)
}

// stagedPlugin is how staging the updates of one plug-in ended on a node.
type stagedPlugin struct {
	place int
	res   plugins.StageResult
	err   error
}

// stagePlugins stages what each plug-in still has to install there, side by side or, with RunPluginsSerially, one after
// the other; a failure then ends it with StopOnPluginFailure.
func (r *run) stagePlugins(ctx context.Context, np NodePlan, nr NodeRun) []stagedPlugin {
	var done []stagedPlugin
	var todo [][]plugins.Update
	for place := range r.Plan.Instances() {
		open := slices.DeleteFunc(r.Plan.ownUpdates(place, np, nr), func(u plugins.Update) bool { return !nr.Update(u.ID).open() })
		if len(open) > 0 {
			done, todo = append(done, stagedPlugin{place: place}), append(todo, open)
		}
	}
	one := func(i int) {
		s := &done[i]
		plugin, pp := r.pluginAt(s.place)
		s.res, s.err = plugin.Stage(ctx, r.Nodes(np.Name), plugins.StageRequest{
			Run: r.Plan.Run, JobID: jobID(r.Plan.Run, np.Name, inPass(idMark(s.place)+"stage", nr.Pass), nr.Attempt), Source: pp.Source, Arguments: pp.Arguments,
			Updates: todo[i], Delivery: np.Delivery,
		}, r.report(np.Name))
		if s.err == nil {
			s.err = noneCame(s.res, todo[i])
		}
	}
	if o := r.Plan.Options; o.RunPluginsSerially {
		for i := range done {
			if one(i); done[i].err != nil && o.StopOnPluginFailure {
				return done[:i+1]
			}
		}
		return done
	}
	var all sync.WaitGroup
	for i := range done {
		all.Go(func() { one(i) })
	}
	all.Wait()
	return done
}

// noneCame is why none of the updates came, as if staging itself had failed; nil where one did.
func noneCame(res plugins.StageResult, todo []plugins.Update) error {
	var errs []error
	for _, u := range todo {
		i := slices.IndexFunc(res.Failed, func(f plugins.StageFailure) bool { return f.Update == u.ID })
		if i < 0 {
			return nil
		}
		errs = append(errs, res.Failed[i].Err)
	}
	return errors.Join(errs...)
}

// staged records what staging came to. A node for which nothing is left to install has failed while it is in service; one
// that is out of service is finished without what could not be staged. A single update that did not come has failed, and the
// node is taken for the others.
func (r *run) staged(ctx context.Context, np NodePlan, nr NodeRun, job string, done []stagedPlugin) error {
	data := FactData{Job: job}
	var failed []Fact
	skipped := map[string]bool{}
	came := false
	for _, s := range done {
		for _, f := range s.res.Failed {
			data.Unstaged = append(data.Unstaged, Unstaged{Update: f.Update, Cause: causeOf("stage", np.Name, f.Err)})
		}
		if s.err != nil {
			f := r.stageFailed(np, nr, s, skipped)
			failed = append(failed, f)
			continue
		}
		came = true
		data.Bytes += s.res.Bytes
		if s.res.Connection == (plugins.ShareConnection{}) {
			continue // what it stages comes from no share
		}
		if data.Connection == nil {
			data.Connection = &s.res.Connection
			continue
		}
		if data.Connections == nil {
			data.Connections = map[string]plugins.ShareConnection{}
		}
		data.Connections[r.Plan.Instances()[s.place].Instance] = s.res.Connection
	}
	if len(failed) > 0 && !nr.atWork() {
		if again, err := r.stagedAgain(ctx, np, done); again || err != nil {
			return err
		}
	}
	left := slices.ContainsFunc(nr.Updates, func(u UpdateRun) bool { return u.open() && !skipped[u.ID] })
	if len(failed) > 0 && !left && !nr.atWork() {
		status, cause := NodeFailed, failed[0].Data.Cause
		if nr.installed() > 0 {
			status = NodePartiallyFailed
		}
		if len(nr.PluginFailures) > 0 {
			cause = nr.PluginFailures[0].Cause
		}
		return r.recordOpen(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: status, Cause: overAttempts(&nr, cause), Unstaged: data.Unstaged}})
	}
	for _, f := range failed {
		if err := r.record(f); err != nil {
			return err
		}
	}
	if !came && nr.atWork() {
		return nil // nothing came, and nothing is left to install
	}
	return r.record(Fact{Kind: FactStageDone, Node: np.Name, Data: data})
}

// stageFailed skips what could not be staged, and with StopOnPluginFailure what the plug-ins after it would install.
func (r *run) stageFailed(np NodePlan, nr NodeRun, s stagedPlugin, skipped map[string]bool) Fact {
	f := Fact{Kind: FactPluginFailed, Node: np.Name, Data: FactData{
		Plugin: r.Plan.Instances()[s.place].Instance, Cause: r.Plan.blame(s.place, np.Name, causeOf("stage", np.Name, s.err)),
		Message: "Skipped, because " + orElse(r.Plan.inWords(s.place), "the plug-in") + " could not stage.",
	}}
	for _, u := range updatesOf(np, nr) {
		place := r.Plan.place(u)
		own := place == s.place || place > s.place && r.Plan.Options.StopOnPluginFailure
		if own && !skipped[u.ID] && nr.Update(u.ID).open() {
			skipped[u.ID] = true
			f.Data.Skipped = append(f.Data.Skipped, u.ID)
		}
	}
	return f
}

// stagedAgain stages the node again after a while, where another attempt may help: before the first drain, so that nobody
// is drained for a run that its other nodes' failures stop. What keeps a node from reading a share passes, if at all, not
// at once.
func (r *run) stagedAgain(ctx context.Context, np NodePlan, done []stagedPlugin) (bool, error) {
	for _, s := range done {
		if s.err == nil {
			continue
		}
		if errors.Is(s.err, plugins.ErrJobRefused) {
			return false, nil
		}
		again, err := r.triedAgain(np, NodeFailed, r.Plan.blame(s.place, np.Name, causeOf("stage", np.Name, s.err)))
		if err != nil || !again {
			return false, err
		}
		if err := r.sleepUntilStop(ctx); err != nil {
			return true, err
		}
		if r.someoneAway() {
			return true, nil // somebody had a node taken up meanwhile: it is staged at its turn
		}
		return true, r.stage(ctx, np)
	}
	return false, nil
}
