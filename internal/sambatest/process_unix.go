//go:build unix

package sambatest

import (
	"os/exec"
	"syscall"
)

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGTERM) }

// kill ends smbd and its children. In the foreground smbd opens a session of its own, so the group
// of its number holds nobody else; before that there are no children.
func kill(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = cmd.Process.Kill()
}

func reload(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGHUP) }
