package app

import (
	"context"
	"errors"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/message"
)

// Runs lists the runs on this host, newest first.
func (p *program) Runs(context.Context) ([]cli.RunInfo, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	list, err := home.List()
	if err != nil {
		return nil, err
	}
	out := make([]cli.RunInfo, 0, len(list))
	for _, s := range list {
		info := cli.RunInfo{Run: s.Run, Cluster: s.Cluster, Plugin: s.Plugin, Status: s.Status, Started: s.Started, Ended: s.Ended, Alive: s.Alive}
		if s.Err != nil {
			info.Problem = s.Err.Error()
		}
		out = append(out, info)
	}
	return out, nil
}

// find opens the home and finds a run by the beginning of its id; empty means the newest.
func (p *program) find(prefix string) (*coordinator.Home, string, error) {
	home, err := p.home()
	if err != nil {
		return nil, "", err
	}
	run, err := home.Find(prefix)
	if errors.Is(err, coordinator.ErrNoRun) || errors.Is(err, coordinator.ErrAmbiguous) {
		return nil, "", cli.Usage(&fault.Error{Op: "find the run", Err: err, Hint: "See the runs on this host with cau runs."})
	}
	return home, run, err
}

// Status reads a run.
func (p *program) Status(_ context.Context, prefix string) (engine.State, bool, error) {
	home, run, err := p.find(prefix)
	if err != nil {
		return engine.State{}, false, err
	}
	_, state, alive, err := home.Load(run)
	if words := home.LastWords(run); err == nil && words != "" && !state.Status.Ended() {
		state.Waiting = p.texts.T(message.CLILastWords, words)
	}
	return state, alive, err
}

// Watch follows a run with its facts.
func (p *program) Watch(ctx context.Context, run string) (<-chan cli.Event, error) {
	snapshots, err := p.snapshots(ctx, run)
	if err != nil {
		return nil, err
	}
	out := make(chan cli.Event)
	go func() { // ends with snapshots, which end with ctx
		defer close(out)
		var plan *engine.Plan
		var history engine.History
		for s := range snapshots {
			if s.Plan != nil {
				plan, history = s.Plan, p.earlier(s.Plan)
			}
			e := cli.Event{State: s.State, Alive: s.Alive, Err: s.Err}
			if s.Err == nil && s.Alive {
				e.ETA = engine.Estimate(&s.State, plan, history, p.runTime(ctx, plan, &s.State))
			}
			for _, l := range s.Lines {
				if l.Kind == coordinator.LineFact {
					e.Facts = append(e.Facts, cli.Fact{Raw: l.Raw, Time: l.Time, Node: l.Node, Text: l.Text})
				}
			}
			select {
			case out <- e:
			case <-ctx.Done():
			}
		}
	}()
	return out, nil
}

// snapshots follows a run; texts of facts are in the program's language.
func (p *program) snapshots(ctx context.Context, run string) (<-chan coordinator.Snapshot, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	plan, err := home.Plan(run)
	if err != nil {
		return nil, err
	}
	return home.Watch(ctx, run, func(f engine.Fact) string { return factText(p.texts, plan, f) })
}

// Control asks a live run for something.
func (p *program) Control(ctx context.Context, run string, asked engine.Control) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	verb := asked.Verb
	err = home.Control(ctx, run, asked)
	var refused *engine.RefusedError
	switch {
	case errors.As(err, &refused):
		return &fault.Error{Op: string(verb) + " in run " + run, Err: err, Hint: refused.Advice}
	case errors.Is(err, coordinator.ErrEnded):
		return &fault.Error{Op: string(verb) + " run " + run, Err: err, Hint: "Nothing more is done in it; see cau status " + run + "."}
	case errors.Is(err, coordinator.ErrNotAlive):
		return &fault.Error{Op: string(verb) + " run " + run, Err: err, Hint: "Nobody works on it, and nothing can be asked of it: go on with cau resume " + run + ", then ask again."}
	}
	return err
}
