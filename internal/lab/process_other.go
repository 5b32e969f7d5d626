//go:build !unix

package lab

import "os"

// processExists tells whether there is a process of that number.
func processExists(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}
