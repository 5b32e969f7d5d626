package wsman_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"cau/internal/wsman"
)

// A secret that was good may stop being good: it was changed, or one node refuses it right after its restart.
func TestR02_SixtyFourReconnectsAtOnceCostOneFailedLogon(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	shared := wsman.NTLM(user, domain, password)
	nodes := make([]*wsman.Node, 64)
	each := func(f func(n *wsman.Node)) {
		var group sync.WaitGroup
		for _, n := range nodes {
			group.Go(func() { f(n) })
		}
		group.Wait()
	}
	for i := range nodes {
		nodes[i] = s.node(t, func(c *wsman.Config) { c.Auth = shared })
	}
	each(func(n *wsman.Node) {
		if _, err := n.Run(t.Context(), "echo 1", nil); err != nil {
			t.Error(err)
		}
		n.Age(0)
	})
	before := s.logons()
	var atOnce, most, failed atomic.Int64
	s.mu.Lock()
	s.refuseProof = func(w http.ResponseWriter) bool {
		most.Store(max(most.Load(), atOnce.Add(1)))
		defer atOnce.Add(-1)
		failed.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	s.mu.Unlock()
	for _, n := range nodes {
		n.Drop()
	}
	each(func(n *wsman.Node) {
		if _, err := n.Run(t.Context(), "echo 2", nil); !wsman.Final(err) {
			t.Errorf("got %v", err)
		}
	})
	if failed.Load() != 1 || s.logons() != before+1 || most.Load() != 1 || shared.Rejected() == nil {
		t.Fatalf("%d failed logons, %d proofs", failed.Load(), s.logons()-before)
	}
}

func TestR02_ProofsAfterTheFirstAreStillSentOneAtATime(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	shared := wsman.NTLM(user, domain, password)
	var atOnce, most atomic.Int64
	s.refuseProof = func(http.ResponseWriter) bool {
		most.Store(max(most.Load(), atOnce.Add(1)))
		atOnce.Add(-1)
		return false
	}
	var group sync.WaitGroup
	for range 32 {
		n := s.node(t, func(c *wsman.Config) { c.Auth = shared })
		group.Go(func() {
			for range 3 {
				if _, err := n.Run(t.Context(), "echo x", nil); err != nil {
					t.Error(err)
				}
				n.Drop()
			}
		})
	}
	group.Wait()
	if most.Load() != 1 {
		t.Fatalf("%d proofs were under way at once", most.Load())
	}
}
