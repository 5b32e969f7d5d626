package engine

import (
	"slices"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// applyControl keeps the verbs idempotent: asking twice is asking once, and nothing takes back a stop. What is asked was
// judged before it was recorded; what does not fit all the same, because a crash or a race lies between, changes nothing.
func (s *State) applyControl(f Fact) {
	n := s.Node(f.Node)
	switch v := f.Data.Verb; {
	case s.Status.Ended(), s.StopNowBy != "":
		return
	case v == VerbStopNow:
		s.StopAsked, s.StopNowBy = true, orElse(f.Data.By, "somebody")
		s.goOn(RunStopping)
		return
	case v == VerbTake && n != nil && !n.Status.Ended():
		n.TakenBy = orElse(f.Data.By, "somebody")
	case s.StopAsked:
		return
	case v == VerbPause:
		s.PauseAsked = true
		return
	case v == VerbResume:
		s.PauseAsked = false
		if s.Status == RunPaused || s.Status == RunHeld {
			s.goOn(RunRunning)
		}
		return
	case v == VerbStop:
		s.StopAsked = true
		s.goOn(RunStopping)
		return
	case n == nil:
		return
	default:
		n.applyControl(f)
	}
	s.nodeDecided(f)
}

// nodeDecided: whoever decides about the node that the run is held for, or waits for, has decided that too. One that
// goes on, paused as it is, is what the others' gates were closed for. They are looked at again in any case.
func (s *State) nodeDecided(f Fact) {
	switch s.Status {
	case RunHeld:
		onwards := f.Data.Verb == VerbRetry || f.Data.Verb == VerbMark || f.Data.Verb == VerbGiveBack
		if onwards || s.Cause != nil && s.Cause.Node == f.Node {
			s.goOn(RunRunning)
		}
	case RunRunning:
		s.Waiting = ""
	default:
	}
}

func (n *NodeRun) applyControl(f Fact) {
	switch f.Data.Verb {
	case VerbGiveBack:
		n.giveBack()
	case VerbHold:
		if n.Status == NodeWaiting {
			n.HeldBackBy = orElse(f.Data.By, "somebody")
		}
	case VerbRelease:
		n.HeldBackBy = ""
	case VerbSkip:
		if n.Status == NodeWaiting {
			n.skip(f)
		}
	case VerbRetry:
		if n.Status.Ended() {
			n.retry(f)
		}
	case VerbMark:
		if u := n.Update(f.Update); u != nil && n.Status == NodeHeld {
			n.mark(u, f)
		}
	default:
	}
}

// skip ends a node that waits. One that failed before has failed (R30).
func (n *NodeRun) skip(f Fact) {
	said := "skipped by " + orElse(f.Data.By, "somebody")
	status, first := neverBegun(n)
	cause := fault.Cause{Op: "skip", Node: n.Name, Message: n.Name + ": " + said}
	if first != nil {
		cause = *first
		cause.Message += "; then " + said
	}
	n.Cause = &cause
	n.end(status, f)
	n.SkippedBy = orElse(f.Data.By, "somebody")
}

// giveBack lets the run look at the node before it goes on there.
func (n *NodeRun) giveBack() {
	if n.TakenBy == "" {
		return
	}
	n.TakenBy = ""
	n.Look = n.PausedByUs
	if n.Look && n.Leave == "" && !n.Resumed {
		n.Rescanned = false // whoever had it in hand may have changed what is installed and pending
	}
}

// retry gives the node another attempt. One that was left paused goes on from there, once it was looked at; how an
// installer ended after its time counts (R19).
func (n *NodeRun) retry(f Fact) {
	was := *n
	status := n.Status
	for i := range n.Updates {
		u := &n.Updates[i]
		if u.Late != nil && u.Late.Outcome.Final() {
			u.Outcome, u.RestartRequired, u.Cause = u.Late.Outcome, u.Late.RestartRequired, nil
			was.RestartDue = was.RestartDue || u.Late.RestartRequired
		}
	}
	n.tryAgain(f, status, func(u *UpdateRun) bool { return u.Outcome == plugins.UpdateFailed })
	n.SkippedBy = ""
	if !was.PausedByUs {
		return
	}
	n.InService, n.Drained, n.Maintenance, n.Look = was.InService, was.Drained, was.Maintenance, true
	n.RestartDue, n.RestartBegun, n.RestartFrom, n.Boot, n.BootRead = was.RestartDue, was.RestartBegun, was.RestartFrom, was.Boot, was.BootRead
	n.Status = NodeUpdating
}

// mark ends an update as the administrator says. When nothing is unknown any more the node goes on from there.
func (n *NodeRun) mark(u *UpdateRun, f Fact) {
	u.Outcome, u.MarkedBy, u.RunsOn = f.Data.Outcome, orElse(f.Data.By, "somebody"), false
	if u.Outcome.Final() {
		u.Cause = nil
	}
	if n.unknownUpdate() != nil {
		return
	}
	n.Earlier = append(slices.Clip(n.Earlier), Setback{Attempt: n.Attempt, Status: n.Status, Ended: n.Ended, Cause: n.Cause, Restarts: n.Restarts})
	n.Status, n.Ended, n.Cause, n.Leave, n.Hopeless = NodeUpdating, time.Time{}, nil, "", ""
	n.Look, n.WatchOver, n.Watched, n.MayReturn, n.Rescanned = n.PausedByUs, false, false, false, false
	n.enter(PhaseInstalling, f.Time)
}

// Unknown tells whether nobody knows how the update ended: its result was lost, or it outlived its limit and its end
// was not seen.
func (u *UpdateRun) Unknown() bool {
	if u.Late != nil {
		return u.MarkedBy == "" && u.Late.Outcome == plugins.Unknown
	}
	return u.Outcome == plugins.Unknown || u.RunsOn
}

// applyLooked: the node was looked at after somebody had it in hand. On: it is still out of service as we left it.
func (n *NodeRun) applyLooked(f Fact) {
	n.Look = false
	if f.Data.On {
		return
	}
	n.PausedByUs, n.Drained, n.Maintenance = false, false, false
	if n.InService { // it was taken before, and goes on in service
		n.enter(PhaseInstalling, f.Time)
		return
	}
	n.Status = NodeWaiting
	n.enter(PhaseWaiting, f.Time)
}
