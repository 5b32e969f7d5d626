package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// onRetry does something once a node's attempt was given up, before the next one.
func (b *bench) onRetry(do func(f engine.Fact)) {
	before := b.journal.on
	b.journal.on = func(f engine.Fact) {
		if before != nil {
			before(f)
		}
		if f.Kind == engine.FactNodeRetried {
			b.w.locked(func(*world) { do(f) })
		}
	}
}

func (b *bench) installerJobs(node string) []string {
	var out []string
	for id := range b.w.machine(node).jobs {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func TestR19_AnotherAttemptRunsWhatFailedAgainAndNeverWhatSucceeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "b"), withRetries(1), withScripts)
		b.w.s2d = true
		b.p.scripts["NODE1/b"] = failed(1603)
		b.onRetry(func(engine.Fact) { delete(b.p.scripts, "NODE1/b") })
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || n.Attempt != 2 || len(n.Earlier) != 1 || n.Cause != nil {
			t.Errorf("%+v", n)
		} else if e := n.Earlier[0]; e.Attempt != 1 || e.Status != engine.NodePartiallyFailed || !strings.Contains(e.Cause.String(), "1603") && !strings.Contains(e.Cause.String(), "0x00000643") {
			t.Errorf("%+v", e)
		}
		if s.Status != engine.RunSucceeded || s.Attempts != 2 {
			t.Errorf("%s, %d attempts", s.Status, s.Attempts)
		}
		if got, want := b.installerJobs("NODE1"), []string{"0123abcd-node1-a-1", "0123abcd-node1-b-1", "0123abcd-node1-b-2"}; !slices.Equal(got, want) {
			t.Errorf("the jobs were %v", got)
		}
		// The whole process: scripts, gate, drain, and back.
		for _, act := range []string{"script-pre NODE1", "pause NODE1", "resume-Immediate NODE1", "script-post NODE1"} {
			if b.w.count(act) != 2 {
				t.Errorf("%s was done %d times", act, b.w.count(act))
			}
		}
		b.wantInService()
	})
}

func TestR30_TheFirstCauseSurvivesEveryAttemptAndComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withRetries(2))
		b.p.scripts["NODE1/u"] = failed(1603)
		b.onRetry(func(engine.Fact) { b.w.order[0].drainFails = true })
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodeFailed || n.Attempt != 3 {
			t.Fatalf("%s after attempt %d", n.Status, n.Attempt)
		}
		first, later := strings.Index(n.Cause.Message, "0x00000643"), strings.Index(n.Cause.Message, "attempt 3: drain:")
		if first < 0 || later < first || !strings.HasPrefix(n.Cause.Message, "NODE1: ") {
			t.Errorf("%q", n.Cause.Message)
		}
		if !strings.Contains(n.Cause.Hint, "start a new run") || !strings.Contains(s.Cause.Message, "0x00000643") {
			t.Errorf("%q; %q", n.Cause.Hint, s.Cause.Message)
		}
	})
}

func TestANodeFailsOnceAfterAllItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withRetries(3), withBudget(1))
		b.p.scripts["NODE1/u"] = failed(1603)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeSucceeded})
		if n := s.Node("NODE1"); n.Attempt != 4 || !strings.HasSuffix(n.Cause.Message, "(in each of 4 attempts)") || b.p.starts["NODE1/u"] != 4 {
			t.Errorf("attempt %d, %d starts, %q", n.Attempt, b.p.starts["NODE1/u"], n.Cause.Message)
		}
		// At the node's turn, right after its failure.
		kinds := b.journal.kinds(t)
		if slices.Index(kinds, "node.ended NODE1") > slices.Index(kinds, "pause.intent NODE2") {
			t.Error("another node was taken between the attempts")
		}
		b.wantInService()
	})
}

func TestR14_AnotherAttemptGoesThroughTheWholeGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withRetries(1))
		b.p.scripts["NODE1/u"] = failed(1603)
		b.onRetry(func(engine.Fact) { b.w.foreign = []engine.ForeignRun{{ID: "x"}} })
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		s := b.toEnd()
		if b.w.count("pause NODE1") != 1 {
			t.Errorf("it was taken past a closed gate: %v", b.w.acts)
		}
		if n := s.Node("NODE1"); n.Status != engine.NodeFailed || n.Cause == nil || !strings.Contains(n.Cause.Message, "0x00000643") {
			t.Errorf("%s: %v", n.Status, n.Cause)
		}
	})
}

func TestEveryFailureThatLeavesTheNodeInServiceIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fail, heal func(b *bench)
		pauses     int
	}{
		"the drain": {
			func(b *bench) { b.w.machine("NODE1").drainFails = true },
			func(b *bench) { b.w.machine("NODE1").drainFails = false }, 2,
		},
		"the pre-update script": {
			func(b *bench) { b.w.scripts["NODE1/pre"] = scripted{code: 1} },
			func(b *bench) { delete(b.w.scripts, "NODE1/pre") }, 1,
		},
		// Nothing is left to install: nobody is drained for a script's sake.
		"the post-update script": {
			func(b *bench) { b.w.scripts["NODE1/post"] = scripted{code: 1} },
			func(b *bench) { delete(b.w.scripts, "NODE1/post") }, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withRetries(1), withScripts)
				c.fail(b)
				b.onRetry(func(engine.Fact) { c.heal(b) })
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
				if b.w.count("pause NODE1") != c.pauses || b.p.starts["NODE1/u"] != 1 || s.Node("NODE1").Attempt != 2 {
					t.Errorf("%d starts, attempt %d, %v", b.p.starts["NODE1/u"], s.Node("NODE1").Attempt, b.w.acts)
				}
				if c := s.Node("NODE1").Cause; c != nil {
					t.Errorf("it succeeded because of %v", c)
				}
				if n := b.w.count("script-pre NODE1"); n != 2 {
					t.Errorf("the pre-update script ran %d times", n)
				}
				b.wantInService()
			})
		})
	}
}

func TestR23_StagingIsTriedAgainBeforeTheFirstDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withRetries(2))
		b.p.stageErr["NODE2"] = errors.New("no share")
		b.onRetry(func(f engine.Fact) {
			if f.Data.Attempt == 2 {
				delete(b.p.stageErr, "NODE2")
			}
		})
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
		slices.Sort(b.p.stages)
		if want := []string{"0123abcd-node1-stage-1", "0123abcd-node2-stage-1", "0123abcd-node2-stage-2", "0123abcd-node2-stage-3"}; !slices.Equal(b.p.stages, want) {
			t.Errorf("staged by %v", b.p.stages)
		}
		kinds := b.journal.kinds(t)
		if slices.Index(kinds, "stage.done NODE2") > slices.Index(kinds, "pause.intent NODE1") {
			t.Error("a node was drained before all were staged")
		}
	})
}

func TestWhatAnotherAttemptCannotChangeIsNotTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b *bench)
		status engine.NodeStatus
	}{
		"a loop":              {func(b *bench) { b.p.offered = []string{"u"} }, engine.NodeFailed},
		"a restart loop":      {func(b *bench) { b.p.scripts["NODE1/u"] = restart(); b.w.machine("NODE1").pendingStays = 9 }, engine.NodeFailed},
		"an unknown result":   {func(b *bench) { b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost} }, engine.NodeHeld},
		"one that runs on":    {func(b *bench) { b.p.scripts["NODE1/u"] = outlives(0, plugins.Result{}) }, engine.NodeHeld},
		"a refused file":      {func(b *bench) { b.p.scripts["NODE1/u"] = refused() }, engine.NodeFailed},
		"another processor":   {func(b *bench) { b.p.scripts["NODE1/u"] = failed(1633) }, engine.NodeFailed},
		"a script runs on":    {func(b *bench) { b.w.scripts["NODE1/pre"] = scripted{takes: 3 * time.Hour} }, engine.NodeFailed},
		"a refused stage":     {func(b *bench) { b.p.stageErr["NODE1"] = plugins.ErrJobRefused }, engine.NodeFailed},
		"restless roles":      {func(b *bench) { b.w.failbackTakes = 3 * time.Hour }, engine.NodeFailed},
		"a node that is down": {func(b *bench) { b.p.scripts["NODE1/u"] = restart(); b.w.machine("NODE1").neverUp = true }, engine.NodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE1": {"u"}}, withRetries(3), withScripts)
				c.change(b)
				s := b.toEnd()
				if n := s.Node("NODE1"); n.Status != c.status || n.Attempt != 1 || n.Cause == nil {
					t.Errorf("%s in attempt %d: %v", n.Status, n.Attempt, n.Cause)
				}
				b.wantKind(engine.FactNodeRetried, false)
			})
		})
	}
}

// refused is an update that the node does not let begin.
func refused() script {
	return script{result: plugins.Result{Outcome: plugins.UpdateFailed, Refused: true, Cause: &fault.Cause{Message: "the signature of the update is not valid"}}}
}

func TestARefusedUpdateStaysFailedWhileTheOtherIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE1": {"a", "b"}}, withRetries(3))
		b.p.scripts["NODE1/a"], b.p.scripts["NODE1/b"] = refused(), failed(1603)
		b.onRetry(func(engine.Fact) { delete(b.p.scripts, "NODE1/b") })
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodePartiallyFailed || n.Attempt != 2 || b.p.starts["NODE1/a"] != 1 || b.p.starts["NODE1/b"] != 2 {
			t.Errorf("%s in attempt %d, %v", n.Status, n.Attempt, b.p.starts)
		}
	})
}

func TestR29_AStopEndsTheAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withRetries(3))
		b.p.scripts["NODE1/u"] = failed(1603)
		b.askOn(engine.FactInstallDone, "NODE1", engine.VerbStop)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
		b.wantKind(engine.FactNodeRetried, false)
		b.wantInService()
	})
}

func TestR30_ANodeThatIsStoppedBetweenItsAttemptsHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withRetries(3))
		b.p.scripts["NODE1/u"] = failed(1603)
		b.askOn(engine.FactNodeRetried, "NODE1", engine.VerbStop)
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeFailed || n.Cause == nil || s.Status != engine.RunFailed || b.p.starts["NODE1/u"] != 1 {
			t.Errorf("%s %v, the run %s", n.Status, n.Cause, s.Status)
		}
		b.wantInService()
	})
}
