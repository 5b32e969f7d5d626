package engine

import (
	"strings"
	"time"
)

// limits are the moments that keep nodes from being begun: when the window opens, and after what none is.
type limits struct {
	opens time.Time
	// closes is the first of the window's end, StartNoNodeAfter and StopAfter, why which of them; zero where there is none.
	closes time.Time
	why    string
}

// limits are those of the options as seen from now. What cannot be read was refused when the plan was made.
func (e *estimator) limits() limits {
	var l limits
	earlier := func(at time.Time, why string) {
		if l.closes.IsZero() || at.Before(l.closes) {
			l.closes, l.why = at, why
		}
	}
	o := e.plan.Options
	if w, err := ParseWindow(o.Window); err == nil && o.Window != "" {
		l.opens = w.Next(e.now)
		earlier(w.Until(l.opens), "the window is over at "+clockIn(w.Until(l.opens), w.Zone()))
	}
	if last, err := ParseLastBegin(o.StartNoNodeAfter); err == nil && o.StartNoNodeAfter != "" && !e.state.Started.IsZero() {
		at := last.From(e.state.Started)
		earlier(at, "no node is begun after "+clockIn(at, last.Zone()))
	}
	if o.StopAfter > 0 && !e.state.Started.IsZero() {
		earlier(e.state.Started.Add(time.Duration(o.StopAfter)), "the run stops after "+o.StopAfter.String())
	}
	return l
}

func clockIn(at time.Time, zone *time.Location) string { return at.In(zone).Format("15:04 MST") }

// wait is how much longer a node that could be begun in left waits for the window.
func (l limits) wait(now time.Time, left time.Duration) time.Duration {
	return max(0, l.opens.Sub(now.Add(left)))
}

// tooLate tells whether a node that could be begun in left is not begun any more.
func (l limits) tooLate(now time.Time, left time.Duration) bool {
	return !l.closes.IsZero() && !now.Add(left).Before(l.closes)
}

// notBegun says who is left out and why, for the basis.
func (l limits) notBegun(nodes []string) string {
	if len(nodes) == 0 {
		return ""
	}
	return strings.Join(nodes, ", ") + " will not be begun: " + l.why
}
