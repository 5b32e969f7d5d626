package journal

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that another open file holds the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock locks f without waiting, until f is closed or the process ends, however it ends: the kernel drops the lock
// (flock(2) on Linux and macOS, LockFileEx on Windows), so a lock that is held proves a living holder. It returns
// ErrLocked when the lock is held elsewhere.
func TryLock(f *os.File) error { return tryLock(f) }

// LockHeld tells whether somebody holds the lock of the file at path; a file that is not there is not locked. Asking
// takes a free lock for an instant, so whoever wants the lock itself must try again for a moment before giving up.
func LockHeld(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the lock: %w", err)
	}
	err = tryLock(f)
	// Closing gives a lock that was taken back.
	if closing := f.Close(); closing != nil {
		return false, fmt.Errorf("close the lock: %w", closing)
	}
	if errors.Is(err, ErrLocked) {
		return true, nil
	}
	return false, err
}
