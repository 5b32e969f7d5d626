package engine_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/plugins"
)

func TestR25_AnUnknownFactIsRefusedUnlessItSaysThatItMayBeIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.toEnd()
		facts := b.journal.facts(t)
		want, err := engine.Fold(b.plan, facts)
		if err != nil {
			t.Fatal(err)
		}
		var newer engine.Fact
		if err := json.Unmarshal([]byte(`{"kind":"node.massaged","node":"NODE77","may_ignore":true,"data":{"oil":3}}`), &newer); err != nil {
			t.Fatal(err)
		}
		got, err := engine.Fold(b.plan, append(facts, newer))
		if want.Facts++; err != nil || !cmp.Equal(want, got) {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
		newer.MayIgnore = false
		_, err = engine.Fold(b.plan, append(facts, newer))
		var unknown *engine.UnknownFactError
		if !errors.As(err, &unknown) || unknown.Kind != "node.massaged" || unknown.Number != len(facts)+1 {
			t.Errorf("%v", err)
		}
	})
}

func TestR25_EveryFactSaysWhetherItMayBeIgnoredAndTheEndDoesNotRestOnThose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := threeLayouts(t)
		b.w.machine("NODE1").again = append(b.w.machine("NODE1").again, 45e9)
		want := b.toEnd()
		var needed []engine.Fact
		for _, f := range b.journal.facts(t) {
			if f.MayIgnore != f.Kind.Ignorable() {
				t.Errorf("%+v", f)
			}
			if !f.MayIgnore {
				needed = append(needed, f)
			}
		}
		got, err := engine.Fold(b.plan, needed)
		if err != nil || len(needed) == want.Facts {
			t.Fatalf("%v, %d of %d facts", err, len(needed), want.Facts)
		}
		for i := range got.Nodes {
			got.Nodes[i].Traces, want.Nodes[i].Traces = false, false
		}
		got.Facts, want.Compared = want.Facts, nil // what it says of the nodes is for people
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFactThatDoesNotBelongToThePlanIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		for _, f := range []engine.Fact{
			{Kind: engine.FactPauseIntent, Node: "NODE9"},
			{Kind: engine.FactInstallDone, Node: "NODE1", Update: "nothing"},
		} {
			s := engine.NewState(b.plan)
			var misplaced *engine.MisplacedFactError
			if err := s.Apply(f); !errors.As(err, &misplaced) || !cmp.Equal(s, engine.NewState(b.plan)) {
				t.Errorf("%v: %+v", err, s)
			}
		}
	})
}

func TestANilTelemetryAndClosedControlAreFine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		close(b.control)
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Error(s.Status)
		}
	})
}

func TestTelemetrySaysWhichNodeAndDecidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		seen := &collector{}
		s, err := engine.Run(t.Context(), engine.RunInput{
			Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Control: b.control, Clock: bubbleClock{}, Telemetry: seen,
		})
		if err != nil || s.Status != engine.RunSucceeded {
			t.Fatal(err)
		}
		nodes := map[string]bool{}
		for _, p := range seen.got {
			nodes[p.Node+" "+p.Update] = true
			if strings.HasPrefix(p.Message, "drains") && nodes[p.Node+" "+p.Message] {
				t.Errorf("said twice: %s", p.Message)
			}
			nodes[p.Node+" "+p.Message] = true
			if p.Time.IsZero() {
				t.Errorf("%+v", p)
			}
		}
		if !nodes["NODE1 u"] || !nodes["NODE2 u"] || !nodes["NODE1 "] || !nodes["NODE2 drains, still there: ROLE-NODE2, Volume1"] {
			t.Errorf("%v", nodes)
		}
	})
}

func TestADecisionAboutANodeLetsTheRunLookAgainAndStopNowEndsAllDecisions(t *testing.T) {
	plan := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u")).plan
	after := func(facts ...engine.Fact) engine.State {
		t.Helper()
		s := engine.NewState(plan)
		for _, f := range append([]engine.Fact{{Kind: engine.FactRunStarted}}, facts...) {
			if err := s.Apply(f); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	asked := func(v engine.Verb, node string) engine.Fact {
		return engine.Fact{Kind: engine.FactControl, Node: node, Data: engine.FactData{Verb: v, By: "ann"}}
	}
	installed := []engine.Fact{
		{Kind: engine.FactPauseIntent, Node: "NODE1"},
		{Kind: engine.FactDrainDone, Node: "NODE1"},
		{Kind: engine.FactInstallIntent, Node: "NODE1", Update: "u"},
		{Kind: engine.FactInstallDone, Node: "NODE1", Update: "u", Data: engine.FactData{Result: &plugins.Result{Outcome: plugins.Installed}}},
		{Kind: engine.FactRescanIntent, Node: "NODE1"},
		{Kind: engine.FactRescanDone, Node: "NODE1"},
	}
	// Whoever had the node in hand may have installed something there.
	s := after(append(installed, asked(engine.VerbTake, "NODE1"), asked(engine.VerbGiveBack, "NODE1"))...)
	if n := s.Node("NODE1"); n.Rescanned || !n.Look {
		t.Errorf("given back, and not looked at again: %+v", n)
	}
	// A node that was left paused may be resumed meanwhile.
	s = after(append(installed, engine.Fact{Kind: engine.FactNodeEnded, Node: "NODE1", Data: engine.FactData{NodeStatus: engine.NodeFailed}}, asked(engine.VerbRetry, "NODE1"))...)
	if n := s.Node("NODE1"); n.Status != engine.NodeUpdating || !n.Look {
		t.Errorf("tried again, and not looked at before: %+v", n)
	}
	s = after(asked(engine.VerbStopNow, ""), asked(engine.VerbTake, "NODE1"), asked(engine.VerbHold, "NODE2"))
	if s.Node("NODE1").TakenBy != "" || s.Node("NODE2").HeldBackBy != "" || s.StopNowBy != "ann" {
		t.Errorf("after stop now: %+v", s)
	}
}
