//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// syncDir makes a new name in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flush the folder: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
