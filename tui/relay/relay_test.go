package relay_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"cau/engine"
	"cau/tui/backend"
	"cau/tui/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// carry runs a relay in a bubble whose time stands still while anything can happen, and gives what it sent.
func carry(t *testing.T, f func(ctx context.Context, r *relay.Relay, sent func() []relay.Batch)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		r := relay.New()
		var got []relay.Batch
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Run(ctx, func(b relay.Batch) { got = append(got, b) })
		}()
		f(ctx, r, func() []relay.Batch {
			synctest.Wait()
			return slices.Clone(got)
		})
		stop()
		<-ended
	})
}

func snap(n int) backend.Snapshot {
	return backend.Snapshot{State: engine.State{Run: "r", Facts: n}, Alive: true, Lines: []backend.LogLine{{Text: fmt.Sprint(n)}}}
}

func TestNewsIsMergedToOneBatchPerInterval(t *testing.T) {
	carry(t, func(ctx context.Context, r *relay.Relay, sent func() []relay.Batch) {
		news := make(chan backend.Snapshot)
		r.Follow(ctx, 7, news)
		first := snap(0)
		first.Plan = &engine.Plan{Run: "r"}
		news <- first
		time.Sleep(time.Millisecond)
		if got := sent(); len(got) != 1 || got[0].Watch != 7 {
			t.Fatalf("the first news waits: %+v", got)
		}
		for i := 1; i <= 40; i++ { // 20 a second for two seconds
			news <- snap(i)
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(relay.Interval)
		got := sent()
		if len(got) < 8 || len(got) > 10 {
			t.Fatalf("%d batches in two seconds", len(got))
		}
		var lines []string
		for _, b := range got {
			for _, l := range b.Snapshot.Lines {
				lines = append(lines, l.Text)
			}
		}
		if len(lines) != 41 || lines[40] != "40" {
			t.Errorf("lines %v", lines)
		}
		if last := got[len(got)-1].Snapshot.State.Facts; last != 40 {
			t.Errorf("the newest state is %d", last)
		}
	})
}

func TestThePlanOfTheFirstSnapshotSurvivesMerging(t *testing.T) {
	carry(t, func(ctx context.Context, r *relay.Relay, sent func() []relay.Batch) {
		r.Note(ctx, 1, "just before") // so that the news below has to wait for the next batch
		time.Sleep(time.Millisecond)
		news := make(chan backend.Snapshot)
		r.Follow(ctx, 7, news)
		first := snap(0)
		first.Plan = &engine.Plan{Run: "r"}
		news <- first
		news <- snap(1)
		close(news)
		time.Sleep(relay.Interval)
		got := sent()
		b := got[len(got)-1]
		if len(got) != 2 || b.Snapshot.Plan == nil || b.Snapshot.State.Facts != 1 || !b.Closed || len(b.Snapshot.Lines) != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatOneBatchKeepsIsBounded(t *testing.T) {
	carry(t, func(ctx context.Context, r *relay.Relay, sent func() []relay.Batch) {
		news := make(chan backend.Snapshot)
		r.Follow(ctx, 7, news)
		for i := range 3 * relay.MaxLines {
			news <- snap(i)
			r.Note(ctx, 1, "note")
		}
		time.Sleep(relay.Interval)
		for _, b := range sent() {
			if len(b.Snapshot.Lines) > relay.MaxLines || len(b.Notes) > relay.MaxNotes {
				t.Errorf("%d lines, %d notes", len(b.Snapshot.Lines), len(b.Notes))
			}
		}
	})
}

func TestAnotherRunTakesThePlaceOfTheOneBefore(t *testing.T) {
	carry(t, func(ctx context.Context, r *relay.Relay, sent func() []relay.Batch) {
		r.Note(ctx, 1, "just before")
		time.Sleep(time.Millisecond)
		old, news := make(chan backend.Snapshot), make(chan backend.Snapshot)
		r.Follow(ctx, 1, old)
		old <- snap(1)
		r.Follow(ctx, 2, news)
		news <- snap(2)
		time.Sleep(relay.Interval)
		got := sent()
		b := got[len(got)-1]
		if b.Watch != 2 || len(b.Snapshot.Lines) != 1 || b.Snapshot.Lines[0].Text != "2" {
			t.Errorf("%+v", b)
		}
	})
}

func TestATerminalThatStallsHoldsUpOnlyTheRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		r := relay.New()
		stalled, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			r.Run(ctx, func(relay.Batch) { <-stalled })
		}()
		r.Note(ctx, 1, "one")
		time.Sleep(time.Millisecond) // now send blocks
		asked, giveUp := context.WithTimeout(ctx, time.Second)
		r.Note(asked, 1, "two")
		giveUp()
		close(stalled)
		stop()
		<-ended
	})
}
