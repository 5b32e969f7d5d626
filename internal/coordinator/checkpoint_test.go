//go:build unix

package coordinator

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cau/engine"
)

// store keeps checkpoints as a cluster's nodes do.
type store struct{ text []byte }

func (s *store) PutCheckpoint(_ context.Context, _ string, _ int64, text []byte, prefer []string) ([]string, error) {
	s.text = text
	return prefer[:2], nil
}

func (s *store) DropCheckpoint(context.Context, string) error { return nil }

func checkpointOf(t *testing.T, plan *engine.Plan, s engine.State) []byte {
	t.Helper()
	var kept store
	if _, err := keeperOf(&kept, plan).Put(t.Context(), s, 1, []string{"N1", "N2"}); err != nil {
		t.Fatal(err)
	}
	return kept.text
}

func TestR27_ARunIsRestoredFromItsCheckpointAndGoesOn(t *testing.T) {
	w := &world{dir: t.TempDir()}
	plan := testPlan("00000001", "TESTCLUSTER")
	s := engine.NewState(plan)
	for _, f := range []engine.Fact{
		{Kind: engine.FactRunStarted, Time: time.Unix(1, 0).UTC()},
		{Kind: engine.FactPauseIntent, Node: "N1", Time: time.Unix(2, 0).UTC()},
	} {
		if err := s.Apply(f); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ReadCheckpoint(plan.Run, checkpointOf(t, plan, s))
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t)
	if err := h.Restore(c, engine.Lease{Epoch: 7, Holder: "host9"}, time.Unix(3, 0)); err != nil {
		t.Fatal(err)
	}
	_, back, _, err := h.Load(plan.Run)
	if err != nil || back.Facts != 1 || !back.Nodes[0].PausedByUs || back.Lease == nil || back.Lease.Epoch != 7 || back.Lease.Holder != "host9" {
		t.Fatalf("%+v, lease %+v, %v", back, back.Lease, err)
	}
	w.release(t)
	if _, err := Serve(t.Context(), w.serve(h, plan.Run, nil)); err != nil {
		t.Fatal(err)
	}
	wantSucceeded(t, h, w, plan.Run)
}

func TestR27_ARunThatIsHereIsNotRestoredOverAndOneThatWasTakenOverIsKept(t *testing.T) {
	h, plan := newHome(t), testPlan("00000001", "C")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	s := engine.NewState(plan)
	c, err := ReadCheckpoint(plan.Run, checkpointOf(t, plan, s))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Restore(c, engine.Lease{Epoch: 2}, time.Now()); !errors.Is(err, ErrRunExists) {
		t.Fatalf("over a run that is here: %v", err)
	}
	record(t, h, plan.Run, []engine.Fact{{Kind: engine.FactRunStarted}, {Kind: engine.FactTakenOver}})
	if err := h.Restore(c, engine.Lease{Epoch: 3}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if st := state(t, h, plan.Run); st.Status != engine.RunRunning || st.Lease == nil || st.Lease.Epoch != 3 {
		t.Errorf("restored: %+v", st)
	}
	if _, err := os.Stat(filepath.Join(h.runs(), "00000001.taken-over-3", journalFile)); err != nil {
		t.Errorf("what was here before: %v", err)
	}
	if list, err := h.List(); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestR27_R33_ACheckpointThatIsDamagedOrOfAnotherRunIsRefused(t *testing.T) {
	plan := testPlan("00000001", "C")
	s := engine.NewState(plan)
	good := checkpointOf(t, plan, s)
	for name, data := range map[string][]byte{
		"nothing": nil, "torn": good[:len(good)-9], "no archive": []byte(`{"version":1}`), "flipped": bytes.Replace(good, good[20:24], []byte("xxxx"), 1),
	} {
		if _, err := ReadCheckpoint(plan.Run, data); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if _, err := ReadCheckpoint("00000002", good); err == nil || !strings.Contains(err.Error(), "00000002") {
		t.Errorf("as another run: %v", err)
	}
}

// takenLease is a lease that somebody else took from this run, and gave back.
type takenLease struct{ engine.LeaseKeeper }

func (takenLease) ReadLease(context.Context) (engine.Lease, error) {
	return engine.Lease{LastEpoch: 9, LastRun: "00000001", LastHolder: "host2, process 4"}, nil
}
func (takenLease) Fenced() <-chan struct{} { return nil }

func TestR27_WhoResumesARunThatWasTakenOverIsToldSo(t *testing.T) {
	h, w, plan := newHome(t), &world{dir: t.TempDir()}, testPlan("00000001", "TESTCLUSTER")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	record(t, h, plan.Run, []engine.Fact{{Kind: engine.FactRunStarted, Time: time.Unix(1, 0).UTC()}, {Kind: engine.FactLeaseTaken, Data: engine.FactData{Lease: 3, Holder: "here"}}})
	var told pipe
	in := w.serve(h, plan.Run, &Child{pipe: &told})
	in.Lease = takenLease{}
	if _, err := Serve(t.Context(), in); !errors.Is(err, engine.ErrTakenOver) {
		t.Fatalf("%v", err)
	}
	if text := told.String(); strings.Contains(text, `"ready":true`) || !strings.Contains(text, string(kindTakenOver)) || !strings.Contains(text, "host2, process 4") {
		t.Errorf("its starter was told %s", text)
	}
	st := state(t, h, plan.Run)
	if st.Status != engine.RunTakenOver || !strings.Contains(st.Waiting, "host2") {
		t.Errorf("%s, %q", st.Status, st.Waiting)
	}
	if _, err := Resume(t.Context(), plan.Run, StartInput{Home: h}); !errors.Is(err, ErrTakenOver) {
		t.Errorf("resuming it again: %v", err)
	}
}
