package engine

import "time"

// overslept is the longest gap between two looks that still counts as having watched: a laptop that slept, or
// a clock that was set, makes a longer one, and then the world is looked at anew before anything rests on it.
const overslept = 5 * time.Minute

// patience is how long something is waited for. Only time that somebody was awake to wait counts, so that
// neither a coordinator that slept nor a clock that jumped ends a wait without a look.
type patience struct {
	limit, spent time.Duration
	// excused is how much of the waiting did not count.
	excused time.Duration
	last    time.Time
}

func (r *run) patience(limit time.Duration) *patience {
	return &patience{limit: limit, last: r.Clock.Now()}
}

// over tells whether the time is up at now, which must come from the run's clock as it is: its monotonic
// reading, where it has one, knows nothing of clocks that are set.
func (p *patience) over(now time.Time) bool {
	p.spent += min(max(now.Sub(p.last), 0), overslept)
	p.last = now
	return p.spent >= p.limit
}

// excuse lets the time since the last look not count, up to bound in all.
func (p *patience) excuse(now time.Time, bound time.Duration) {
	gap := min(max(now.Sub(p.last), 0), overslept)
	if p.excused += gap; p.excused <= bound {
		p.last = now
	}
}

// unbroken is how long something has been so at every look. The zero value has not seen it yet.
type unbroken struct{ since, last time.Time }

// seen says for how long it is so at now, the clock's own reading. A gap between two looks is a break.
func (u *unbroken) seen(now time.Time) time.Duration {
	if gap := wall(u.last, now); u.since.IsZero() || gap < 0 || gap > overslept {
		u.since = now
	}
	u.last = now
	return now.Sub(u.since)
}

func (u *unbroken) broken() { *u = unbroken{} }

// wall is the time between two readings by the clock on the wall, which goes on while a computer sleeps.
func wall(from, to time.Time) time.Duration { return to.Round(0).Sub(from.Round(0)) }
