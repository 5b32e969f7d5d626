package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"cau/engine"
	"cau/internal/journal"
)

// watchEvery is how often a watched run is looked at; what happened meanwhile comes in one snapshot.
const watchEvery = 250 * time.Millisecond

// LineKind tells facts from telemetry.
type LineKind string

// The kinds of line.
const (
	// LineFact is a line that the journal holds.
	LineFact LineKind = "fact"
	// LineProgress is telemetry: it may be incomplete.
	LineProgress LineKind = "progress"
)

// LogLine is one line of a run's log.
type LogLine struct {
	Time time.Time
	Node string
	// Text is for people, without control characters.
	Text string
	Kind LineKind
	// Raw is the fact as it stands in the journal; nil for progress.
	Raw json.RawMessage
}

// Snapshot is a run at one moment with what was logged since the last one.
type Snapshot struct {
	// State is the receiver's to keep.
	State engine.State
	// Plan is set in the first snapshot.
	Plan *engine.Plan
	// Alive: the run's coordinator is running.
	Alive bool
	// Lines are new since the last snapshot, facts in their order.
	Lines []LogLine
	// Err is set in the last snapshot when the run cannot be read any further.
	Err error
}

// Watch follows a run, live or finished, from its first fact: one snapshot at once, then one whenever something
// changed, at most every 250 ms. The channel closes after the snapshot in which the run has ended, or its coordinator
// is gone, or Err is set, and when ctx ends; the receiver reads it until then. text gives a fact as a line for people.
// Watching takes no part in the run: any number of viewers may come and go.
func (h *Home) Watch(ctx context.Context, run string, text func(engine.Fact) string) (<-chan Snapshot, error) {
	plan, err := h.Plan(run)
	if err != nil {
		return nil, err
	}
	w := &watcher{home: h, run: run, text: text, state: engine.NewState(plan), progress: telemetryReader{path: h.in(run, telemetryFile)}}
	out := make(chan Snapshot)
	go func() {
		defer close(out)
		defer w.close()
		w.watch(ctx, plan, out)
	}()
	return out, nil
}

type watcher struct {
	home     *Home
	run      string
	text     func(engine.Fact) string
	state    engine.State
	facts    *journal.Reader
	progress telemetryReader
}

func (w *watcher) close() {
	if w.facts != nil {
		_ = w.facts.Close()
	}
}

func (w *watcher) watch(ctx context.Context, plan *engine.Plan, out chan<- Snapshot) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	wasAlive := false
	for first := true; ; first = false {
		s := w.look()
		last := s.Err != nil || !s.Alive || s.State.Status.Ended()
		if first {
			s.Plan = plan
		}
		if first || last || len(s.Lines) > 0 || s.Alive != wasAlive {
			select {
			case out <- s:
			case <-ctx.Done():
				return
			}
		}
		if last {
			return
		}
		wasAlive = s.Alive
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look reads what is new. Whether the coordinator lives is asked first: of one that is gone everything can be read.
func (w *watcher) look() Snapshot {
	alive, unknown := w.home.Alive(w.run)
	var progress []LogLine
	facts, err := w.newFacts()
	if err == nil {
		progress, err = w.newProgress()
	}
	if err == nil && !w.state.Status.Ended() {
		err = unknown
	}
	return Snapshot{State: copyOf(w.state), Alive: alive, Lines: merge(facts, progress), Err: err}
}

func (w *watcher) newFacts() ([]LogLine, error) {
	if w.facts == nil {
		r, err := journal.OpenReader(w.home.in(w.run, journalFile), 1)
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		w.facts = r
	}
	var lines []LogLine
	for {
		rec, err := w.facts.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		f, err := factOf(rec)
		if err != nil {
			return lines, err
		}
		if err := w.state.Apply(f); err != nil {
			return lines, err
		}
		lines = append(lines, LogLine{Time: f.Time, Node: oneLine(f.Node), Text: oneLine(w.text(f)), Kind: LineFact, Raw: rec.Body})
	}
}

func (w *watcher) newProgress() ([]LogLine, error) {
	list, err := w.progress.next()
	lines := make([]LogLine, 0, len(list))
	for _, p := range list {
		lines = append(lines, LogLine{Time: p.Time, Node: oneLine(p.Node), Text: oneLine(p.Message), Kind: LineProgress})
	}
	return lines, err
}

// merge puts progress between the facts by time; facts keep their order, whatever their clock did.
func merge(facts, progress []LogLine) []LogLine {
	out := make([]LogLine, 0, len(facts)+len(progress))
	for _, f := range facts {
		for len(progress) > 0 && progress[0].Time.Before(f.Time) {
			out, progress = append(out, progress[0]), progress[1:]
		}
		out = append(out, f)
	}
	return append(out, progress...)
}

// copyOf is a state that later facts do not change.
func copyOf(s engine.State) engine.State {
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		s.Nodes[i].Updates = slices.Clone(s.Nodes[i].Updates)
	}
	return s
}
