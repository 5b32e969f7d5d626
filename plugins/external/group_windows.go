package external

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the plug-in apart from this process's console events.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// killGroup ends the plug-in itself; what it started is not ended on Windows.
func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
