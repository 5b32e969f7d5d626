package lines_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/tui/backend"
	"cau/tui/lines"
	"cau/tui/tuitest"
)

// talk runs a session with the answers given and returns what it printed.
func talk(t *testing.T, s *tuitest.Services, answers ...string) string {
	t.Helper()
	var out bytes.Buffer
	err := lines.Run(t.Context(), lines.Config{In: strings.NewReader(strings.Join(answers, "\n") + "\n"), Out: &out, Services: s})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// defaults are the answers that keep every default up to the checks: start, plug-in, no option, 4 arguments.
func defaults() []string { return append([]string{"1", ""}, make([]string, 1+1+4)...) }

func TestTheWholeWizardWorksLineByLine(t *testing.T) {
	s := &tuitest.Services{}
	var ended sync.WaitGroup
	ended.Go(func() {
		state := tuitest.State()
		s.News(backend.Snapshot{State: state, Alive: true, Lines: []backend.LogLine{{Time: tuitest.Start0(), Node: "NODE1", Text: "restart requested"}}})
		state.Status, state.Cause = engine.RunHeld, &fault.Cause{Message: "the credential ends", Hint: "Renew the ticket (kinit)."}
		for range 2 {
			s.News(backend.Snapshot{State: state, Alive: true})
		}
		state.Status, state.Cause = engine.RunSucceeded, nil
		s.News(backend.Snapshot{State: state})
		s.End()
	})
	out := talk(t, s, append(defaults(), "", "", "yes")...)
	ended.Wait()
	for _, want := range []string{
		"LAB-FC1 (simulated)", "Getting Started (page 1 of 7)", "Confirmation (page 7 of 7)", "cau apply --lab", "Invoke-CauRun",
		"Run 7f3c0001 started", "NODE1 restart requested", "Run 7f3c0001 on LAB-FC1: Succeeded",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if n := strings.Count(out, "Renew the ticket"); n != 1 {
		t.Errorf("what to do about a held run is said %d times:\n%s", n, out)
	}
	if strings.ContainsAny(out, "\x1b\r╭│▶⠋") {
		t.Error("line-by-line output holds escape sequences or drawing")
	}
}

func TestNothingStartsWithoutTheWordYes(t *testing.T) {
	s := &tuitest.Services{}
	talk(t, s, append(defaults(), "", "", "y", ":q")...)
	talk(t, s, append(defaults(), "", "")...) // input ends at the confirmation
	if n := len(s.StartedPlans()); n != 0 {
		t.Errorf("%d runs were started", n)
	}
}

func TestBackGoesToThePageBefore(t *testing.T) {
	out := talk(t, &tuitest.Services{}, "1", "", ":b", ":q")
	if strings.Count(out, "Getting Started (page 1 of 7)") != 2 {
		t.Errorf("%s", out)
	}
}

func TestR07_UnverifiedChecksAreAcceptedOneByOne(t *testing.T) {
	s := &tuitest.Services{Checks: []check.Result{{ID: "acl.root.writers", Outcome: check.CannotVerify, Evidence: "the permissions of the root could not be read"}}}
	out := talk(t, s, append(defaults(), "", ":q")...)
	if !strings.Contains(out, "Not verified: 1") {
		t.Errorf("%s", out)
	}
	s = &tuitest.Services{Checks: s.Checks}
	out = talk(t, s, append(defaults(), "yes", "", ":q")...)
	if !strings.Contains(out, "Confirmation (page 7 of 7)") || !strings.Contains(out, "accepted without verification: acl.root.writers") {
		t.Errorf("%s", out)
	}
}

func TestAWrongAnswerIsAskedAgainWithTheReason(t *testing.T) {
	out := talk(t, &tuitest.Services{}, "1", "", "", "MaxFailedNodes", "9", ":q")
	if !strings.Contains(out, "MaxFailedNodes is 9; it takes 0 to 3") {
		t.Errorf("%s", out)
	}
}

func TestOfManyOptionsOnlyThoseThatAreNamedAreAsked(t *testing.T) {
	s := &tuitest.Services{}
	out := talk(t, s, "1", "", "", "max", "stopa", "01:30:00", "requireall", "maybe", "yes", "", "", "", "", "", "", "", "no")
	for _, want := range []string{"There is no max here, or it could be several.", "StopAfter []:", "RequireAllNodesOnline (yes, no) [no]:", "Answer one of: yes, no."} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if p := s.Previews(); len(p) == 0 || p[0].Options.StopAfter.String() != "01:30:00" || !p[0].Options.RequireAllNodesOnline {
		t.Errorf("%+v", p)
	}
}
