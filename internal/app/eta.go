package app

import (
	"context"
	"time"

	"cau/engine"
	"cau/internal/lab"
	"cau/internal/message"
)

// Estimate says when a run is likely to end, or why nobody knows. It never fails: a run that cannot be estimated is one
// whose end is not known.
func (p *program) Estimate(ctx context.Context, state engine.State, alive bool) engine.ETA {
	if !alive && !state.Status.Ended() {
		return engine.ETA{Unknown: p.texts.T(message.ETANoCoordinator)}
	}
	home, err := p.home()
	if err != nil {
		return engine.ETA{Unknown: err.Error()}
	}
	plan, err := home.Plan(state.Run)
	if err != nil {
		return engine.ETA{Unknown: err.Error()}
	}
	return engine.Estimate(&state, plan, p.earlier(plan), p.runTime(ctx, plan, &state))
}

// earlier is what earlier runs of the plan's cluster took.
func (p *program) earlier(plan *engine.Plan) engine.History {
	home, err := p.home()
	if err != nil {
		return engine.History{}
	}
	return home.History(plan)
}

// runTime is the run's clock now. That of a lab which is gone stands where the run last was.
func (p *program) runTime(ctx context.Context, plan *engine.Plan, state *engine.State) time.Time {
	if plan.Lab == "" {
		return time.Now()
	}
	if info, err := lab.Load(p.labDir(plan.Lab)); err == nil {
		if now, err := lab.Now(ctx, info); err == nil {
			return now
		}
	}
	last := state.Started
	for _, n := range state.Nodes {
		for _, t := range []time.Time{n.PhaseStarted, n.Ended} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}
