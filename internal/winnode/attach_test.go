package winnode_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
	"cau/plugins"
)

func TestR19_AttachingFollowsAJobToItsEndAndNeverStartsOne(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{started, running, done}}
	j.on(s)
	var kinds []string
	got, err := f.Node("N1").AttachJob(t.Context(), installer, func(e plugins.JobEvent) { kinds = append(kinds, e.Kind) })
	if err != nil || string(got) != `{"exit_code":3010,"log":"C:\\x.log"}` || !slices.Equal(kinds, []string{"started"}) {
		t.Errorf("%s %v %v", got, err, kinds)
	}
	if s.at("N1").count(agent.OpJobStart) != 0 {
		t.Error("a job was asked to start")
	}
}

func TestR19_AttachingToNoJobIsALostOne(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpJobCancel, give(agent.JobCancel{Exists: true}))
	for name, c := range map[string]struct {
		steps  []agent.JobPoll
		want   error
		cancel int
	}{
		"none":         {[]agent.JobPoll{{}}, winnode.ErrNoJob, 0},
		"died":         {[]agent.JobPoll{started, dead}, plugins.ErrJobLost, 0},
		"never begins": {[]agent.JobPoll{ready}, plugins.ErrJobLost, 1},
	} {
		j := &script{steps: c.steps}
		j.on(s)
		before := s.at("N1").count(agent.OpJobCancel)
		_, err := f.Node("N1").AttachJob(t.Context(), installer, nil)
		if !errors.Is(err, plugins.ErrJobLost) || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.at("N1").count(agent.OpJobCancel) - before; got != c.cancel {
			t.Errorf("%s: %d notes to cancel", name, got)
		}
	}
	if s.at("N1").count(agent.OpJobStart) != 0 {
		t.Error("a job that is not there was started")
	}
}

func TestR19_AttachingWaitsForANodeThatIsAwayAndSaysWhenItStaysAway(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	j := &script{steps: []agent.JobPoll{started, running, done}}
	j.on(s)
	m.fail = append([]error{nil, nil}, slices.Repeat([]error{errAway}, 20)...)
	if _, err := f.Node("N1").AttachJob(t.Context(), installer, nil); err != nil {
		t.Errorf("it came back: %v", err)
	}
	j.polls, j.steps = nil, []agent.JobPoll{started, running}
	begun := s.clock.Now()
	m.fail = slices.Repeat([]error{errAway}, 2000)
	_, err := f.Node("N1").AttachJob(t.Context(), installer, nil)
	if err == nil || errors.Is(err, plugins.ErrJobLost) || s.clock.Now().Sub(begun) < 30*time.Minute {
		t.Errorf("after %s: %v", s.clock.Now().Sub(begun), err)
	}
	if m.count(agent.OpJobStart) != 0 {
		t.Error("a job was asked to start")
	}
}

func TestACancelledAttachmentLeavesTheJobAlone(t *testing.T) {
	s, f := newSite(t, "N1")
	ctx, cancel := context.WithCancel(t.Context())
	j := &script{steps: []agent.JobPoll{started, running}}
	j.on(s)
	if _, err := f.Node("N1").AttachJob(ctx, installer, func(plugins.JobEvent) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, op := range s.at("N1").calls() {
		if op != "upload" && op != agent.OpJobPoll {
			t.Errorf("the job was met with %s", op)
		}
	}
	job := installer
	job.ID = `..\x`
	if _, err := f.Node("N1").AttachJob(t.Context(), job, nil); err == nil {
		t.Error("a job that cannot be")
	}
}

// A job whose task begins only after nobody counts with it any more would install on a node that is held.
func TestR18_AJobThatDoesNotBeginInTimeIsKeptFromBeginningLater(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{queued}}
	j.on(s)
	s.on(agent.OpJobCancel, give(agent.JobCancel{Exists: true}))
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); !errors.Is(err, plugins.ErrJobLost) || s.at("N1").count(agent.OpJobCancel) != 1 {
		t.Errorf("%v, %v", err, s.at("N1").calls())
	}
	s.on(agent.OpJobCancel, refuse("win32", 5))
	j.polls = nil
	warned := 0
	_, err := f.Node("N1").RunJob(t.Context(), installer, func(e plugins.JobEvent) {
		if e.Kind == "warning" {
			warned++
		}
	})
	if !errors.Is(err, plugins.ErrJobLost) || warned != 1 {
		t.Errorf("%v, %d warnings", err, warned)
	}
}

func TestR05_ACredentialThatEndedIsToldApartFromANodeThatIsAway(t *testing.T) {
	for _, c := range []struct {
		err  error
		over bool
	}{
		{&wsman.AuthError{Reason: wsman.Rejected}, true},
		{&wsman.AuthError{Reason: wsman.Locked}, true},
		{&wsman.AuthError{Reason: wsman.PasswordExpired}, true},
		{&wsman.AuthError{Reason: wsman.Expired}, true},
		{&wsman.AuthError{Reason: wsman.NoTicket}, true},
		{&wsman.AuthError{Reason: wsman.Expired, FromNode: true}, false},
		{&wsman.AuthError{Reason: wsman.TicketRefused, FromNode: true}, false},
		{&wsman.AuthError{Reason: wsman.NotSealed}, false},
		{errAway, false},
	} {
		s, f := newSite(t, "N1", "N2")
		s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
		s.at("N1").fail = slices.Repeat([]error{c.err}, 9)
		_, err := f.Node("N1").Boot(t.Context())
		if errors.Is(err, engine.ErrCredential) != c.over || !errors.Is(err, c.err) {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}

func TestR05_WhoeverWaitsForAJobIsToldOfTheCredentialAtOnce(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	j := &script{steps: []agent.JobPoll{started, running, done}}
	j.on(s)
	m.fail = append([]error{nil, nil, nil}, &wsman.AuthError{Reason: wsman.Expired})
	begun := s.clock.Now()
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); !errors.Is(err, engine.ErrCredential) || errors.Is(err, plugins.ErrJobLost) || s.clock.Now().Sub(begun) > time.Minute {
		t.Errorf("after %s: %v", s.clock.Now().Sub(begun), err)
	}
	// With another ticket the same job is found.
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); err != nil || len(j.began) != 2 || j.began[0] != j.began[1] {
		t.Errorf("%v %+v", err, j.began)
	}
}
