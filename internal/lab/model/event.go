package model

import (
	"container/heap"
	"time"
)

// event is something that happens at a moment of model time.
type event struct {
	at  time.Time
	seq int // events of one moment happen in the order they were made
	act func()
}

type eventQueue []event

// Len, Less, Swap, Push and Pop make it a heap.
func (q eventQueue) Len() int { return len(q) }

func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}

func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }

func (q *eventQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// after lets act happen d of model time from now. The caller holds the lock, and so does act.
func (w *World) after(d time.Duration, act func()) {
	w.seq++
	heap.Push(&w.queue, event{at: w.now.Add(d), seq: w.seq, act: act})
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

// atLeast is d of model time, or more, so that it takes no less than least of real time.
func (w *World) atLeast(d, least time.Duration) time.Duration {
	if takes := w.clock.Until(w.clock.Now().Add(d)); takes > 0 && takes < least {
		return time.Duration(float64(d) * float64(least) / float64(takes))
	}
	return d
}

// settle lets everything happen that is due. The caller holds the lock.
func (w *World) settle() {
	now := w.clock.Now()
	for len(w.queue) > 0 && !w.queue[0].at.After(now) {
		e, _ := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.act()
	}
	if now.After(w.now) {
		w.now = now
	}
}

// lock gives the world at the present moment; the caller must call the returned function.
func (w *World) lock() (unlock func()) {
	w.mu.Lock()
	w.settle()
	return w.mu.Unlock
}
