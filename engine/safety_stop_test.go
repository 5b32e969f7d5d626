package engine_test

import (
	"testing"
	"testing/synctest"

	"cau/engine"
	"cau/plugins"
)

func TestR29_AStopBeforeTheFirstUpdateRestartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.machine("NODE1").pending = []string{"since last week"}
		b.askOn(engine.FactPauseIntent, "NODE1", engine.VerbStop)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeCanceled, "NODE2": engine.NodeCanceled})
		if b.w.count("restart NODE1") != 0 || len(b.p.starts) != 0 {
			t.Errorf("%v %v", b.w.acts, b.p.starts)
		}
		b.wantInService()
	})
}

func TestR29_AnUpdateThatHadBegunIsFinishedAfterAStopAndACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "b"))
		b.askOn(engine.FactDrainDone, "NODE1", engine.VerbPause)
		b.askOn(engine.FactInstallIntent, "NODE1", engine.VerbStop)
		before := b.journal.on
		b.journal.on = func(f engine.Fact) {
			before(f)
			if f.Kind == engine.FactControl && f.Data.Verb == engine.VerbStop {
				b.journal.dieAfter = len(b.journal.lines)
			}
		}
		if _, err := b.run(); err == nil {
			t.Fatal("the program should have died")
		}
		b.journal.on, b.journal.dieAfter = nil, 0
		b.control <- engine.Control{Verb: engine.VerbPause} // too late: a stop is a stop
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Update("a").Outcome != plugins.Installed || n.Update("b").Outcome != "" || n.Status != engine.NodeCanceled || s.Status != engine.RunCanceled {
			t.Errorf("%s %+v", s.Status, n)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestR29_NothingTakesAStopBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		s := engine.NewState(b.plan)
		for _, v := range []engine.Verb{engine.VerbStop, engine.VerbPause, engine.VerbResume} {
			if err := s.Apply(engine.Fact{Kind: engine.FactControl, Data: engine.FactData{Verb: v}}); err != nil {
				t.Fatal(err)
			}
			if !s.StopAsked || s.PauseAsked || s.Status != engine.RunStopping {
				t.Errorf("after %s: %+v", v, s)
			}
		}
	})
}

func TestR29_StopFinishesTheUpdateDoesTheDueRestartAndResumesTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "a", "b", "c"))
		b.p.scripts["NODE1/b"] = restart()
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactInstallIntent && f.Update == "b" {
				b.control <- engine.Control{Verb: engine.VerbStop, By: "ann"}
				b.control <- engine.Control{Verb: engine.VerbStop, By: "bob"}
				b.control <- engine.Control{Verb: engine.VerbResume, By: "bob"} // nothing takes a stop back
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeCanceled, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled})
		n := s.Node("NODE1")
		if s.Status != engine.RunCanceled || n.Update("b").Outcome != plugins.Installed || n.Update("c").Outcome != "" || n.Restarts != 1 {
			t.Errorf("%s %+v", s.Status, n)
		}
		if b.p.starts["NODE1/c"] != 0 || b.w.count("pause NODE2") != 0 {
			t.Errorf("%v %v", b.p.starts, b.w.acts)
		}
		b.wantInService()
	})
}

func TestR29_StopAtAnyFactLeavesEveryNodeInService(t *testing.T) {
	total := 0
	synctest.Test(t, func(t *testing.T) {
		b := threeLayouts(t)
		b.toEnd()
		total = len(b.journal.lines)
	})
	for k := 1; k < total; k++ {
		synctest.Test(t, func(t *testing.T) {
			b := threeLayouts(t)
			n := 0
			b.journal.on = func(engine.Fact) {
				if n++; n == k {
					b.control <- engine.Control{Verb: engine.VerbStop}
				}
			}
			s := b.toEnd()
			if s.Status != engine.RunCanceled && s.Status != engine.RunSucceeded {
				t.Errorf("stop after fact %d: %s, %v", k, s.Status, s.Cause)
			}
			for key := range b.p.starts {
				if b.p.ends[key] != 1 && key != "NODE2/update2" {
					t.Errorf("stop after fact %d: %s was begun and not finished", k, key)
				}
			}
			b.wantInService()
		})
	}
}
