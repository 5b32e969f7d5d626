package winnode_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
	"cau/plugins"
)

// leases is a cluster's lease as its members keep it: one that all of them see.
type leases struct {
	mu      sync.Mutex
	now     agent.Lease
	highest int64 // epoch that there ever was: none comes again
}

func (c *leases) on(s *site) {
	s.on(agent.OpLeaseRead, func(json.RawMessage) (any, *agent.OpError) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.now, nil
	})
	s.on(agent.OpLeaseTake, func(args json.RawMessage) (any, *agent.OpError) {
		var a agent.LeaseTakeArgs
		if err := json.Unmarshal(args, &a); err != nil {
			s.t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.now.Epoch != a.Expect {
			return c.now, nil
		}
		c.highest++
		c.now = agent.Lease{Epoch: c.highest, Run: a.Run, Holder: a.Holder, RenewedUTC: "2026-11-20T09:59:00Z"}
		taken := c.now
		taken.Taken = true
		return taken, nil
	})
	for _, op := range []string{agent.OpLeaseRenew, agent.OpLeaseDrop} {
		s.on(op, func(args json.RawMessage) (any, *agent.OpError) {
			var a agent.LeaseArgs
			if err := json.Unmarshal(args, &a); err != nil {
				s.t.Error(err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.now.Epoch != a.Epoch || c.now.Run != a.Run || c.now.Holder != a.Holder {
				return nil, &agent.OpError{Kind: "fenced", Message: "another lease is newer"}
			}
			c.now.RenewedUTC = "2026-11-20T10:00:00Z"
			if op == agent.OpLeaseDrop {
				c.now = agent.Lease{}
			}
			return c.now, nil
		})
	}
}

func TestR27_TheLeaseIsTakenRenewedAndDropped(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	(&leases{}).on(s)
	ctx := t.Context()
	if l, err := f.ReadLease(ctx); err != nil || l.Epoch != 0 || l.Age() >= 0 {
		t.Fatalf("%+v %v", l, err)
	}
	l, err := f.TakeLease(ctx, 0, "r1", "host-1")
	if err != nil || !l.Taken || l.Epoch != 1 || l.Age() != time.Minute {
		t.Fatalf("%+v %v", l, err)
	}
	if l, err := f.TakeLease(ctx, 0, "r2", "host-2"); err != nil || l.Taken || l.Epoch != 1 || l.Holder != "host-1" {
		t.Errorf("the loser: %+v %v", l, err)
	}
	if l, err := f.RenewLease(ctx, 1, "r1", "host-1"); err != nil || l.Age() != 0 {
		t.Errorf("%+v %v", l, err)
	}
	if _, err := f.RenewLease(ctx, 1, "r2", "host-2"); !errors.Is(err, winnode.ErrFenced) {
		t.Errorf("somebody else's lease was renewed: %v", err)
	}
	if err := f.DropLease(ctx, 1, "r1", "host-1"); err != nil {
		t.Error(err)
	}
	if l, err := f.TakeLease(ctx, 0, "r2", "host-2"); err != nil || !l.Taken || l.Epoch != 2 {
		t.Errorf("after one that was dropped: %+v %v", l, err)
	}
}

func TestR27_ALostAnswerDoesNotLoseTheLease(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	(&leases{}).on(s)
	s.at("N1").lose = []error{nil, &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: errors.New("reset")}}
	if l, err := f.ReadLease(t.Context()); err != nil || l.AnsweredBy != "N1" {
		t.Fatalf("%+v %v", l, err)
	}
	l, err := f.TakeLease(t.Context(), 0, "r1", "host-1")
	if err != nil || !l.Taken || l.Epoch != 1 || l.AnsweredBy != "N2" {
		t.Errorf("%+v %v", l, err)
	}
}

func TestR27_AtMostOneOfManyTakesAnEpoch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &site{t: t, machines: map[string]*machine{}, clock: &clock{now: time.Unix(0, 0)}}
		cfg := winnode.Config{Dialer: s, Clock: s.clock}
		for _, n := range []string{"N1", "N2", "N3"} {
			s.machines["at-"+n] = &machine{t: t, name: n, ops: map[string]operation{}}
			cfg.Nodes = append(cfg.Nodes, winnode.NodeAddress{Name: n, Address: "at-" + n})
		}
		(&leases{}).on(s)
		lost := &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: errors.New("reset")}
		owner := map[int64]string{}
		for _, who := range rapid.Permutation([]string{"a", "b", "c"}).Draw(rt, "order") {
			f, err := winnode.New(cfg)
			if err != nil {
				rt.Fatal(err)
			}
			for _, m := range s.machines {
				m.lose = nil
				if rapid.Bool().Draw(rt, "loses an answer") {
					m.lose = []error{lost}
				}
			}
			l, err := f.TakeLease(t.Context(), 0, "r1", who)
			f.Close()
			if err != nil || !l.Taken {
				continue
			}
			if owner[l.Epoch] != "" {
				rt.Fatalf("epoch %d belongs to %s and %s", l.Epoch, owner[l.Epoch], who)
			}
			owner[l.Epoch] = who
		}
	})
}

func TestR27_AnAnswerThatNamesNoEpochIsNone(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	s.on(agent.OpLeaseRead, give(struct{}{}))
	if l, err := f.ReadLease(t.Context()); err == nil {
		t.Errorf("%+v", l)
	}
	s.on(agent.OpLeaseTake, give(agent.Lease{Epoch: 9, Run: "r9", Holder: "x", Taken: true}))
	if l, err := f.TakeLease(t.Context(), 0, "r1", "h"); err == nil {
		t.Errorf("another lease than the asked for was taken: %+v", l)
	}
	s.on(agent.OpLeaseRead, give(agent.Lease{Epoch: 2, Run: "r1", Holder: "h\x1b", RenewedUTC: "yesterday"}))
	if l, err := f.ReadLease(t.Context()); err != nil || !l.Renewed.IsZero() || l.Age() >= 0 || l.Holder != "h" {
		t.Errorf("an unreadable time is an age: %+v %v", l, err)
	}
}

func TestR33_ALeaseWithABadNameNeverLeaves(t *testing.T) {
	s, f := newSite(t, "N1")
	for _, c := range []struct {
		epoch       int64
		run, holder string
	}{{-1, "r1", "h"}, {0, "R 1", "h"}, {0, "r1", ""}, {0, "r1", "a\nb"}, {0, "r1", strings.Repeat("x", 999)}} {
		if _, err := f.TakeLease(t.Context(), c.epoch, c.run, c.holder); err == nil {
			t.Errorf("%+v", c)
		}
		if err := f.DropLease(t.Context(), c.epoch, c.run, c.holder); err == nil {
			t.Errorf("%+v", c)
		}
	}
	if err := f.DropLease(t.Context(), 0, "r1", "h"); err == nil {
		t.Error("epoch 0 was dropped")
	}
	if s.at("N1").shells != 0 {
		t.Error("something left")
	}
}

func TestR27_EveryChangeCarriesTheEpochAndNothingElseDoes(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	(&leases{}).on(s)
	f.Fence(7)
	ctx, n := t.Context(), f.Node("N1")
	s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
	s.on(agent.OpNodeRestart, give(agent.Restart{}))
	s.on(agent.OpJobStart, give(agent.JobStart{}))
	s.on(agent.OpJobPoll, give(done))
	s.on(agent.OpClusterGet, give(threeUp()))
	for _, op := range []string{agent.OpNodePause, agent.OpNodeResume, agent.OpStorageMaintenance, agent.OpNodeClean, agent.OpJobDelete, agent.OpPushClose, agent.OpGroupMove, agent.OpCauLockTake} {
		s.on(op, give(struct{}{}))
	}
	const guid = "12345678-1234-1234-1234-123456789abc"
	for _, do := range []func() error{
		func() error { return f.Pause(ctx, "N1", engine.DrainRoles) },
		func() error { return f.Resume(ctx, "N1", engine.FailbackNone) },
		func() error { return f.StorageMaintenance(ctx, "N1", true) },
		func() error { return f.MoveGroup(ctx, "VM", "N1") },
		func() error { return f.TakeCauLock(ctx, guid) },
		func() error { return n.Clean(ctx, "r1") },
		func() error { return n.Restart(ctx, "1", "x") },
		func() error { return n.ClosePush(ctx, "r1") },
		func() error { _, err := n.DeleteJob(ctx, "r1", "j"); return err },
		func() error { _, err := n.RunJob(ctx, installer, nil); return err },
		func() error { _, err := f.Describe(ctx, ""); return err },
		func() error { _, err := f.ReadLease(ctx); return err },
		func() error { _, err := f.TakeLease(ctx, 0, "r1", "h"); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int64{}
	for _, m := range s.machines {
		for op, epoch := range m.epochs {
			seen[op] = epoch
		}
	}
	for op, epoch := range seen {
		reads := op == agent.OpBootInfo || op == agent.OpJobPoll || op == agent.OpClusterGet || strings.HasPrefix(op, "lease.")
		if (epoch == 7) == reads || (epoch == 0) != reads {
			t.Errorf("%s carries epoch %d", op, epoch)
		}
	}
	if len(seen) < 14 {
		t.Errorf("only %v were asked for", seen)
	}
}

func TestR27_AFencedRefusalIsTypedAndFinal(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	for _, op := range []string{agent.OpNodePause, agent.OpJobStart, agent.OpNodeClean} {
		s.on(op, refuse("fenced", 0))
	}
	f.Fence(1)
	err := f.Pause(t.Context(), "N1", engine.DrainRoles)
	var e *fault.Error
	select {
	case <-f.Fenced():
	default:
		t.Error("whoever waits to hear that it was replaced does not")
	}
	if !errors.Is(err, winnode.ErrFenced) || !errors.As(err, &e) || e.Node != "N1" || s.at("N3").shells != 0 {
		t.Errorf("%v", err)
	}
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); !errors.Is(err, winnode.ErrFenced) || errors.Is(err, plugins.ErrJobFailed) || len(s.clock.slept) != 0 {
		t.Errorf("%v after %v", err, s.clock.slept)
	}
	if err := f.Node("N1").Clean(t.Context(), "r1"); !errors.Is(err, winnode.ErrFenced) {
		t.Error(err)
	}
	s.on(agent.OpNodePause, refuse("refused", 0))
	if err := f.Pause(t.Context(), "N1", engine.DrainRoles); errors.Is(err, winnode.ErrFenced) {
		t.Error("every refusal counts as fenced")
	}
}

func TestR12_OurOwnLockIsNoForeignRun(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	const ours = "0a345678-1234-1234-1234-123456789abc"
	s.on(agent.OpCauLockTake, give(struct{}{}))
	s.on(agent.OpCauLockDrop, give(struct{}{}))
	s.on(agent.OpCauRuns, give(agent.CauRuns{Available: true, Runs: []string{"{" + strings.ToUpper(ours) + "}", "{other}"}}))
	foreign := func() string {
		t.Helper()
		runs, err := f.ForeignRuns(t.Context(), "N1")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(runs)
	}
	before := foreign()
	if err := f.TakeCauLock(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	if got := foreign(); strings.Contains(strings.ToLower(got), ours) || !strings.Contains(got, "other") {
		t.Error(got)
	}
	if err := f.DropCauLock(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	if foreign() != before {
		t.Error("a lock that is not ours any more is still left out")
	}
	if err := f.TakeCauLock(t.Context(), "{x}"); err == nil {
		t.Error("no GUID")
	}
}
