package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// notHere is a bench of two nodes with two updates each, of which NODE1 does not get a.
func notHere(t *testing.T, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "b"), append([]func(*engine.PlanInput){withBudget(1)}, change...)...)
	b.p.unstaged["NODE1/a"] = &fault.Error{Op: "download a.msu", Node: "NODE1", Code: 0x80240034, Err: errors.New("the agent failed")}
	b.p.scripts["NODE1/b"] = restart()
	return b
}

func TestAnUpdateThatDidNotComeHasFailedAndTheNodeGetsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := notHere(t, withoutRetries)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodePartiallyFailed, "NODE2": engine.NodeSucceeded})
		n := s.Node("NODE1")
		if a := n.Update("a"); a.Outcome != plugins.UpdateFailed || !a.Started.IsZero() || a.Ended.IsZero() || a.Cause == nil || b.p.starts["NODE1/a"] != 0 {
			t.Errorf("%+v", a)
		}
		if n.Update("b").Outcome != plugins.Installed || n.Restarts != 1 || n.Cause == nil || n.Cause.Name != "WU_E_DOWNLOAD_FAILED" || !strings.Contains(n.Cause.Message, "a.msu failed: download a.msu: the agent failed") {
			t.Errorf("%+v after %d restarts, %v", n.Update("b"), n.Restarts, n.Cause)
		}
		kinds := b.journal.kinds(t)
		if at := slices.Index(kinds, "stage.done NODE1"); at < 0 || at > slices.Index(kinds, "pause.intent NODE1") {
			t.Errorf("%v", kinds)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestAnotherAttemptFetchesWhatDidNotComeAndDrainsOnlyForWhatCame(t *testing.T) {
	for name, c := range map[string]struct {
		heals  bool
		want   engine.NodeStatus
		pauses int
	}{
		"it comes":       {true, engine.NodeSucceeded, 2},
		"it never comes": {false, engine.NodePartiallyFailed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := notHere(t, withRetries(1))
				if c.heals {
					b.onRetry(func(engine.Fact) { delete(b.p.unstaged, "NODE1/a") })
				}
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": c.want, "NODE2": engine.NodeSucceeded})
				n := s.Node("NODE1")
				if n.Attempt != 2 || len(n.Earlier) != 1 || !strings.Contains(n.Earlier[0].Cause.Message, "a.msu failed: download a.msu") || b.w.count("pause NODE1") != c.pauses || b.p.starts["NODE1/b"] != 1 {
					t.Errorf("attempt %d after %+v, %v", n.Attempt, n.Earlier, b.w.acts)
				}
				if !slices.Contains(b.p.stages, "0123abcd-node1-stage-2") {
					t.Errorf("staged by %v", b.p.stages)
				}
				if came := n.Update("a").Outcome == plugins.Installed; came != c.heals || !came && n.Update("a").Outcome != plugins.UpdateFailed {
					t.Errorf("%+v", n.Update("a"))
				}
				b.wantOnce()
				b.wantInService()
			})
		})
	}
}

func TestANodeThatNothingCameToIsNotDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := notHere(t, withoutRetries, withBudget(0))
		b.p.unstaged["NODE1/b"] = errors.New("no room")
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
		for _, id := range []string{"a", "b"} {
			if u := s.Node("NODE1").Update(id); u.Outcome != plugins.UpdateFailed || u.Cause == nil {
				t.Errorf("%+v", u)
			}
		}
		if n := s.Node("NODE1"); b.w.count("pause NODE1")+b.w.count("pause NODE2") != 0 || n.Staged || !strings.Contains(n.Cause.Message, "download a.msu") {
			t.Errorf("%+v %v", n.Cause, b.w.acts)
		}
	})
}

func TestStopOnPluginFailureCountsAnUpdateThatDidNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t, withBudget(1), func(in *engine.PlanInput) { in.Options.StopOnPluginFailure = true })
		b.p.unstaged["NODE1/a"] = errors.New("no room")
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodePartiallyFailed || n.Update("b").Outcome != plugins.Installed || n.Update("p2-a").Skipped == "" || !n.Update("p2-b").Started.IsZero() {
			t.Errorf("%s: %+v %+v", n.Status, n.Update("b"), n.Update("p2-a"))
		}
		b.wantInService()
	})
}
