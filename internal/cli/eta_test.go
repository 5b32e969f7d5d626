package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cau/engine"
)

func midRun() engine.State {
	return engine.State{Run: "7f3c0001", Cluster: "C", Status: engine.RunRunning, Nodes: []engine.NodeRun{
		{Name: "NODE1", Status: engine.NodeSucceeded, Phase: engine.PhaseDone}, {Name: "NODE2", Status: engine.NodeWaiting, Phase: engine.PhaseWaiting},
	}}
}

func midETA() engine.ETA {
	at := time.Date(2026, 11, 12, 4, 0, 0, 0, time.UTC)
	return engine.ETA{
		At: at, Remaining: 51*time.Minute + time.Second, Basis: "measured on 1 node of this run",
		Nodes: map[string]engine.NodeETA{"NODE2": {At: at, Remaining: 51*time.Minute + time.Second}},
	}
}

func TestStatusSaysWhenTheRunIsLikelyToEndAndWhatThatRestsOn(t *testing.T) {
	f := &fake{state: midRun(), alive: true, eta: midETA()}
	_, out, _ := do(f, "status")
	for _, want := range []string{"ETA 00:52, about ", ": measured on 1 node of this run", "done in 00:52"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	f.eta = engine.ETA{Unknown: "no node has been updated yet", Nodes: map[string]engine.NodeETA{"NODE2": {Unknown: "because"}}}
	if _, out, _ := do(f, "status"); !strings.Contains(out, "ETA unknown: no node has been updated yet") || strings.Contains(out, "done in") {
		t.Errorf("\n%s", out)
	}
	f.state.Status, f.eta = engine.RunSucceeded, engine.ETA{Unknown: "the run has ended"}
	if _, out, _ := do(f, "status"); strings.Contains(out, "ETA") {
		t.Errorf("a run that has ended has an estimate\n%s", out)
	}
}

func TestStatusAsJSONHoldsTheEstimateOrNullAndTheReason(t *testing.T) {
	read := func(f *fake) map[string]any {
		_, out, _ := do(f, "status", "--json")
		var got map[string]any
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err, out)
		}
		return got
	}
	f := &fake{state: midRun(), alive: true, eta: midETA()}
	got := read(f)
	eta, _ := got["eta"].(map[string]any)
	if eta["at"] != "2026-11-12T04:00:00Z" || eta["remaining"] != "00:51:01" || eta["basis"] != "measured on 1 node of this run" || got["run"] != "7f3c0001" || got["alive"] != true {
		t.Errorf("%v", got)
	}
	if n, _ := got["node_etas"].(map[string]any)["NODE2"].(map[string]any); n["eta"].(map[string]any)["remaining"] != "00:51:01" {
		t.Errorf("%v", got["node_etas"])
	}
	f.eta = engine.ETA{Unknown: "why"}
	if got := read(f); got["eta"] != nil || got["eta_unknown"] != "why" {
		t.Errorf("%v", got)
	} else if _, there := got["eta"]; !there {
		t.Error("an unknown estimate is not null but missing")
	}
}

// following is a fake whose run has two events.
type following struct {
	fake
	events []Event
}

func (f *following) Watch(context.Context, string) (<-chan Event, error) {
	out := make(chan Event, len(f.events))
	for _, e := range f.events {
		out <- e
	}
	close(out)
	return out, nil
}

func TestWhoFollowsLineByLineIsToldTheEstimateWithEveryNodeThatEnds(t *testing.T) {
	at := time.Date(2026, 11, 12, 3, 0, 0, 0, time.UTC)
	event := func(st engine.State, e engine.ETA) Event {
		return Event{State: st, Alive: true, ETA: e, Facts: []Fact{{Time: at, Node: "NODE1", Text: "ended", Raw: []byte("{}")}}}
	}
	over := midRun()
	over.Status = engine.RunSucceeded
	f := &following{events: []Event{
		event(engine.State{Nodes: []engine.NodeRun{{}}}, engine.ETA{Unknown: "x"}), event(midRun(), midETA()), event(midRun(), midETA()), event(over, engine.ETA{}),
	}}
	f.state = over
	var out strings.Builder
	Run(context.Background(), f, Streams{In: strings.NewReader(""), Out: &out, Err: &out}, "dev", []string{"attach"})
	if n := strings.Count(out.String(), "ETA 00:52"); n != 1 {
		t.Errorf("said %d times\n%s", n, out.String())
	}
	out.Reset()
	Run(context.Background(), f, Streams{In: strings.NewReader(""), Out: &out, Err: &out}, "dev", []string{"attach", "--json"})
	if strings.Contains(out.String(), "ETA") {
		t.Errorf("JSON lines are facts and nothing else\n%s", out.String())
	}
}
