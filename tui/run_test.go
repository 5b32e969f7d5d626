package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"go.uber.org/goleak"

	"cau/tui/backend"
	"cau/tui/tuitest"
)

// play runs the program on a terminal as it would run on a real one, and gives a way to wait for its end.
func play(ctx context.Context, t *testing.T, w, h int, s *tuitest.Services, open string) (term *tuitest.Terminal, ended func() error) {
	t.Helper()
	term = tuitest.NewTerminal(t, w, h)
	p := newProgram(ctx, Config{Services: s, In: term.In(), Out: term.Out(), OpenRun: open, Env: []string{"TERM=xterm-256color"}}, tea.WithWindowSize(w, h))
	term.OnResize(func(w, h int) { p.tea.Send(tea.WindowSizeMsg{Width: w, Height: h}) })
	result := make(chan error, 1)
	go func() {
		err := p.run(ctx)
		p.farewell(term.Out())
		p.app.work.close()
		result <- err
	}()
	return term, func() error {
		t.Helper()
		select {
		case err := <-result:
			return err
		case <-time.After(20 * time.Second):
			t.Fatalf("the program does not end; the screen is\n%s", term.Screen())
			return nil
		}
	}
}

func TestTheWholeWayFromTheMainWindowToTheResult(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("on a terminal", func(t *testing.T) {
		s := &tuitest.Services{}
		term, ended := play(t.Context(), t, 80, 24, s, "")
		term.Until("connected")
		term.Press("enter")
		term.Until("Page 1 of 7")
		term.Press("enter")
		term.Until("Page 2 of 7")
		term.Press("tab", "enter")
		term.Until("Page 3 of 7")
		term.Press("shift+tab", "shift+tab", "enter")
		term.Until("Page 4 of 7")
		term.Press("backspace", "backspace", "backspace", "backspace")
		term.Paste("Other\r")
		term.Until(`\\FS1\Hotfixes\Other`)
		term.Press("shift+tab", "shift+tab", "enter")
		term.Until("Configuration file is valid")
		term.Press("enter")
		term.Until("Page 6 of 7")
		term.Press("enter")
		term.Until("Invoke-CauRun")
		term.Press("tab", "enter")
		term.Until("Updating Run 7f3c0001")
		s.News(running())
		term.Until("Restarting")
		term.Press("p")
		term.Until("pauses after the current node")
		term.Resize(60, 20)
		term.Until("This terminal is 60x20; cau needs 80x24.")
		term.Resize(120, 40)
		term.Until("drain ✓")
		s.News(backend.Snapshot{State: succeeded()})
		s.End()
		term.Until("[ Close ]")
		time.Sleep(graceQuiet) // a key pressed at once would be taken for one meant for the run
		term.Press("enter")
		term.Until("Cluster actions")
		term.Press("q")
		if err := ended(); err != nil {
			t.Error(err)
		}
		if started := s.StartedPlans(); len(started) != 1 || !strings.HasPrefix(started[0].Arguments["HotfixRootFolderPath"], `\\FS1\Hotfixes\Other`) {
			t.Errorf("started %+v", started)
		}
	})
}

func TestR29_TheEndOfTheContextEndsTheProgramAndRestoresTheTerminal(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("on a terminal", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := &tuitest.Services{}
		term, ended := play(ctx, t, 80, 24, s, "7f3c0001")
		s.News(running())
		term.Until("Restarting")
		stop()
		if err := ended(); err != nil {
			t.Error(err)
		}
		if raw := term.Raw(); strings.LastIndex(raw, "\x1b[?1049l") < strings.LastIndex(raw, "\x1b[?1049h") {
			t.Error("the terminal's own screen is not back")
		}
		if len(s.Controls()) != 0 {
			t.Error("the run was asked for something")
		}
	})
}

func TestLeavingALiveRunSaysHowToComeBack(t *testing.T) {
	s := &tuitest.Services{}
	term, ended := play(t.Context(), t, 80, 24, s, "7f3c0001")
	s.News(running())
	term.Until("Restarting")
	term.Press("q")
	if err := ended(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(term.Raw(), "cau attach 7f3c0001") {
		t.Error("nothing is said")
	}
}

func TestCtrlLDrawsTheScreenAgain(t *testing.T) {
	term, ended := play(t.Context(), t, 80, 24, &tuitest.Services{}, "")
	term.Until("connected")
	before := len(term.Raw())
	_, _ = term.Out().Write([]byte("\x1b[5;5Hrubbish"))
	term.Until("rubbish")
	term.Press("ctrl+l")
	term.UntilGone("rubbish")
	if again := term.Raw()[before:]; !strings.Contains(again, "Cluster-Aware") {
		t.Errorf("%q", again)
	}
	term.Press("ctrl+c")
	if err := ended(); err != nil {
		t.Error(err)
	}
}

func TestTheWatchdogActsOnlyWhenTheProgramDoesNotEnd(t *testing.T) {
	over, stop := context.WithCancel(t.Context())
	stop()
	ended := make(chan struct{})
	acted := make(chan struct{})
	watchdog(over, ended, time.Millisecond, func() { close(acted) })
	select {
	case <-acted:
	default:
		t.Error("it did not act")
	}
	close(ended)
	watchdog(over, ended, time.Hour, func() { t.Error("it acted on a program that ended") })
	watchdog(t.Context(), ended, time.Hour, func() { t.Error("it acted without need") })
}

func TestATaskThatComesAfterTheEndIsNotBegun(t *testing.T) {
	w := newWork(t.Context())
	_, late := w.start(func(context.Context, int) (any, error) {
		t.Error("it was begun")
		return nil, errors.New("late")
	})
	w.close()
	if msg := late(); msg != nil {
		t.Errorf("%v", msg)
	}
}
