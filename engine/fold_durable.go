package engine

import "slices"

// LeaseState is what a run knows of its lease (R27).
type LeaseState struct {
	// Epoch is the last one that this run was given, and Holder under which name; 0 before the first.
	Epoch  int64  `json:"epoch"`
	Holder string `json:"holder,omitempty"`
	// Asked are the names under which the lease was asked for since: an epoch of one of them is ours, although its answer
	// was lost.
	Asked []string `json:"asked,omitempty"`
	// Dropped: it was given back.
	Dropped bool `json:"dropped,omitempty"`
}

// ours tells whether a lease that the cluster shows was given to a coordinator of this run that wrote this journal.
func (s *LeaseState) ours(epoch int64, holder string) bool {
	if s == nil {
		return false
	}
	return epoch == s.Epoch && epoch != 0 || slices.Contains(s.Asked, holder)
}

// applyDurable folds what is done so that nothing of the run is lost, beside the work itself. What a pointer of the state
// shows is replaced and never written through: a copy of the state may share it.
func (s *State) applyDurable(f Fact) {
	switch f.Kind {
	case FactDiskFull:
		s.DiskFull = f.Data.Cause
		s.applyControl(Fact{Data: FactData{Verb: VerbStop}})
	case FactLeaseIntent:
		l := LeaseState{}
		if s.Lease != nil {
			l = *s.Lease
		}
		l.Asked = append(slices.Clone(l.Asked), f.Data.Holder)
		s.Lease = &l
	case FactLeaseTaken:
		s.Lease = &LeaseState{Epoch: f.Data.Lease, Holder: f.Data.Holder}
	case FactLeaseDropped:
		if s.Lease != nil {
			l := *s.Lease
			l.Dropped = true
			s.Lease = &l
		}
	case FactCheckpointDone:
		s.Keepers = slices.Clone(f.Data.Nodes)
	case FactTakenOver:
		s.goOn(RunTakenOver)
		s.Waiting, s.Cause, s.Ended = f.Data.Message, f.Data.Cause, f.Time
	default:
	}
}
