package lines_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"cau/engine"
	"cau/plugins"
	"cau/tui/lines"
	"cau/tui/tuitest"
)

// watched are the answers that open the run of the list.
func watched(answers ...string) []string { return append([]string{"3", "1"}, answers...) }

func TestR29_EveryVerbIsAskedLineByLine(t *testing.T) {
	s := &tuitest.Services{}
	out := talk(t, s, watched("hold NODE3", "Release node3", "skip NODE4", "retry NODE2", "take NODE1", "give-back NODE1", "mark NODE1 Cumulative Update.msu Installed",
		"follow-ups NODE2 leave", "follow-ups NODE2 install", "stop now", "LAB-FC1", "detach")...)
	want := []engine.Control{
		{Verb: engine.VerbHold, Node: "NODE3"},
		{Verb: engine.VerbRelease, Node: "node3"},
		{Verb: engine.VerbSkip, Node: "NODE4"},
		{Verb: engine.VerbRetry, Node: "NODE2"},
		{Verb: engine.VerbTake, Node: "NODE1"},
		{Verb: engine.VerbGiveBack, Node: "NODE1"},
		{Verb: engine.VerbMark, Node: "NODE1", Update: "Cumulative Update.msu", Outcome: plugins.Installed},
		{Verb: engine.VerbFollowUps, Node: "NODE2"},
		{Verb: engine.VerbFollowUps, Node: "NODE2", Install: true},
		{Verb: engine.VerbStopNow, Typed: "LAB-FC1"},
	}
	if got := s.Asked(); !slices.Equal(got, want) {
		t.Errorf("asked of the run: %+v\n%s", got, out)
	}
	if !strings.Contains(out, "NODE3 is held back in run") || !strings.Contains(out, "Nothing more is begun, and a node that is under way stays as it is") {
		t.Errorf("it does not say what was done\n%s", out)
	}
}

func TestWhatIsNoRequestAsksNothingLineByLine(t *testing.T) {
	s := &tuitest.Services{}
	out := talk(t, s, watched("hold", "hold NODE1 NODE2", "mark NODE1 installed", "follow-ups NODE2 perhaps", "reboot NODE1", "stop now", "", "stop now", ":b", "detach")...)
	if got := s.Asked(); len(got) != 0 {
		t.Errorf("asked of the run: %+v\n%s", got, out)
	}
	if strings.Count(out, "For a node: hold") != 8 {
		t.Errorf("it does not say what can be asked\n%s", out)
	}
}

// refusing is a run that does not obey.
type refusing struct{ *tuitest.Services }

func (refusing) Control(context.Context, string, engine.Control) error {
	return &engine.RefusedError{Verb: engine.VerbHold, Why: "NODE1 is under way (draining).", Advice: "Let it be finished."}
}

func TestWhatTheRunRefusesIsSaidLineByLine(t *testing.T) {
	var out bytes.Buffer
	in := strings.NewReader(strings.Join(watched("hold NODE1", "detach"), "\n") + "\n")
	if err := lines.Run(t.Context(), lines.Config{In: in, Out: &out, Services: refusing{&tuitest.Services{}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NODE1 is under way (draining).", "Let it be finished."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said\n%s", want, out.String())
		}
	}
}
