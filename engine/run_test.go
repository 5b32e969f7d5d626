package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// threeLayouts is the sample root of the documentation: CAUHotfix_All, a node's folder, a folder rule.
func threeLayouts(t *testing.T) *bench {
	t.Helper()
	names := numbered(4)
	what := each(names[:3], "update1", "update2", "update3")
	what["NODE1"] = append(slices.Clone(what["NODE1"]), "node1-specific")
	what["NODE3"] = append(slices.Clone(what["NODE3"]), "special-hotfix1")
	b := newBench(t, newWorld(names...), what)
	for _, n := range names {
		b.p.scripts[n+"/update1"] = restart()
	}
	b.p.scripts["NODE2/update2"] = script{result: plugins.Result{Outcome: plugins.AlreadyInstalled}}
	return b
}

func TestANormalRunTakesEveryNodeOnceAndLeavesTheClusterAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := threeLayouts(t)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{
			"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeSucceeded, "NODE4": engine.NodeUpToDate,
		})
		if s.Status != engine.RunSucceeded || s.Cause != nil {
			t.Errorf("the run ended %s: %v", s.Status, s.Cause)
		}
		for key, n := range b.p.starts {
			if n != 1 {
				t.Errorf("%s was started %d times", key, n)
			}
		}
		if len(b.p.starts) != 11 {
			t.Errorf("started %v", b.p.starts)
		}
		for _, n := range []string{"NODE1", "NODE2", "NODE3"} {
			if b.w.count("restart "+n) != 1 || b.w.count("pause "+n) != 1 || b.w.count("resume-Immediate "+n) != 1 || s.Node(n).Restarts != 1 {
				t.Errorf("%s: %v", n, b.w.acts)
			}
		}
		for _, a := range b.w.acts {
			if strings.HasSuffix(a, " NODE4") {
				t.Errorf("a node that needs nothing was touched: %s", a)
			}
		}
		if c := s.Node("NODE2").Connection; c == nil || !c.Signed || c.Account != "NODE2$" {
			t.Errorf("the node's own view of its connection is lost: %+v", c)
		}
		if code := s.Node("NODE1").Update("update1").ExitCode; code == nil || *code != 3010 {
			t.Errorf("exit code %v", code)
		}
		b.wantInService()
	})
}

func TestARunWithNothingToDoSucceedsAndTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), nil)
		b.w.foreign = []engine.ForeignRun{{ID: "x"}}
		if s := b.toEnd(); s.Status != engine.RunSucceeded || len(b.w.acts) != 0 {
			t.Errorf("%s after %v", s.Status, b.w.acts)
		}
	})
}

func TestR07_ABlockedPlanDoesNotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), func(in *engine.PlanInput) {
			in.Checks = append(in.Checks, check.Result{ID: "smb.guest", Outcome: check.CannotVerify})
		})
		if _, err := b.run(); !errors.Is(err, engine.ErrBlocked) || len(b.journal.lines) != 0 {
			t.Errorf("%v after %d facts", err, len(b.journal.lines))
		}
	})
}

func TestR23_StagingReadsOnAFewNodesAtOnceAndBeforeTheFirstDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(9)
		b := newBench(t, newWorld(names...), each(names, "u"), func(in *engine.PlanInput) { in.Options.StageNodesAtOnce = 3 })
		b.toEnd()
		if b.p.stagers != 3 || len(b.p.stages) != 9 {
			t.Errorf("%d at once, %d in all", b.p.stagers, len(b.p.stages))
		}
		kinds := b.journal.kinds(t)
		last := 0
		for i, k := range kinds {
			if strings.HasPrefix(k, "stage.done") {
				last = i
			}
		}
		if first := slices.Index(kinds, "pause.intent NODE1"); first < last {
			t.Error("a node was drained before all were staged")
		}
		b.wantInService()
	})
}

func TestR30_WhenStagingFailsNoNodeIsDrainedAndTheReasonIsTheNodesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(4)
		b := newBench(t, newWorld(names...), each(names, "u"))
		b.p.stageErr["NODE3"] = &fault.Error{Op: "stage u.msu", Node: "NODE3", Code: 5, Err: errors.New("cannot read the share")}
		s := b.toEnd()
		if s.Status != engine.RunFailed || b.w.count("pause NODE1") != 0 || len(b.p.starts) != 0 {
			t.Fatalf("%s after %v", s.Status, b.w.acts)
		}
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeCanceled, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeFailed, "NODE4": engine.NodeCanceled})
		if s.Cause == nil || s.Cause.Node != "NODE3" || s.Cause.Code != "0x00000005" || !strings.Contains(s.Cause.Message, "cannot read the share") || s.Cause.Hint == "" {
			t.Errorf("cause %+v", s.Cause)
		}
		b.wantInService()
	})
}

func TestR23_NoFurtherNodeIsStagedOnceTheBudgetIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(5)
		b := newBench(t, newWorld(names...), each(names, "u"), func(in *engine.PlanInput) { in.Options.StageNodesAtOnce = 2 })
		b.p.stageErr["NODE1"], b.p.stageErr["NODE2"] = errors.New("no share"), errors.New("no rights")
		s := b.toEnd()
		if len(b.p.stages) != 2 || !strings.Contains(s.Cause.Message, "no share") || !strings.Contains(s.Cause.Message, "no rights") {
			t.Errorf("%v, %v", b.p.stages, s.Cause)
		}
	})
}

func TestRunLeavesTheStateItWasGivenAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		given := engine.NewState(b.plan)
		in := engine.RunInput{Plan: b.plan, State: given, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Clock: bubbleClock{}}
		if _, err := engine.Run(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(engine.NewState(b.plan), given); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheBudgetLetsTheRunGoOnWithoutANodeThatCouldNotBeStaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(4)
		b := newBench(t, newWorld(names...), each(names, "u"), withBudget(1))
		b.p.stageErr["NODE3"] = errors.New("no such share")
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeFailed, "NODE4": engine.NodeSucceeded})
		if s.Status != engine.RunPartiallyFailed || b.w.count("pause NODE3") != 0 {
			t.Errorf("%s after %v", s.Status, b.w.acts)
		}
		b.wantInService()
	})
}

func TestTheRunStopsAtOneFailureMoreThanTheBudget(t *testing.T) {
	for _, c := range []struct {
		name   string
		budget int
		want   map[string]engine.NodeStatus
		status engine.RunStatus
	}{
		{"none may fail", 0, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled, "NODE4": engine.NodeCanceled}, engine.RunFailed},
		{"one may fail", 1, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeFailed, "NODE4": engine.NodeCanceled}, engine.RunPartiallyFailed},
		{"two may fail", 2, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeFailed, "NODE4": engine.NodeSucceeded}, engine.RunPartiallyFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := numbered(4)
				b := newBench(t, newWorld(names...), each(names, "u"), withBudget(c.budget))
				b.p.scripts["NODE1/u"], b.p.scripts["NODE3/u"] = failed(1603), failed(1603)
				s := b.toEnd()
				b.wantNodes(s, c.want)
				if s.Status != c.status || s.Cause == nil || !strings.Contains(s.Cause.Message, "NODE1: u.msu failed") || s.Cause.Code != "0x00000643" {
					t.Errorf("%s: %+v", s.Status, s.Cause)
				}
				b.wantInService()
			})
		})
	}
}

func TestANodeWhereSomeUpdatesFailedIsPartiallyFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE1": {"a", "b", "c"}})
		b.p.scripts["NODE1/b"] = failed(1603)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodePartiallyFailed, "NODE2": engine.NodeUpToDate})
		if b.p.starts["NODE1/c"] != 1 || s.Status != engine.RunPartiallyFailed {
			t.Errorf("%v, %s", b.p.starts, s.Status)
		}
		b.wantInService()
	})
}

func TestTheLogOfAnUpdateThatFailedStaysOnItsNode(t *testing.T) {
	for _, log := range []string{"", `C:\Program Files\cau\u.log`} {
		synctest.Test(t, func(t *testing.T) {
			b := twoNodes(t)
			sc := failed(1603)
			sc.result.Log = log
			b.p.scripts["NODE1/u"] = sc
			s := b.toEnd()
			if kept := s.Node("NODE1").Traces; kept != (log != "") || (b.w.count("clean-0123abcd NODE1") == 0) != kept {
				t.Errorf("log %q, kept %v, %v", log, kept, b.w.acts)
			}
		})
	}
}

func TestPauseTakesEffectAfterTheCurrentNodeAndResumeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(3)
		b := newBench(t, newWorld(names...), each(names, "u"))
		b.askOn(engine.FactInstallIntent, "NODE1", engine.VerbPause)
		b.askOn(engine.FactRunPaused, "", engine.VerbPause) // asking twice is asking once
		var paused time.Duration
		on := b.journal.on
		b.journal.on = func(f engine.Fact) {
			on(f)
			if f.Kind == engine.FactRunPaused {
				begin := f.Time
				go func() {
					time.Sleep(7 * time.Hour)
					paused = time.Since(begin)
					b.control <- engine.Control{Verb: engine.VerbResume, By: "ann"}
				}()
			}
		}
		s := b.toEnd()
		if s.Status != engine.RunSucceeded || paused < 7*time.Hour || s.PauseAsked {
			t.Errorf("%s, paused for %s, %+v", s.Status, paused, s)
		}
		kinds := b.journal.kinds(t)
		if slices.Index(kinds, "run.paused") < slices.Index(kinds, "node.ended NODE1") || slices.Index(kinds, "run.paused") > slices.Index(kinds, "pause.intent NODE2") {
			t.Error(strings.Join(kinds, "\n"))
		}
	})
}

func TestR06_ControlsAreJournalledWithTheOneWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
		b.askOn(engine.FactInstallIntent, "NODE1", engine.VerbStop)
		b.control <- engine.Control{Verb: "format c:", By: "mallory"}
		b.toEnd()
		var by []string
		for _, f := range b.journal.facts(t) {
			if f.Kind == engine.FactControl {
				by = append(by, string(f.Data.Verb)+" "+f.Data.By)
			}
		}
		if !slices.Equal(by, []string{`stop CONTOSO\ann`}) {
			t.Errorf("%q", by)
		}
	})
}
