package tui

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
)

// work runs what the screens ask for off the screen's loop. Every answer carries the number of its task, so
// that a screen that has gone on, or has gone away, does not take it for a newer one. start, and everything
// about a task but its function, belongs to the loop.
type work struct {
	begin func() (context.Context, context.CancelFunc)
	stop  context.CancelFunc
	last  int

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// task is one thing that was asked for. The zero task is none.
type task struct {
	id     int
	cancel context.CancelFunc
}

// end gives the task up; its answer, if one still comes, is nobody's.
func (t *task) end() {
	if t.cancel != nil {
		t.cancel()
	}
	*t = task{}
}

// answer is what a task came to.
type answer struct {
	task  int
	value any
	err   error
}

func newWork(ctx context.Context) *work {
	ctx, stop := context.WithCancel(ctx)
	return &work{begin: func() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }, stop: stop}
}

// start makes a task of f; the command must be given to the loop to run it. f must return soon after its
// context ends.
func (w *work) start(f func(ctx context.Context, id int) (any, error)) (task, tea.Cmd) {
	w.last++
	id := w.last
	ctx, cancel := w.begin()
	return task{id, cancel}, func() tea.Msg {
		if !w.enter() {
			return nil
		}
		defer w.running.Done()
		value, err := f(ctx, id)
		return answer{id, value, err}
	}
}

// beat gives msg after d, or nothing when the program ends before.
func (w *work) beat(d time.Duration, msg tea.Msg) tea.Cmd {
	ctx, cancel := w.begin()
	return func() tea.Msg {
		defer cancel()
		if !w.enter() {
			return nil
		}
		defer w.running.Done()
		select {
		case <-time.After(d):
			return msg
		case <-ctx.Done():
			return nil
		}
	}
}

// enter counts a task in, unless the program has ended.
func (w *work) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.running.Add(1)
	return true
}

// close gives all tasks up and waits for them.
func (w *work) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.running.Wait()
}
