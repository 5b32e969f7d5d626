package chaos_test

import (
	"context"
	"errors"
	"sync"
)

// errDead is what a coordinator whose life is over meets at every seam.
var errDead = errors.New("this life is over")

// life is one coordinator's life. It passes points, in an order that is the run's own, and may end at one of them. Nothing
// that goes through a seam happens after that.
type life struct {
	// at decides at each point whether the life ends there; n counts the life's points from 1.
	at  func(n int, point string) bool
	end context.CancelFunc

	mu     sync.Mutex
	passed int
	dead   bool
	// last is the point at which it ended.
	last string
}

// point is passed, or is the end. The error says that nothing may happen any more.
func (l *life) point(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	l.passed++
	if l.at != nil && l.at(l.passed, name) {
		l.dead, l.last = true, name
		l.end()
		return errDead
	}
	return nil
}

// over tells whether the life has ended at a point.
func (l *life) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// around does something between two points of its name. An act that was done in a life that ends right after it is done,
// and nobody heard of it.
func (l *life) around(name string, do func() error) error {
	if err := l.point(name + " before"); err != nil {
		return err
	}
	err := do()
	if ended := l.point(name + " after"); ended != nil {
		return ended
	}
	return err
}
