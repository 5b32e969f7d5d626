package coordinator

import (
	"context"
	"errors"
	"testing"

	"cau/engine"
)

func TestARequestIsAnsweredWhenItIsRecordedAndNotBefore(t *testing.T) {
	d := newDesk()
	answer := make(chan error, 1)
	go func() { answer <- d.ask(t.Context(), engine.Control{Verb: engine.VerbPause}) }()
	<-d.control
	select {
	case err := <-answer:
		t.Fatalf("answered %v before it was recorded", err)
	default:
	}
	d.answered(nil)
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

func TestARequestThatCannotBeRecordedFails(t *testing.T) {
	d, full := newDesk(), errors.New("disk full")
	answer := make(chan error, 1)
	go func() { answer <- d.ask(t.Context(), engine.Control{Verb: engine.VerbStop}) }()
	<-d.control
	d.answered(full)
	if err := <-answer; !errors.Is(err, full) {
		t.Fatalf("%v", err)
	}
}

func TestAnAnswerGoesToWhoeverAskedForIt(t *testing.T) {
	d := newDesk()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- d.ask(ctx, engine.Control{Verb: engine.VerbPause}) }()
	<-d.control
	cancel() // went away after the engine took the request
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	answer := make(chan error, 1)
	go func() { answer <- d.ask(t.Context(), engine.Control{Verb: engine.VerbStop}) }()
	<-d.control
	first := errors.New("the first one's answer")
	d.answered(first)
	d.answered(nil)
	if err := <-answer; err != nil {
		t.Fatalf("the second got %v", err)
	}
}

func TestWhoeverWaitsWhenTheRunIsOverIsToldSo(t *testing.T) {
	d := newDesk()
	waiting, late := make(chan error, 2), make(chan error, 1)
	go func() { waiting <- d.ask(t.Context(), engine.Control{Verb: engine.VerbPause}) }()
	<-d.control
	go func() { waiting <- d.ask(t.Context(), engine.Control{Verb: engine.VerbPause}) }()
	d.close(ErrEnded)
	for range 2 {
		if err := <-waiting; !errors.Is(err, ErrEnded) {
			t.Errorf("%v", err)
		}
	}
	go func() { late <- d.ask(t.Context(), engine.Control{Verb: engine.VerbPause}) }()
	if err := <-late; !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
}
