package model

import "time"

// Clock is model time.
type Clock interface {
	Now() time.Time
	// Until is the real time that passes until model time t; negative when it is over.
	Until(t time.Time) time.Duration
}

// Scaled runs Speed times as fast as real time, from Start on: model time = Start + Speed * (real - Start).
// A Speed of zero or less counts as 1.
type Scaled struct {
	Start time.Time
	Speed float64
}

// Now gives the model time.
func (c Scaled) Now() time.Time {
	return c.Start.Add(time.Duration(float64(time.Since(c.Start)) * c.speed()))
}

// Until gives the real time that passes until model time t.
func (c Scaled) Until(t time.Time) time.Duration {
	return time.Duration(float64(t.Sub(c.Now())) / c.speed())
}

func (c Scaled) speed() float64 {
	if c.Speed <= 0 {
		return 1
	}
	return c.Speed
}
