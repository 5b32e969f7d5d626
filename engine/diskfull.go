package engine

import "cau/internal/fault"

// stopWhenFull asks for a clean stop once what facts are written to has no room left but a reserve: the node under way is
// finished and resumed with that, and no other is begun. The caller holds mu.
func (r *run) stopWhenFull() error {
	if r.DiskFull == nil || r.state.DiskFull != nil || r.state.Status.Ended() {
		return nil
	}
	cause := r.DiskFull()
	if cause == nil {
		return nil
	}
	if err := r.recordLocked(Fact{Kind: FactDiskFull, Data: FactData{Message: cause.Message, Cause: cause}}); err != nil {
		return err
	}
	r.endWatches()
	select {
	case r.woken <- struct{}{}:
	default:
	}
	return nil
}

// withDiskFull lets the run's cause say that it stopped for want of room; what failed stays in front (R30).
func withDiskFull(s *State, status RunStatus, cause *fault.Cause) *fault.Cause {
	switch {
	case s.DiskFull == nil, status == RunSucceeded:
		return cause
	case cause == nil:
		return s.DiskFull
	}
	c := *cause
	c.Message += "; " + s.DiskFull.Message
	c.Hint = joinHints(c.Hint, s.DiskFull.Hint)
	return &c
}

func joinHints(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + " " + second
}
