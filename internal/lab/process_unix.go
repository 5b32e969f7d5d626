//go:build unix

package lab

import (
	"errors"
	"syscall"
)

// processExists tells whether there is a process of that number.
func processExists(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
