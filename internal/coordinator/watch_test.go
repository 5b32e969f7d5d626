//go:build unix

package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"cau/engine"
)

func factText(f engine.Fact) string { return "fact " + string(f.Kind) + " \x1b]0;x\x07" }

// collect reads a watched run to its end.
func collect(t *testing.T, snapshots <-chan Snapshot) []Snapshot {
	t.Helper()
	var all []Snapshot
	for s := range snapshots {
		all = append(all, s)
	}
	if len(all) == 0 {
		t.Fatal("not one snapshot")
	}
	return all
}

func kinds(snapshots []Snapshot, kind LineKind) []string {
	var out []string
	for _, s := range snapshots {
		for _, l := range s.Lines {
			if l.Kind == kind {
				out = append(out, l.Text)
			}
		}
	}
	return out
}

func TestALiveRunAndAFinishedOneAreWatchedAlike(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000020", "TESTCLUSTER")
	inProcess(t, h, w, plan)
	live, err := h.Watch(t.Context(), plan.Run, factText)
	if err != nil {
		t.Fatal(err)
	}
	first := <-live
	if first.Plan == nil || first.Plan.Run != plan.Run || !first.Alive || first.Err != nil {
		t.Fatalf("first snapshot %+v", first)
	}
	firstState, err := json.Marshal(first.State)
	if err != nil {
		t.Fatal(err)
	}
	w.release(t)
	seen := append([]Snapshot{first}, collect(t, live)...)
	last := seen[len(seen)-1]
	if last.State.Status != engine.RunSucceeded || last.Err != nil || last.Plan != nil {
		t.Fatalf("last snapshot %+v", last)
	}
	if now, err := json.Marshal(seen[0].State); err != nil || string(now) != string(firstState) {
		t.Error("a snapshot changed after it was given")
	}
	until(t, "the coordinator is gone", func() bool { return !alive(t, h, plan.Run) })
	again, err := h.Watch(t.Context(), plan.Run, factText)
	if err != nil {
		t.Fatal(err)
	}
	after := collect(t, again)
	if len(after) != 1 || after[0].Alive || after[0].Plan == nil || !reflect.DeepEqual(after[0].State, last.State) {
		t.Fatalf("the finished run gives %d snapshots, state %+v", len(after), after[0].State)
	}
	liveFacts, finished := kinds(seen, LineFact), kinds(after, LineFact)
	if !reflect.DeepEqual(liveFacts, finished) || len(finished) != last.State.Facts {
		t.Errorf("live %d facts, finished %d, folded %d", len(liveFacts), len(finished), last.State.Facts)
	}
	if p := kinds(after, LineProgress); len(p) != 4 {
		t.Errorf("progress %q", p)
	}
	for _, text := range append(finished, kinds(after, LineProgress)...) {
		if strings.ContainsAny(text, "\x1b\x07") {
			t.Errorf("%q would move the cursor", text)
		}
	}
	for _, l := range after[0].Lines {
		var f engine.Fact
		if l.Kind == LineFact && (json.Unmarshal(l.Raw, &f) != nil || !strings.Contains(l.Text, string(f.Kind))) {
			t.Errorf("raw %s beside %q", l.Raw, l.Text)
		}
	}
}

func TestWatchingEndsWhenTheCoordinatorIsGone(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000021", "TESTCLUSTER")
	stop := inProcess(t, h, w, plan)
	snapshots, err := h.Watch(t.Context(), plan.Run, factText)
	if err != nil {
		t.Fatal(err)
	}
	<-snapshots
	go func() { _, _ = stop() }()
	all := collect(t, snapshots)
	if last := all[len(all)-1]; last.Alive || last.State.Status.Ended() || last.Err != nil {
		t.Errorf("%+v", last)
	}
}

func TestWatchingEndsWithItsContextAndTheRunGoesOn(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000022", "TESTCLUSTER")
	inProcess(t, h, w, plan)
	ctx, cancel := context.WithCancel(t.Context())
	snapshots, err := h.Watch(ctx, plan.Run, factText)
	if err != nil {
		t.Fatal(err)
	}
	<-snapshots
	cancel()
	for s := range snapshots {
		_ = s
	}
	if !alive(t, h, plan.Run) {
		t.Error("the run went with its viewer")
	}
}

func TestADamagedJournalEndsWatchingWithTheReason(t *testing.T) {
	h := newHome(t)
	plan := testPlan("00000023", "TESTCLUSTER")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.in(plan.Run, journalFile), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	snapshots, err := h.Watch(t.Context(), plan.Run, factText)
	if err != nil {
		t.Fatal(err)
	}
	if all := collect(t, snapshots); len(all) != 1 || all[0].Err == nil {
		t.Errorf("%+v", all)
	}
	if _, err := h.Watch(t.Context(), "../00000", factText); !errors.Is(err, ErrNoRun) {
		t.Errorf("%v", err)
	}
}

func TestProgressStandsBetweenFactsAndFactsKeepTheirOrder(t *testing.T) {
	at := func(s int, text string, kind LineKind) LogLine {
		return LogLine{Time: time.Unix(int64(s), 0), Text: text, Kind: kind}
	}
	got := merge(
		[]LogLine{at(10, "a", LineFact), at(5, "b", LineFact), at(20, "c", LineFact)},
		[]LogLine{at(1, "1", LineProgress), at(12, "2", LineProgress), at(30, "3", LineProgress)},
	)
	var order strings.Builder
	for _, l := range got {
		order.WriteString(l.Text)
	}
	if order.String() != "1ab2c3" {
		t.Errorf("%s", order.String())
	}
}

func TestTelemetryIsBoundedAndHalfLinesAreNotRead(t *testing.T) {
	path := t.TempDir() + "/telemetry.jsonl"
	if err := os.WriteFile(path, []byte("not json\n{\"time\":\"20"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := telemetryReader{path: path}
	if got, err := r.next(); err != nil || len(got) != 0 {
		t.Fatalf("%v, %v", got, err)
	}
	w, err := openTelemetry(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	w.Report(engine.Progress{Time: time.Unix(1, 0), Message: "one"})
	w.Report(engine.Progress{Time: time.Unix(2, 0), Message: strings.Repeat("x", maxTelemetryLine)})
	w.size = maxTelemetry - 10
	w.Report(engine.Progress{Time: time.Unix(3, 0), Message: "no room"})
	got, err := r.next()
	if err != nil || len(got) != 1 || got[0].Message != "one" {
		t.Fatalf("%v, %v", got, err)
	}
	if got, err := r.next(); err != nil || len(got) != 0 {
		t.Errorf("the same again: %v, %v", got, err)
	}
}
