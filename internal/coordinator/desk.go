package coordinator

import (
	"context"
	"sync"

	"cau/engine"
)

// desk passes requests to the running engine and answers them once they are journalled.
//
// A request goes through three hands: whoever asks queues for its turn, the engine takes it from control, and the
// engine's answers, which come in the same order, tell the first in line that its own is on disk or refused.
type desk struct {
	control chan engine.Control
	turn    chan struct{}
	done    chan struct{}
	// signIn takes up another sign-in; nil where that cannot be changed.
	signIn func(ctx context.Context, secret []byte) error

	mu   sync.Mutex
	line []chan error
	why  error
}

func newDesk() *desk {
	return &desk{control: make(chan engine.Control), turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// ask returns nil once the request is a fact, *engine.RefusedError where it cannot be obeyed; ErrEnded or ErrNotAlive
// when the run was over before.
func (d *desk) ask(ctx context.Context, c engine.Control) error {
	answer := make(chan error, 1)
	if err := d.hand(ctx, c, answer); err != nil {
		return err
	}
	select {
	case err := <-answer:
		return err
	case <-d.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer: // answered as the run's last act but one
		return err
	default:
		return d.reason()
	}
}

// hand gives the request to the engine. One at a time, so that the line has the engine's order.
func (d *desk) hand(ctx context.Context, c engine.Control, answer chan error) error {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-d.done:
		return d.reason()
	case <-ctx.Done():
		return ctx.Err()
	}
	d.mu.Lock()
	d.line = append(d.line, answer)
	d.mu.Unlock()
	var err error
	select {
	case d.control <- c:
		return nil
	case <-d.done:
		err = d.reason()
	case <-ctx.Done():
		err = ctx.Err()
	}
	d.mu.Lock()
	d.line = d.line[:len(d.line)-1] // ours: only the holder of the turn appends
	d.mu.Unlock()
	return err
}

// answered tells the first in line that its request is in the journal, or why it is not.
func (d *desk) answered(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.line) == 0 {
		return
	}
	d.line[0] <- err
	d.line = d.line[1:]
}

// close ends all waiting; why is what later requests are told.
func (d *desk) close(why error) {
	d.mu.Lock()
	d.why = why
	d.mu.Unlock()
	close(d.done)
}

func (d *desk) reason() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.why
}
