//go:build unix

package owngate

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the command apart from this process's signals, and ends all that it started with it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
