//go:build !linux

package sambatest

import (
	"context"
	"errors"
	"net"
	"os/exec"
)

// Only Linux has network namespaces; needDomain skips the test before any of these is reached.

func noNamespace() string { return errNoNamespace.Error() }

// errNoNamespace is the cause where this system has no network namespaces.
var errNoNamespace = errors.New("no network namespaces here")

type process struct{ exited chan struct{} }

func startIsolated(context.Context, bool, string, ...string) (*process, error) {
	return nil, errNoNamespace
}

func (p *process) dial(string) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) { return nil, errNoNamespace }
}

func (p *process) listen(context.Context, string) (net.Listener, error) { return nil, errNoNamespace }

func (p *process) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, program, args...)
}

func (p *process) output() string { return "" }

func (p *process) stop() {}
