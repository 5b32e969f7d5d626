package coordinator

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// harden keeps the secrets in this process's memory to itself: no core dumps, no debugger (ptrace(2), PT_DENY_ATTACH).
func harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turn core dumps off: %w", err)
	}
	if err := unix.PtraceDenyAttach(); err != nil {
		return fmt.Errorf("turn tracing off: %w", err)
	}
	return nil
}

func breakawayRefused(error) bool  { return false }
func killedWithJob() (bool, error) { return false, nil }
