package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/tui/backend"
	"cau/tui/page"
	"cau/tui/relay"
	"cau/tui/tuitest"
	"cau/tui/wizard"
)

// changed are services that differ from the made-up program in some answers.
type changed struct {
	*tuitest.Services
	overview func(backend.Overview) backend.Overview
	startErr error
	control  error
	watchErr error
}

func (c changed) Overview(ctx context.Context) (backend.Overview, error) {
	o, err := c.Services.Overview(ctx)
	if c.overview != nil {
		o = c.overview(o)
	}
	return o, err
}

func (c changed) Start(ctx context.Context, p *engine.Plan) (backend.Started, error) {
	if c.startErr != nil {
		return backend.Started{}, c.startErr
	}
	return c.Services.Start(ctx, p)
}

func (c changed) Control(ctx context.Context, run string, v engine.Control) error {
	if c.control != nil {
		return c.control
	}
	return c.Services.Control(ctx, run, v)
}

func (c changed) Watch(ctx context.Context, run string) (<-chan backend.Snapshot, error) {
	if c.watchErr != nil {
		return nil, c.watchErr
	}
	return c.Services.Watch(ctx, run)
}

func with(c changed) func(*Config, *stage) {
	return func(cfg *Config, s *stage) {
		c.Services = s.services
		cfg.Services = c
	}
}

func running() backend.Snapshot {
	return backend.Snapshot{State: tuitest.State(), Plan: plan(), Alive: true, Lines: lines()}
}

// screens are stages on every screen there is.
func screens(t *testing.T) map[string]*stage {
	t.Helper()
	unverified := []check.Result{{ID: "acl.root.writers", Outcome: check.CannotVerify, Subject: `\\FS1\Hotfixes\Root`, Evidence: strings.Repeat("long evidence ", 20), Remedy: "Look."}}
	all := map[string]*stage{}
	open := func(name string, st *stage, keys ...string) {
		st.press(keys...)
		all[name] = st
	}
	open("main", newStage(t, 80, 24, &tuitest.Services{}))
	open("main nodes", newStage(t, 80, 24, &tuitest.Services{}), "tab", "down")
	open("main connecting", newStage(t, 80, 24, &tuitest.Services{}, holding))
	open("main failed", newStage(t, 80, 24, &tuitest.Services{OverviewErr: errors.New(strings.Repeat("does not answer ", 30))}))
	open("main help", newStage(t, 80, 24, &tuitest.Services{}), "?")
	open("runs", newStage(t, 80, 24, &tuitest.Services{}), "up", "enter")
	for i, p := range []page.ID{wizard.GettingStarted, wizard.Plugin, wizard.AdvancedOptions, wizard.AdditionalOptions, wizard.Checks} {
		st := newStage(t, 80, 24, &tuitest.Services{Checks: unverified})
		keys := []string{"enter", "enter", "tab", "enter", "shift+tab", "shift+tab", "enter", "shift+tab", "shift+tab", "enter"}
		open(string(p), st, keys[:[]int{1, 2, 5, 7, 9}[i]]...)
	}
	open("preview", newStage(t, 80, 24, &tuitest.Services{}), "enter", "enter", "tab", "enter", "shift+tab", "shift+tab", "enter", "shift+tab", "shift+tab", "enter", "enter")
	open("confirmation", newStage(t, 80, 24, &tuitest.Services{}), "enter", "enter", "tab", "enter", "shift+tab", "shift+tab", "enter", "shift+tab", "shift+tab", "enter", "enter", "enter")
	for name, snap := range map[string]backend.Snapshot{"live": running(), "live failed": {State: failed(), Lines: lines()}, "live succeeded": {State: succeeded()}} {
		st := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
		st.news(snap, snap.State.Status.Ended())
		open(name, st)
	}
	for name, keys := range map[string][]string{"live log": {"l"}, "live stop": {"s"}, "live details": {"enter"}} {
		st := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
		st.news(running(), false)
		open(name, st, keys...)
	}
	return all
}

func TestAViewIsNeverLargerThanItsWindow(t *testing.T) {
	t.Parallel()
	first := 20
	for name, st := range screens(t) {
		first = 20 + (first+1)%4 // all widths are met, though not by each screen
		t.Run(name, func(t *testing.T) {
			st.t = t
			for w := first; w <= 200; w += 4 {
				st.send(tea.WindowSizeMsg{Width: w, Height: 20 + w%23})
			}
			for _, w := range []int{20, 79, 80, 99, 100, 109, 110, 120, 200} {
				st.send(tea.WindowSizeMsg{Width: w, Height: 24})
			}
			for h := 1; h <= 60; h += 3 {
				st.send(tea.WindowSizeMsg{Width: 80 + h, Height: h})
			}
		})
	}
}

func TestR33_NothingFromOutsideReachesTheTerminalUnescaped(t *testing.T) {
	const evil = "\x1b]0;owned\x07\x1b[2J\u202eevil\x9b31m"
	st := tuitest.State()
	st.Cluster, st.Plugin, st.Waiting = evil, evil, evil
	st.Nodes[1].Name = evil
	st.Nodes[1].Cause = &fault.Cause{Message: evil, Hint: evil}
	st.Nodes[1].Updates[0].Name, st.Nodes[1].Updates[0].Rule = evil, evil
	st.Nodes[1].Status = engine.NodeFailed
	for _, keys := range [][]string{nil, {"down", "enter"}, {"l"}} {
		s := newStage(t, 120, 40, &tuitest.Services{}, openRun("7f3c0001"))
		s.news(backend.Snapshot{State: st, Alive: true, Lines: []backend.LogLine{{Node: evil, Text: evil}}}, false)
		s.press(keys...)
		harmless(t, s)
	}
	s := newStage(t, 120, 40, &tuitest.Services{OverviewErr: &fault.Error{Op: "connect", Err: errors.New(evil), Hint: evil}})
	harmless(t, s)
	s = newStage(t, 120, 40, &tuitest.Services{}, with(changed{overview: func(o backend.Overview) backend.Overview {
		o.Cluster, o.Reached, o.Nodes[0].Name = evil, evil, evil
		return o
	}}))
	harmless(t, s)
	s.press("enter")
	harmless(t, s)
}

func harmless(t *testing.T, s *stage) {
	t.Helper()
	content := s.app.View().Content
	if strings.Contains(content, "\x1b]") || strings.Contains(content, "\x1b[2J") || strings.ContainsAny(content, "\u202e\x07\u009b") {
		t.Errorf("%q", content)
	}
	s.wants("evil")
}

func TestAPasteIsTextAndPressesNoKeys(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	before := s.screen()
	s.send(tea.PasteMsg{Content: "q\r\rr"})
	if s.quit || s.screen() != before {
		t.Error("a paste pressed keys on the main window")
	}
	toAdditional := []string{"enter", "enter", "tab", "enter", "shift+tab", "shift+tab", "enter"}
	s.press(toAdditional...)
	s.send(tea.PasteMsg{Content: `\deeper` + "\r\x1b[A"})
	s.wants(`\\FS1\Hotfixes\Root\deeper`, "Additional Options")
	live := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	live.news(running(), false)
	live.press("s")
	live.send(tea.PasteMsg{Content: "\x1b[C\r"})
	if len(live.services.Controls()) != 0 {
		t.Error("a paste answered a dialog")
	}
}

func TestADialogThatOpensByItselfIsDeafUntilTheKeyboardIsQuiet(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"), with(changed{control: errors.New("the run has just ended")}))
	s.news(running(), false)
	s.press("p")
	s.wants("the run has just ended")
	for range 4 {
		s.clock = s.clock.Add(graceQuiet / 2)
		s.key("enter")
	}
	s.wants("the run has just ended")
	s.clock = s.clock.Add(graceQuiet)
	s.key("enter")
	s.wantsNot("the run has just ended")

	s.press("p")
	for end := s.clock.Add(graceMost); s.clock.Before(end); s.clock = s.clock.Add(graceQuiet / 2) {
		s.key("x")
	}
	s.key("enter")
	s.wantsNot("the run has just ended") // it does not stay deaf for somebody who never pauses
}

func TestCtrlCAsksOnceWhenSomethingIsOpen(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	s.press("ctrl+c")
	if !s.quit {
		t.Error("the main window did not let go")
	}
	s = newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	s.news(running(), false)
	s.press("ctrl+c")
	s.wants("Press ctrl+c again", "the run goes on")
	s.press("l")
	s.wantsNot("Press ctrl+c again")
	s.press("ctrl+c")
	if s.quit {
		t.Fatal("it left after one key")
	}
	s.press("ctrl+c")
	if !s.quit || len(s.services.Controls()) != 0 {
		t.Errorf("quit %v, asked of the run: %v", s.quit, s.services.Controls())
	}
}

func TestTheActiveRunIsOfferedFirst(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, with(changed{overview: func(o backend.Overview) backend.Overview { o.ActiveRun = "7f3c0001"; return o }}))
	s.wants("▸ Attach to the run that is going on", "Run 7f3c0001 is going on")
	s.press("enter")
	s.news(running(), false)
	s.wants("Restarting")
	s.press("d")
	s.wants("Detached; the run goes on", "Cluster actions")
}

func TestARunThatNothingCarriesOnIsShownInTheMainWindow(t *testing.T) {
	for _, c := range []struct {
		what         string
		active, lost string
		want, not    string
	}{
		{"lost", "", "7f3c0001", "cau resume 7f3c0001", "No Updating Run"},
		{"going on", "7f3c0001", "", "Run 7f3c0001 is going on", "No Updating Run"},
		{"none", "", "", "No Updating Run of this cluster", "7f3c0001"},
	} {
		s := newStage(t, 80, 24, &tuitest.Services{}, with(changed{overview: func(o backend.Overview) backend.Overview {
			o.ActiveRun, o.LostRun, o.LastRun = c.active, c.lost, nil
			return o
		}}))
		s.wants(c.want)
		if strings.Contains(s.screen(), c.not) {
			t.Errorf("%s:\n%s", c.what, s.screen())
		}
	}
}

func TestQIsALetterWhereTextIsTyped(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	s.press("enter", "enter", "tab", "enter", "shift+tab", "shift+tab", "enter")
	s.typeText(`\q?`)
	s.wants(`\\FS1\Hotfixes\Root\q?`)
	s.press("shift+tab", "shift+tab", "q")
	if s.quit {
		t.Fatal("q quit the program from a form")
	}
	s.press("tab")
	s.press("f1")
	s.wants("Keys", "draw the screen again")
}

func TestEscGoesBackPageByPageAndWhatWasFilledInStays(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	s.press("enter", "enter", "tab", "enter", "backspace", "2")
	s.press("esc")
	s.wants("Page 2 of 7")
	s.press("tab", "enter")
	s.wants("Page 3 of 7", "MaxFailedNodes                      2")
	s.press("esc", "esc", "esc")
	s.wants("Cluster actions")
}

func TestR08_UpdateNeedsADeliberateMove(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	toChecks(s, false)
	s.press("enter", "enter") // Preview, Confirmation
	s.wants("Page 7 of 7")
	s.press("enter")
	s.wants("Page 6 of 7")
	if n := len(s.services.StartedPlans()); n != 0 {
		t.Fatalf("%d runs were started", n)
	}
	s.press("enter", "tab", "enter")
	if n := len(s.services.StartedPlans()); n != 1 {
		t.Fatalf("%d runs were started", n)
	}
	s.news(running(), false)
	s.wants("It runs in a session of its own on this host.")
}

func TestPreviewOnlyEndsAfterThePreviewAndStartsNothing(t *testing.T) {
	s := newStage(t, 120, 40, &tuitest.Services{})
	s.press("down")
	toChecks(s, false)
	s.press("enter")
	s.wants("Preview", "[ Close ]")
	s.wantsNot("Confirmation")
	s.press("enter")
	s.wants("Cluster actions")
	if len(s.services.StartedPlans()) != 0 {
		t.Error("a preview started a run")
	}
}

func TestWorkThatIsGivenUpGoesBackAndItsAnswerIsNobodys(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	toChecks(s, true)
	s.press("enter", "r", "q", "tab") // nothing of the page acts while work goes on
	s.wants("Working...")
	s.press("esc")
	s.wants("Stopping...")
	s.release()
	s.wants("Page 4 of 7")
}

func TestNotesAreShownWhileWorkGoesOn(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	toChecks(s, true)
	id := s.app.top().(*form).working.id
	s.send(relay.Batch{Task: id - 1, Notes: []string{"of another task"}})
	s.send(relay.Batch{Task: id, Notes: []string{"Reading the root"}})
	s.wants("Reading the root", "Working...")
	s.wantsNot("of another task")
}

func TestAFailureOfTheWorkCanBeTriedAgain(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{PreviewErr: errors.New("the share is not there")})
	toChecks(s, false)
	s.wants("the share is not there", "[ Try again ]")
	s.services.PreviewErr = nil
	s.press("r")
	s.wants("Configuration file is valid")
}

func TestARunThatCannotBeStartedSaysWhy(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, with(changed{startErr: &fault.Error{Op: "start run", Err: errors.New("another run holds the cluster"), Hint: "Wait for it."}}))
	toChecks(s, false)
	s.press("enter", "enter", "tab", "enter")
	s.wants("The run was not started", "another run holds the cluster", "Wait for it.")
	s.press("enter")
	s.wants("Page 7 of 7")
}

func TestAnAnswerToAnEarlierQuestionIsDropped(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{}, holding)
	s.press("r")
	s.send(answer{task: 1, value: backend.Overview{Cluster: "OLD"}})
	s.wants("Connecting")
	s.release()
	s.wants("LAB-FC1")
}

func TestThePulseBeatsOnlyWhileSomethingChanges(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	if d := s.app.top().pulse(); d != 0 {
		t.Errorf("the idle main window beats every %v", d)
	}
	toChecks(s, true)
	if d := s.app.top().pulse(); d < time.Second/4 {
		t.Errorf("a spinner turns every %v", d)
	}
	l := newStage(t, 80, 24, &tuitest.Services{}, openRun("7f3c0001"))
	l.news(running(), false)
	if d := l.app.top().pulse(); d != time.Second {
		t.Errorf("the clock moves every %v", d)
	}
	l.news(backend.Snapshot{State: succeeded()}, true)
	if d := l.app.top().pulse(); d != 0 {
		t.Errorf("a finished run beats every %v", d)
	}
}

func TestALightBackgroundChangesTheColours(t *testing.T) {
	s := newStage(t, 80, 24, &tuitest.Services{})
	before := s.app.View().Content
	s.send(tea.BackgroundColorMsg{Color: white{}})
	if s.app.View().Content == before {
		t.Error("nothing changed")
	}
}

type white struct{}

func (white) RGBA() (r, g, b, a uint32) { return 0xffff, 0xffff, 0xffff, 0xffff }
