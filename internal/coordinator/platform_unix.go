//go:build unix

package coordinator

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// rootDir is a working folder that keeps no file system busy.
func rootDir(string) string { return "/" }

// syncDir makes names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// freeBytes is how much an ordinary user may still write in dir.
func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // their types differ between platforms
}

// oursAlone refuses a folder that is a link, of another owner, or open to others.
func oursAlone(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return errors.New("it is not a folder")
	case !ok || int(st.Uid) != os.Getuid():
		return errors.New("it belongs to another user")
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may use it (mode %o)", info.Mode().Perm())
	}
	return nil
}

// socketForUs keeps others from connecting; the folder above does so until then.
func socketForUs(path string) error { return os.Chmod(path, 0o600) }

// peer is who is at the other end of the socket, by the kernel's word and not the caller's (R06).
func peer(c *net.UnixConn) (uid uint32, name string, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, "", fmt.Errorf("ask who is calling: %w", err)
	}
	var asking error
	err = raw.Control(func(fd uintptr) { uid, asking = peerUID(int(fd)) })
	if err == nil {
		err = asking
	}
	if err != nil {
		return 0, "", fmt.Errorf("ask who is calling: %w", err)
	}
	return uid, account(uid), nil
}

// account names a user by id, as the system knows it.
func account(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	u, err := user.LookupId(id)
	if err != nil {
		return "uid " + id
	}
	return u.Username + " (uid " + id + ")"
}

// keepDescriptors makes sure that what this process was given open (a pipe to a pager, a terminal) does not stay
// open in the coordinator: whoever reads the other end would wait for the run's end.
func keepDescriptors() error {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(filepath.Base(e.Name()))
		if err != nil || fd < 3 {
			continue
		}
		unix.CloseOnExec(fd)
	}
	return nil
}

// Detached starts a process in a session of its own, without a terminal.
func Detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// inherit hands f to the child as descriptor 3.
func inherit(_ *syscall.SysProcAttr, f *os.File) (extra []*os.File, name string) {
	return []*os.File{f}, "3"
}

// proveSession checks that the process leads a session that is not ours (R28).
func proveSession(pid int) error {
	ours, err := unix.Getsid(0)
	if err != nil {
		return fmt.Errorf("read our session: %w", err)
	}
	its, err := unix.Getsid(pid)
	if err != nil {
		return fmt.Errorf("read the session of process %d: %w", pid, err)
	}
	if its == ours || its != pid {
		return fmt.Errorf("process %d is in session %d, ours is %d", pid, its, ours)
	}
	return nil
}

// mayControl lets the run's own user and root ask for something; the socket's mode keeps others out already.
func mayControl(uid uint32) bool { return uid == 0 || int(uid) == os.Getuid() }
