//go:build unix

package coordinator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/journal"
	"cau/plugins"
)

// drawFact gives any fact about the test's plan, whether a run would record it there or not.
func drawFact(t *rapid.T, at time.Time) engine.Fact {
	kinds := []engine.FactKind{
		engine.FactRunStarted, engine.FactRunContinued, engine.FactControl, engine.FactRunPaused, engine.FactRunHeld, engine.FactRunReleased,
		engine.FactCredentialLost, engine.FactCredentialBack, engine.FactGateWaiting, engine.FactStageIntent, engine.FactStageDone,
		engine.FactScriptIntent, engine.FactScriptDone, engine.FactPauseIntent, engine.FactDrainDone, engine.FactUndoIntent, engine.FactUndoDone,
		engine.FactMaintenanceIntent, engine.FactMaintenanceDone, engine.FactInstallIntent, engine.FactInstallDone, engine.FactRestartIntent,
		engine.FactRestartAgain, engine.FactRestartProven, engine.FactRescanIntent, engine.FactRescanDone, engine.FactResumeIntent,
		engine.FactResumeDone, engine.FactSettleDone, engine.FactNodeFailing, engine.FactNodeEnded, engine.FactWatchBegun, engine.FactWatchEnded,
		engine.FactInstallerEndedLate, engine.FactReturnedLate, engine.FactCleanDone, engine.FactCleanFailed, engine.FactRunEnded,
	}
	text := rapid.SampledFrom([]string{"", "why", "å \" \n"})
	cause := func() *fault.Cause {
		return rapid.SampledFrom([]*fault.Cause{nil, {Message: "m", Op: "o", Node: "N1", Code: "0x1", Hint: "h"}}).Draw(t, "cause")
	}
	code := fault.Code(rapid.Uint32().Draw(t, "code"))
	f := engine.Fact{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Time: at}
	f.Data = engine.FactData{
		By: text.Draw(t, "by"), Verb: rapid.SampledFrom([]engine.Verb{engine.VerbPause, engine.VerbResume, engine.VerbStop}).Draw(t, "verb"),
		Message: text.Draw(t, "message"), Cause: cause(), On: rapid.Bool().Draw(t, "on"), RunsOn: rapid.Bool().Draw(t, "runs on"),
		MayReturn: rapid.Bool().Draw(t, "may return"), Boot: text.Draw(t, "boot"), BootRead: at, Leave: rapid.SampledFrom([]engine.Leave{"", engine.LeaveResumed}).Draw(t, "leave"),
		NodeStatus: rapid.SampledFrom([]engine.NodeStatus{engine.NodeSucceeded, engine.NodeFailed, engine.NodeCanceled}).Draw(t, "status"),
		RunStatus:  engine.RunSucceeded, Connection: &plugins.ShareConnection{Dialect: "3.1.1", Signed: true},
		Script: &engine.ScriptFact{Phase: rapid.SampledFrom([]string{plugins.PhasePre, plugins.PhasePost}).Draw(t, "phase"), Name: "s", Output: []string{"a"}},
	}
	if rapid.Bool().Draw(t, "with result") {
		f.Data.Result = &plugins.Result{Outcome: plugins.Installed, ExitCode: &code, RestartRequired: true, Cause: cause()}
	}
	if rapid.Bool().Draw(t, "with lists") {
		f.Data.Checks = []check.Result{{ID: "cluster.quorum", Outcome: check.Fail, Evidence: "e"}}
		f.Data.Pending = []string{"p"}
	}
	switch f.Kind {
	case engine.FactRunStarted, engine.FactRunContinued, engine.FactControl, engine.FactRunPaused, engine.FactRunHeld, engine.FactRunReleased,
		engine.FactCredentialLost, engine.FactCredentialBack, engine.FactRunEnded:
	default:
		f.Node = rapid.SampledFrom([]string{"N1", "N2"}).Draw(t, "node")
		f.Update = map[string]string{"N1": "u1", "N2": "u2"}[f.Node]
	}
	return f
}

// record appends facts and gives the position after each; the first is that of the beginning.
func record(tb interface{ Fatal(...any) }, h *Home, run string, list []engine.Fact) []journal.Position {
	w, err := journal.Open(h.in(run, journalFile))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	at := []journal.Position{w.Position()}
	for _, f := range list {
		data, err := json.Marshal(f)
		if err == nil {
			_, err = w.Append(data)
		}
		if err != nil {
			tb.Fatal(err)
		}
		at = append(at, w.Position())
	}
	return at
}

// asJSON is a state as it is written: an empty list and none are the same.
func asJSON(tb interface{ Fatal(...any) }, s engine.State) string {
	data, err := json.Marshal(s)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

func foldOf(tb interface{ Fatal(...any) }, h *Home, plan *engine.Plan, atMost int) engine.State {
	s := engine.NewState(plan)
	err := h.eachFact(plan.Run, func(f engine.Fact) error {
		if s.Facts == atMost {
			return nil
		}
		return s.Apply(f)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestR25_ASnapshotAndWhatFollowsIsTheFoldOfAllFacts(t *testing.T) {
	h, runs := newHome(t), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		plan := testPlan(fmt.Sprintf("%08x", runs), "C")
		if err := h.NewRun(plan); err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 12).Draw(t, "facts")
		var list []engine.Fact
		for i := range n {
			list = append(list, drawFact(t, time.Unix(int64(i), 0).UTC()))
		}
		at := record(t, h, plan.Run, list)
		cut := rapid.IntRange(1, n).Draw(t, "cut")
		then := foldOf(t, h, plan, cut)
		if err := h.writeSnapshot(plan.Run, at[cut], &then, nil); err != nil {
			t.Fatal(err)
		}
		want := foldOf(t, h, plan, n)
		got, known, err := h.fold(plan)
		if err != nil || known != cut {
			t.Fatalf("%d facts came from the snapshot after %d: %v", known, cut, err)
		}
		if asJSON(t, got) != asJSON(t, want) {
			t.Fatalf("after %d of %d facts:\n got %s\nwant %s", cut, n, asJSON(t, got), asJSON(t, want))
		}
	})
}

// thousands is a run with so many facts, of which the last ones leave it held.
func thousands(t *testing.T, h *Home, run string, n int) *engine.Plan {
	t.Helper()
	plan := testPlan(run, "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	list := []engine.Fact{{Kind: engine.FactRunStarted, Time: time.Unix(0, 0).UTC()}}
	for i := 1; i < n; i++ {
		list = append(list, engine.Fact{Kind: engine.FactGateWaiting, Node: "N1", Time: time.Unix(int64(i), 0).UTC(), Data: engine.FactData{Message: fmt.Sprint("look ", i)}})
	}
	at := record(t, h, run, list)
	s := foldOf(t, h, plan, n-10)
	if err := h.writeSnapshot(run, at[n-10], &s, nil); err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestR25_ASnapshotThatDoesNotFitIsPassedOver(t *testing.T) {
	h := newHome(t)
	plan := thousands(t, h, "00000001", 50)
	path := h.in(plan.Run, snapshotFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := thousands(t, h, "00000002", 60)
	foreign, err := os.ReadFile(h.in(other.Run, snapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	want := foldOf(t, h, plan, 50)
	if _, known, err := h.fold(plan); known != 40 || err != nil {
		t.Fatalf("the good one gave %d facts, %v", known, err)
	}
	for name, data := range map[string][]byte{
		"torn":                good[:len(good)-5],
		"torn in its head":    good[:20],
		"empty":               nil,
		"of another run":      foreign,
		"a changed state":     bytes.Replace(good, []byte(`"look 39"`), []byte(`"look 99"`), 1),
		"a changed place":     bytes.Replace(good, []byte(`"record":40`), []byte(`"record":41`), 1),
		"another link":        bytes.Replace(good, []byte(`"link":"`), []byte(`"link":"00`), 1),
		"of another shape":    bytes.Replace(good, []byte(engine.StateShape()), bytes.Repeat([]byte("0"), 64), 1),
		"of another program":  bytes.Replace(good, []byte(`"program":"`), []byte(`"program":"old `), 1),
		"longer than allowed": append(bytes.Clone(good), good...),
	} {
		if bytes.Equal(data, good) {
			t.Fatalf("%s: is the good one", name)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, known, err := h.fold(plan)
		if err != nil || known != 0 || asJSON(t, got) != asJSON(t, want) {
			t.Errorf("%s: %d facts came from it, %v", name, known, err)
		}
	}
	// A journal that ends before the snapshot, as after a restored backup: the journal counts.
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(h.in(plan.Run, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	short := bytes.Join(bytes.SplitAfter(lines, []byte("\n"))[:30], nil)
	if err := os.WriteFile(h.in(plan.Run, journalFile), short, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, known, err := h.fold(plan); err != nil || known != 0 || got.Facts != 30 {
		t.Errorf("longer than the journal: %d of %d facts came from it, %v", known, got.Facts, err)
	}
}

func TestR25_ASnapshotHidesNoDamageBehindIt(t *testing.T) {
	h := newHome(t)
	plan := thousands(t, h, "00000001", 50)
	path := h.in(plan.Run, journalFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(`"look 45"`), []byte(`"look 54"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, s, _, err := h.Load(plan.Run)
	if err == nil || !strings.Contains(err.Error(), "record 46") || s.Facts != 45 {
		t.Errorf("%d facts, %v", s.Facts, err)
	}
}

func TestR25_ACoordinatorWritesASnapshotEveryThousandFactsAndGoesOnFromIt(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000001", "TESTCLUSTER")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	list := []engine.Fact{{Kind: engine.FactRunStarted, Time: time.Unix(0, 0).UTC()}}
	for i := 1; i < snapshotEvery; i++ {
		list = append(list, engine.Fact{Kind: engine.FactGateWaiting, Node: "N1", Time: time.Unix(int64(i), 0).UTC()})
	}
	record(t, h, plan.Run, list)
	w.release(t)
	if _, err := Serve(t.Context(), w.serve(h, plan.Run, nil)); err != nil {
		t.Fatal(err)
	}
	got, known, err := h.fold(plan)
	if err != nil || known != snapshotEvery {
		t.Fatalf("%d facts came from the snapshot, %v", known, err)
	}
	if want := foldOf(t, h, plan, -1); asJSON(t, got) != asJSON(t, want) || got.Status != engine.RunSucceeded {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if left, err := filepath.Glob(h.in(plan.Run, "*.new")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	// Whoever follows the run sees every line all the same.
	snapshots, err := h.Watch(t.Context(), plan.Run, factText)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(kinds(collect(t, snapshots), LineFact)); n != got.Facts {
		t.Errorf("%d lines of %d facts", n, got.Facts)
	}
}

func TestASnapshotThatCannotBeWrittenIsARemark(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := thousands(t, h, "00000001", snapshotEvery+50)
	path := h.in(plan.Run, snapshotFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.release(t)
	if s, err := Serve(t.Context(), w.serve(h, plan.Run, nil)); err != nil || s.Status != engine.RunSucceeded {
		t.Fatalf("%s, %v", s.Status, err)
	}
	said, err := os.ReadFile(h.in(plan.Run, telemetryFile))
	if err != nil || !strings.Contains(string(said), "write the snapshot") {
		t.Errorf("%v: nothing about the snapshot in %s", err, said)
	}
}
