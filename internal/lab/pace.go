package lab

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// patience is how long, in real time, the model waits for somebody who is attached and does not answer: whoever was
// stopped, and not ended, does not stop the lab for others.
const patience = 3 * time.Second

// pace gives the lab's beats. Each goes to everybody who is attached, and the next one waits until all have answered;
// a beat that is more than one beat late is not made up for.
type pace struct {
	*beats
	started time.Time

	mu        sync.Mutex
	followers map[*follower]bool
	// answered holds one when somebody answered or left.
	answered chan struct{}
}

// follower is an attached connection.
type follower struct {
	conn net.Conn
	// owes is set between a beat and its answer. Who does not answer in time is left behind until it does.
	owes, behind bool
}

func newPace(started time.Time, speed float64) *pace {
	return &pace{
		beats: &beats{speed: speed, at: started, met: started}, started: started,
		followers: map[*follower]bool{}, answered: make(chan struct{}, 1),
	}
}

// run gives beats until ctx ends.
func (p *pace) run(ctx context.Context) {
	every := beatOf(p.speed)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for due := time.Now(); ; {
		due = due.Add(every)
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if !p.await(ctx) {
			return
		}
		if time.Since(due) > every {
			due = time.Now()
		}
		at := p.next()
		p.beat(at)
		p.send(at)
	}
}

// await returns when nobody owes an answer, or not for much longer; false when ctx ended.
func (p *pace) await(ctx context.Context) bool {
	if !p.owed() {
		return true
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for p.owed() {
		select {
		case <-p.answered:
		case <-limit.C:
			p.leaveBehind()
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (p *pace) owed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for f := range p.followers {
		if f.owes && !f.behind {
			return true
		}
	}
	return false
}

func (p *pace) leaveBehind() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for f := range p.followers {
		f.behind = f.owes
	}
}

// send tells everybody the model time. At most one beat is on its way to each, so no write waits for a reader.
func (p *pace) send(at time.Time) {
	var frame [8]byte
	binary.BigEndian.PutUint64(frame[:], uint64(at.Sub(p.started)))
	p.mu.Lock()
	defer p.mu.Unlock()
	for f := range p.followers {
		if f.owes {
			continue
		}
		f.owes = true
		if _, err := f.conn.Write(frame[:]); err != nil {
			delete(p.followers, f) // it left; follow notices too
		}
	}
}

// follow serves an attached connection until it ends. Each byte from it says that it is ready for the next beat.
func (p *pace) follow(conn net.Conn) {
	f := &follower{conn: conn, owes: true}
	p.mu.Lock()
	p.followers[f] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.followers, f)
		p.mu.Unlock()
		p.poke()
	}()
	var ready [1]byte
	for {
		if _, err := conn.Read(ready[:]); err != nil {
			return
		}
		p.mu.Lock()
		f.owes, f.behind = false, false
		p.mu.Unlock()
		p.poke()
	}
}

func (p *pace) poke() {
	select {
	case p.answered <- struct{}{}:
	default:
	}
}
