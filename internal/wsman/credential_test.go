package wsman_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"cau/internal/wsman"
)

func rejected(err error) bool {
	var auth *wsman.AuthError
	return errors.As(err, &auth) && auth.Reason == wsman.Rejected
}

func TestR02_AWrongPasswordIsProvenWrongOnce(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t, func(c *wsman.Config) { c.Auth = wsman.NTLM(user, domain, "wrong-"+password) })
	for range 3 {
		_, err := n.Run(t.Context(), "echo x", nil)
		if !rejected(err) || wsman.Retryable(err) || !strings.Contains(wsman.Hint(err), "will not be tried again") || strings.Contains(err.Error(), user) {
			t.Fatalf("got %v", err)
		}
	}
	if s.logons() != 1 || s.book.FailedLogons(domain, user) != 1 || s.requests() != 2 || s.count("Create") != 0 {
		t.Fatalf("%d type 3 messages, %d failed logons, %d requests", s.logons(), s.book.FailedLogons(domain, user), s.requests())
	}
}

func TestR02_SixtyFourNodesAtOnceCostOneFailedLogon(t *testing.T) {
	s := newWinServer(t, false)
	wrong := wsman.NTLM(user, domain, "wrong-"+password)
	var group sync.WaitGroup
	for range 64 {
		n := s.node(t, func(c *wsman.Config) { c.Auth = wrong })
		group.Go(func() {
			if _, err := n.Run(t.Context(), "echo x", nil); !rejected(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if s.logons() != 1 || wrong.Rejected() == nil {
		t.Fatalf("%d logons were tried", s.logons())
	}
}

func TestR02_TheOthersWaitForTheFirst(t *testing.T) {
	first, others := newWinServer(t, false), newWinServer(t, false)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	first.refuseProof = func(http.ResponseWriter) bool {
		arrived <- struct{}{}
		<-release
		return false
	}
	shared := wsman.NTLM(user, domain, password)
	share := func(c *wsman.Config) { c.Auth = shared }
	var group sync.WaitGroup
	try := func(n *wsman.Node) {
		group.Go(func() {
			if _, err := n.Run(t.Context(), "echo x", nil); err != nil {
				t.Error(err)
			}
		})
	}
	try(first.node(t, share))
	<-arrived
	for range 8 {
		try(others.node(t, share))
	}
	if others.requests() != 0 {
		t.Error("a node was tried before the first one said yes")
	}
	close(release)
	group.Wait()
	if others.logons() != 8 {
		t.Fatalf("%d logons on the others", others.logons())
	}
}

// A lost answer to the proof may have been a failed logon; nobody sends the proof again on his own.
func TestR02_AProofWithoutAnAnswerIsNotRepeated(t *testing.T) {
	s := newWinServer(t, false)
	s.refuseProof = hang
	_, err := s.node(t).Run(t.Context(), "echo x", nil)
	var c *wsman.ConnError
	if !errors.As(err, &c) || c.Op != "authenticate" || c.Stage != wsman.Maybe || wsman.Retryable(err) || s.logons() != 1 {
		t.Fatalf("%v after %d logons", err, s.logons())
	}
}

func TestR02_ACredentialThatStopsWorkingIsNotTriedAgain(t *testing.T) {
	s := newWinServer(t, false)
	shared := wsman.NTLM(user, domain, password)
	n, other := s.node(t, func(c *wsman.Config) { c.Auth = shared }), s.node(t, func(c *wsman.Config) { c.Auth = shared })
	run(t, n, "echo 1")
	n.Age(0)
	s.mu.Lock()
	s.refuseProof = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusUnauthorized); return true }
	s.mu.Unlock()
	for range 2 {
		if _, err := other.Run(t.Context(), "echo 2", nil); !rejected(err) {
			t.Fatalf("got %v", err)
		}
	}
	if s.logons() != 2 {
		t.Fatalf("%d logons", s.logons())
	}
	if r := run(t, n, "echo 3"); string(r.Stdout) != "3" {
		t.Fatal("a connection that is logged on needs no new logon")
	}
}

func TestR04_ACredentialPrintsNothingOfItself(t *testing.T) {
	c := wsman.NTLM(user, domain, password)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{c, wsman.Config{Addr: "x:1", Auth: c}} {
			if s := fmt.Sprintf(format, v); strings.Contains(s, password) || strings.Contains(s, user) {
				t.Errorf("%s shows %s", format, s)
			}
		}
	}
}
