package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// controlled keeps what is asked of a run, and refuses where it is told to.
type controlled struct {
	fake
	got    []engine.Control
	refuse error
}

func (a *controlled) Control(_ context.Context, run string, c engine.Control) error {
	if run != "7f3c0001" {
		return fmt.Errorf("asked run %q", run)
	}
	a.got = append(a.got, c)
	return a.refuse
}

func live() *controlled {
	return &controlled{fake: fake{alive: true, state: engine.State{Run: "7f3c0001", Cluster: "LAB-FC1", Status: engine.RunRunning, Attempts: 4}}}
}

func ask(a *controlled, terminal bool, typed string, line ...string) (int, string, string) {
	var o, e bytes.Buffer
	code := Run(context.Background(), a, Streams{In: strings.NewReader(typed), Out: &o, Err: &e, Terminal: terminal}, "dev", line)
	return code, o.String(), e.String()
}

func TestEveryVerbReachesTheRunWithWhatItIsAbout(t *testing.T) {
	for line, want := range map[string]engine.Control{
		"pause 7f3c":                            {Verb: engine.VerbPause},
		"stop 7f3c":                             {Verb: engine.VerbStop},
		"stop 7f3c --now --typed LAB-FC1":       {Verb: engine.VerbStopNow, Typed: "LAB-FC1"},
		"hold 7f3c NODE2":                       {Verb: engine.VerbHold, Node: "NODE2"},
		"release 7f3c NODE2":                    {Verb: engine.VerbRelease, Node: "NODE2"},
		"skip 7f3c NODE2":                       {Verb: engine.VerbSkip, Node: "NODE2"},
		"retry 7f3c NODE2":                      {Verb: engine.VerbRetry, Node: "NODE2"},
		"take 7f3c NODE2":                       {Verb: engine.VerbTake, Node: "NODE2"},
		"give-back 7f3c NODE2":                  {Verb: engine.VerbGiveBack, Node: "NODE2"},
		"mark 7f3c NODE2 Update1.msu Installed": {Verb: engine.VerbMark, Node: "NODE2", Update: "Update1.msu", Outcome: plugins.Installed},
		"mark 7f3c NODE2 u1 not-applicable":     {Verb: engine.VerbMark, Node: "NODE2", Update: "u1", Outcome: plugins.NotApplicable},
		"follow-ups 7f3c NODE2 install":         {Verb: engine.VerbFollowUps, Node: "NODE2", Install: true},
		"follow-ups 7f3c NODE2 leave":           {Verb: engine.VerbFollowUps, Node: "NODE2"},
	} {
		a := live()
		code, _, said := ask(a, false, "", strings.Fields(line)...)
		if code != ExitOK || len(a.got) != 1 || a.got[0] != want {
			t.Errorf("%s: %d, %+v, %s", line, code, a.got, said)
		}
		if strings.Contains(said, "[cli.") || strings.Contains(said, "%!") || !strings.Contains(said, "7f3c0001") || strings.Contains(line, "NODE2") && !strings.Contains(said, "NODE2") {
			t.Errorf("%s says %q", line, said)
		}
	}
}

func TestWhatARunRefusesEndsWithThreeAndSaysWhatElse(t *testing.T) {
	a := live()
	a.refuse = &fault.Error{Op: "skip in run 7f3c0001", Err: &engine.RefusedError{Verb: engine.VerbSkip, Why: "NODE2 is under way (installing)."}, Hint: "Take it over by hand."}
	code, _, said := ask(a, false, "", "skip", "7f3c", "NODE2")
	if code != ExitRefused || !strings.Contains(said, "under way") || !strings.Contains(said, "Take it over by hand.") {
		t.Errorf("%d %s", code, said)
	}
}

func TestAMistakeInAControlAsksNothing(t *testing.T) {
	for _, line := range []string{
		"hold 7f3c", "hold 7f3c NODE1 NODE2", "mark 7f3c NODE1 u1", "follow-ups 7f3c NODE1 perhaps", "stop", "stop 7f3c --typed LAB-FC1", "stop 7f3c --now",
	} {
		a := live()
		if code, _, said := ask(a, false, "", strings.Fields(line)...); code != ExitUsage || len(a.got) != 0 {
			t.Errorf("%s: %d, %+v, %s", line, code, a.got, said)
		}
	}
	if code, _, _ := ask(live(), false, "", "hold", "7f3c", ""); code != ExitUsage {
		t.Errorf("an empty name: %d", code)
	}
}

func TestR29_StopNowAsksForTheClustersNameAtATerminal(t *testing.T) {
	a := live()
	code, _, said := ask(a, true, " lab-fc1 \n", "stop", "7f3c", "--now")
	if code != ExitOK || len(a.got) != 1 || a.got[0].Typed != "lab-fc1" || !strings.Contains(said, "LAB-FC1") {
		t.Errorf("%d %+v %s", code, a.got, said)
	}
}

func TestStatusShowsAttemptsAndWhoHasANode(t *testing.T) {
	a := live()
	cause := &fault.Cause{Node: "NODE1", Message: "NODE1: drain: not done"}
	a.state.Nodes = []engine.NodeRun{
		{Name: "NODE1", Status: engine.NodeWaiting, Attempt: 2, Earlier: []engine.Setback{{Attempt: 1, Cause: cause}}},
		{Name: "NODE2", Status: engine.NodeWaiting, Attempt: 1, HeldBackBy: "ann"},
		{Name: "NODE3", Status: engine.NodeUpdating, Attempt: 5, TakenBy: "bob"},
		{Name: "NODE4", Status: engine.NodeWaiting, Attempt: 2, Earlier: []engine.Setback{{Attempt: 1, Status: engine.NodeCanceled, Cause: &fault.Cause{Message: "NODE4: skipped by ann"}}}},
	}
	_, out, _ := ask(a, false, "", "status", "7f3c")
	for _, want := range []string{"attempt 2 of 4", "attempt 1 failed: NODE1: drain: not done", "held back by ann", "attempt 5 of 5", "in the hands of bob", "attempt 1 was not begun: NODE4: skipped by ann"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}
