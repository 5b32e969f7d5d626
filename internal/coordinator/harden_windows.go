package coordinator

import (
	"errors"

	"golang.org/x/sys/windows"
)

// harden keeps a crash from being reported with this process's memory (SetErrorMode, SEM_NOGPFAULTERRORBOX).
func harden() error {
	windows.SetErrorMode(windows.SEM_FAILCRITICALERRORS | windows.SEM_NOGPFAULTERRORBOX)
	return nil
}

// breakawayRefused: CreateProcess denies access when the job forbids CREATE_BREAKAWAY_FROM_JOB.
func breakawayRefused(err error) bool { return errors.Is(err, windows.ERROR_ACCESS_DENIED) }
