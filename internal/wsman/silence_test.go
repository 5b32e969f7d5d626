package wsman_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"cau/internal/wsman"
)

func TestALostReceiveIsRepeatedOnANewConnection(t *testing.T) {
	s := newWinServer(t, false)
	s.intercept = func(op string, n int, w http.ResponseWriter) bool { return op == "Receive" && n == 1 && hang(w) }
	n := s.node(t)
	if r := run(t, n, "echo kept"); string(r.Stdout) != "kept" || r.Repeats != 1 || r.Receives != 2 || n.Stats().Handshakes != 2 || s.count("Command") != 1 {
		t.Fatalf("%+v, %+v, %v", r, n.Stats(), s.heard())
	}
}

func TestAConnectionThatDiedIdleIsNoticedBeforeAnythingIsSent(t *testing.T) {
	for name, age := range map[string]time.Duration{"peek": 2 * time.Second, "too old": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, false)
			n := s.node(t)
			run(t, n, "echo 1")
			n.Age(0) // the Signal is out
			if age < time.Minute {
				s.CloseClientConnections()
			}
			n.Age(age)
			if r := run(t, n, "echo 2"); string(r.Stdout) != "2" || n.Stats().Dials != 2 || s.count("Create") != 1 || s.count("Command") != 2 {
				t.Fatalf("%+v, %+v, %v", r, n.Stats(), s.heard())
			}
		})
	}
	t.Run("alive", func(t *testing.T) {
		s := newWinServer(t, false)
		n := s.node(t)
		run(t, n, "echo 1")
		n.Age(2 * time.Second)
		if r := run(t, n, "echo 2"); string(r.Stdout) != "2" || n.Stats().Dials != 1 {
			t.Fatalf("%+v, %+v", r, n.Stats())
		}
	})
}

func TestASilentHostIsGivenUpByTheClock(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	n := s.node(t, func(c *wsman.Config) { c.DeadHost = 300 * time.Millisecond; c.TidyTimeout = 100 * time.Millisecond })
	began := time.Now()
	_, err := n.Run(t.Context(), "sleep", nil)
	if !errors.Is(err, wsman.ErrSilent) || time.Since(began) < 300*time.Millisecond || wsman.Hint(err) == "" {
		t.Fatalf("%v after %v", err, time.Since(began))
	}
}

func TestAnAnswerThatComesAtOnceWithoutNewsDoesNotMakeUsSpin(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	n := s.node(t)
	began := time.Now()
	r := run(t, n, "slow 4")
	if waited := time.Since(began); r.Receives != 5 || waited < 4*50*time.Millisecond {
		t.Fatalf("%d Receives in %v", r.Receives, waited)
	}
}

func TestCancelReturnsAtOnceAndEndsTheCommandBehind(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := n.Run(ctx, "sleep", nil)
		failed <- err
	}()
	<-s.receiving
	cancel()
	// The peer goes on holding the Receive until it sees the Signal: only the cancel can have ended Run.
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("Run gave %v", err)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.count("Signal") != 1 || s.count("Delete") != 1 || s.count("Command") != 1 {
		t.Fatalf("the server heard %v", s.heard())
	}
}

func TestCloseDeletesTheShellEvenWhenItsContextHasEnded(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	run(t, n, "echo x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Close(ctx); err != nil || s.count("Delete") != 1 {
		t.Fatalf("%v after %v", err, s.heard())
	}
}

func TestACancelledContextSendsNothing(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := n.Run(ctx, "echo x", nil)
	if !errors.Is(err, context.Canceled) || n.Stats() != (wsman.Stats{}) || !wsman.Retryable(err) {
		t.Fatalf("%v, %+v", err, n.Stats())
	}
	run(t, n, "echo 1")
	n.Age(0)
	before := n.Stats()
	if _, err = n.Run(ctx, "echo x", nil); !errors.Is(err, context.Canceled) || n.Stats() != before {
		t.Fatalf("%v, %+v", err, n.Stats())
	}
}

func TestOneThatWaitsForItsTurnObeysItsContext(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	first := make(chan error, 1)
	go func() {
		_, err := n.Run(context.WithoutCancel(t.Context()), "sleep", nil)
		first <- err
	}()
	<-s.receiving
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := n.Run(ctx, "echo x", nil); !errors.Is(err, context.DeadlineExceeded) || s.count("Command") != 1 {
		t.Fatalf("%v, %v", err, s.heard())
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-first; !errors.Is(err, wsman.ErrClosed) {
		t.Fatalf("the running command ended with %v", err)
	}
	if _, err := n.Run(t.Context(), "echo x", nil); !errors.Is(err, wsman.ErrClosed) || s.count("Command") != 1 {
		t.Fatalf("after Close: %v, %v", err, s.heard())
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatalf("closing twice: %v", err)
	}
}
