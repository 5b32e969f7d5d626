package wsmanserver

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Limits of one command: how much unread output and unread input it may pile up before it, or the client,
// has to wait.
const (
	maxPending = 1 << 20
	maxStdin   = 1 << 20
)

// gather is how long a Receive that has something waits for more, so that a short command's output and
// its end travel in one answer.
const gather = 10 * time.Millisecond

// command is one running or ended process of a shell.
type command struct {
	ctx   context.Context //nolint:containedctx // the process's lifetime, which spans many requests
	end   context.CancelFunc
	stdin *input
	// console says that stdin is a console (WINRS_CONSOLEMODE_STDIN), which has no end. Clients that pipe input set it
	// to FALSE; what Windows does with an end for a console is UNVERIFIED.
	console bool

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	out     output
}

func newCommand(ctx context.Context, console bool) *command {
	ctx, end := context.WithCancel(ctx)
	return &command{console: console, ctx: ctx, end: end, changed: make(chan struct{}), stdin: newInput(ctx)}
}

func (c *command) finish(code int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.done, c.out.exit = true, code
	c.wake()
}

// runs tells whether the process is there.
func (c *command) runs() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.out.done
}

func (c *command) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// writer is one output stream of a command. Like a pipe it makes the process wait while nobody reads.
type writer struct {
	c      *command
	stderr bool
}

func (w writer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		w.c.mu.Lock()
		room := maxPending - len(w.c.out.stdout) - len(w.c.out.stderr)
		n := min(len(p), max(room, 0))
		if n > 0 {
			if w.stderr {
				w.c.out.stderr = append(w.c.out.stderr, p[:n]...)
			} else {
				w.c.out.stdout = append(w.c.out.stdout, p[:n]...)
			}
			w.c.wake()
		}
		changed := w.c.changed
		w.c.mu.Unlock()
		written, p = written+n, p[n:]
		if len(p) == 0 {
			break
		}
		select {
		case <-changed:
		case <-w.c.ctx.Done():
			return written, w.c.ctx.Err()
		}
	}
	return written, w.c.ctx.Err()
}

// receive waits until there is output or the end, at most for wait, and takes up to limit bytes. It
// reports false when there was nothing.
func (c *command) receive(ctx context.Context, wait time.Duration, limit int) (output, bool) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	var more <-chan time.Time
	for {
		c.mu.Lock()
		if ready := len(c.out.stdout)+len(c.out.stderr) > 0; c.out.done || ready {
			if c.out.done || len(c.out.stdout)+len(c.out.stderr) >= limit {
				defer c.mu.Unlock()
				return c.take(limit), true
			}
			if more == nil {
				t := time.NewTimer(gather)
				defer t.Stop()
				more = t.C
			}
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-more:
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.take(limit), true
		case <-timeout.C:
			if more == nil {
				return output{}, false
			}
		case <-ctx.Done():
			return output{}, false
		}
	}
}

// take hands over up to limit bytes; the end only with the last of them. The caller holds the lock.
func (c *command) take(limit int) output {
	var o output
	n := min(len(c.out.stdout), limit)
	o.stdout, c.out.stdout = c.out.stdout[:n:n], c.out.stdout[n:]
	n = min(len(c.out.stderr), limit-n)
	o.stderr, c.out.stderr = c.out.stderr[:n:n], c.out.stderr[n:]
	if len(c.out.stdout)+len(c.out.stderr) == 0 && c.out.done {
		o.done, o.exit = true, c.out.exit
	}
	c.wake()
	return o
}

// input is a command's stdin: a bounded pipe that ends when the client says so or the process ends.
type input struct {
	ctx     context.Context //nolint:containedctx // the process's lifetime
	mu      sync.Mutex
	changed chan struct{}
	data    []byte
	ended   bool
}

var errInputEnded = errors.New("the input stream has ended")

func newInput(ctx context.Context) *input { return &input{ctx: ctx, changed: make(chan struct{})} }

func (in *input) wake() {
	close(in.changed)
	in.changed = make(chan struct{})
}

// put adds bytes when there is room, waiting for it until ctx ends.
func (in *input) put(ctx context.Context, p []byte, last bool) error {
	for {
		in.mu.Lock()
		if in.ended {
			in.mu.Unlock()
			return errInputEnded
		}
		if len(in.data) == 0 || len(in.data)+len(p) <= maxStdin {
			in.data = append(in.data, p...)
			in.ended = last
			in.wake()
			in.mu.Unlock()
			return nil
		}
		changed := in.changed
		in.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-in.ctx.Done():
			return in.ctx.Err()
		}
	}
}

func (in *input) Read(p []byte) (int, error) {
	for {
		in.mu.Lock()
		if len(in.data) > 0 {
			n := copy(p, in.data)
			in.data = in.data[n:]
			in.wake()
			in.mu.Unlock()
			return n, nil
		}
		if in.ended {
			in.mu.Unlock()
			return 0, io.EOF
		}
		changed := in.changed
		in.mu.Unlock()
		select {
		case <-changed:
		case <-in.ctx.Done():
			return 0, in.ctx.Err()
		}
	}
}
