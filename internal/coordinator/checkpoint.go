package coordinator

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"cau/engine"
	"cau/internal/journal"
)

// CheckpointStore keeps texts on the cluster's nodes (R27).
type CheckpointStore interface {
	// PutCheckpoint writes the run's text to two nodes that are in service, the named ones first.
	PutCheckpoint(ctx context.Context, run string, sequence int64, text []byte, prefer []string) (on []string, err error)
	// DropCheckpoint removes the run's text everywhere.
	DropCheckpoint(ctx context.Context, run string) error
}

// keeper writes a run's checkpoints: its plan and its state, which hold no secret (R04).
type keeper struct {
	store CheckpointStore
	plan  *engine.Plan
}

func keeperOf(store CheckpointStore, plan *engine.Plan) engine.CheckpointKeeper {
	if store == nil {
		return nil
	}
	return keeper{store, plan}
}

// Put implements engine.CheckpointKeeper.
func (k keeper) Put(ctx context.Context, s engine.State, sequence int64, prefer []string) ([]string, error) {
	text, err := packCheckpoint(k.plan, &s)
	if err != nil {
		return nil, err
	}
	return k.store.PutCheckpoint(ctx, k.plan.Run, sequence, text, prefer)
}

// Drop implements engine.CheckpointKeeper.
func (k keeper) Drop(ctx context.Context) error { return k.store.DropCheckpoint(ctx, k.plan.Run) }

// checkpointVersion rises with everything that an older program would read wrong.
const checkpointVersion = 1

// maxCheckpoint bounds an unpacked checkpoint in bytes: whoever wrote it on the node is not trusted with our memory (R33).
const maxCheckpoint = maxPlan

type checkpointText struct {
	Version int             `json:"version"`
	Program string          `json:"program"`
	Plan    json.RawMessage `json:"plan"`
	State   []byte          `json:"state"`
}

func packCheckpoint(plan *engine.Plan, s *engine.State) ([]byte, error) {
	state, err := engine.PackState(s)
	if err != nil {
		return nil, err
	}
	text := checkpointText{Version: checkpointVersion, Program: plan.Program, State: state}
	if text.Plan, err = json.Marshal(plan); err != nil {
		return nil, fmt.Errorf("pack the plan: %w", err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err = json.NewEncoder(z).Encode(text)
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("pack the checkpoint: %w", err)
	}
	return b.Bytes(), nil
}

// Checkpoint is a run as another host left it on the cluster's nodes.
type Checkpoint struct {
	Plan  *engine.Plan
	State engine.State
	// packed is State as it came.
	packed []byte
}

// ReadCheckpoint reads what a coordinator wrote onto a node.
func ReadCheckpoint(run string, data []byte) (Checkpoint, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the checkpoint of run %s: %w", run, err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxCheckpoint+1))
	var text checkpointText
	switch {
	case err == nil && len(raw) > maxCheckpoint:
		err = fmt.Errorf("it is larger than %d bytes", maxCheckpoint)
	case err == nil:
		err = json.Unmarshal(raw, &text)
	}
	if err == nil && text.Version != checkpointVersion {
		err = fmt.Errorf("it has version %d, this program reads version %d; use cau %s", text.Version, checkpointVersion, oneLine(text.Program))
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the checkpoint of run %s: %w", run, err)
	}
	c := Checkpoint{packed: text.State}
	if c.Plan, err = planOf(run, text.Plan); err != nil {
		return Checkpoint{}, err
	}
	if c.State, err = engine.UnpackState(text.State); err != nil {
		return Checkpoint{}, fmt.Errorf("read the checkpoint of run %s, made by cau %s: %w", run, oneLine(text.Program), err)
	}
	if c.State.Run != run {
		return Checkpoint{}, fmt.Errorf("the checkpoint of run %s holds the state of run %q", run, c.State.Run)
	}
	return c, nil
}

// Restore makes the run's folder from a checkpoint: the plan, and a journal that begins with the state. under is the lease as
// the cluster shows it now: whoever holds it is replaced by the run's next coordinator. ErrRunExists when the run is here
// already, unless it was taken over from here before; then what is here is moved aside and kept.
func (h *Home) Restore(c Checkpoint, under engine.Lease, now time.Time) error {
	first := engine.Fact{
		Kind: engine.FactRunRestored, Time: now.UTC().Truncate(time.Millisecond),
		Data: engine.FactData{Packed: c.packed, Lease: under.Epoch, Holder: under.Holder, Message: fmt.Sprintf("Taken over from %s.", orUnknown(under.Holder))},
	}
	// What cannot be folded must not become a run.
	s := engine.NewState(c.Plan)
	if err := s.Apply(first); err != nil {
		return fmt.Errorf("restore run %s: %w", c.Plan.Run, err)
	}
	data, err := json.Marshal(first)
	if err != nil {
		return fmt.Errorf("restore run %s: %w", c.Plan.Run, err)
	}
	if err := h.moveAside(c.Plan.Run, under.Epoch); err != nil {
		return err
	}
	return h.newRun(c.Plan, func(dir string) error {
		w, err := journal.Open(filepath.Join(dir, journalFile))
		if err != nil {
			return err
		}
		_, err = w.Append(data)
		return errors.Join(err, w.Close())
	})
}

func orUnknown(holder string) string {
	if holder == "" {
		return "a coordinator that is not known"
	}
	return holder
}

// moveAside keeps what is left of a run that was taken over from here.
func (h *Home) moveAside(run string, epoch int64) error {
	if _, err := os.Lstat(h.RunDir(run)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, state, alive, err := h.Load(run)
	if err != nil {
		return err
	}
	if alive || state.Status != engine.RunTakenOver {
		return fmt.Errorf("run %s: %w", run, ErrRunExists)
	}
	if err := os.Rename(h.RunDir(run), fmt.Sprintf("%s.taken-over-%d", h.RunDir(run), epoch)); err != nil {
		return fmt.Errorf("keep what is here of run %s: %w", run, err)
	}
	return syncDir(h.runs())
}
