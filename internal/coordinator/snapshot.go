package coordinator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"cau/engine"
	"cau/internal/journal"
)

// A snapshot is the state of a run after so many facts, beside the journal that holds all of them: whoever only needs the
// state reads what follows. It is a copy and never the truth. One that does not fit the journal, that is damaged or that
// another program wrote is passed over, and everything is folded from the first fact.

const (
	snapshotFile = "snapshot.json"
	// snapshotEvery is how many facts lie between two snapshots.
	snapshotEvery = 1000
	// maxSnapshot bounds a snapshot in bytes; a larger one is not written. It is as large as plans may be.
	maxSnapshot = maxPlan
)

// snapshotHead is the first line of the file; the second one is the state.
type snapshotHead struct {
	// At is the place in the journal that the state is that of.
	At journal.Position `json:"at"`
	// Program and Shape say who folded: another program may fold otherwise, and one with other fields certainly does.
	Program string `json:"program"`
	Shape   string `json:"shape"`
	// SHA256 is that of the second line.
	SHA256 string `json:"sha256"`
}

// writeSnapshot puts the state into the run's folder: whole, or not at all.
func (h *Home) writeSnapshot(run string, at journal.Position, state *engine.State, step func(string) error) error {
	body, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	sum := sha256.Sum256(body)
	head, err := json.Marshal(snapshotHead{At: at, Program: builtAs(), Shape: engine.StateShape(), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	data := bytes.Join([][]byte{head, body, nil}, []byte("\n"))
	if len(data) > maxSnapshot {
		return fmt.Errorf("write the snapshot: it is larger than %d bytes", maxSnapshot)
	}
	if err := replaceSynced(h.in(run, snapshotFile), data, step); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// replaceSynced puts a file in the place of another one: after a crash one of the two is there, whole. step is as in Seams,
// or nil; what it refuses is left as a crash would leave it.
func replaceSynced(path string, data []byte, step func(string) error) error {
	if step == nil {
		step = func(string) error { return nil }
	}
	tmp := path + ".new"
	if err := step("snapshot before it is written"); err != nil {
		return err
	}
	if err := removeIfThere(tmp); err != nil {
		return err
	}
	if err := writeSynced(tmp, data); err != nil {
		return errors.Join(err, removeIfThere(tmp))
	}
	if err := step("snapshot before its rename"); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return errors.Join(err, removeIfThere(tmp))
	}
	if err := step("snapshot after its rename"); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// readSnapshot gives the run's snapshot; ok is false when there is none that this program may use.
func (h *Home) readSnapshot(run string) (engine.State, journal.Position, bool) {
	data, err := readBounded(h.in(run, snapshotFile), maxSnapshot)
	if err != nil {
		return engine.State{}, journal.Position{}, false
	}
	first, rest, ok := bytes.Cut(data, []byte("\n"))
	body, end := bytes.CutSuffix(rest, []byte("\n"))
	var head snapshotHead
	if !ok || !end || json.Unmarshal(first, &head) != nil {
		return engine.State{}, journal.Position{}, false
	}
	sum := sha256.Sum256(body)
	var s engine.State
	switch {
	case head.Program != builtAs(), head.Shape != engine.StateShape(), head.SHA256 != hex.EncodeToString(sum[:]), json.Unmarshal(body, &s) != nil:
		return engine.State{}, journal.Position{}, false
	case s.Run != run || head.At.Record < 1:
		return engine.State{}, journal.Position{}, false
	}
	return s, head.At, true
}

// builtAs names the program that folds, as well as its build says.
func builtAs() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	name := info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision", "vcs.time", "vcs.modified":
			name += " " + s.Value
		}
	}
	return name
}

// fold gives the run's state as the journal has it now, and how many facts of it came from a snapshot. When the journal
// cannot be read to its end, the state is that of the facts before, with the error.
func (h *Home) fold(plan *engine.Plan) (state engine.State, known int, err error) {
	if s, at, ok := h.readSnapshot(plan.Run); ok {
		r, err := journal.OpenReaderAt(h.in(plan.Run, journalFile), at)
		if err == nil {
			known = s.Facts
			err = eachFactOf(r, s.Apply)
			return s, known, err
		}
	}
	state = engine.NewState(plan)
	return state, 0, h.eachFact(plan.Run, state.Apply)
}
