package engine

import (
	"context"
	"errors"
	"time"
)

const (
	// contactPoll and contactPatience bound how long a question to a node or its peers is repeated.
	contactPoll     = 5 * time.Second
	contactPatience = 5 * time.Minute
)

// notYetError is no failure of the call: the world is not where it must be, and may still come there.
type notYetError struct{ what string }

func (e *notYetError) Error() string { return e.what }

// finalError ends persist at once: asking again would not help, or must not be done.
type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// persist repeats ask until it succeeds, fails for good, or patience is over. Then the answer is the state
// that was not reached, or the first error of the last unbroken series of errors: the first cause, not the
// last symptom (R30). When ctx ends it returns ctx's error, and once nothing can be recorded any more that.
func (r *run) persist(ctx context.Context, poll, patience time.Duration, ask func() error) error {
	return r.persistWith(ctx, poll, r.patience(patience), ask)
}

// persistWith is persist with a patience that ask may know of.
func (r *run) persistWith(ctx context.Context, poll time.Duration, wait *patience, ask func() error) error {
	var cause error
	inSeries := false
	for {
		err := ask()
		if err == nil {
			r.credentialWorks()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var final *finalError
		if errors.As(err, &final) {
			return final.err
		}
		var notYet *notYetError
		switch {
		case errors.As(err, &notYet):
			cause, inSeries = err, false
		case !inSeries:
			cause, inSeries = err, true
		}
		if err := r.brokenErr(); err != nil {
			return err
		}
		r.excuse(wait, err)
		if wait.over(r.Clock.Now()) {
			return cause
		}
		if err := r.Clock.Sleep(ctx, poll); err != nil {
			return err
		}
	}
}
