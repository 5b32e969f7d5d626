package lab

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// paced runs a pace at 200 times real time in a bubble, and follows it with as many connections.
func paced(t *testing.T, connections int, test func(t *testing.T, p *pace, far []net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(time.Now(), 200)
		ctx, cancel := context.WithCancel(t.Context())
		var working sync.WaitGroup
		working.Go(func() { p.run(ctx) })
		far := make([]net.Conn, connections)
		for i := range far {
			near, other := net.Pipe()
			far[i] = other
			working.Go(func() { p.follow(near) })
		}
		synctest.Wait()
		test(t, p, far)
		cancel()
		for _, c := range far {
			_ = c.Close()
		}
		working.Wait()
	})
}

// hear says that a connection is ready and gives the model time of the beat it gets.
func hear(t *testing.T, p *pace, c net.Conn) time.Time {
	t.Helper()
	if _, err := c.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 8)
	if _, err := io.ReadFull(c, frame); err != nil {
		t.Fatal(err)
	}
	return p.started.Add(time.Duration(binary.BigEndian.Uint64(frame)))
}

func TestModelTimePassesAtItsSpeed(t *testing.T) {
	paced(t, 0, func(t *testing.T, p *pace, _ []net.Conn) {
		t.Helper()
		time.Sleep(time.Minute)
		if got := p.Now().Sub(p.started); got < 199*time.Minute || got > 201*time.Minute {
			t.Errorf("%s of model time in a minute at 200", got)
		}
		at := p.Now().Add(time.Hour)
		time.Sleep(p.Until(at))
		if late := p.Now().Sub(at); late < -2*time.Second || late > 2*time.Second {
			t.Errorf("Until is %s wrong", late)
		}
		if p.Until(p.started) >= 0 {
			t.Error("what is over is still to come")
		}
	})
}

func TestModelTimeWaitsForEverybodyWhoIsAttached(t *testing.T) {
	paced(t, 2, func(t *testing.T, p *pace, far []net.Conn) {
		t.Helper()
		var first sync.WaitGroup
		first.Go(func() { hear(t, p, far[1]) })
		last := hear(t, p, far[0])
		first.Wait()
		time.Sleep(patience / 2)
		if now, most := p.Now(), last.Add(p.model(beatOf(200))); now.After(most) {
			t.Errorf("time went on by %s while nobody was ready", now.Sub(most))
		}
		// One of two is not enough.
		var second sync.WaitGroup
		var next time.Time
		second.Go(func() { next = hear(t, p, far[0]) })
		time.Sleep(patience / 4)
		if now, most := p.Now(), last.Add(p.model(beatOf(200))); now.After(most) {
			t.Errorf("time went on by %s while one was not ready", now.Sub(most))
		}
		hear(t, p, far[1])
		second.Wait()
		if got := next.Sub(last); got != p.model(beatOf(200)) {
			t.Errorf("the next beat is %s later", got)
		}
	})
}

func TestWhoDoesNotAnswerIsLeftBehindUntilItDoes(t *testing.T) {
	paced(t, 1, func(t *testing.T, p *pace, far []net.Conn) {
		t.Helper()
		last := hear(t, p, far[0])
		time.Sleep(patience + time.Minute)
		if went := p.Now().Sub(last); went < 190*time.Minute {
			t.Errorf("only %s passed in the minute after nobody answered", went)
		}
		again := hear(t, p, far[0])
		if behind := p.Now().Sub(again); behind > p.model(2*beatOf(200)) {
			t.Errorf("it is told a time of %s ago", behind)
		}
		time.Sleep(patience / 2)
		if went := p.Now().Sub(again); went > p.model(beatOf(200)) {
			t.Errorf("nobody waits for it any more: %s", went)
		}
	})
}

func TestATimeThatWasMissedIsNotMadeUpFor(t *testing.T) {
	paced(t, 1, func(t *testing.T, p *pace, far []net.Conn) {
		t.Helper()
		last := hear(t, p, far[0])
		time.Sleep(patience / 2)
		for range 10 {
			last = last.Add(p.model(beatOf(200)))
			if got := hear(t, p, far[0]); !got.Equal(last) {
				t.Fatalf("a beat of %s instead of %s", got, last)
			}
		}
		if takes := p.Until(last.Add(time.Hour)); takes < time.Hour/200-2*beatOf(200) {
			t.Errorf("an hour would take %s only", takes)
		}
	})
}

func TestTimeGoesOnWithoutWhoLeft(t *testing.T) {
	paced(t, 1, func(t *testing.T, p *pace, far []net.Conn) {
		t.Helper()
		last := hear(t, p, far[0])
		_ = far[0].Close()
		time.Sleep(time.Second)
		if went := p.Now().Sub(last); went < 190*time.Second {
			t.Errorf("only %s passed in a second", went)
		}
	})
}
