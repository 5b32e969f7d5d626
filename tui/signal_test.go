//go:build unix

package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"cau/tui/tuitest"
)

// childMark tells the test's own executable to be the program.
const childMark = "CAU_TUI_CHILD"

// TestMain is the program, in a process of its own, when a test below starts this executable as its child.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	if err := Run(context.Background(), Config{Services: &tuitest.Services{}, In: os.Stdin, Out: os.Stdout}); err != nil {
		os.Exit(3)
	}
	os.Exit(0)
}

// child is the program in a process of its own on a pseudo-terminal.
type child struct {
	cmd      *exec.Cmd
	terminal *os.File
	reading  sync.WaitGroup
	seen     strings.Builder
}

func startChild(t *testing.T) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childMark+"=1", "TERM=xterm-256color")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = f.Close()
	})
	return &child{cmd: cmd, terminal: f}
}

// until reads what the program writes until it has written text; then it stops reading.
func (c *child) until(t *testing.T, text string) {
	t.Helper()
	if err := c.terminal.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for !strings.Contains(c.seen.String(), text) {
		n, err := c.terminal.Read(buf)
		c.seen.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, c.seen.String())
		}
	}
}

// drain reads the rest in the background, as a terminal does.
func (c *child) drain(t *testing.T) {
	t.Helper()
	_ = c.terminal.SetReadDeadline(time.Time{})
	c.reading.Go(func() {
		rest, _ := io.ReadAll(c.terminal)
		c.seen.Write(rest)
	})
	t.Cleanup(c.reading.Wait)
}

// all is everything that the terminal got; the process must have ended.
func (c *child) all() string {
	c.reading.Wait()
	return c.seen.String()
}

// ended waits for the process and gives its exit code, -1 when a signal killed it.
func (c *child) ended(t *testing.T) int {
	t.Helper()
	var late atomic.Bool
	patience := time.AfterFunc(30*time.Second, func() {
		late.Store(true)
		_ = c.cmd.Process.Kill()
	})
	err := c.cmd.Wait()
	patience.Stop()
	if late.Load() {
		t.Fatalf("the program does not end: %v", err)
	}
	return c.cmd.ProcessState.ExitCode()
}

func TestR29_ASignalEndsTheProgramInOrder(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			c := startChild(t)
			c.until(t, "connected")
			c.drain(t)
			if err := c.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if code := c.ended(t); code != 0 {
				t.Errorf("exit code %d; the terminal got %q", code, c.all())
			}
		})
	}
}

func TestR29_ATerminalThatCloses(t *testing.T) {
	t.Parallel()
	c := startChild(t)
	c.until(t, "connected")
	if err := c.terminal.Close(); err != nil {
		t.Fatal(err)
	}
	if code := c.ended(t); code != 0 {
		t.Errorf("exit code %d: it was not the program that ended itself", code)
	}
}

func TestATerminalThatTakesNoMoreOutputCannotKeepTheProgram(t *testing.T) {
	t.Parallel()
	c := startChild(t)
	c.until(t, "connected") // from here on nobody reads, and every new size is a whole screen to write
	for i := range 60 {
		if err := pty.Setsize(c.terminal, &pty.Winsize{Cols: 100, Rows: uint16(30 + 20*(i%2))}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.ended(t); code != 1 {
		t.Errorf("exit code %d: the terminal did not stall", code)
	}
}
