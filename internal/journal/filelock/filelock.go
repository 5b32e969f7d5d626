package filelock

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that another open file holds the lock.
var ErrLocked = errors.New("locked by another process")

// Try locks f without waiting, until f is closed or the process ends. It returns ErrLocked when the lock is held elsewhere.
func Try(f *os.File) error { return try(f) }

// Held tells whether somebody holds the lock of the file at path; a file that is not there is not locked. Asking
// takes a free lock for an instant, so whoever wants the lock itself must try again for a moment before giving up.
func Held(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the lock: %w", err)
	}
	defer f.Close() //nolint:errcheck // only probed; closing gives a lock that was taken back
	err = try(f)
	if errors.Is(err, ErrLocked) {
		return true, nil
	}
	return false, err
}
