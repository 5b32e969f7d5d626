//go:build unix

package external

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the plug-in apart from this process's signals.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the plug-in and all that it started and left in its group. The plug-in must not have been waited for.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
