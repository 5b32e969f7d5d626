package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
)

func TestR08_AtTheEndTheNodesAreComparedAndWhatDiffersIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(4)...), each(numbered(3), "a", "b"), withBudget(3))
		b.p.scripts["NODE2/b"] = failed(1603)
		b.w.machine("NODE3").build = "10.0.20348.2800"
		s := b.toEnd()
		want := []string{
			"Builds differ: 10.0.20348.2700 on NODE1, NODE2, NODE4; 10.0.20348.2800 on NODE3.",
			"KB-A is on NODE1, NODE2, NODE3 and not on NODE4.",
			"KB-B is on NODE1, NODE3 and not on NODE2, NODE4.",
		}
		if s.Compared == nil || !slices.Equal(s.Compared.Lines(), want) {
			t.Errorf("%+v", s.Compared)
		}
		b.wantOrder("node.ended NODE3", "run.compared", "run.ended")
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a"))
		if s := b.toEnd(); s.Compared == nil || !slices.Equal(s.Compared.Lines(), []string{"All nodes have the same build and the same updates."}) {
			t.Errorf("%+v", s.Compared)
		}
	})
}

func TestR08_ANodeThatDoesNotSayWhatItHasIsNamedAndTheRunEndsAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(4)...), each(numbered(2), "a"))
		b.w.machine("NODE3").silent = true
		var last time.Time
		b.journal.on = func(f engine.Fact) {
			switch f.Kind {
			case engine.FactNodeEnded:
				last = f.Time
				if f.Node == "NODE2" {
					b.w.locked(func(w *world) { w.set("NODE4", engine.NodeDown) })
				}
			case engine.FactRunCompared:
				if took := f.Time.Sub(last); took > 3*time.Minute {
					t.Errorf("it took %s", took)
				}
			default:
			}
		}
		s := b.toEnd()
		var named []string
		for _, u := range s.Compared.Unanswered {
			named = append(named, u.Node+": "+u.Why)
		}
		if s.Status != engine.RunSucceeded || len(named) != 2 || !strings.Contains(named[0], "NODE3: it did not answer within 2m0s") || !strings.Contains(named[1], "NODE4: connection refused") {
			t.Errorf("%s %q", s.Status, named)
		}
	})
}

func TestR25_AnOlderProgramMayPassOverTheComparison(t *testing.T) {
	if !engine.FactRunCompared.Ignorable() {
		t.Error("a fact on which nothing rests keeps an older program from resuming")
	}
}
