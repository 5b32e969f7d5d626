//go:build !linux && !windows

package external

// boundMemory does nothing where another process's memory cannot be bounded.
func boundMemory(int) error { return nil }

// awaitExit does nothing where an end cannot be seen without taking it.
func awaitExit(int) {}
