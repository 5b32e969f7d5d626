// Package relay carries a run's news to the screen at the screen's pace.
//
//	commands of tui -> relay -> the program's Send   (one goroutine, which alone calls it)
//
// A terminal that stops reading blocks Send for seconds. Then the relay waits, and nothing else does: news is
// merged meanwhile, the newest state wins and log lines are kept up to a bound.
package relay

import (
	"context"
	"slices"
	"time"

	"cau/tui/backend"
)

// Interval is the least time between two batches.
const Interval = 250 * time.Millisecond

// MaxLines bounds the log lines, and MaxNotes the notes, that one batch keeps: the newest.
const (
	MaxLines = 2000
	MaxNotes = 100
)

// Batch is what happened since the batch before.
type Batch struct {
	// Watch is the number that Follow was called with; 0 when there is no news of a run.
	Watch int
	// Snapshot is the newest one, with the lines of all that were merged into it.
	Snapshot backend.Snapshot
	// Closed: there will be no more news of this watch.
	Closed bool
	// Task is the number that Note was called with, Notes what was noted.
	Task  int
	Notes []string
}

// Relay is the carrier. Make it with New and run it once.
type Relay struct {
	follow chan following
	note   chan noted
}

type following struct {
	watch int
	news  <-chan backend.Snapshot
}

type noted struct {
	task int
	text string
}

// New makes a relay.
func New() *Relay { return &Relay{follow: make(chan following), note: make(chan noted)} }

// Follow hands over the news of a run, in place of any that was followed before. It returns when they are
// taken or ctx ends. Who made the channel ends it; the relay only stops reading.
func (r *Relay) Follow(ctx context.Context, watch int, news <-chan backend.Snapshot) {
	select {
	case r.follow <- following{watch, news}:
	case <-ctx.Done():
	}
}

// Note hands over one note of a task.
func (r *Relay) Note(ctx context.Context, task int, text string) {
	select {
	case r.note <- noted{task, text}:
	case <-ctx.Done():
	}
}

// Run carries until ctx ends. send may block; it must return once the program has ended.
func (r *Relay) Run(ctx context.Context, send func(Batch)) {
	var (
		news    <-chan backend.Snapshot
		watch   int
		pending *Batch
		due     <-chan time.Time
		last    = time.Now().Add(-Interval)
	)
	batch := func() *Batch {
		if pending == nil {
			pending = &Batch{}
			due = time.After(Interval - time.Since(last))
		}
		return pending
	}
	for {
		select {
		case f := <-r.follow:
			news, watch = f.news, f.watch
			if pending != nil {
				pending.Watch, pending.Snapshot, pending.Closed = 0, backend.Snapshot{}, false
			}
		case snap, open := <-news:
			b := batch()
			if open {
				b.merge(watch, snap)
				continue
			}
			news = nil
			b.Watch, b.Closed = watch, true
		case n := <-r.note:
			b := batch()
			if b.Task != n.task {
				b.Task, b.Notes = n.task, nil
			}
			b.Notes = append(b.Notes, n.text)
			b.Notes = b.Notes[max(0, len(b.Notes)-MaxNotes):]
		case <-due:
			send(*pending)
			last, pending, due = time.Now(), nil, nil
		case <-ctx.Done():
			return
		}
	}
}

func (b *Batch) merge(watch int, snap backend.Snapshot) {
	lines := snap.Lines
	if b.Watch == watch {
		lines = slices.Concat(b.Snapshot.Lines, snap.Lines)
		if snap.Plan == nil {
			snap.Plan, snap.History = b.Snapshot.Plan, b.Snapshot.History
		}
		if snap.State.Run == "" {
			snap.State = b.Snapshot.State
		}
	}
	snap.Lines = lines[max(0, len(lines)-MaxLines):]
	b.Watch, b.Snapshot = watch, snap
}
