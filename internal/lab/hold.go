package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// Hold keeps a lab alive while it is open, and is its clock: model time waits for whoever holds a lab, for at most three
// seconds, so that a busy machine does not make a simulated cluster live faster than it can be followed.
type Hold struct {
	conn  net.Conn
	clock *beats
	lost  chan struct{}
}

// Attach keeps a lab alive until the hold is closed or this process ends. The hold knows the model time when it
// returns.
func Attach(ctx context.Context, i Info) (*Hold, error) {
	conn, _, err := ask(ctx, i, request{Do: doAttach})
	if err != nil {
		return nil, err
	}
	h := &Hold{conn: conn, clock: &beats{speed: i.Speed, at: i.Started}, lost: make(chan struct{})}
	first := make(chan struct{})
	go func() { // Close waits for it
		defer close(h.lost)
		h.follow(i.Started, first)
	}()
	select {
	case <-first:
		return h, nil
	case <-h.lost:
		return nil, fmt.Errorf("lab %s: %w", i.ID, ErrGone)
	case <-ctx.Done():
		_ = h.Close()
		return nil, ctx.Err()
	}
}

// follow hears the beats until the connection ends; first is closed with the first one.
func (h *Hold) follow(started time.Time, first chan<- struct{}) {
	defer h.clock.release()
	ready, frame := []byte{1}, make([]byte, 8)
	for {
		if _, err := h.conn.Write(ready); err != nil {
			return
		}
		if _, err := io.ReadFull(h.conn, frame); err != nil {
			return
		}
		h.clock.beat(started.Add(time.Duration(binary.BigEndian.Uint64(frame))))
		if first != nil {
			close(first)
			first = nil
		}
	}
}

// Close lets go of the lab.
func (h *Hold) Close() error {
	err := h.conn.Close()
	<-h.lost
	return err
}

// Lost is closed when the lab has ended, or Close was called.
func (h *Hold) Lost() <-chan struct{} { return h.lost }

// Now is the lab's model time. It goes on by itself once the lab is lost.
func (h *Hold) Now() time.Time { return h.clock.Now() }

// At is the model time at a real time, if nobody keeps the model waiting until then.
func (h *Hold) At(t time.Time) time.Time { return h.clock.Now().Add(h.clock.model(time.Until(t))) }

// Sleep returns when d of model time has passed, or with the error of ctx.
func (h *Hold) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for end := h.Now().Add(d); ; {
		on := h.clock.goesOn()
		left := end.Sub(h.Now())
		if left <= 0 {
			return nil
		}
		timer.Reset(time.Duration(float64(left) / h.clock.speed))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if h.Now().Before(end) { // somebody keeps time waiting
			select {
			case <-on:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}
