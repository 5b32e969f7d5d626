package cli

import (
	"context"
	"errors"

	"cau/engine"
)

// The exit codes of the built program (go run turns every code into 1).
const (
	ExitOK       = 0
	ExitFailed   = 1
	ExitUsage    = 2
	ExitRefused  = 3
	ExitCanceled = 4
	ExitGoesOn   = 5
)

// exitError carries an exit code; a nil Err means that everything was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Usage marks err as a mistake in the command: exit code 2, nothing was touched.
func Usage(err error) error { return &exitError{ExitUsage, err} }

// Refused marks err as a check's refusal: exit code 3, nothing was changed.
func Refused(err error) error { return &exitError{ExitRefused, err} }

// IsUsage tells whether err is a mistake in the command.
func IsUsage(err error) bool {
	var e *exitError
	return errors.As(err, &e) && e.code == ExitUsage
}

// IsRefused tells whether err is a check's refusal.
func IsRefused(err error) bool {
	var e *exitError
	return errors.As(err, &e) && e.code == ExitRefused
}

// exitWith ends the command with code and says nothing more; code 0 gives nil.
func exitWith(code int) error {
	if code == ExitOK {
		return nil
	}
	return &exitError{code: code}
}

// exitCode is the exit code for err.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, context.Canceled):
		return ExitCanceled
	}
	return ExitFailed
}

// runExit is the exit code for a run's state.
func runExit(s engine.RunStatus) int {
	switch s {
	case engine.RunSucceeded:
		return ExitOK
	case engine.RunFailed, engine.RunPartiallyFailed:
		return ExitFailed
	case engine.RunCanceled:
		return ExitCanceled
	case engine.RunRunning, engine.RunPaused, engine.RunHeld, engine.RunStopping, engine.RunTakenOver: // elsewhere, that one
	}
	return ExitGoesOn
}
