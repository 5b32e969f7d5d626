package engine

import "cau/plugins"

// applyScript never writes through a pointer that a copy of the state may share.
func (n *NodeRun) applyScript(f Fact) {
	at, phase := &n.PostScript, PhasePostScript
	var s ScriptFact
	if f.Data.Script != nil {
		s = *f.Data.Script
	}
	if s.Phase == plugins.PhasePre {
		at, phase = &n.PreScript, PhasePreScript
	}
	if f.Kind == FactScriptIntent {
		*at = &ScriptRun{Name: s.Name, Started: f.Time}
		if n.Started.IsZero() {
			n.Started = f.Time
		}
		if !n.Status.Ended() {
			n.Status = NodeUpdating
		}
		n.enter(phase, f.Time)
		return
	}
	done := ScriptRun{Started: f.Time}
	if *at != nil {
		done = **at
	}
	done.Name, done.Ended, done.ExitCode, done.Account, done.Log, done.Output, done.RunsOn, done.Cause = s.Name, f.Time, s.ExitCode, s.Account, s.Log, s.Output, s.RunsOn, f.Data.Cause
	*at = &done
	switch {
	case s.Phase != plugins.PhasePre:
	case f.Data.Leave != "":
		n.Leave = f.Data.Leave
		n.keepCause(f)
	default:
		// The gate is looked at again before the pause, which may take long.
		n.Status = NodeWaiting
		n.enter(PhaseWaiting, f.Time)
	}
}

// applyLateScript: nothing runs on there any more, and the node stays as it was judged.
func (n *NodeRun) applyLateScript(f Fact) {
	at := &n.PostScript
	if f.Data.Script != nil && f.Data.Script.Phase == plugins.PhasePre {
		at = &n.PreScript
	}
	if *at == nil || f.Data.Script == nil {
		return
	}
	done := **at
	done.RunsOn, done.LateExit, done.Log = false, f.Data.Script.ExitCode, f.Data.Script.Log
	*at, n.Watched = &done, false
	if f.Data.Cause != nil {
		n.Cause = f.Data.Cause
	}
}
