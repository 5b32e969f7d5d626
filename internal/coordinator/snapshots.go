package coordinator

import (
	"cmp"
	"encoding/json"

	"cau/engine"
	"cau/internal/journal"
)

// snapshots folds what is recorded, beside the engine, and writes it down every snapshotEvery facts. Nothing rests on it:
// what fails here is said in the telemetry and tried again with the next one.
type snapshots struct {
	home    *Home
	run     string
	journal *journal.Writer
	tell    func(message string)
	state   engine.State
	// at is after how many facts the last one was written.
	at int
	// every is how many facts lie between two; step is as in Seams.
	every int
	step  func(string) error
	// off: none is written any more.
	off bool
}

// begin starts where the journal ends, with a snapshot when the last one is far behind.
func (s *snapshots) begin(state *engine.State, w *journal.Writer, t engine.Telemetry, clock engine.Clock) {
	s.state, s.journal = state.Clone(), w
	s.tell = func(message string) {
		t.Report(engine.Progress{Time: clock.Now().UTC(), Message: message, Percent: -1})
	}
	s.writeIfDue()
}

// recorded folds one more fact, as it stands in the journal.
func (s *snapshots) recorded(fact []byte) {
	if s.off {
		return
	}
	var f engine.Fact
	err := json.Unmarshal(fact, &f)
	if err == nil {
		err = s.state.Apply(f)
	}
	if err != nil {
		s.off = true // the engine meets the same, and ends
		return
	}
	s.writeIfDue()
}

func (s *snapshots) writeIfDue() {
	if s.off || s.state.Facts-s.at < cmp.Or(s.every, snapshotEvery) {
		return
	}
	s.at = s.state.Facts
	if err := s.home.writeSnapshot(s.run, s.journal.Position(), &s.state, s.step); err != nil {
		s.tell(err.Error())
	}
}
