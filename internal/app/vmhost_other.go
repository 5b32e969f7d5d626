//go:build !linux && !windows

package app

// physicalHost is not known here.
func physicalHost() string { return "" }
