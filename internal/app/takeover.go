package app

import (
	"context"
	"errors"
	"fmt"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/winnode"
)

// checkpoints keeps runs' checkpoints on a fleet's nodes.
type checkpoints struct{ fleet *winnode.Fleet }

// PutCheckpoint implements coordinator.CheckpointStore.
func (c checkpoints) PutCheckpoint(ctx context.Context, run string, sequence int64, text []byte, prefer []string) ([]string, error) {
	return c.fleet.PutCheckpoint(ctx, winnode.Checkpoint{Run: run, Sequence: sequence, Text: text}, prefer...)
}

// DropCheckpoint implements coordinator.CheckpointStore.
func (c checkpoints) DropCheckpoint(ctx context.Context, run string) error {
	return c.fleet.DropCheckpoint(ctx, run)
}

// LeftRuns finds the runs that lie on the cluster's nodes, and who holds the cluster.
func (p *program) LeftRuns(ctx context.Context, target cli.Target, note func(string)) (cli.LeftRuns, error) {
	s, err := p.signIn(ctx, target)
	if err != nil {
		return cli.LeftRuns{}, err
	}
	if err := s.connect(ctx, note); err != nil {
		return cli.LeftRuns{}, err
	}
	note(fmt.Sprintf("Looking for runs on the %d nodes of %s.", len(s.view.Nodes), s.view.Name))
	out := cli.LeftRuns{Cluster: s.view.Name}
	if out.Lease, err = s.fleet.ReadLease(ctx); err != nil {
		return out, err
	}
	found, err := s.fleet.FindCheckpoints(ctx)
	if err != nil {
		if len(found) == 0 {
			return out, err
		}
		out.Unseen = err.Error()
	}
	home, err := p.home()
	if err != nil {
		return out, err
	}
	for _, f := range found {
		left := cli.LeftRun{Run: f.Run, Node: f.Node, Written: f.Written}
		c, err := coordinator.ReadCheckpoint(f.Run, f.Text)
		if err != nil {
			left.Problem = err.Error()
		} else {
			left.State = c.State
		}
		_, here, _, err := home.Load(f.Run)
		left.Here = !errors.Is(err, coordinator.ErrNoRun) && here.Status != engine.RunTakenOver
		out.Runs = append(out.Runs, left)
	}
	return out, nil
}

// TakeOver makes the run's folder here from its checkpoint on the nodes, and starts a coordinator for it. Whoever calls it has
// seen to it that the run's own coordinator is gone, or is to be replaced (R27).
func (p *program) TakeOver(ctx context.Context, target cli.Target, run string, under engine.Lease) (cli.Started, error) {
	s, err := p.signIn(ctx, target)
	if err != nil {
		return cli.Started{}, err
	}
	found, err := s.fleet.FindCheckpoints(ctx)
	i := -1
	for k := range found {
		if found[k].Run == run {
			i = k
		}
	}
	if i < 0 {
		return cli.Started{}, errors.Join(fmt.Errorf("the checkpoint of run %s is gone", run), err)
	}
	c, err := coordinator.ReadCheckpoint(run, found[i].Text)
	if err != nil {
		return cli.Started{}, err
	}
	if err := labOf(s, c.Plan); err != nil {
		return cli.Started{}, err
	}
	home, err := p.home()
	if err != nil {
		return cli.Started{}, err
	}
	if err := home.Restore(c, under, s.clock.Now()); err != nil {
		if errors.Is(err, coordinator.ErrRunExists) {
			err = cli.Refused(&fault.Error{Op: "take over run " + run, Err: err, Hint: "It is this host's own: go on with cau resume " + run + "."})
		}
		return cli.Started{}, err
	}
	started, err := p.Continue(ctx, run, target)
	s.disconnect()
	if err != nil {
		return started, &fault.Error{Op: "take over run " + run, Err: err, Hint: "Its folder is here now: once that is in order, go on with cau resume " + run + "."}
	}
	return started, nil
}

// labOf refuses a plan that is not one of the cluster that was signed in to: real for a lab, a lab's for a real one.
func labOf(s *session, plan *engine.Plan) error {
	id := ""
	if s.lab != nil {
		id = s.lab.ID
	}
	if plan.Lab != id {
		return fmt.Errorf("the checkpoint of run %s is that of another cluster", plan.Run)
	}
	return nil
}
