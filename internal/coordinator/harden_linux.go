package coordinator

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// harden keeps the secrets in this process's memory to itself: no core dumps, and no tracing by processes of the
// same user (prctl(2), PR_SET_DUMPABLE: it also makes /proc/PID/mem and environ root's).
func harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("turn core dumps off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("turn tracing off: %w", err)
	}
	return nil
}
