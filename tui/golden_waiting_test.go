package tui

import (
	"testing"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/tui/backend"
	"cau/tui/tuitest"
)

func TestLiveViewOfAttempts(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		st := tuitest.State()
		st.Attempts = 4
		cause := &fault.Cause{Op: "install Update2.msi", Node: "NODE1", Message: "NODE1: install Update2.msi: the installer failed (0x00000643 ERROR_INSTALL_FAILURE)", Hint: "Read msi.log."}
		n1, n3 := st.Node("NODE1"), st.Node("NODE3")
		n1.Attempt, n1.Earlier = 2, []engine.Setback{{Attempt: 1, Status: engine.NodePartiallyFailed, Ended: tuitest.Start0().Add(18 * time.Minute), Cause: cause}}
		n3.Attempt, n3.Earlier = 3, []engine.Setback{
			{Attempt: 1, Cause: &fault.Cause{Message: "NODE3: drain: it was not over in 60 minutes"}},
			{Attempt: 2, Cause: &fault.Cause{Message: "NODE3: drain: role VM7 does not move: there is no memory for it on NODE2 and on NODE4"}},
		}
		s.news(backend.Snapshot{State: st, Plan: plan(), Alive: true, Lines: lines()}, false)
		s.golden("live-attempts")
		s.wants("attempt 2 of 4", "attempt 3 of 4: drain: role VM7")
		s.press("enter")
		s.golden("live-attempts-details")
		s.wants("attempt 1 failed: NODE1: install Update2.msi")
	})
}

func TestLiveViewOfAGateThatWaits(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		st := tuitest.State()
		st.Nodes[1] = st.Nodes[0]
		st.Nodes[1].Name = "NODE1"
		evidence := "Storage is being repaired: Repair of Volume1 (42 %), Repair of Volume2 (7 %), Regeneration of ClusterPerformanceHistory (0 %)."
		if err := st.Apply(engine.Fact{Kind: engine.FactGateWaiting, Node: "NODE3", Time: tuitest.Start0().Add(26 * time.Minute), Data: engine.FactData{
			Message: "Before NODE3: " + evidence, Checks: []check.Result{{ID: "cluster.storage-healthy", Outcome: check.Fail, Evidence: evidence}},
		}}); err != nil {
			t.Fatal(err)
		}
		s.news(backend.Snapshot{State: st, Plan: plan(), Alive: true, Lines: lines()}, false)
		s.golden("live-gate")
		s.wants("Before NODE3: Storage is being repaired", "ETA")
		s.press("down", "down", "enter")
		s.wants("what the run waits")
	})
}
