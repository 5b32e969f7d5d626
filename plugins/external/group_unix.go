//go:build unix

package external

import (
	"os/exec"
	"syscall"
)

// group is what a plug-in is ended with: a process group.
type group struct{}

// prepare keeps the plug-in apart from this process's signals.
func (group) prepare(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// take bounds what has just been started, before it is asked anything.
func (group) take(cmd *exec.Cmd) error { return boundMemory(cmd.Process.Pid) }

// kill ends the plug-in and all that it started and left in its group. The plug-in must not have been waited for.
func (group) kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// release gives nothing back.
func (group) release() {}
