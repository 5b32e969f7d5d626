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
	"unsafe"

	"golang.org/x/sys/windows"
)

// rootDir is a working folder that is not the user's.
func rootDir(home string) string { return filepath.VolumeName(home) + `\` }

// syncDir does nothing: Windows has no flush of a folder, and NTFS logs names itself.
func syncDir(string) error { return nil }

// freeBytes is how much this user may still write in dir.
func freeBytes(dir string) (int64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(free, 1<<62)), nil
}

// oursAlone accepts the folder: the temporary folder is below the user's profile, which its descriptor protects.
func oursAlone(string) error { return nil }

// socketForUs does nothing: the folder's descriptor protects the socket.
func socketForUs(string) error { return nil }

// keepDescriptors does nothing: only handles that are listed are inherited.
func keepDescriptors() error { return nil }

// Detached starts a process without our console and outside the job that this session's processes are in; where
// the job forbids that, the start fails (CreateProcess, process creation flags).
func Detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		HideWindow:    true,
		CreationFlags: windows.CREATE_BREAKAWAY_FROM_JOB | windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP,
	}
}

// inherit hands f to the child as the same handle.
func inherit(attr *syscall.SysProcAttr, f *os.File) (extra []*os.File, name string) {
	h := syscall.Handle(f.Fd())
	if err := windows.SetHandleInformation(windows.Handle(h), windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT); err != nil {
		return nil, "0"
	}
	attr.AdditionalInheritedHandles = append(attr.AdditionalInheritedHandles, h)
	return nil, strconv.FormatUint(uint64(h), 10)
}

// proveSession has nothing to ask for on Windows: the child says whether a job would end it.
func proveSession(int) error { return nil }

// killedWithJob tells whether this process is in a job that ends its processes when its last handle closes.
func killedWithJob() (bool, error) {
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	// A null handle asks for the job that the calling process is in (QueryInformationJobObject, hJob).
	err := windows.QueryInformationJobObject(0, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil) //nolint:gosec // the call takes the structure by address
	switch {
	case errors.Is(err, windows.ERROR_ACCESS_DENIED), errors.Is(err, windows.ERROR_INVALID_HANDLE):
		return false, nil // in no job
	case err != nil:
		return false, fmt.Errorf("ask for the job of this process: %w", err)
	}
	return info.BasicLimitInformation.LimitFlags&windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE != 0, nil
}

// peer is the user of this process: Windows has no peer credentials for these sockets, and the folder's descriptor
// lets nobody else reach this one.
func peer(*net.UnixConn) (uid uint32, name string, err error) {
	u, err := user.Current()
	if err != nil {
		return 0, "", fmt.Errorf("ask who is calling: %w", err)
	}
	return 0, u.Username, nil
}

func mayControl(uint32) bool { return true }
