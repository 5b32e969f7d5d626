package external

import (
	"errors"

	"golang.org/x/sys/unix"
)

// boundMemory bounds the private memory of the process and of what it starts.
func boundMemory(pid int) error {
	return unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: maxMemory, Max: maxMemory}, nil)
}

// awaitExit waits for the process's end and leaves it to be waited for, so that how it ended is its own doing and its
// group's number stays taken.
func awaitExit(pid int) {
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
}
