package engine

// applyDurable folds what is done so that nothing of the run is lost, beside the work itself.
func (s *State) applyDurable(f Fact) {
	switch f.Kind {
	case FactDiskFull:
		s.DiskFull = f.Data.Cause
		s.applyControl(VerbStop)
	default:
	}
}
