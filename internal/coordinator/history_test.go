//go:build unix

package coordinator

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/journal"
	"cau/plugins"
)

// ranFor puts a run into the home in which every node took so long to drain, and that ended, or not.
func ranFor(t *testing.T, h *Home, plan *engine.Plan, drain time.Duration, ended bool) {
	t.Helper()
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	w, err := journal.Open(h.in(plan.Run, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	at := plan.Created
	put := func(after time.Duration, f engine.Fact) {
		at = at.Add(after)
		f.Time = at.UTC().Truncate(time.Millisecond)
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Append(data); err != nil {
			t.Fatal(err)
		}
	}
	put(0, engine.Fact{Kind: engine.FactRunStarted})
	for _, n := range plan.Nodes {
		put(time.Minute, engine.Fact{Kind: engine.FactStageIntent, Node: n.Name})
		put(time.Minute, engine.Fact{Kind: engine.FactStageDone, Node: n.Name})
		put(time.Minute, engine.Fact{Kind: engine.FactPauseIntent, Node: n.Name})
		put(drain, engine.Fact{Kind: engine.FactDrainDone, Node: n.Name})
		for _, u := range n.Updates {
			put(0, engine.Fact{Kind: engine.FactInstallIntent, Node: n.Name, Update: u.ID})
			put(time.Minute, engine.Fact{Kind: engine.FactInstallDone, Node: n.Name, Update: u.ID, Data: engine.FactData{Result: &plugins.Result{Outcome: plugins.Installed}}})
		}
		put(0, engine.Fact{Kind: engine.FactRescanIntent, Node: n.Name})
		put(time.Minute, engine.Fact{Kind: engine.FactRescanDone, Node: n.Name})
		put(0, engine.Fact{Kind: engine.FactResumeIntent, Node: n.Name})
		put(time.Minute, engine.Fact{Kind: engine.FactResumeDone, Node: n.Name})
		put(time.Minute, engine.Fact{Kind: engine.FactSettleDone, Node: n.Name})
		put(0, engine.Fact{Kind: engine.FactNodeEnded, Node: n.Name, Data: engine.FactData{NodeStatus: engine.NodeSucceeded}})
	}
	if ended {
		put(0, engine.Fact{Kind: engine.FactRunEnded, Data: engine.FactData{RunStatus: engine.RunSucceeded}})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheHistoryOfAClusterIsItsLastTenRunsThatEnded(t *testing.T) {
	h := newHome(t)
	created := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	plan := func(run, cluster string, age int) *engine.Plan {
		p := testPlan(run, cluster)
		p.Created = created.Add(-time.Duration(age) * time.Hour)
		return p
	}
	now := plan("ffffffff", "C", 0)
	if got := h.History(now); got.Runs != 0 {
		t.Fatalf("an empty home knows %d runs", got.Runs)
	}
	// Ten that count, an older one that is one too many, and three that are none of it.
	for i := range 10 {
		ranFor(t, h, plan(fmt.Sprintf("aa0000%02d", i), "C", 10+i), time.Minute, true)
	}
	ranFor(t, h, plan("bb000001", "C", 100), 50*time.Hour, true)
	ranFor(t, h, plan("bb000002", "OTHER", 1), 50*time.Hour, true)
	ranFor(t, h, plan("bb000003", "C", 2), 50*time.Hour, false)
	ranFor(t, h, plan("bb000004", "C", -5), 50*time.Hour, true)
	simulated := plan("bb000005", "C", 3)
	simulated.Lab = "lab1"
	ranFor(t, h, simulated, 50*time.Hour, true)
	history := h.History(now)
	if history.Runs != 10 {
		t.Errorf("%d runs", history.Runs)
	}
	st := engine.NewState(now)
	e := engine.Estimate(&st, now, history, created)
	if !e.Known() || e.Remaining > time.Hour {
		t.Errorf("%+v", e)
	}
	again := h.History(plan("cccccccc", "OTHER", 0))
	if e := engine.Estimate(&st, now, again, created); e.Remaining < 100*time.Hour {
		t.Errorf("another cluster's history was not its own: %+v", e)
	}
}
