package lab

import (
	"sync"
	"time"
)

// beats is model time as somebody knows it: it passes speed times as fast as real time from one beat to the next,
// and never further than the next beat, which the lab gives when everybody is ready for it. So a machine that is too
// busy to follow makes the model wait, not miss what it was to see.
type beats struct {
	speed float64

	mu sync.Mutex
	// at is the model time of the latest beat, met the real time when it was heard.
	at, met time.Time
	// free is set when no more beats are to come: time then passes by itself.
	free bool
	// heard is closed with the next beat; nil while nobody waits for it.
	heard chan struct{}
}

// beatOf is the real time between two beats of a lab at this speed: 0.4 seconds of model time, in bounds that a
// machine can keep.
func beatOf(speed float64) time.Duration {
	return min(max(time.Duration(float64(400*time.Millisecond)/speed), 2*time.Millisecond), 50*time.Millisecond)
}

// model is the model time that passes in d of real time.
func (b *beats) model(d time.Duration) time.Duration { return time.Duration(float64(d) * b.speed) }

// Now is the model time.
func (b *beats) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := time.Since(b.met)
	if !b.free {
		since = min(since, beatOf(b.speed))
	}
	return b.at.Add(b.model(since))
}

// Until is the real time that passes until model time t, if nobody keeps it waiting; negative when it is over.
func (b *beats) Until(t time.Time) time.Duration {
	left := t.Sub(b.Now())
	if left <= 0 {
		return min(-1, time.Duration(float64(left)/b.speed))
	}
	// Whoever looks again then must not look all the time while time stands still.
	return max(time.Duration(float64(left)/b.speed), beatOf(b.speed)/2)
}

// goesOn is closed when time goes on: with the next beat, or when no more are to come.
func (b *beats) goesOn() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.heard == nil {
		b.heard = make(chan struct{})
		if b.free {
			close(b.heard)
		}
	}
	return b.heard
}

func (b *beats) tell() {
	if b.heard != nil && !b.free {
		close(b.heard)
		b.heard = nil
	}
}

// beat is the beat of model time at.
func (b *beats) beat(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.met = at, time.Now()
	b.tell()
}

// next gives the beat after the latest one.
func (b *beats) next() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at.Add(b.model(beatOf(b.speed)))
}

// release lets time pass by itself.
func (b *beats) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell()
	b.free = true
}
