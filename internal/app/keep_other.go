//go:build !linux && !darwin && !windows

package app

import "os"

// keepPermissions gives to the mode of from; more is not known here.
func keepPermissions(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	return os.Chmod(to, info.Mode().Perm())
}
