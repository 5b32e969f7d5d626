package engine

import (
	"context"
	"fmt"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
)

// RunTimes are the moments that bound a run. They are fixed when it starts, so that they are the same for a coordinator that
// goes on with it on another day or another host. Each is zero where nothing bounds it.
type RunTimes struct {
	// Opens and Closes are the run's window: the one that is open when it starts, or else the next. A run has one.
	Opens  time.Time `json:"opens,omitzero"`
	Closes time.Time `json:"closes,omitzero"`
	// NoNodeAfter is when no further node is begun, WarnAt when it says that it takes long, StopAt when its time is over.
	NoNodeAfter time.Time `json:"no_node_after,omitzero"`
	WarnAt      time.Time `json:"warn_at,omitzero"`
	StopAt      time.Time `json:"stop_at,omitzero"`
}

// timePoll is how often the clock on the wall is looked at, for what must happen at a moment: a host that slept, or whose
// clock was set, is late by no more.
const timePoll = time.Minute

// times are the moments for a run that starts at start.
func (o Options) times(start time.Time) (RunTimes, error) {
	var t RunTimes
	if o.Window != "" {
		w, err := ParseWindow(o.Window)
		if err != nil {
			return t, OptionError{"Window", err.Error()}
		}
		t.Opens = w.Next(start).UTC()
		t.Closes = w.Until(t.Opens).UTC()
	}
	if o.StartNoNodeAfter != "" {
		l, err := ParseLastBegin(o.StartNoNodeAfter)
		if err != nil {
			return t, OptionError{"StartNoNodeAfter", err.Error()}
		}
		t.NoNodeAfter = l.From(start).UTC()
	}
	if o.WarnAfter > 0 {
		t.WarnAt = start.Add(time.Duration(o.WarnAfter))
	}
	if o.StopAfter > 0 {
		t.StopAt = start.Add(time.Duration(o.StopAfter))
	}
	return t, nil
}

// BeginsIn is how long a run that starts at now waits for its window before its first node.
func (o Options) BeginsIn(now time.Time) time.Duration {
	t, err := o.times(now)
	if err != nil || t.Opens.IsZero() {
		return 0
	}
	return max(0, t.Opens.Sub(now))
}

// zone is where people read the moments: that of the window, else of StartNoNodeAfter, else UTC.
func (o Options) zone() *time.Location {
	if w, err := ParseWindow(o.Window); err == nil {
		return w.Zone()
	}
	if l, err := ParseLastBegin(o.StartNoNodeAfter); err == nil {
		return l.Zone()
	}
	return time.UTC
}

func (o Options) moment(at time.Time) string { return at.In(o.zone()).Format("2006-01-02 15:04 MST") }

// keepTime records what is due at its moment, also while the run stands still or a node is worked on, and ends with ctx.
func (r *run) keepTime(ctx context.Context) {
	for {
		next := r.lookAtTime()
		if next.IsZero() {
			return
		}
		if err := r.Clock.Sleep(ctx, min(max(wall(r.Clock.Now(), next), time.Millisecond), timePoll)); err != nil {
			return
		}
	}
}

// lookAtTime records every moment that has come (R29) and returns the next one; zero when there is none. A failure to record
// is kept in r.broken, where the sequence meets it.
func (r *run) lookAtTime() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		kind, at := r.state.nextMoment()
		switch {
		case r.broken != nil:
			return time.Time{}
		case kind == "" || at.After(r.now()):
			return at
		}
		if err := r.recordLocked(Fact{Kind: kind, Data: r.momentData(kind)}); err != nil {
			r.broken = err
			return time.Time{}
		}
		if r.state.StopAsked {
			r.endWatches()
		}
		select {
		case r.woken <- struct{}{}:
		default:
		}
	}
}

// nextMoment is what the run's times make due next, and when.
func (s *State) nextMoment() (kind FactKind, at time.Time) {
	if s.Status.Ended() {
		return "", time.Time{}
	}
	sooner := func(k FactKind, moment time.Time) {
		if !moment.IsZero() && (at.IsZero() || moment.Before(at)) {
			kind, at = k, moment
		}
	}
	if !s.Warned {
		sooner(FactRunWarned, s.Times.WarnAt)
	}
	if s.StopAsked {
		return kind, at
	}
	sooner(FactRunTimeUp, s.Times.StopAt)
	sooner(FactRunTimeUp, s.Times.Closes)
	if s.NoMoreNodes == nil {
		sooner(FactRunNoMoreNodes, s.Times.NoNodeAfter)
	}
	return kind, at
}

// momentData says which moment it was.
func (r *run) momentData(kind FactKind) FactData {
	o, t := r.Plan.Options, r.state.Times
	cause := &fault.Cause{Hint: "Start a new run for what was not done."}
	switch {
	case kind == FactRunWarned:
		return FactData{Message: fmt.Sprintf("The run takes longer than %s (WarnAfter); it goes on.", o.WarnAfter)}
	case kind == FactRunNoMoreNodes:
		cause.Op, cause.Message = "StartNoNodeAfter", "No further node is begun after "+o.moment(t.NoNodeAfter)+" (StartNoNodeAfter)."
	case !t.StopAt.IsZero() && (t.Closes.IsZero() || t.StopAt.Before(t.Closes)):
		cause.Op, cause.Message = "StopAfter", fmt.Sprintf("The run's time of %s (StopAfter) is over.", o.StopAfter)
	default:
		cause.Op, cause.Message = "Window", "The window "+o.Window+" ended at "+o.moment(t.Closes)+"."
	}
	return FactData{Message: cause.Message, Cause: cause}
}

// beginsNothing tells whether no further node is begun, for whatever was asked or has come.
func (r *run) beginsNothing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.beginsNothing()
}

func (s *State) beginsNothing() bool { return s.StopAsked || s.NoMoreNodes != nil }

// notBegun is why a node, or the rest of one, was not begun; nil where somebody asked for it.
func (r *run) notBegun(node string, begun bool) *fault.Cause {
	r.mu.Lock()
	defer r.mu.Unlock()
	why := r.state.NoMoreNodes
	if begun || why == nil {
		why = r.state.TimeUp
	}
	if why == nil {
		return nil
	}
	c := *why
	c.Node = node
	return &c
}

// windowOpen answers whether nodes may be begun by the run's window now; nil where it has none.
func (r *run) windowOpen() *check.Result {
	r.mu.Lock()
	t := r.state.Times
	r.mu.Unlock()
	if t.Closes.IsZero() {
		return nil
	}
	return r.Plan.Options.windowAt(t, r.now())
}

func (o Options) windowAt(t RunTimes, now time.Time) *check.Result {
	c := &check.Result{ID: checkWindow, Outcome: check.Fail, Remedy: "Nothing needs to be done: the run waits. To begin sooner, stop it and start one without the window."}
	switch {
	case now.Before(t.Opens):
		c.Evidence = "The window " + o.Window + " opens at " + o.moment(t.Opens) + "."
	case !now.Before(t.Closes):
		c.Evidence = "The window " + o.Window + " ended at " + o.moment(t.Closes) + "."
	default:
		c.Outcome, c.Evidence, c.Remedy = check.Pass, "The window "+o.Window+" is open until "+o.moment(t.Closes)+".", ""
	}
	return c
}

// soaked answers whether the cluster has run long enough with the node that came back last; nil where it need not.
func (r *run) soaked(node string) *check.Result {
	soak := r.Plan.Options.Soak
	if soak <= 0 {
		return nil
	}
	r.mu.Lock()
	last := r.state.LastInService
	r.mu.Unlock()
	switch until := last.At.Add(time.Duration(soak)); {
	case last.Node == "" || last.Node == node:
		return &check.Result{ID: checkSoak, Outcome: check.Pass, Evidence: "No other node was updated before."}
	case r.now().Before(until):
		return &check.Result{
			ID: checkSoak, Outcome: check.Fail, Evidence: fmt.Sprintf("%s is back since %s; the next node follows after %s (Soak), at %s.", last.Node, r.Plan.Options.moment(last.At), soak, r.Plan.Options.moment(until)),
			Remedy: "Nothing needs to be done: the run waits.",
		}
	}
	return &check.Result{ID: checkSoak, Outcome: check.Pass, Evidence: fmt.Sprintf("%s has been back for %s (Soak).", last.Node, soak)}
}

// opensBy is when what blocks passes by itself; zero where that is not known.
func (r *run) opensBy(blocking []check.Result) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	var at time.Time
	for _, b := range blocking {
		var passes time.Time
		switch b.ID {
		case checkWindow:
			passes = r.state.Times.Opens
		case checkSoak:
			passes = r.state.LastInService.At.Add(time.Duration(r.Plan.Options.Soak))
		default:
			return time.Time{}
		}
		if passes.After(at) {
			at = passes
		}
	}
	return at
}

// momentChecks are what is known before a run of its window and the other moments; none where nothing bounds it.
func momentChecks(o Options, now time.Time) []check.Result {
	t, err := o.times(now)
	if err != nil || t.Closes.IsZero() && t.NoNodeAfter.IsZero() {
		return nil // what cannot be read is the planner's to refuse
	}
	begins := now
	if t.Opens.After(now) {
		begins = t.Opens
	}
	c := check.Result{ID: checkWindow, Outcome: check.Pass}
	switch {
	case !t.NoNodeAfter.IsZero() && !begins.Before(t.NoNodeAfter):
		c.Outcome, c.Remedy = check.Fail, "Give a later StartNoNodeAfter, or another window."
		c.Evidence = "No node would be begun: the first could be at " + o.moment(begins) + ", and StartNoNodeAfter is " + o.moment(t.NoNodeAfter) + "."
		return []check.Result{c}
	case !t.StopAt.IsZero() && !begins.Before(t.StopAt):
		c.Outcome, c.Remedy = check.Fail, "Give more time with StopAfter, which counts from the run's start, or start the run later."
		c.Evidence = "No node would be begun: the window opens at " + o.moment(begins) + ", and StopAfter ends the run at " + o.moment(t.StopAt) + "."
		return []check.Result{c}
	}
	if !t.Closes.IsZero() {
		c = *o.windowAt(t, now)
		if c.Outcome != check.Pass {
			c.Outcome, c.Evidence = check.Warn, c.Evidence+" A run that starts now waits until then before its first node, and ends at "+o.moment(t.Closes)+"."
		}
	}
	if !t.NoNodeAfter.IsZero() {
		if c.Evidence != "" {
			c.Evidence += " "
		}
		c.Evidence += "No node is begun after " + o.moment(t.NoNodeAfter) + "."
	}
	return []check.Result{c}
}
