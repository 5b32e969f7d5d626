package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/tuitest"
)

// decided is a run in the middle, changed; NODE1 is at work, NODE3 and NODE4 wait.
func decided(change func(*engine.State)) backend.Snapshot {
	snap := running()
	change(&snap.State)
	return snap
}

// lostResult is NODE1 held because nobody knows how its updates ended.
func lostResult(ids ...string) func(*engine.State) {
	return func(st *engine.State) {
		n := st.Node("NODE1")
		n.Status, n.Phase, n.Ended = engine.NodeHeld, engine.PhaseDone, tuitest.Start0().Add(30*time.Minute)
		n.Cause = &fault.Cause{Op: "install", Node: "NODE1", Message: "NODE1: the result of Update2.msi was lost"}
		for _, id := range ids {
			u := n.Update(id)
			u.Outcome, u.ExitCode = plugins.Unknown, nil
		}
	}
}

func asksFollowUps(st *engine.State) {
	st.Node("NODE2").Asked = []plugins.Update{{ID: "c", Name: "Update3.msu"}, {ID: "d", Name: "Update4.msu"}}
}

// said is the dialog on top as text that is not wrapped; it is what the screen draws.
func (s *stage) said() string {
	s.t.Helper()
	if len(s.app.dialogs) == 0 {
		s.t.Fatalf("no dialog is open:\n%s", s.screen())
	}
	d := s.app.dialogs[len(s.app.dialogs)-1]
	s.wants(d.title)
	said := d.title + " " + strings.Join(d.plain, " ")
	for _, b := range d.buttons {
		s.wants("[ " + b.caption + " ]")
		said += " " + b.caption
	}
	return said
}

func TestR29_EveryVerbIsAskedByItsKeyAfterADialogThatSaysWhatHappens(t *testing.T) {
	node := func(name string, change func(*engine.NodeRun)) func(*engine.State) {
		return func(st *engine.State) { change(st.Node(name)) }
	}
	for _, c := range []struct {
		name   string
		state  func(*engine.State)
		choose []string
		key    string
		says   string
		answer []string
		want   engine.Control
		done   string
	}{
		{"hold", func(*engine.State) {}, []string{"down"}, "h", "not begun until you release it", []string{"right", "enter"}, engine.Control{Verb: engine.VerbHold, Node: "NODE3"}, "NODE3 is held back until it is released."},
		{
			"release", node("NODE3", func(n *engine.NodeRun) { n.HeldBackBy = "ann" }),
			[]string{"down"},
			"h", "taken in its turn",
			[]string{"right", "enter"},
			engine.Control{Verb: engine.VerbRelease, Node: "NODE3"},
			"NODE3 is released.",
		},
		{"skip", func(*engine.State) {}, []string{"j", "j"}, "x", "ends without its updates", []string{"tab", "enter"}, engine.Control{Verb: engine.VerbSkip, Node: "NODE4"}, "NODE4 is skipped."},
		{
			"retry", node("NODE2", func(n *engine.NodeRun) { n.Status, n.Updates[1].Outcome = engine.NodeFailed, plugins.UpdateFailed }),
			[]string{"k"},
			"a", "is not installed again",
			[]string{"right", "enter"},
			engine.Control{Verb: engine.VerbRetry, Node: "NODE2"},
			"NODE2 is tried again.",
		},
		{"take", func(*engine.State) {}, nil, "t", "nothing more is begun on NODE1", []string{"right", "enter"}, engine.Control{Verb: engine.VerbTake, Node: "NODE1"}, "NODE1 is yours from the next safe point on."},
		{
			"give back", node("NODE1", func(n *engine.NodeRun) { n.TakenBy = "ann" }), nil, "t", "looks at NODE1",
			[]string{"right", "enter"},
			engine.Control{Verb: engine.VerbGiveBack, Node: "NODE1"},
			"NODE1 is given back to the run.",
		},
		{
			"mark", lostResult("b"),
			[]string{"up", "down"},
			"m", "How did Update2.msi end on NODE1?",
			[]string{"down", "enter"},
			engine.Control{Verb: engine.VerbMark, Node: "NODE1", Update: "b", Outcome: plugins.Installed},
			"The update on NODE1 is marked.",
		},
		{
			"mark one of two", lostResult("a", "b"),
			[]string{"up", "down"},
			"m", "Which one do you know?",
			[]string{"down", "down", "enter", "down", "down", "down", "enter"},
			engine.Control{Verb: engine.VerbMark, Node: "NODE1", Update: "b", Outcome: plugins.UpdateFailed},
			"The update on NODE1 is marked.",
		},
		{
			"mark the first of two", lostResult("a", "b"),
			[]string{"up", "down"},
			"m", "Update1.msu",
			[]string{"down", "enter", "down", "down", "enter"},
			engine.Control{Verb: engine.VerbMark, Node: "NODE1", Update: "a", Outcome: plugins.NotApplicable},
			"The update on NODE1 is marked.",
		},
		{"leave follow-ups", asksFollowUps, []string{"up"}, "f", "Update3.msu, Update4.msu", []string{"right", "enter"}, engine.Control{Verb: engine.VerbFollowUps, Node: "NODE2"}, "The run has the answer for NODE2."},
		{
			"install follow-ups of another node", asksFollowUps,
			[]string{"down"},
			"f", "Updates beyond the plan on NODE2",
			[]string{"right", "right", "enter"},
			engine.Control{Verb: engine.VerbFollowUps, Node: "NODE2", Install: true},
			"The run has the answer for NODE2.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
			s.news(decided(c.state), false)
			s.press(c.choose...)
			s.press(c.key)
			if !strings.Contains(s.said(), c.says) {
				t.Errorf("%q is not said:\n%s", c.says, s.screen())
			}
			s.press("enter") // the first answer is the harmless one
			if got := s.services.Asked(); len(got) != 0 || len(s.app.dialogs) != 0 {
				t.Fatalf("the first answer asked %+v, or left a dialog", got)
			}
			s.press(c.key)
			s.press(c.answer...)
			if got := s.services.Asked(); len(got) != 1 || got[0] != c.want {
				t.Fatalf("asked of the run: %+v\n%s", got, s.screen())
			}
			s.wants(c.done)
			if strings.Contains(s.app.notice, "[") {
				t.Errorf("no text for it: %s", s.app.notice)
			}
		})
	}
}

func TestR29_StopNowNeedsTheClustersTypedName(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.press("S")
	s.wants("Nothing more is begun", "LAB-FC1")
	s.press("enter")
	s.wants(`"" is not the name of the cluster.`)
	s.typeText("LAB-FC2")
	s.press("enter")
	s.wants(`"LAB-FC2" is not the name of the cluster.`)
	if got := s.services.Asked(); len(got) != 0 {
		t.Fatalf("asked of the run: %+v", got)
	}
	s.press("backspace")
	s.typeText("1")
	s.wantsNot("is not the name")
	s.press("enter")
	if got := s.services.Asked(); len(got) != 1 || got[0] != (engine.Control{Verb: engine.VerbStopNow, Typed: "LAB-FC1"}) {
		t.Errorf("asked of the run: %+v", got)
	}
	s.wants("The run stops now.")
}

func TestR29_StopNowIsLeftWithoutAskingAnything(t *testing.T) {
	for _, answer := range [][]string{{"esc"}, {"shift+tab", "enter"}} {
		s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(running(), false)
		s.press("S")
		s.typeText("LAB-FC1")
		s.press(answer...)
		if got := s.services.Asked(); len(got) != 0 || len(s.app.dialogs) != 0 || s.quit {
			t.Errorf("%v: asked of the run: %+v", answer, got)
		}
	}
}

func TestLettersTypedIntoADialogPressNoKeys(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.press("S")
	s.typeText("q?hkj")
	s.wants("q?hkj", "Stop now?")
	if len(s.app.dialogs) != 1 || s.quit {
		t.Error("a letter was taken for a key")
	}
}

func TestWhatTheRunWouldNotObeyIsSaidAndNotAsked(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  func(*engine.State)
		choose []string
		key    string
		says   []string
	}{
		{"hold what is under way", func(*engine.State) {}, nil, "h", []string{"NODE1 is under way (restarting).", "cau take 7f3c0001 NODE1"}},
		{"skip what is under way", func(*engine.State) {}, nil, "x", []string{"NODE1 is under way (restarting)."}},
		{"retry what succeeded", func(*engine.State) {}, []string{"up"}, "a", []string{"NODE2 ended as Succeeded; there is nothing to try again."}},
		{"retry what waits", func(*engine.State) {}, []string{"down"}, "a", []string{"NODE3 has not ended"}},
		{"retry twice", func(st *engine.State) { st.Node("NODE3").Attempt, st.Attempts = 2, 4 }, []string{"down"}, "a", []string{"NODE3 is being tried again already: attempt 2 of 4."}},
		{
			"skip twice", func(st *engine.State) { n := st.Node("NODE3"); n.Status, n.SkippedBy = engine.NodeCanceled, "ann" },
			[]string{"down"},
			"x",
			[]string{"NODE3 is skipped already, by ann."},
		},
		{"take what is done", func(*engine.State) {}, []string{"up"}, "t", []string{"The run is done with NODE2: Succeeded."}},
		{"mark what is known", func(*engine.State) {}, nil, "m", []string{"There is no update on NODE1 whose end nobody knows."}},
		{"answer what is not asked", func(*engine.State) {}, nil, "f", []string{"Nothing beyond the plan is being asked about on NODE1."}},
		{
			"mark what is watched", func(st *engine.State) {
				lostResult("b")(st)
				n := st.Node("NODE1")
				n.Watched, n.Update("b").RunsOn = true, true
			}, []string{"up", "down"}, "m", []string{"still runs on NODE1 and is watched."},
		},
		{"retry what nobody knows", lostResult("b"), []string{"up", "down"}, "a", []string{"Nobody knows how Update2.msi ended on NODE1."}},
		{"hold in a run that stops", func(st *engine.State) { st.StopAsked = true }, []string{"down"}, "h", []string{"The run is stopping."}},
		{"stop now twice", func(st *engine.State) { st.StopAsked, st.StopNowBy = true, "ann" }, nil, "S", []string{"Stop now was asked by ann"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
			s.news(decided(c.state), false)
			s.press(c.choose...)
			offered := strings.Contains(s.app.footer(400), " "+c.key+" ")
			s.press(c.key)
			said := s.said()
			for _, want := range append(c.says, "The run does not do this now") {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not said:\n%s", want, s.screen())
				}
			}
			s.press("enter")
			if got := s.services.Asked(); len(got) != 0 || len(s.app.dialogs) != 0 {
				t.Errorf("asked of the run: %+v", got)
			}
			if offered {
				t.Error("the footer offers it")
			}
		})
	}
}

func TestTheKeysThatAreOfferedAreThoseThatMeanSomethingForTheChosenNode(t *testing.T) {
	offered := func(s *stage) string {
		var out []string
		for _, b := range s.app.top().keys() {
			if b.Enabled() && slices.Contains([]string{"h", "a", "x", "t", "m", "f", "S"}, b.Help().Key) {
				out = append(out, b.Help().Key+" "+b.Help().Desc)
			}
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		state  func(*engine.State)
		choose []string
		want   string
	}{
		{func(*engine.State) {}, nil, "t take over, S stop now"},
		{func(*engine.State) {}, []string{"down"}, "h hold node, t take over, x skip node, S stop now"},
		{func(*engine.State) {}, []string{"up"}, "S stop now"},
		{func(st *engine.State) { st.Node("NODE3").HeldBackBy = "ann" }, []string{"down"}, "h release node, t take over, x skip node, S stop now"},
		{func(st *engine.State) { st.Node("NODE1").TakenBy = "ann" }, nil, "t give back, S stop now"},
		{lostResult("b"), []string{"up", "down"}, "m mark update, S stop now"},
		{asksFollowUps, []string{"down"}, "f follow-ups, h hold node, t take over, x skip node, S stop now"},
	} {
		s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(decided(c.state), false)
		s.press(c.choose...)
		if got := offered(s); got != c.want {
			t.Errorf("%v: offered %q, want %q", c.choose, got, c.want)
		}
		for _, gone := range []bool{true, false} {
			snap := decided(c.state)
			if gone {
				snap.Alive = false
			} else {
				snap.State.Status = engine.RunCanceled
			}
			s.news(snap, true)
			if got := offered(s); got != "" {
				t.Errorf("coordinator gone: %v: offered %q", gone, got)
			}
		}
	}
}

func TestARunThatEndedOrIsLostIsAskedForNothing(t *testing.T) {
	for want, change := range map[string]func(*backend.Snapshot){
		"Go on with: cau resume 7f3c0001": func(snap *backend.Snapshot) { snap.Alive = false },
		"The run has ended":               func(snap *backend.Snapshot) { snap.State = failed() },
	} {
		s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
		snap := running()
		change(&snap)
		s.news(snap, true)
		for _, k := range []string{"h", "a", "x", "t", "m", "f", "S"} {
			s.press(k)
			s.wants(want)
			if len(s.app.dialogs) != 0 {
				t.Fatalf("%s opens a dialog", k)
			}
		}
		if got := s.services.Asked(); len(got) != 0 {
			t.Errorf("asked of the run: %+v", got)
		}
	}
}

func TestWhatTheRunRefusesIsShownWithWhatCanBeDone(t *testing.T) {
	no := &fault.Error{Op: "hold in run 7f3c0001", Hint: "Let it be finished.", Err: &engine.RefusedError{Verb: engine.VerbHold, Why: "NODE3 is under way (draining).", Advice: "Let it be finished."}}
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"), with(changed{control: no}))
	s.news(running(), false)
	s.press("down", "h", "right", "enter")
	s.wants("The run does not do this now", "NODE3 is under way (draining).", "Let it be finished.")
	s.press("enter")
	s.wantsNot("under way")
}

func TestWhatCannotBeAskedIsShownWithWhatCanBeDone(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"), with(changed{control: &fault.Error{Op: "take run 7f3c0001", Err: errors.New("its coordinator is not running"), Hint: "Go on with cau resume."}}))
	s.news(running(), false)
	s.press("t", "right", "enter")
	s.wants("The run did not take the request", "its coordinator is not running", "Go on with cau resume.")
}

func TestASecondRequestIsNotLostWithoutAWord(t *testing.T) {
	s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.press("down")
	s.hold = true
	s.press("h", "right", "enter")
	s.press("x", "right", "enter")
	s.wants("The run has not answered the last request yet.")
	s.release()
	if got := s.services.Controls(); len(got) != 1 || got[0] != engine.VerbHold {
		t.Errorf("asked of the run: %v", got)
	}
	s.wants("NODE3 is held back until it is released.")
}

func TestADialogIsAboutTheNodeItWasOpenedForWhateverHappensMeanwhile(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false) // the choice follows the run, which is on NODE1
	s.press("t")
	s.news(decided(func(st *engine.State) {
		st.Node("NODE1").Status = engine.NodeSucceeded
		st.Node("NODE3").Status, st.Node("NODE3").Phase = engine.NodeUpdating, engine.PhaseDraining
	}), false)
	s.wants("Take NODE1 over by hand?")
	s.press("right", "enter")
	if got := s.services.Asked(); len(got) != 1 || got[0].Node != "NODE1" {
		t.Errorf("asked of the run: %+v", got)
	}
	if w, ok := s.app.top().(*watch); !ok || w.board.Chosen() != "NODE1" {
		t.Error("the choice went on to another node")
	}
}

func TestLiveViewOfWhatWasDecided(t *testing.T) {
	sizes(t, func(t *testing.T, w, h int) {
		t.Helper()
		s := newStage(t, w, h, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(decided(func(st *engine.State) {
			n := st.Node("NODE1")
			n.TakenBy, n.Attempt, st.Attempts = "lab\\ann", 2, 4
			n.Update("b").MarkedBy = "bob"
			st.Node("NODE3").HeldBackBy = "lab\\ann"
			n = st.Node("NODE4")
			n.Status, n.Phase, n.SkippedBy, n.Ended = engine.NodeCanceled, engine.PhaseDone, "bob", tuitest.Start0().Add(14*time.Minute)
			n.Cause = &fault.Cause{Op: "skip", Node: "NODE4", Message: "NODE4: skipped by bob"}
		}), false)
		s.golden("live-decided")
		s.press("?")
		s.golden("live-decided-help")
		s.press("esc", "enter")
		s.golden("live-decided-details")
		s.press("esc", "down", "h")
		s.golden("live-release")
		s.press("esc", "S")
		s.typeText("LAB-FC2")
		s.press("enter")
		s.golden("live-stop-now")
		s.press("esc", "k", "a")
		s.golden("live-refused")
		s.press("esc")
		s.news(decided(lostResult("a", "b")), false)
		s.press("m")
		s.golden("live-mark-which")
		s.press("down", "enter")
		s.golden("live-mark")
		s.press("esc")
		s.news(decided(asksFollowUps), false)
		s.press("f")
		s.golden("live-follow-ups")
	})
}
