//go:build unix

package coordinator

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/journal"
)

func TestARunsFolderIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	h := newHome(t)
	plan := testPlan("abcdef01", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{h.RunDir(plan.Run): 0o700, h.in(plan.Run, planFile): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := h.NewRun(plan); !errors.Is(err, ErrRunExists) {
		t.Errorf("a second time: %v", err)
	}
	if entries, err := os.ReadDir(h.runs()); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
	back, err := h.Plan(plan.Run)
	if err != nil || back.Cluster != plan.Cluster || len(back.Nodes) != 3 {
		t.Errorf("%+v, %v", back, err)
	}
	plan.Run = "../../xx"
	if err := h.NewRun(plan); err == nil {
		t.Error("made a folder outside of the home")
	}
}

func TestRunsAreListedNewestFirstAndFoundByPrefix(t *testing.T) {
	h := newHome(t)
	if _, err := h.Find(""); !errors.Is(err, ErrNoRun) {
		t.Errorf("in an empty home: %v", err)
	}
	now := time.Now()
	for run, age := range map[string]time.Duration{"aa000001": 3 * time.Hour, "aa000002": time.Hour, "bb000003": 2 * time.Hour} {
		p := testPlan(run, "C")
		p.Created = now.Add(-age)
		if err := h.NewRun(p); err != nil {
			t.Fatal(err)
		}
	}
	// A simulated cluster's time may be far ahead of this host's: it does not make an old run new.
	data, err := json.Marshal(engine.Fact{Kind: engine.FactRunStarted, Time: now.Add(100 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w, err := journal.Open(h.in("aa000001", journalFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(h.runs()+"/.new-half", 0o700); err != nil {
		t.Fatal(err)
	}
	list, err := h.List()
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, s := range list {
		order = append(order, s.Run)
		if s.Err != nil || s.Alive || s.Cluster != "C" || s.Plugin != "Test.Plugin" || s.Started.IsZero() || !s.Ended.IsZero() {
			t.Errorf("%+v", s)
		}
	}
	if got := strings.Join(order, " "); got != "aa000002 bb000003 aa000001" {
		t.Errorf("listed %s", got)
	}
	for prefix, want := range map[string]string{"": "aa000002", "b": "bb000003", "AA000001": "aa000001"} {
		if got, err := h.Find(prefix); err != nil || got != want {
			t.Errorf("Find(%q) = %q, %v", prefix, got, err)
		}
	}
	if _, err := h.Find("aa"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"c", "..", "aa000001x"} {
		if _, err := h.Find(bad); !errors.Is(err, ErrNoRun) {
			t.Errorf("Find(%q): %v", bad, err)
		}
		if _, _, _, err := h.Load(bad); !errors.Is(err, ErrNoRun) {
			t.Errorf("Load(%q): %v", bad, err)
		}
		if _, err := h.Alive(bad); !errors.Is(err, ErrNoRun) {
			t.Errorf("Alive(%q): %v", bad, err)
		}
	}
}

func TestAPlanOfAnotherVersionOrRunIsRefused(t *testing.T) {
	h := newHome(t)
	p := testPlan("cc000001", "C")
	p.Version = 99
	if err := h.NewRun(p); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Plan(p.Run); err == nil || !strings.Contains(err.Error(), "has version 99") || !strings.Contains(fault.Hint(err), "the version of cau that made it, test") {
		t.Errorf("%v: %s", err, fault.Hint(err))
	}
	if err := os.Rename(h.RunDir(p.Run), h.RunDir("cc000002")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Plan("cc000002"); err == nil {
		t.Error("read a plan of another run")
	}
}

func TestPlansOfOlderVersionsAreRead(t *testing.T) {
	h := newHome(t)
	for version, reads := range map[int]bool{0: false, 1: true, engine.PlanVersion: true, engine.PlanVersion + 1: false} {
		p := testPlan(fmt.Sprintf("dd00000%d", version), "C")
		p.Version = version
		if err := h.NewRun(p); err != nil {
			t.Fatal(err)
		}
		if got, err := h.Plan(p.Run); (err == nil) != reads || reads && got.Version != version {
			t.Errorf("version %d: %v", version, err)
		}
		if _, _, _, err := h.Load(p.Run); (err == nil) != reads {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

func TestR33_AClustersNameBecomesOneFileNameAndDifferentOnesDiffer(t *testing.T) {
	for name, want := range map[string]string{"contoso-fc1": "contoso-fc1"} {
		if got := fileName(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"..", "con", "com1", "a/b", `a\b`, "", strings.Repeat("x", 300), "a_b", "nul.txt"}))
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		name := fileName(a)
		if len(name) > 64 || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q became %q", a, name)
		}
		if a != b && name == fileName(b) {
			t.Fatalf("%q and %q both became %q", a, b, name)
		}
	})
}

func TestLabsOfOneClusterNameDoNotKeepEachOtherOut(t *testing.T) {
	h := newHome(t)
	one, two, realOne := testPlan("00000031", "C"), testPlan("00000032", "C"), testPlan("00000033", "C")
	two.Lab, realOne.Lab = "t2", ""
	l, err := h.lockCluster(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := h.ClusterBusy(one); !errors.Is(err, ErrClusterBusy) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(h.ClusterBusy(two), h.ClusterBusy(realOne)); err != nil {
		t.Error(err)
	}
}

func TestExecutableIsACopyThatIsMadeOnceAndRepaired(t *testing.T) {
	cache := t.TempDir()
	path, err := Executable(cache)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o700 || !strings.HasSuffix(path, "/cau") || !strings.HasPrefix(path, cache+"/bin/") {
		t.Fatalf("%s %v, %v", path, info, err)
	}
	self, err := os.Stat(os.Args[0])
	if err != nil || self.Size() != info.Size() {
		t.Errorf("%d bytes of %d", info.Size(), self.Size())
	}
	again, err := Executable(cache)
	if err != nil || again != path {
		t.Errorf("%s, %v", again, err)
	}
	if now, err := os.Stat(path); err != nil || !now.ModTime().Equal(info.ModTime()) || !os.SameFile(now, info) {
		t.Error("copied a second time")
	}
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Executable(cache); err != nil {
		t.Fatal(err)
	}
	if now, err := os.Stat(path); err != nil || now.Size() != info.Size() || now.Mode().Perm() != 0o700 {
		t.Errorf("a damaged copy was not replaced: %v, %v", now, err)
	}
	if entries, err := os.ReadDir(strings.TrimSuffix(path, "/cau")); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

func TestARunThatEndedIsShownFromAHomeThatCanOnlyBeRead(t *testing.T) {
	h := newHome(t)
	plan := testPlan("abcdef02", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	w, err := journal.Open(h.in(plan.Run, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []engine.Fact{{Kind: engine.FactRunStarted, Time: time.Now()}, {Kind: engine.FactRunEnded, Time: time.Now(), Data: engine.FactData{RunStatus: engine.RunSucceeded}}} {
		data, err := json.Marshal(f)
		if err == nil {
			_, err = w.Append(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A lock that cannot be asked, also by root: a folder stands where the file would.
	if err := os.Mkdir(h.in(plan.Run, lockFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, state, _, err := h.Load(plan.Run); err != nil || state.Status != engine.RunSucceeded {
		t.Errorf("%s, %v", state.Status, err)
	}
	snapshots, err := h.Watch(t.Context(), plan.Run, func(engine.Fact) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for s := range snapshots {
		if s.Err != nil || s.State.Status != engine.RunSucceeded {
			t.Errorf("watched: %s, %v", s.State.Status, s.Err)
		}
	}
}

func TestAHomeThatCannotBeMadeSaysWhereStateLies(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenHome(file); !strings.Contains(fault.Hint(err), "CAU_HOME") {
		t.Errorf("%v", err)
	}
}

func TestLastWordsAreTheLastCoordinatorsAndNobodyElses(t *testing.T) {
	h := newHome(t)
	p := testPlan("aa000009", "C")
	if err := h.NewRun(p); err != nil {
		t.Fatal(err)
	}
	if got := h.LastWords(p.Run); got != "" {
		t.Errorf("nobody spoke: %q", got)
	}
	if err := os.WriteFile(h.LogPath(p.Run), []byte("cau: record: no space left on device\n  Free some.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := h.LastWords(p.Run); got != "cau: record: no space left on device   Free some." {
		t.Errorf("%q", got)
	}
	w, err := journal.Open(h.in(p.Run, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append([]byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(h.in(p.Run, journalFile), later, later); err != nil {
		t.Fatal(err)
	}
	if got := h.LastWords(p.Run); got != "" {
		t.Errorf("words from before the last fact: %q", got)
	}
}

func TestAPlanThatIsReadHoldsThePlugInsDataAsTheJournalWould(t *testing.T) {
	h := newHome(t)
	plan := testPlan("0123abcd", "C1")
	plan.Nodes[0].Updates[0].Payload = []byte(`{"targets":["a.msu"],"minutes":30}`)
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	got, err := h.Plan(plan.Run)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(got.Nodes[0].Updates[0].Payload); text != `{"targets":["a.msu"],"minutes":30}` {
		t.Errorf("%s", text)
	}
}
