package winnode

import (
	"context"
	"errors"
	"time"

	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// pauses are those between two tries of what changes nothing, in the run's time: long enough together for a WinRM
// service that is just starting.
func pauses() []time.Duration {
	return []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, time.Second, 3 * time.Second, 5 * time.Second}
}

// repeated does what changes nothing, and again as long as only its answer gets lost on the way. When it never comes
// the first error is the cause (R30).
func (l *link) repeated(ctx context.Context, do func() error) error {
	first := do()
	if !fleeting(first) {
		return first
	}
	for _, d := range pauses() {
		if l.clock.Sleep(ctx, d) != nil {
			return first
		}
		if err := do(); !fleeting(err) {
			return err
		}
	}
	return first
}

// fleeting tells whether a message got lost that another one would probably not: a node was there and its answer was
// not. A node that cannot be connected to, or is silent for as long as is waited for, is away; a logon that was
// refused is never tried again (R02).
func fleeting(err error) bool {
	var conn *wsman.ConnError
	var web *wsman.HTTPError
	var refused *wsman.Fault
	switch {
	case err == nil, rejected(err):
		return false
	case errors.As(err, &web):
		return true
	case errors.As(err, &refused):
		return refused.Code == wsman.CodeShellGone
	case errors.Is(err, agent.ErrNoFrame), errors.Is(err, agent.ErrBadFrame):
		return true // its output got lost with a connection
	case errors.As(err, &conn):
		return conn.Op != "connect" && !errors.Is(err, wsman.ErrSilent) && !errors.Is(err, wsman.ErrClosed) &&
			!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	return false
}
