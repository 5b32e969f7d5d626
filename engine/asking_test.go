package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/plugins"
)

const ann = `CONTOSO\ann`

// askWhen sends controls as soon as a fact of the kind is recorded for the node, once.
func (b *bench) askWhen(kind engine.FactKind, node string, asked ...engine.Control) {
	done, before := false, b.journal.on
	b.journal.on = func(f engine.Fact) {
		if before != nil {
			before(f)
		}
		if done || f.Kind != kind || (node != "" && f.Node != node) {
			return
		}
		done = true
		for _, c := range asked {
			c.By = ann
			b.control <- c
		}
	}
}

// refusals are what was refused, in order.
func (b *bench) refusals() []string {
	var out []string
	for _, a := range b.heard {
		var r *engine.RefusedError
		if errors.As(a.err, &r) {
			out = append(out, string(a.asked.Verb)+" "+a.asked.Node+": "+r.Why)
		}
	}
	return out
}

func (b *bench) wantRefused(parts ...string) {
	b.t.Helper()
	got := b.refusals()
	if len(got) != len(parts) {
		b.t.Fatalf("refused: %q", got)
	}
	for i, p := range parts {
		if !strings.Contains(got[i], p) {
			b.t.Errorf("refused %q, without %q", got[i], p)
		}
	}
}

func to(v engine.Verb, name string) engine.Control { return engine.Control{Verb: v, Node: name} }

func (b *bench) order() []string {
	var out []string
	for _, f := range b.journal.facts(b.t) {
		if f.Kind == engine.FactPauseIntent {
			out = append(out, f.Node)
		}
	}
	return out
}

func TestAHeldNodeIsPassedOverAndComeBackToWhenItIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		b.askWhen(engine.FactStageDone, "NODE1", to(engine.VerbHold, "node1"), to(engine.VerbHold, "NODE1"), to(engine.VerbHold, "NODE9"))
		b.askWhen(engine.FactGateWaiting, "NODE1", to(engine.VerbRelease, "NODE1"), to(engine.VerbRelease, "NODE1"))
		s := b.toEnd()
		if got := b.order(); !slices.Equal(got, []string{"NODE2", "NODE3", "NODE1"}) {
			t.Errorf("taken in the order %v", got)
		}
		if s.Status != engine.RunSucceeded {
			t.Errorf("%s", s.Status)
		}
		b.wantRefused("not a node of this run")
		for _, f := range b.journal.facts(t) {
			if f.Kind == engine.FactControl && (f.Data.By != ann || f.Node != "NODE1") {
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestWhenOnlyHeldNodesAreLeftTheRunWaitsAndSaysForWhat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
		b.askWhen(engine.FactStageDone, "NODE2", to(engine.VerbHold, "NODE2"))
		b.journal.on = chain(b.journal.on, func(f engine.Fact) {
			if f.Kind == engine.FactGateWaiting && f.Node == "NODE2" {
				if !strings.Contains(f.Data.Message, "NODE2") || !strings.Contains(f.Data.Message, "cau release") {
					t.Errorf("%q", f.Data.Message)
				}
				b.journal.dieAfter = len(b.journal.lines)
			}
		})
		s, err := b.run()
		if !errors.Is(err, context.Canceled) || s.Status != engine.RunRunning || s.Node("NODE2").HeldBackBy != ann || !strings.Contains(s.Waiting, "NODE2") {
			t.Fatalf("%v %s %q", err, s.Status, s.Waiting)
		}
		b.journal.on, b.journal.dieAfter = nil, 0
		b.askWhen(engine.FactRunContinued, "", to(engine.VerbSkip, "NODE2"))
		s = b.toEnd()
		if n := s.Node("NODE2"); n.Status != engine.NodeCanceled || n.Cause == nil || !strings.Contains(n.Cause.Message, "skipped by "+ann) || s.Status != engine.RunCanceled {
			t.Errorf("%s %v, the run %s", n.Status, n.Cause, s.Status)
		}
		b.wantInService()
	})
}

func chain(a, b func(engine.Fact)) func(engine.Fact) {
	return func(f engine.Fact) {
		if a != nil {
			a(f)
		}
		b(f)
	}
}

func TestANodeUnderWayIsNeitherSkippedNorHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
		b.askWhen(engine.FactPauseIntent, "NODE1", to(engine.VerbSkip, "NODE1"), to(engine.VerbHold, "NODE1"), to(engine.VerbRetry, "NODE1"), to(engine.VerbSkip, "NODE2"), to(engine.VerbSkip, "NODE2"))
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeCanceled})
		b.wantRefused("under way", "under way", "has not ended")
		b.wantInService()
	})
}

func TestASkippedNodeIsTakenAgainWhenSomebodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
		b.askWhen(engine.FactStageDone, "NODE1", to(engine.VerbSkip, "NODE1"))
		b.askWhen(engine.FactPauseIntent, "NODE2", to(engine.VerbRetry, "NODE1"), to(engine.VerbRetry, "NODE1"))
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
		if n := s.Node("NODE1"); n.Attempt != 2 || n.SkippedBy != "" || n.Cause != nil || len(b.refusals()) != 0 {
			t.Errorf("%+v, refused %q", n, b.refusals())
		}
	})
}

func TestAFailedNodeIsTriedAgainAlsoAfterItsLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1))
		b.p.scripts["NODE1/u"] = failed(1633) // hopeless by itself; the administrator knows better
		b.askWhen(engine.FactPauseIntent, "NODE2", to(engine.VerbRetry, "NODE1"))
		b.journal.on = chain(b.journal.on, func(f engine.Fact) {
			if f.Kind == engine.FactControl {
				b.w.locked(func(*world) { delete(b.p.scripts, "NODE1/u") })
			}
		})
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
		if n := s.Node("NODE1"); n.Attempt != 2 || n.Earlier[0].Cause == nil || b.p.starts["NODE1/u"] != 2 || s.Status != engine.RunSucceeded {
			t.Errorf("%+v, %v", n, b.p.starts)
		}
		b.wantInService()
	})
}

func TestR18_ANodeWhoseInstallerRunsIsNotTriedAgainUntilItsEndIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1))
		b.p.scripts["NODE1/u"] = outlives(40*time.Minute, plugins.Result{Outcome: plugins.Installed})
		b.askWhen(engine.FactWatchBegun, "NODE1", to(engine.VerbRetry, "NODE1"), engine.Control{Verb: engine.VerbMark, Node: "NODE1", Update: "u", Outcome: plugins.Installed})
		b.askWhen(engine.FactInstallerEndedLate, "NODE1", to(engine.VerbRetry, "NODE1"))
		s := b.toEnd()
		b.wantRefused("still runs", "still runs")
		// How it ended counts: it is not started again, and the node is finished from where it is.
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || b.p.starts["NODE1/u"] != 1 || b.w.count("pause NODE1") != 1 || n.Update("u").Outcome != plugins.Installed {
			t.Errorf("%s %v, %v", n.Status, n.Cause, b.p.starts)
		}
		b.wantInService()
	})
}

func TestR19_AnUnknownResultIsMarkedAndTheNodeGoesOnFromThere(t *testing.T) {
	for outcome, want := range map[plugins.Outcome]engine.NodeStatus{
		plugins.Installed: engine.NodeSucceeded, plugins.NotApplicable: engine.NodeSucceeded, plugins.UpdateFailed: engine.NodePartiallyFailed,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u", "v"), withBudget(1))
			b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost}
			mark := engine.Control{Verb: engine.VerbMark, Node: "node1", Update: "U.msu", Outcome: outcome}
			wrong, unknown := mark, mark
			wrong.Outcome, unknown.Update = plugins.Unknown, "w"
			known := mark
			known.Update = "v"
			b.askWhen(engine.FactNodeEnded, "NODE1", to(engine.VerbRetry, "NODE1"), wrong, unknown, known, mark, mark)
			s := b.toEnd()
			b.wantRefused("Nobody knows", "no outcome", "not an update", "is known")
			n := s.Node("NODE1")
			if n.Status != want || n.Update("u").MarkedBy != ann || n.Update("v").Outcome != plugins.Installed || b.p.starts["NODE1/u"] != 1 {
				t.Errorf("%s: %s %v", outcome, n.Status, n.Cause)
			}
			if len(n.Earlier) == 0 || n.Earlier[0].Cause == nil || (want != engine.NodeSucceeded && !strings.HasPrefix(n.Cause.Message, n.Earlier[0].Cause.Message)) {
				t.Errorf("the first cause is lost: %+v %v", n.Earlier, n.Cause)
			}
			b.wantInService()
		})
	}
}

func TestR19_TheRunWaitsForAWordAboutTheLastNodeAndNotForever(t *testing.T) {
	lost := func(t *testing.T) *bench {
		t.Helper()
		b := newBench(t, newWorld(numbered(2)...), each(numbered(1), "u"))
		b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost}
		return b
	}
	synctest.Test(t, func(t *testing.T) {
		b := lost(t)
		b.askWhen(engine.FactRunWatching, "", engine.Control{Verb: engine.VerbMark, Node: "NODE1", Update: "u", Outcome: plugins.Installed})
		b.wantNodes(b.toEnd(), map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeUpToDate})
		b.wantInService()
	})
	synctest.Test(t, func(t *testing.T) {
		b := lost(t)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeUpToDate})
		if waited := s.Ended.Sub(s.Node("NODE1").Ended); waited < 2*time.Hour || waited > 3*time.Hour {
			t.Errorf("nobody said a word, and the run ended after %s", waited)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := lost(t)
		b.askWhen(engine.FactRunWatching, "", engine.Control{Verb: engine.VerbStop})
		s := b.toEnd()
		if waited := s.Ended.Sub(s.Node("NODE1").Ended); waited > time.Minute {
			t.Errorf("a stopped run waited for %s", waited)
		}
	})
}

func TestANodeInOtherHandsIsLeftAloneAndNoOtherIsBegun(t *testing.T) {
	for name, resumed := range map[string]bool{"given back as it was": false, "given back in service": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u", "v"))
				b.w.s2d = true
				b.askWhen(engine.FactInstallIntent, "NODE1", to(engine.VerbTake, "NODE1"), to(engine.VerbTake, "NODE1"))
				quiet := false
				b.journal.on = chain(b.journal.on, func(f engine.Fact) {
					if f.Kind != engine.FactGateWaiting || f.Node != "NODE1" || quiet {
						return
					}
					quiet = true
					go func() {
						time.Sleep(5 * time.Hour)
						if b.p.starts["NODE1/v"] != 0 || b.w.count("pause NODE2") != 0 || b.w.count("resume-Immediate NODE1") != 0 {
							t.Errorf("the run went on: %v %v", b.p.starts, b.w.acts)
						}
						if resumed {
							m := b.w.machine("NODE1")
							b.w.locked(func(*world) { m.state, m.drain = engine.NodeUp, engine.DrainNotInitiated })
						}
						b.control <- engine.Control{Verb: engine.VerbGiveBack, Node: "NODE1", By: ann}
					}()
				})
				s := b.toEnd()
				pauses := 1
				if resumed {
					pauses = 2
				}
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
				if b.w.count("pause NODE1") != pauses || b.p.starts["NODE1/u"] != 1 {
					t.Errorf("%v", b.w.acts)
				}
				b.wantKind(engine.FactLooked, true)
				b.wantInService()
			})
		})
	}
}

func TestAStopLeavesANodeThatIsInOtherHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u", "v"))
		b.askWhen(engine.FactDrainDone, "NODE1", to(engine.VerbTake, "NODE1"))
		b.askWhen(engine.FactGateWaiting, "NODE1", engine.Control{Verb: engine.VerbStop})
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeHeld || !strings.Contains(n.Cause.Message, ann) || b.p.starts["NODE1/v"] != 0 {
			t.Errorf("%s %v", n.Status, n.Cause)
		}
		b.wantState("NODE1", engine.NodePaused)
	})
}

func TestR29_StopNowNeedsTheClustersNameAndLeavesTheNodeAsItIs(t *testing.T) {
	for _, c := range []struct {
		at    engine.FactKind
		state engine.NodeState
		hint  string
	}{
		{engine.FactStageIntent, engine.NodeUp, ""},
		{engine.FactPauseIntent, engine.NodeUp, "Resume-ClusterNode"},
		{engine.FactDrainDone, engine.NodePaused, "Resume-ClusterNode"},
		{engine.FactInstallIntent, engine.NodePaused, "do not restart NODE1"},
		{engine.FactRestartIntent, engine.NodePaused, "Its restart was asked for"},
		{engine.FactResumeDone, engine.NodeUp, ""},
	} {
		t.Run(string(c.at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u", "v"))
				b.p.scripts["NODE1/u"] = restart()
				b.askWhen(c.at, "NODE1", engine.Control{Verb: engine.VerbStopNow, Typed: "CONTOSO"}, engine.Control{Verb: engine.VerbStopNow, Typed: "contoso-fc1"})
				began := time.Now()
				s := b.toEnd()
				b.wantRefused("not the name of the cluster")
				if time.Since(began) > 30*time.Minute || s.StopNowBy != ann {
					t.Errorf("it took %s", time.Since(began))
				}
				n := s.Node("NODE1")
				if n.PausedByUs && (n.Status != engine.NodeHeld || !strings.Contains(n.Cause.Hint, c.hint) || !strings.Contains(n.Cause.Message, "stop now was asked by "+ann)) {
					t.Errorf("%s %+v", n.Status, n.Cause)
				}
				if b.w.count("pause NODE2") != 0 || b.w.count("resume-Immediate NODE1") != 0 && c.at != engine.FactResumeDone {
					t.Errorf("something was begun: %v", b.w.acts)
				}
				for _, u := range n.Updates {
					if !u.Started.IsZero() && u.Outcome == "" {
						t.Errorf("%s was begun and has no outcome", u.ID)
					}
				}
			})
		})
	}
}

func TestAfterAStopNothingIsAskedOfANodeAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
		b.askWhen(engine.FactInstallIntent, "NODE1", engine.Control{Verb: engine.VerbStop}, to(engine.VerbSkip, "NODE2"), engine.Control{Verb: engine.VerbFollowUps, Node: "NODE1"}, engine.Control{Verb: "reboot"})
		b.toEnd()
		b.wantRefused("is stopping", "is stopping", "not a verb")
	})
}

func TestAWaitingNodeInOtherHandsIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		b.askWhen(engine.FactInstallIntent, "NODE1", to(engine.VerbTake, "NODE3"))
		b.askWhen(engine.FactGateWaiting, "NODE3", to(engine.VerbGiveBack, "NODE3"))
		s := b.toEnd()
		// NODE1 is finished, then the run waits for NODE3.
		if got := b.order(); !slices.Equal(got, []string{"NODE1", "NODE2", "NODE3"}) || s.Status != engine.RunSucceeded {
			t.Errorf("%v, %s", got, s.Status)
		}
		b.wantKind(engine.FactGateWaiting, true)
	})
}

func TestR18_ANodeIsInOtherHandsOnlyOnceItsUpdateHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u", "v"))
		b.askWhen(engine.FactInstallIntent, "NODE1", to(engine.VerbTake, "NODE1"))
		b.journal.on = chain(b.journal.on, func(f engine.Fact) {
			if f.Kind == engine.FactControl {
				b.journal.dieAfter = len(b.journal.lines) // while the installer is at work
			}
		})
		if _, err := b.run(); err == nil {
			t.Fatal("the program should have died")
		}
		b.journal.on, b.journal.dieAfter = nil, 0
		b.askWhen(engine.FactRunContinued, "", engine.Control{Verb: engine.VerbStop})
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeHeld || n.Update("u").Outcome != plugins.Installed || b.p.starts["NODE1/v"] != 0 {
			t.Errorf("%s, u %q, %v", n.Status, n.Update("u").Outcome, b.p.starts)
		}
		b.wantOnce()
	})
}
