package smbcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"cau/internal/fault"
)

// logoffTime bounds the polite goodbye of Close.
const logoffTime = 2 * time.Second

var errSilent = errors.New("no sign of life")

// call runs one piece of work with the library. It holds what every piece needs:
//   - ctx ends the work, and so does a server that shows no sign of life for the timeout; alive,
//     called after each answer, starts that time over;
//   - either of them closes the connection at once: the library reuses buffers of a write that was
//     given up, so such a connection must not live on;
//   - a panic of the library is an error;
//   - what the tap refused is the reason, whatever the library says about it.
func (c *Connection) call(ctx context.Context, op string, work func(ctx context.Context, alive func()) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead != nil {
		return &fault.Error{Op: op, Err: fmt.Errorf("%w: %w", ErrClosed, c.dead), Hint: hintFor(c.dead)}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	silence := time.AfterFunc(c.timeout, func() { cancel(errSilent) })
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = c.tap.Close()
	})
	err := guard(func() error { return work(ctx, func() { silence.Reset(c.timeout) }) })
	silence.Stop()
	if !stop() {
		<-closed
	}
	ended := context.Cause(ctx)
	cancel(nil)
	refused := c.tap.refused()
	switch {
	case refused != nil:
		err = refused
	case err != nil && errors.Is(ended, errSilent):
		err = fmt.Errorf("%w: %w for %s", ErrUnreachable, errSilent, c.timeout)
	case err != nil && ended != nil:
		err = ended
	case err != nil:
		err = cause(err)
	}
	if ended != nil || refused != nil || errors.Is(err, ErrBroken) || errors.Is(err, ErrProtocol) || errors.Is(err, ErrTampered) {
		c.dead = cmp.Or(err, ended)
		_ = c.tap.Close()
	}
	if err != nil {
		return explain(op, err)
	}
	return nil
}

var errPanic = errors.New("it made the SMB library fail")

// guard turns a panic into an error: the library dereferences what a server left out.
func guard(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %w: %v", ErrProtocol, errPanic, p)
		}
	}()
	return work()
}

// Close signs off and closes the connection. It waits for a call in progress; end that call's
// context to be faster. Closing twice is no error.
func (c *Connection) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead == nil && c.session != nil {
		ctx, cancel := context.WithTimeout(context.Background(), logoffTime)
		defer cancel()
		// The server forgets the session with the connection too, so a failure says nothing.
		_ = guard(func() error { return c.session.WithContext(ctx).Logoff() })
	}
	return c.leave(ErrClosed)
}

func (c *Connection) abandon(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.leave(why)
}

func (c *Connection) leave(why error) error {
	if c.dead == nil {
		c.dead = why
	}
	if err := c.tap.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
