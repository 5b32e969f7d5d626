package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/tuitest"
)

func TestEveryRunOptionIsReachedAndShownWithTheCursorOnIt(t *testing.T) {
	t.Parallel()
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{})
		s.press("enter", "enter", "tab", "enter")
		var names []string
		for _, spec := range engine.OptionSpecs() {
			names = append(names, spec.Name)
		}
		on := func(name string) bool {
			for l := range strings.Lines(s.screen()) {
				at, cursor := strings.Index(l, name), strings.LastIndex(l, "▸")
				if at >= 0 && cursor >= 0 && cursor < at && at-cursor <= len("▸ [ ] ") {
					return true
				}
			}
			return false
		}
		for _, name := range names {
			if !on(name) {
				t.Fatalf("the cursor is not on %s:\n%s", name, s.screen())
			}
			s.press("tab")
		}
		s.press("shift+tab")
		for i := len(names) - 1; i >= 0; i-- {
			if !on(names[i]) {
				t.Fatalf("the cursor does not come back to %s:\n%s", names[i], s.screen())
			}
			s.press("shift+tab")
		}
	})
}

func TestPreviewAndConfirmationWithScriptsAndPushedFiles(t *testing.T) {
	t.Parallel()
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{})
		s.press("enter", "enter", "tab", "enter")
		at := 0
		option := func(name string) {
			to := slices.IndexFunc(engine.OptionSpecs(), func(o engine.OptionSpec) bool { return o.Name == name })
			s.press(slices.Repeat([]string{"tab"}, to-at)...)
			at = to
		}
		option("PreUpdateScript")
		s.typeText("/srv/silence.ps1")
		option("ScriptAs")
		s.press("right")
		option("SignaturePolicy")
		s.press("right")
		option("Delivery")
		s.press("right", "right")
		s.golden("wizard-3-advanced-filled")
		s.press("tab", "enter", "shift+tab", "shift+tab", "enter", "enter")
		s.golden("wizard-6-preview-scripts")
		s.press("enter")
		s.golden("wizard-7-confirmation-scripts")
	})
}

// around is a run with scripts: NODE2 is done with a warning about a signature, NODE1's script runs, NODE4 is watched.
func around() (engine.State, *engine.Plan) {
	p := plan()
	p.PreScript, p.PostScript = &engine.Script{Name: "silence.ps1"}, &engine.Script{Name: "ring.ps1"}
	st := tuitest.State()
	well := int64(0)
	ran := func(name string) *engine.ScriptRun {
		return &engine.ScriptRun{
			Name: name, Started: tuitest.Start0(), Ended: tuitest.Start0().Add(time.Minute), ExitCode: &well,
			Account: `NT AUTHORITY\SYSTEM`, Output: []string{"monitoring of NODE2 is silent"},
		}
	}
	n2 := st.Node("NODE2")
	n2.PreScript, n2.PostScript = ran("silence.ps1"), ran("ring.ps1")
	n2.Updates[1].Signature = &plugins.Signature{Status: "NotSigned"}
	n1 := st.Node("NODE1")
	n1.Phase, n1.Drained, n1.PausedByUs, n1.Updates = engine.PhasePreScript, false, false, st.Node("NODE3").Updates
	n1.PreScript = &engine.ScriptRun{Name: "silence.ps1", Started: n1.PhaseStarted}
	n4 := st.Node("NODE4")
	n4.Status, n4.Phase, n4.Watched, n4.PausedByUs = engine.NodeHeld, engine.PhaseDone, true, true
	n4.Started, n4.Ended = tuitest.Start0(), tuitest.Start0().Add(40*time.Minute)
	n4.Cause = &fault.Cause{
		Op: "install Update1.msu", Node: "NODE4", Message: "NODE4: Update1.msu failed: after 30m0s: the job is still running",
		Hint: "NODE4 stays paused: look at it, then resume it with Resume-ClusterNode.",
	}
	n4.Updates = []engine.UpdateRun{{ID: "a", Name: "Update1.msu", Rule: "MSU", Outcome: plugins.UpdateFailed, RunsOn: true, Started: n4.Started, Ended: n4.Ended}}
	return st, p
}

func TestLiveViewOfScriptsAWatchedNodeAndASignatureWarning(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		st, p := around()
		s.news(backend.Snapshot{State: st, Plan: p, Alive: true, Lines: lines()}, false)
		s.golden("live-pre-script")
		s.press("up")
		s.golden("live-signature")
		s.press("enter")
		s.golden("live-script-details")
		s.press("esc", "down", "down", "down", "enter")
		s.golden("live-watched-details")
	})
}

func TestR05_LiveViewOfARunThatIsHeldForItsCredential(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		st := tuitest.State()
		st.Nodes[1] = st.Nodes[0]
		st.Nodes[1].Name = "NODE1"
		evidence := "The credential lasts until 2026-11-12 04:00 UTC, for another 46m; NODE3 may take up to 2h15m."
		hint := "Renew the ticket (kinit): a renewed cache is taken up by itself, and the run goes on. For another sign-in: cau credential 7f3c0001."
		if err := st.Apply(engine.Fact{Kind: engine.FactRunHeld, Data: engine.FactData{
			Message: "Held before NODE3: " + evidence, Cause: &fault.Cause{Op: "gate winrm.credential", Node: "NODE3", Message: evidence, Hint: hint},
			Checks: []check.Result{{ID: "winrm.credential", Outcome: check.Fail, Evidence: evidence, Remedy: hint}},
		}}); err != nil {
			t.Fatal(err)
		}
		s.news(backend.Snapshot{State: st, Plan: plan(), Alive: true, Lines: lines()}, false)
		s.golden("live-held-credential")
		s.wants("lasts until 2026-11-12 04:00 UTC", "kinit")
	})
}
