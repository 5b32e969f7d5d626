package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"cau/engine"
	"cau/internal/fault"
)

// fake answers what a test needs; anything else is a nil call and fails the test.
type fake struct {
	Services
	runs    []RunInfo
	state   engine.State
	alive   bool
	eta     engine.ETA
	told    *Notifications
	answers []Delivery
	touched []string
}

func (f *fake) Scenarios() []Scenario                   { return []Scenario{{Name: "default"}} }
func (f *fake) Runs(context.Context) ([]RunInfo, error) { return f.runs, nil }
func (f *fake) Status(_ context.Context, run string) (engine.State, bool, error) {
	f.touched = append(f.touched, "status "+run)
	return f.state, f.alive, nil
}

func (f *fake) Estimate(context.Context, engine.State, bool) engine.ETA { return f.eta }

func (f *fake) Notified(context.Context, string) *Notifications { return f.told }

func (f *fake) NotifyTest(_ context.Context, file string) ([]Delivery, error) {
	f.touched = append(f.touched, "notify "+file)
	return f.answers, nil
}

func (f *fake) Interactive(context.Context, Target, bool) error {
	f.touched = append(f.touched, "interactive")
	return nil
}

// do runs a command line without a terminal.
func do(f *fake, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = Run(context.Background(), f, Streams{In: strings.NewReader(""), Out: &o, Err: &e}, "dev", args)
	return code, o.String(), e.String()
}

func TestAMistakeInTheCommandTouchesNothingAndNamesTheHelp(t *testing.T) {
	for _, c := range []struct {
		line []string
		hint string
	}{
		{[]string{"aply"}, "cau --help"},
		{[]string{"lab", "upp"}, "cau lab --help"},
		{[]string{"lab", "upp", "--help"}, "cau lab --help"},
		{[]string{"help", "aply"}, "cau --help"},
		{[]string{"help", "lab", "upp"}, "cau --help"},
		{[]string{"status", "--nonsense"}, "cau status --help"},
		{[]string{"lab", "up", "--nodes", "many"}, "cau lab up --help"},
		{[]string{"--cluster", "", "--accessible"}, "cau --help"},
		{[]string{"pause"}, "cau runs"},
		{[]string{"pause", ""}, "cau runs"},
		{[]string{"resume", ""}, "cau runs"},
		{[]string{"stop", ""}, "cau runs"},
		{[]string{"stop", "a", "b"}, "cau runs"},
		{[]string{"status", ""}, "cau runs"},
		{[]string{"attach", ""}, "cau runs"},
		{[]string{"lab", "down", ""}, "cau lab list"},
	} {
		f := &fake{}
		code, _, errOut := do(f, c.line...)
		if code != ExitUsage || !strings.Contains(errOut, c.hint) || len(f.touched) > 0 {
			t.Errorf("cau %q: exit %d, touched %v: %s", c.line, code, f.touched, errOut)
		}
	}
}

func TestHelpStaysHelp(t *testing.T) {
	for _, line := range [][]string{{"lab"}, {"help"}, {"help", "lab", "up"}, {"lab", "--help"}, {"completion", "bash"}, {"help", "completion"}} {
		if code, out, errOut := do(&fake{}, line...); code != ExitOK || out == "" {
			t.Errorf("cau %q: exit %d: %s", line, code, errOut)
		}
	}
}

type failing struct{ err error }

func (w failing) Write([]byte) (int, error) { return 0, w.err }

func TestAnAnswerThatCouldNotBePrintedIsAFailureUnlessItsReaderLeft(t *testing.T) {
	for err, want := range map[error]int{syscall.ENOSPC: ExitFailed, syscall.EPIPE: ExitOK, io.ErrClosedPipe: ExitOK} {
		var e bytes.Buffer
		code := Run(context.Background(), &fake{state: engine.State{Status: engine.RunSucceeded}}, Streams{Out: failing{err}, Err: &e}, "dev", []string{"status"})
		if code != want || want == ExitFailed && !strings.Contains(e.String(), err.Error()) {
			t.Errorf("%v: exit %d: %s", err, code, e.String())
		}
	}
}

func TestStatusSaysWhatWasAskedOfTheRunAndWhetherItIsCarriedOn(t *testing.T) {
	f := &fake{alive: true, state: engine.State{Run: "7f3c0001", Status: engine.RunRunning, PauseAsked: true}}
	if _, out, _ := do(f, "status"); !strings.Contains(out, "pauses after the current node") {
		t.Errorf("paused soon: %s", out)
	}
	if _, out, _ := do(f, "status", "--json"); !strings.Contains(out, `"alive":true`) || !strings.Contains(out, `"run":"7f3c0001"`) {
		t.Errorf("as JSON: %s", out)
	}
	f.state.PauseAsked, f.state.StopAsked = false, true
	if _, out, _ := do(f, "status"); !strings.Contains(out, "stops after the current update") {
		t.Errorf("stopped soon: %s", out)
	}
	f.state.Status = engine.RunCanceled
	if _, out, _ := do(f, "status"); strings.Contains(out, "stops after") {
		t.Errorf("of a run that ended: %s", out)
	}
}

func TestR30_ACauseIsSaidOnceWhoeverHasIt(t *testing.T) {
	cause := fault.CauseOf(&fault.Error{Op: "drain", Node: "NODE1", Err: errors.New("it stays"), Hint: "Move it."})
	same := *cause
	for _, nodes := range [][]engine.NodeRun{nil, {{Name: "NODE1", Cause: &same}}} {
		_, out, errOut := do(&fake{state: engine.State{Status: engine.RunFailed, Cause: cause, Nodes: nodes}}, "status")
		if strings.Count(out+errOut, "it stays") != 1 || !strings.Contains(out, "Move it.") {
			t.Errorf("with %d nodes: %s%s", len(nodes), out, errOut)
		}
	}
}

func TestARunThatCannotBeReadIsListedWithItsReasonAndNoState(t *testing.T) {
	f := &fake{runs: []RunInfo{{Run: "7f3c0001", Status: engine.RunRunning, Problem: "its journal is torn"}}}
	_, out, errOut := do(f, "runs")
	if !strings.Contains(out, "unreadable") || strings.Contains(out, "Running") || !strings.Contains(errOut, "7f3c0001: its journal is torn") {
		t.Errorf("%s%s", out, errOut)
	}
}

func TestNoFlagIsTakenAndIgnored(t *testing.T) {
	for _, line := range []string{
		"preview --cluster fc1 --user x --lab-linger 5s",
		"preview --cluster fc1 --user x --password-file f --password-fd 3",
		"preview --cluster fc1 --password-file f",
		"preview --lab --password-fd 3",
		"preview --lab --smb-password-file f",
		"preview --lab --user x --smb-user y",
		"preview --lab --node A=b",
		"--accessible --lab --cluster fc1",
		"--accessible --smb-password-file f",
		"--accessible --pin 00",
		"doctor --lab --user x",
		"doctor --cluster fc1 --user x --smb-port 445",
		"doctor --cluster fc1 --user x --smb-user y",
		"resume 7f3c0001 --node A=b",
		"resume 7f3c0001 --lab",
		"resume 7f3c0001 --smb-user y",
	} {
		f := &fake{}
		if code, _, errOut := do(f, strings.Fields(line)...); code != ExitUsage || errOut == "" || len(f.touched) > 0 {
			t.Errorf("cau %s: exit %d, touched %v: %s", line, code, f.touched, errOut)
		}
	}
}
