//go:build !unix

package sambatest

import (
	"errors"
	"os/exec"
)

// Samba runs on unix only; Start skips the test before any of these is reached.

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func reload(*exec.Cmd) error { return errors.ErrUnsupported }
