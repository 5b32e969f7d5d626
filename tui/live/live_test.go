package live_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"cau/engine"
	"cau/tui/backend"
	"cau/tui/glyph"
	"cau/tui/live"
	"cau/tui/relay"
	"cau/tui/theme"
	"cau/tui/tuitest"
)

// board is a board with a clock that the test moves.
func board() (*live.Board, *time.Time) {
	th, now := theme.New(true), tuitest.Start0().Add(30*time.Minute)
	return live.New(live.Look{Glyphs: glyph.Unicode(), Theme: &th, Now: func() time.Time { return now }}, "7f3c0001", ""), &now
}

func view(b *live.Board, w, h int) string { return ansi.Strip(strings.Join(b.View(w, h, false), "\n")) }

func news(st engine.State, speed float64) relay.Batch {
	return relay.Batch{Watch: 1, Snapshot: backend.Snapshot{State: st, Plan: &engine.Plan{Speed: speed, Options: engine.DefaultOptions()}, Alive: true}}
}

func TestASimulatedClustersTimeRunsAtItsSpeedAndNeverBack(t *testing.T) {
	b, now := board()
	b.Take(news(tuitest.State(), 30)) // the latest fact: NODE1 restarts since minute 20
	if v := view(b, 120, 30); !strings.Contains(v, "00:20:00") {
		t.Errorf("\n%s", v)
	}
	*now = now.Add(2 * time.Second)
	if v := view(b, 120, 30); !strings.Contains(v, "00:21:00") || !strings.Contains(v, "restart 01:00 of 15:00") {
		t.Errorf("\n%s", v)
	}
	line := relay.Batch{Watch: 1, Snapshot: backend.Snapshot{Lines: []backend.LogLine{{Time: tuitest.Start0().Add(20*time.Minute + time.Second), Text: "late"}}}}
	b.Take(line)
	if v := view(b, 120, 30); !strings.Contains(v, "00:21:00") {
		t.Errorf("the clock went back\n%s", v)
	}
}

func TestARealClustersTimeIsTheWallClock(t *testing.T) {
	b, now := board()
	st := tuitest.State()
	st.Simulated = false
	b.Take(news(st, 1))
	if v := view(b, 120, 30); !strings.Contains(v, "00:30:00") || strings.Contains(v, "simulated") {
		t.Errorf("\n%s", v)
	}
	*now = now.Add(time.Minute)
	if v := view(b, 120, 30); !strings.Contains(v, "00:31:00") || !strings.Contains(v, "restart 11:00 of 15:00") {
		t.Errorf("\n%s", v)
	}
}

func TestTheClockStopsWithTheCoordinator(t *testing.T) {
	b, now := board()
	lost := news(tuitest.State(), 30)
	lost.Snapshot.Alive = false
	b.Take(lost)
	*now = now.Add(time.Hour)
	if v := view(b, 120, 30); !strings.Contains(v, "00:20:00") || !strings.Contains(v, "cau resume 7f3c0001") {
		t.Errorf("\n%s", v)
	}
	if !b.Lost() || b.Running() || b.Ended() {
		t.Error("it is not seen as lost")
	}
}

func TestTheClockDoesNotGoBackWhenTheCoordinatorIsLost(t *testing.T) {
	b, now := board()
	b.Take(news(tuitest.State(), 30))
	*now = now.Add(2 * time.Second)
	lost := news(tuitest.State(), 30)
	lost.Snapshot.Alive = false
	b.Take(lost)
	if v := view(b, 120, 30); !strings.Contains(v, "00:21:00") || strings.Contains(v, "00:20:00") {
		t.Errorf("\n%s", v)
	}
}

func TestWhatToDoAboutALostCoordinatorFitsTheSmallestScreenAndStandsInTheDetails(t *testing.T) {
	b, _ := board()
	lost := news(tuitest.State(), 30)
	lost.Snapshot.Alive = false
	b.Take(lost)
	if v := view(b, 80, 24); !strings.Contains(v, "cau resume 7f3c0001") {
		t.Errorf("\n%s", v)
	}
	if v := ansi.Strip(strings.Join(b.Details("NODE1", 76), "\n")); !strings.Contains(v, "coordinator is gone") {
		t.Errorf("\n%s", v)
	}
}

func TestThatTheRunOutlivesTheTerminalIsNeverCutInHalf(t *testing.T) {
	th := theme.New(true)
	where := "Process 4711 on adm1, in a session of its own: closing this terminal does not stop it. A restart of adm1 stops it."
	b := live.New(live.Look{Glyphs: glyph.Unicode(), Theme: &th, Now: tuitest.Start0}, "7f3c0001", where)
	b.Take(news(tuitest.State(), 30))
	for w, want := range map[int]string{80: "closing this terminal does not stop it", 120: "closing this terminal does not stop it", 200: where} {
		if v := view(b, w, 40); !strings.Contains(v, want) {
			t.Errorf("%d cells:\n%s", w, v)
		}
	}
}

func TestTheUpdatesPaneFollowsTheRunUntilTheUserChooses(t *testing.T) {
	b, _ := board()
	st := tuitest.State()
	b.Take(news(st, 30))
	if b.Chosen() != "NODE1" {
		t.Errorf("chosen %s", b.Chosen())
	}
	next := tuitest.State()
	next.Nodes[1].Status, next.Nodes[1].Phase = engine.NodeSucceeded, engine.PhaseDone
	next.Nodes[2].Status, next.Nodes[2].Phase = engine.NodeUpdating, engine.PhaseDraining
	b.Take(news(next, 30))
	if b.Chosen() != "NODE3" {
		t.Errorf("chosen %s", b.Chosen())
	}
	b.Move(-1)
	b.Move(-1)
	b.Take(news(next, 30))
	if b.Chosen() != "NODE2" {
		t.Errorf("chosen %s", b.Chosen())
	}
}

func TestManyNodesScrollWithTheChosenOne(t *testing.T) {
	b, _ := board()
	st := tuitest.State()
	for i := range 60 {
		st.Nodes = append(st.Nodes, engine.NodeRun{Name: fmt.Sprintf("LATER%02d", i), Status: engine.NodeWaiting, Phase: engine.PhaseWaiting})
	}
	b.Take(news(st, 30))
	for range 63 {
		b.Move(1)
	}
	v := view(b, 80, 22)
	if !strings.Contains(v, "LATER59") || strings.Contains(v, "LATER10") || !strings.Contains(v, "/64") {
		t.Errorf("\n%s", v)
	}
}

func TestARowIsDrawnAgainOnlyWhenItChanged(t *testing.T) {
	b, now := board()
	b.Take(news(tuitest.State(), 30))
	first := view(b, 120, 30)
	if view(b, 120, 30) != first {
		t.Error("the same state draws differently")
	}
	changed := tuitest.State()
	changed.Nodes[3].Status, changed.Nodes[3].Phase = engine.NodeWaiting, engine.PhaseStaging
	b.Take(news(changed, 30))
	if v := view(b, 120, 30); !strings.Contains(v, "Staging") {
		t.Errorf("a change is not shown\n%s", v)
	}
	*now = now.Add(time.Second)
	if v := view(b, 120, 30); !strings.Contains(v, "restart 00:30 of 15:00") {
		t.Errorf("the row's clock stands\n%s", v)
	}
}

func TestTheLogKeepsItsPlaceWhileTheUserReads(t *testing.T) {
	b, _ := board()
	batch := news(tuitest.State(), 30)
	for i := range 100 {
		batch.Snapshot.Lines = append(batch.Snapshot.Lines, backend.LogLine{Time: tuitest.Start0(), Text: fmt.Sprintf("line %03d", i)})
	}
	b.Take(batch)
	b.ToggleLog()
	if v := view(b, 80, 22); !strings.Contains(v, "line 099") {
		t.Errorf("\n%s", v)
	}
	b.ScrollLog(20)
	if v := view(b, 80, 22); !strings.Contains(v, "line 079") || strings.Contains(v, "line 080") || !strings.Contains(v, "20 lines below") {
		t.Errorf("\n%s", v)
	}
	b.Take(relay.Batch{Watch: 1, Snapshot: backend.Snapshot{State: tuitest.State(), Alive: true, Lines: []backend.LogLine{{Text: "new"}}}})
	if v := view(b, 80, 22); !strings.Contains(v, "line 079") || strings.Contains(v, "line 080") {
		t.Errorf("the text moved under the reader\n%s", v)
	}
	b.ScrollLog(1 << 20)
	if v := view(b, 80, 22); !strings.Contains(v, "line 000") {
		t.Errorf("\n%s", v)
	}
	b.ScrollLog(-1 << 20)
	if v := view(b, 80, 22); !strings.Contains(v, "new") {
		t.Errorf("\n%s", v)
	}
}

func TestAnErrorAfterGoodNewsIsSaidBesideThem(t *testing.T) {
	b, _ := board()
	b.Take(news(tuitest.State(), 30))
	b.Take(relay.Batch{Watch: 1, Snapshot: backend.Snapshot{Err: errors.New("the journal cannot be read")}})
	if v := view(b, 120, 30); !strings.Contains(v, "NODE1") || !strings.Contains(v, "the journal cannot be read") {
		t.Errorf("\n%s", v)
	}
}

func TestEveryStatusHasAGlyphAndAWord(t *testing.T) {
	b, _ := board()
	for _, status := range []engine.NodeStatus{engine.NodeWaiting, engine.NodeUpdating, engine.NodeSucceeded, engine.NodePartiallyFailed, engine.NodeFailed, engine.NodeCanceled, engine.NodeUpToDate, engine.NodeHeld, engine.NodeNotTaken} {
		st := tuitest.State()
		st.Nodes[1].Status = status
		b.Take(news(st, 30))
		if v := view(b, 120, 30); strings.Contains(v, "[") && strings.Contains(v, "status.") {
			t.Errorf("%s has no word\n%s", status, v)
		}
	}
	for _, phase := range []engine.Phase{engine.PhaseStaging, engine.PhaseDraining, engine.PhaseInstalling, engine.PhaseRestarting, engine.PhaseRescanning, engine.PhaseResuming, engine.PhaseSettling} {
		st := tuitest.State()
		st.Nodes[1].Phase = phase
		b.Take(news(st, 30))
		if v := view(b, 120, 30); strings.Contains(v, "phase.") {
			t.Errorf("%s has no word\n%s", phase, v)
		}
	}
	for _, status := range []engine.RunStatus{engine.RunRunning, engine.RunPaused, engine.RunHeld, engine.RunStopping, engine.RunSucceeded, engine.RunPartiallyFailed, engine.RunFailed, engine.RunCanceled} {
		st := tuitest.State()
		st.Status = status
		b.Take(news(st, 30))
		if v := view(b, 120, 30); strings.Contains(v, "[status") {
			t.Errorf("%s has no word\n%s", status, v)
		}
	}
}

func TestADrainStaysBehindTheNodeThatIsBackInService(t *testing.T) {
	b, _ := board()
	st := tuitest.State()
	n := st.Node("NODE2")
	n.Drained = false // as resuming leaves it
	b.Take(news(st, 30))
	if v := ansi.Strip(strings.Join(b.Details("NODE2", 76), "\n")); !strings.Contains(v, "drain ✓") {
		t.Errorf("\n%s", v)
	}
	done := tuitest.State()
	for _, st := range []*engine.State{&st, &done} {
		n := st.Node("NODE2")
		n.Status, n.Phase = engine.NodeUpdating, engine.PhaseSettling
	}
	b.Take(news(st, 30))
	resumed := strings.Split(view(b, 120, 30), "\n")[1]
	b.Take(news(done, 30))
	if drained := strings.Split(view(b, 120, 30), "\n")[1]; drained != resumed {
		t.Errorf("the progress goes back:\n%s\n%s", drained, resumed)
	}
}
