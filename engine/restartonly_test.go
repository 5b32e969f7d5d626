package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"cau/engine"
)

// onlyPending is a bench on which nothing is to be installed and a restart is pending on NODE2.
func onlyPending(t *testing.T, asked bool, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	w := newWorld(numbered(3)...)
	w.machine("NODE2").pending = []string{"component servicing"}
	return newBench(t, w, nil, append(change, func(in *engine.PlanInput) {
		in.Options.RestartPending = asked
		in.Pending = map[string]engine.PendingView{"NODE2": {Reasons: []string{"component servicing"}}}
	})...)
}

func TestANodeWithOnlyAPendingRestartIsRestartedWhenThatIsAskedForAndElseLeftAlone(t *testing.T) {
	for _, asked := range []bool{true, false} {
		for _, order := range engine.InstallOrders() {
			synctest.Test(t, func(t *testing.T) {
				b := onlyPending(t, asked, withScripts, func(in *engine.PlanInput) { in.Options.InstallOrder = order })
				i := slices.IndexFunc(b.plan.Nodes, func(n engine.NodePlan) bool { return n.Name == "NODE2" })
				if np := b.plan.Nodes[i]; np.RestartOnly != asked || len(np.PendingRestart) != 1 {
					t.Errorf("%+v", np)
				}
				s := b.toEnd()
				want, restarts := engine.NodeUpToDate, 0
				if asked {
					want, restarts = engine.NodeSucceeded, 1
				}
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeUpToDate, "NODE2": want, "NODE3": engine.NodeUpToDate})
				if s.Status != engine.RunSucceeded || b.w.count("restart NODE2") != restarts || b.w.count("pause NODE2") != restarts || b.w.count("script-post NODE2") != restarts || len(b.p.stages) != 0 {
					t.Errorf("%s %v", s.Status, b.w.acts)
				}
				b.wantInService()
			})
		}
	}
}

func TestANodeThatSomebodyRestartedMeanwhileIsNotRestartedForWhatWasPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onlyPending(t, true)
		b.w.machine("NODE2").pending = nil
		s := b.toEnd()
		if s.Node("NODE2").Status != engine.NodeUpToDate || b.w.count("pause NODE2") != 0 {
			t.Errorf("%s %v", s.Node("NODE2").Status, b.w.acts)
		}
	})
}

func TestR21_ARestartThatStaysPendingWithoutAnUpdateIsALoopToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := onlyPending(t, true)
		b.w.machine("NODE2").pendingStays = 5
		s := b.toEnd()
		if s.Node("NODE2").Status != engine.NodeFailed || b.w.count("restart NODE2") != 2 {
			t.Errorf("%s %v", s.Node("NODE2").Status, b.w.acts)
		}
	})
}
