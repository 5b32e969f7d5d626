//go:build unix

package external

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// administrator is who else may own what is trusted.
const administrator = "root"

// safe returns the owner of the file and its permissions, unless somebody other than root and this user may write it or replace it by way of a
// folder above it. A folder with the sticky bit lets nobody replace what belongs to others.
func safe(path string, _ *os.File, info fs.FileInfo) (owner, mode string, err error) {
	if info.Mode().Perm()&0o111 == 0 {
		return "", "", fmt.Errorf("%w: %s is not executable (%s)", ErrUntrusted, path, info.Mode())
	}
	if owner, err = own(path, info, false); err != nil {
		return "", "", err
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		above, err := os.Lstat(dir)
		if err != nil {
			return "", "", err
		}
		if _, err := own(dir, above, true); err != nil {
			return "", "", err
		}
		if dir == filepath.Dir(dir) {
			return owner, info.Mode().String(), nil
		}
	}
}

func own(path string, info fs.FileInfo, folder bool) (string, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("%w: the owner of %s is not known", ErrUntrusted, path)
	}
	name := ownerName(stat.Uid)
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return "", fmt.Errorf("%w: %s belongs to %s", ErrUntrusted, path, name)
	}
	if info.Mode().Perm()&0o022 != 0 && (!folder || info.Mode()&fs.ModeSticky == 0) {
		return "", fmt.Errorf("%w: others may write %s (%s)", ErrUntrusted, path, info.Mode())
	}
	return name, nil
}

func ownerName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username + " (" + id + ")"
	}
	return id
}
