package engine

import "time"

// InService is a node that came back into service.
type InService struct {
	Node string    `json:"node"`
	At   time.Time `json:"at"`
}

// applyTimes folds what bounds a run in time.
func (s *State) applyTimes(f Fact) {
	switch f.Kind {
	case FactRunStarted:
		if f.Data.Times != nil {
			s.Times = *f.Data.Times
		}
	case FactRunWarned:
		s.Warned = true
	case FactRunTimeUp:
		if s.Status.Ended() || s.StopAsked {
			return
		}
		s.StopAsked, s.TimeUp = true, f.Data.Cause
		s.goOn(RunStopping)
	case FactRunNoMoreNodes:
		if s.Status.Ended() || s.beginsNothing() {
			return
		}
		s.NoMoreNodes = f.Data.Cause
		// Nothing is left that could be paused or held.
		s.PauseAsked = false
		if s.Status == RunPaused || s.Status == RunHeld {
			s.goOn(RunRunning)
		}
	default:
	}
}

// applyInService keeps who came back last: the next node follows after Soak.
func (s *State) applyInService(nr *NodeRun, f Fact) {
	switch {
	case f.Kind == FactResumeDone, f.Kind == FactNodeEnded && !nr.PausedByUs && !nr.Resumed && (nr.InService || !nr.BackInService) && nr.installed() > 0:
		s.LastInService = InService{nr.Name, f.Time}
	}
}

// applyUntil keeps until when the run waits, where that is known.
func (s *State) applyUntil(f Fact, before string) {
	if f.Kind == FactGateWaiting {
		s.WaitingUntil = f.Data.Until
	} else if s.Waiting != before {
		s.WaitingUntil = time.Time{}
	}
}
