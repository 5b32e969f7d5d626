package coordinator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/journal"
)

// Summary is one run in a list.
type Summary struct {
	Run, Cluster, Plugin string
	Status               engine.RunStatus
	// Started is when the run began, or when its plan was made while it has not begun; Ended is zero until it ended.
	// Both are the run's time, which on a simulated cluster is not this host's.
	Started, Ended time.Time
	// Created is when the plan was made, by this host's clock: the order of the list.
	Created time.Time
	// Alive: its coordinator is running now.
	Alive bool
	// Err is why the run could not be read in full; the other fields hold what was read.
	Err error
}

// List gives the home's runs, newest first. A run that cannot be read is listed with its Err.
func (h *Home) List() ([]Summary, error) {
	ids, err := h.ids()
	if err != nil {
		return nil, err
	}
	list := make([]Summary, 0, len(ids))
	for _, run := range ids {
		plan, state, alive, err := h.Load(run)
		if errors.Is(err, ErrNoRun) {
			continue // removed meanwhile
		}
		s := Summary{Run: run, Cluster: state.Cluster, Plugin: state.Plugin, Status: state.Status, Started: state.Started, Ended: state.Ended, Alive: alive, Err: err}
		if plan != nil {
			s.Created = plan.Created
		}
		if s.Started.IsZero() {
			s.Started = s.Created
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b Summary) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Run, b.Run))
	})
	return list, nil
}

func (h *Home) ids() ([]string, error) {
	entries, err := os.ReadDir(h.runs())
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	var ids []string
	for _, e := range entries {
		if e.IsDir() && validRun(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Find gives the id of the one run that begins with prefix, or of the newest run when prefix is empty. It returns
// ErrNoRun or ErrAmbiguous.
func (h *Home) Find(prefix string) (string, error) {
	if prefix == "" {
		list, err := h.List()
		if err != nil {
			return "", err
		}
		if len(list) == 0 {
			return "", ErrNoRun
		}
		return list[0].Run, nil
	}
	ids, err := h.ids()
	if err != nil {
		return "", err
	}
	fits := slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, strings.ToLower(prefix)) })
	switch len(fits) {
	case 0:
		return "", fmt.Errorf("run %q: %w", prefix, ErrNoRun)
	case 1:
		return fits[0], nil
	}
	return "", fmt.Errorf("%w: %s", ErrAmbiguous, strings.Join(fits, ", "))
}

// Load reads a run: its plan, its state folded from the journal (from its last snapshot on), and whether its coordinator lives. When the journal
// cannot be read to its end, the state is that of the facts before, with the error. Of a run that has ended nobody needs
// to know who lives: a home that is only read shows it whole.
func (h *Home) Load(run string) (*engine.Plan, engine.State, bool, error) {
	plan, err := h.Plan(run)
	if err != nil {
		return nil, engine.State{Run: run}, false, err
	}
	alive, unknown := h.Alive(run) // asked first: of a coordinator that is gone everything can be read
	state, _, err := h.fold(plan)
	if err == nil && !state.Status.Ended() {
		err = unknown
	}
	return plan, state, alive, err
}

// eachFact reads the facts that the journal holds now.
func (h *Home) eachFact(run string, apply func(engine.Fact) error) error {
	r, err := journal.OpenReader(h.in(run, journalFile), 1)
	if errors.Is(err, os.ErrNotExist) {
		return nil // nothing happened yet
	}
	if err != nil {
		return err
	}
	return eachFactOf(r, apply)
}

// eachFactOf reads what r still gives, and closes it.
func eachFactOf(r *journal.Reader, apply func(engine.Fact) error) error {
	defer func() { _ = r.Close() }()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := factOf(rec)
		if err != nil {
			return err
		}
		if err := apply(f); err != nil {
			return fmt.Errorf("record %d: %w", rec.N, err)
		}
	}
}

func factOf(rec journal.Record) (engine.Fact, error) {
	var f engine.Fact
	if err := json.Unmarshal(rec.Body, &f); err != nil {
		return f, fmt.Errorf("record %d is not a fact: %w", rec.N, err)
	}
	return f, nil
}
