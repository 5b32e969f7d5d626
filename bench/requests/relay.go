package main

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// relay stands between a client and the service. It delays each direction, and each new connection by a whole round
// trip, as a network with that round-trip time would; and it counts bytes.
type relay struct {
	listener net.Listener
	target   string
	delay    time.Duration // one way
	up, down atomic.Int64
	working  sync.WaitGroup
	ctx      context.Context //nolint:containedctx // from start to close
	cancel   context.CancelFunc
}

func startRelay(target string, roundTrip time.Duration) (*relay, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, target: target, delay: roundTrip / 2}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.working.Go(r.accept)
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

// close ends every connection and waits for what it started.
func (r *relay) close() {
	r.cancel()
	_ = r.listener.Close()
	r.working.Wait()
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.working.Go(func() { r.serve(client) })
	}
}

func (r *relay) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	if !r.wait(2 * r.delay) {
		return
	}
	server, err := (&net.Dialer{}).DialContext(r.ctx, "tcp", r.target)
	if err != nil {
		return
	}
	stop := context.AfterFunc(r.ctx, func() { _ = client.Close(); _ = server.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { r.carry(server, client, &r.up) })
	both.Go(func() { r.carry(client, server, &r.down) })
	both.Wait()
	_ = server.Close()
}

// parcel is what was read, and when it may be delivered.
type parcel struct {
	data []byte
	due  time.Time
}

// carry delivers bytes in order, each after the delay, without holding up the next.
func (r *relay) carry(to, from net.Conn, count *atomic.Int64) {
	way := make(chan parcel, 1024)
	var delivery sync.WaitGroup
	delivery.Go(func() {
		for p := range way {
			if !r.wait(time.Until(p.due)) {
				continue
			}
			if _, err := to.Write(p.data); err != nil {
				_ = from.Close()
			}
		}
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	})
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			count.Add(int64(n))
			way <- parcel{append([]byte(nil), buffer[:n]...), time.Now().Add(r.delay)}
		}
		if err != nil {
			if err != io.EOF { //nolint:errorlint // net.Conn gives it bare
				_ = to.Close()
			}
			break
		}
	}
	close(way)
	delivery.Wait()
}

func (r *relay) wait(d time.Duration) bool {
	if d <= 0 {
		return r.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.ctx.Done():
		return false
	}
}
