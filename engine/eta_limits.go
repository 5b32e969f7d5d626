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

// limits are the run's own moments, or those that it would have if it started now.
func (e *estimator) limits() limits {
	var l limits
	o, times := e.plan.Options, e.state.Times
	if e.state.Started.IsZero() {
		times, _ = o.times(e.now) // what cannot be read was refused when the plan was made
	}
	earlier := func(at time.Time, why string) {
		if !at.IsZero() && (l.closes.IsZero() || at.Before(l.closes)) {
			l.closes, l.why = at, why+" "+o.moment(at)
		}
	}
	l.opens = times.Opens
	earlier(times.Closes, "the window is over at")
	earlier(times.NoNodeAfter, "no node is begun after")
	earlier(times.StopAt, "the run stops at")
	return l
}

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
