package app

import (
	"context"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/owngate"
)

// gatekeeper asks the administrator's own gate from this host.
type gatekeeper struct{}

func (gatekeeper) Ask(ctx context.Context, q engine.GateQuestion) (engine.GateAnswer, error) {
	who := owngate.Question{Run: q.Run, Cluster: q.Cluster, Node: q.Node}
	var a engine.GateAnswer
	var err error
	if q.Gate.URL != "" {
		a.Open, a.Said, err = owngate.URL(ctx, q.Gate.URL, q.Status, who)
	} else {
		a.Open, a.Said, err = owngate.Command(ctx, q.Gate.Command, who)
	}
	return a, err
}

// gateProgram fails the gate's check where its program is not on this host.
func gateProgram(o engine.Options, checks []check.Result) []check.Result {
	gate, err := engine.ParseGate(o.Gate)
	if err != nil || len(gate.Command) == 0 {
		return checks
	}
	if err = owngate.Check(gate.Command); err == nil {
		return checks
	}
	for i := range checks {
		if checks[i].ID == "run.gate" {
			checks[i].Outcome, checks[i].Evidence, checks[i].Remedy = check.Fail, err.Error()+".", fault.Hint(err)
		}
	}
	return checks
}
