package owngate

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the command apart from this process's console events. Only the command itself is ended with it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
