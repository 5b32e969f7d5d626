package engine

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	"cau/plugins"
)

// jobID is the same for the same run, node, thing and attempt, so that a resumed run attaches to the job that is there
// and never starts a second one (R26), and another attempt does start one. At most 8+1+20+1+64+1+5 characters of
// [a-z0-9-], which a node takes as one folder's name (R17).
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
	return run + "-" + plain[:min(len(plain), 20)] + "-" + what + "-" + strconv.Itoa(attempt)
}

// stageAll brings the updates to every node before the first drain, on a few nodes at once (R23). A node
// that cannot be staged has failed and is not drained; when that is more than the budget, none is. What is
// being staged is finished even then, so that every node's own reason is known (R30).
func (r *run) stageAll(ctx context.Context) error {
	var todo []NodePlan
	for _, np := range r.Plan.Nodes {
		if nr := r.node(np.Name); nr.Status == NodeWaiting && !nr.Staged {
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

// stage returns an error only when the run cannot go on: ctx ended, or nothing can be recorded.
func (r *run) stage(ctx context.Context, np NodePlan) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.stopAsked() || r.overBudget() {
		return nil
	}
	nr := r.node(np.Name)
	job := jobID(r.Plan.Run, np.Name, "stage", nr.Attempt)
	if nr.Phase != PhaseStaging {
		if err := r.record(Fact{Kind: FactStageIntent, Node: np.Name, Data: FactData{Job: job}}); err != nil {
			return err
		}
	}
	res, err := r.Plugin.Stage(ctx, r.Nodes(np.Name), plugins.StageRequest{
		Run: r.Plan.Run, JobID: job, Source: r.Plan.Source, Arguments: r.Plan.Arguments, Updates: np.Updates, Delivery: np.Delivery,
	}, r.report(np.Name))
	if err != nil {
		again := r.retryCredential(ctx, np.Name, err)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case again:
			return r.stage(ctx, np)
		case errors.Is(err, ErrCredential) && r.stopAsked():
			return nil // it is cancelled with all that were not begun
		}
		return r.notStaged(ctx, np, err)
	}
	return r.record(Fact{Kind: FactStageDone, Node: np.Name, Data: FactData{Job: job, Connection: &res.Connection, Bytes: res.Bytes}})
}

// notStaged ends the node, or stages it again after a while: before the first drain, so that nobody is drained for a
// run that its other nodes' failures stop. What keeps a node from reading a share passes, if at all, not at once.
func (r *run) notStaged(ctx context.Context, np NodePlan, err error) error {
	cause := causeOf("stage", np.Name, err)
	if !errors.Is(err, plugins.ErrJobRefused) {
		again, err := r.triedAgain(np, NodeFailed, cause)
		if err != nil {
			return err
		}
		if again {
			if err := r.sleepUntilStop(ctx); err != nil {
				return err
			}
			return r.stage(ctx, np)
		}
	}
	nr := r.node(np.Name)
	return r.record(Fact{Kind: FactNodeEnded, Node: np.Name, Data: FactData{NodeStatus: NodeFailed, Cause: overAttempts(&nr, cause)}})
}
