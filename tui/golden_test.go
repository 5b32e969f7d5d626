package tui

import (
	"errors"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/frame"
	"cau/tui/tuitest"
)

func TestMainWindow(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, holding)
		s.golden("main-connecting")
		s.release()
		s.golden("main")
		s.press("tab", "down")
		s.golden("main-nodes")
		s.press("?")
		s.golden("help")
	})
}

func TestMainWindowWithoutCluster(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{OverviewErr: &fault.Error{Op: "connect", Node: "NODE1", Err: errors.New("no answer from 127.0.0.1:5985"), Hint: "Check the address and the firewall (TCP 5985)."}})
		s.golden("main-failed")
	})
}

func TestRunsPage(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{})
		s.press("up", "enter")
		s.golden("runs")
	})
}

func TestWizardPages(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{Checks: []check.Result{
			{ID: "acl.root.writers", Outcome: check.CannotVerify, Evidence: "Not known of 2: first the root: read the permissions: access denied (0xC0000022 STATUS_ACCESS_DENIED).", Remedy: "Check with an account that may read permissions there (READ_CONTROL), such as an administrator of the file server."},
		}})
		s.press("enter")
		s.golden("wizard-1-getting-started")
		s.press("enter")
		s.golden("wizard-2-plugin")
		s.press("tab", "enter")
		s.golden("wizard-3-advanced")
		s.press("shift+tab", "shift+tab", "shift+tab")
		s.golden("wizard-3-advanced-end")
		s.press("tab", "tab", "tab")
		s.press("backspace")
		s.typeText("9")
		s.golden("wizard-3-advanced-problem")
		s.press("backspace")
		s.typeText("1")
		s.press("shift+tab", "shift+tab", "enter")
		s.golden("wizard-4-additional")
		s.press("shift+tab", "shift+tab", "enter")
		s.golden("wizard-5-checks")
		s.press("enter", "space")
		s.golden("wizard-5-checks-accepted")
		s.press("tab", "enter")
		s.golden("wizard-6-preview")
		s.press("pgdown")
		s.golden("wizard-6-preview-end")
		s.press("enter")
		s.golden("wizard-7-confirmation")
		s.press("tab", "enter")
		s.wants("Updating Run 7f3c0001", "Loading")
	})
}

func TestWizardWorkAndItsFailure(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{PreviewErr: &fault.Error{Op: "read hotfix root", Err: errors.New(`\\FS1\Hotfixes\Root is not there`), Hint: "Check the share's name on the file server."}})
		toChecks(s, true)
		s.golden("wizard-work")
		s.release()
		s.golden("wizard-work-failed")
	})
}

// toChecks goes to the Checks page with the defaults; held keeps its work from running.
func toChecks(s *stage, held bool) {
	s.t.Helper()
	s.press("enter", "enter", "tab", "enter", "shift+tab", "shift+tab", "enter", "shift+tab", "shift+tab")
	s.hold = held
	s.press("enter")
}

func plan() *engine.Plan {
	return tuitest.Plan()
}

func lines() []backend.LogLine {
	at := func(d time.Duration) time.Time { return tuitest.Start0().Add(d) }
	return []backend.LogLine{
		{Time: at(0), Text: "run started by admin"},
		{Time: at(13 * time.Minute), Node: "NODE1", Text: "drain asked"},
		{Time: at(15 * time.Minute), Node: "NODE1", Text: "drained: 3 roles moved"},
		{Time: at(20 * time.Minute), Node: "NODE1", Text: "restart requested (planned, 2:17)"},
		{Time: at(22*time.Minute + 10*time.Second), Node: "NODE1", Text: "down as NODE2 sees it"},
	}
}

func TestLiveView(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(backend.Snapshot{State: tuitest.State(), Plan: plan(), Alive: true, Lines: lines()}, false)
		s.golden("live-running")
		s.press("l")
		s.golden("live-log")
		s.press("l", "up")
		s.golden("live-node")
		s.press("enter")
		s.golden("live-details")
		s.press("esc", "s")
		s.golden("live-stop")
		s.press("right", "enter")
		s.golden("live-stopping")
	})
}

func TestLiveViewOfAFailure(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(backend.Snapshot{State: failed(), Plan: plan(), Lines: lines()}, true)
		s.golden("live-failed")
		s.press("up")
		s.golden("live-failed-node")
	})
}

func failed() engine.State {
	st := tuitest.State()
	code := int64(1603)
	n := st.Node("NODE1")
	cause := &fault.Cause{Op: "install Update2.msi", Node: "NODE1", Code: "0x00000643", Name: "ERROR_INSTALL_FAILURE", Message: "NODE1: install Update2.msi: the installer failed (0x00000643 ERROR_INSTALL_FAILURE)", Hint: `Read the installer's log on the node: C:\Program Files\cau\jobs\7f3c0001\b\msi.log`}
	n.Status, n.Phase, n.Ended, n.Cause = engine.NodeFailed, engine.PhaseDone, tuitest.Start0().Add(30*time.Minute), cause
	n.Updates[1].Outcome, n.Updates[1].ExitCode, n.Updates[1].Cause = plugins.UpdateFailed, &code, cause
	for _, name := range []string{"NODE3", "NODE4"} {
		st.Node(name).Status, st.Node(name).Phase = engine.NodeCanceled, engine.PhaseDone
	}
	st.Status, st.Ended, st.Cause = engine.RunPartiallyFailed, tuitest.Start0().Add(31*time.Minute), cause
	return st
}

func TestLiveViewOfASuccess(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(backend.Snapshot{State: succeeded(), Plan: plan(), Lines: lines()}, true)
		s.golden("live-succeeded")
	})
}

func succeeded() engine.State {
	st := tuitest.State()
	done := st.Nodes[0]
	for i := range st.Nodes {
		name := st.Nodes[i].Name
		st.Nodes[i] = done
		st.Nodes[i].Name = name
	}
	st.Status, st.Ended = engine.RunSucceeded, tuitest.Start0().Add(52*time.Minute)
	return st
}

func TestATerminalThatIsTooSmallSaysSoAndRecovers(t *testing.T) {
	s := newStage(t, 60, 20, &tuitest.Services{})
	s.golden("too-small")
	s.app.Update(keyPress(t, "q"))
	if s.quit {
		t.Error("a key was taken for a page that is not shown")
	}
	s.app.w, s.app.h = 80, 24
	s.golden("main")
}

func TestASCIIDrawsNothingElse(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"), ascii)
	s.news(backend.Snapshot{State: tuitest.State(), Plan: plan(), Alive: true, Lines: lines()}, false)
	s.golden("live-ascii")
	for _, r := range s.screen() {
		if r > 126 {
			t.Errorf("%q is not ASCII", r)
		}
	}
}

func TestLinesThatATerminalDrawsTwoCellsWideAreDrawnInASCII(t *testing.T) {
	double := func(s string) int {
		if s[0] >= 0x80 {
			return 2
		}
		return 1
	}
	if got := glyphs(false, double).Border[1]; got != "-" {
		t.Errorf("drawn with %q", got)
	}
	if got := glyphs(false, frame.Width).Border[1]; got == "-" {
		t.Error("every terminal gets ASCII")
	}
}
