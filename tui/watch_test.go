package tui

import (
	"errors"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/tui/backend"
	"cau/tui/tuitest"
)

func TestStopAsksFirstAndTheFirstAnswerIsHarmless(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.press("s", "enter", "s", "esc")
	if got := s.services.Controls(); len(got) != 0 {
		t.Fatalf("asked of the run: %v", got)
	}
	s.press("s", "right", "enter")
	if got := s.services.Controls(); len(got) != 1 || got[0] != engine.VerbStop {
		t.Errorf("asked of the run: %v", got)
	}
	s.wants("stops after the current update")
}

func TestPauseAndResumeAreOfferedWhenTheyMeanSomething(t *testing.T) {
	s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.press("r")
	s.press("p")
	paused := running()
	paused.State.Status, paused.State.PauseAsked = engine.RunPaused, true
	s.news(paused, false)
	s.wants("◐ Paused", "r resume")
	s.press("p", "r")
	want := []engine.Verb{engine.VerbPause, engine.VerbResume}
	if got := s.services.Controls(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("asked of the run: %v", got)
	}
}

func TestR29_LeavingTheLiveViewAsksNothingOfTheRun(t *testing.T) {
	for _, key := range []string{"d", "q", "esc"} {
		s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(running(), false)
		s.press(key)
		if !s.quit || len(s.services.Controls()) != 0 {
			t.Errorf("%s: left %v, asked of the run: %v", key, s.quit, s.services.Controls())
		}
	}
}

func TestARunWithoutCoordinatorSaysHowToGoOn(t *testing.T) {
	s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
	snap := running()
	snap.Alive = false
	s.news(snap, true)
	s.wants("cau resume 7f3c0001")
	s.press("p", "s")
	if len(s.services.Controls()) != 0 || len(s.app.dialogs) != 0 {
		t.Error("a run that nothing carries on was asked for something")
	}
}

func TestARunThatGotANewCoordinatorIsFollowedAgain(t *testing.T) {
	s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
	lost := running()
	lost.Alive = false
	s.news(lost, true)
	s.wants("r try again")
	s.press("r")
	s.news(running(), false)
	s.wants("p pause")
	if screen := s.screen(); strings.Contains(screen, "coordinator is gone") {
		t.Errorf("\n%s", screen)
	}
}

func TestR30_TheResultShowsTheCauseFirstAndCloses(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.news(backend.Snapshot{State: failed()}, true)
	screen := s.screen()
	cause, counts := strings.Index(screen, "the installer failed"), strings.Index(screen, "1 succeeded")
	if cause < 0 || counts < cause {
		t.Errorf("\n%s", screen)
	}
	s.key("enter") // meant for the run that was going on until now
	if s.quit {
		t.Fatal("the view closed under the user's hands")
	}
	s.press("enter")
	if !s.quit {
		t.Error("it did not close")
	}
}

func TestARunThatCannotBeShownCanBeTriedAgain(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("nope"), with(changed{watchErr: &fault.Error{Op: "open run", Err: errors.New("there is no run nope"), Hint: "See cau runs."}}))
	s.wants("The run cannot be shown", "there is no run nope", "See cau runs.", "r try again")
	before := s.app.work.last
	s.press("r")
	if s.app.work.last == before {
		t.Error("it was not tried again")
	}
	s.press("esc")
	if !s.quit {
		t.Error("there is no way out")
	}
}
