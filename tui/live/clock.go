package live

import (
	"fmt"
	"time"

	"cau/engine"
)

// clock tells the run's time. A real cluster's is the wall clock. A simulated one has its own, which may be
// faster; it is known from the times of facts and carried on from there at its speed. It never goes back.
type clock struct {
	real  bool
	speed float64
	// at is the latest time that was seen, met when it was seen on the wall clock.
	at, met time.Time
}

func (c *clock) saw(t, wall time.Time) {
	if t.After(c.now(wall)) {
		c.at, c.met = t, wall
	}
}

func (c *clock) sawState(s *engine.State, wall time.Time) {
	c.saw(s.Started, wall)
	c.saw(s.Ended, wall)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		for _, t := range []time.Time{n.Started, n.PhaseStarted, n.Ended} {
			c.saw(t, wall)
		}
		for j := range n.Updates {
			c.saw(n.Updates[j].Started, wall)
			c.saw(n.Updates[j].Ended, wall)
		}
	}
}

// hold carries the time over to another speed: what was shown as gone by stays so.
func (c *clock) hold(wall time.Time) { c.at, c.met = c.now(wall), wall }

func (c *clock) now(wall time.Time) time.Time {
	switch {
	case c.at.IsZero() || c.speed == 0:
		return c.at
	case c.real && wall.After(c.at):
		return wall
	case c.real:
		return c.at
	}
	return c.at.Add(time.Duration(float64(wall.Sub(c.met)) * c.speed))
}

// span is the time from one moment to another as 00:41:07; empty when either is unknown.
func span(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	d := max(0, to.Sub(from)).Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// short is a time as 02:10: minutes and seconds.
func short(d time.Duration) string {
	d = max(0, d).Truncate(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
