package sambatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// noNamespace says why a process cannot have a network of its own here, or nothing.
func noNamespace() string {
	if os.Getuid() != 0 {
		return "not running as root"
	}
	cmd := exec.Command("true") //nolint:noctx // ends by itself
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := cmd.Run(); err != nil {
		return "the kernel makes no network namespace: " + err.Error()
	}
	return ""
}

// process is a program in a network of its own, which goes with it.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	exited chan struct{}
	mu     sync.Mutex
	out    bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// ownRun gives a program a /run/samba of its own: where winbindd listens there is no setting for.
const ownRun = `mount --make-rprivate / && mkdir -p /run/samba && mount -t tmpfs none /run/samba && mkdir /run/samba/winbindd && `

// startIsolated starts a program in a new network namespace with loopback up, and with run in one for mounts too, where
// /run/samba is its own. It ends when its standard input is closed, so nothing is left over when the test process dies
// without its cleanups.
func startIsolated(ctx context.Context, run bool, program string, args ...string) (*process, error) {
	p := &process{exited: make(chan struct{})}
	script, spaces := `ip link set lo up && exec "$0" "$@"`, uintptr(syscall.CLONE_NEWNET)
	if run {
		script, spaces = ownRun+script, spaces|syscall.CLONE_NEWNS
	}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), "sh", append([]string{"-c", script, program}, args...)...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: spaces, Setpgid: true}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = in
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// dial connects inside the process's network.
func (p *process) dial(address string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (conn net.Conn, err error) {
		p.inside(func() error {
			conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
			return err
		}, &err)
		return conn, err
	}
}

// listen listens inside the process's network; who accepts may be outside.
func (p *process) listen(ctx context.Context, address string) (l net.Listener, err error) {
	p.inside(func() error {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		return err
	}, &err)
	return l, err
}

// inside does something in the process's network. The thread that went there is given up afterwards.
func (p *process) inside(do func() error, err *error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		var space *os.File
		if space, *err = os.Open(p.network()); *err != nil {
			return
		}
		defer func() { _ = space.Close() }()
		if *err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); *err == nil {
			*err = do()
		}
	}()
	<-done
}

func (p *process) network() string { return fmt.Sprintf("/proc/%d/ns/net", p.cmd.Process.Pid) }

// command is a program that will run in the process's network.
func (p *process) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=" + p.network(), program}, args...)...)
}

func (p *process) stop() {
	_ = p.stdin.Close()
	terminate(p.cmd)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = p.cmd.Process.Kill()
	}
	<-p.exited
}
