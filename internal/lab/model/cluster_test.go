package model

import (
	"slices"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

func TestADrainPausesAtOnceAndMovesRolesOneByOne(t *testing.T) {
	b := newBench(t, Config{})
	before := b.owned("NODE1")
	if len(before) < 3 {
		t.Fatalf("NODE1 has too little to drain: %v", before)
	}
	ask[done](b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: "node1", DrainType: 1})
	m := b.memberView("NODE1")
	if m.State != nodePaused || m.DrainStatus != drainRunning || m.StatusInformation != 4 {
		t.Errorf("right after the pause: %+v", m)
	}
	if got := len(b.owned("NODE1")); got != len(before) {
		t.Errorf("%d of %d roles left at once", len(before)-got, len(before))
	}
	b.clock.advance(9 * time.Second)
	if got := len(b.owned("NODE1")); got != len(before)-1 {
		t.Errorf("after one live migration %d roles are left of %d", got, len(before))
	}
	pending := 0
	for _, g := range b.cluster().Groups {
		if g.State == groupPending {
			pending++
		}
	}
	if pending != 1 {
		t.Errorf("%d roles move at the same time", pending)
	}
	b.clock.advance(2 * time.Minute)
	m = b.memberView("NODE1")
	if m.State != nodePaused || m.DrainStatus != drainCompleted || len(b.owned("NODE1")) != 0 {
		t.Errorf("at the end: %+v, still there: %v", m, b.owned("NODE1"))
	}
}

func TestResumeFailsBackWhatTheDrainTookAway(t *testing.T) {
	for _, tc := range []struct {
		name     string
		failback int
		want     func(before, after []string) bool
	}{
		{"immediately", failbackImmediate, slices.Equal[[]string]},
		{"not at all", failbackNone, func(_, after []string) bool { return len(after) == 0 }},
		{"by policy", failbackPolicy, func(_, after []string) bool { return slices.Equal(after, []string{"FS-Data"}) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, Config{})
			own := b.owned("NODE2")
			ask[done](b, "NODE1", agent.OpNodePause, agent.PauseArgs{Node: "NODE2", DrainType: 1})
			b.clock.advance(2 * time.Minute)
			ask[done](b, "NODE1", agent.OpNodeResume, agent.ResumeArgs{Node: "NODE2", FailbackType: tc.failback})
			m := b.memberView("NODE2")
			if m.State != nodeUp || m.DrainStatus != drainNone {
				t.Errorf("resumed: %+v", m)
			}
			b.clock.advance(2 * time.Minute)
			if got := b.owned("NODE2"); !tc.want(own, got) {
				t.Errorf("owns %v, before the drain %v", got, own)
			}
		})
	}
}

func TestR32_WhatTheClusterRefuses(t *testing.T) {
	b := newBench(t, Config{})
	pause := func(node string) agent.PauseArgs { return agent.PauseArgs{Node: node, DrainType: 1} }
	if code := refused(b, "NODE2", agent.OpNodeResume, agent.ResumeArgs{Node: "NODE1"}); code != errNodeNotPaused {
		t.Errorf("resume of a node that is not paused: %d", code)
	}
	if code := refused(b, "NODE2", agent.OpNodePause, pause("NODE9")); code != errNodeNotFound {
		t.Errorf("pause of a node that does not exist: %d", code)
	}
	ask[done](b, "NODE2", agent.OpNodePause, pause("NODE1"))
	if code := refused(b, "NODE2", agent.OpNodePause, pause("NODE1")); code != errDrainInProgress {
		t.Errorf("a second drain during the first: %d", code)
	}
	b.clock.advance(2 * time.Minute)
	if code := refused(b, "NODE2", agent.OpNodePause, pause("NODE1")); code != errNodePaused {
		t.Errorf("pause of a paused node: %d", code)
	}
	b.restart("NODE1")
	b.clock.advance(15 * time.Second)
	if code := refused(b, "NODE2", agent.OpNodePause, pause("NODE1")); code != errNodeDown {
		t.Errorf("pause of a node that is down: %d", code)
	}
	if code := refused(b, "NODE2", agent.OpNodeResume, agent.ResumeArgs{Node: "NODE1"}); code != errNodeDown {
		t.Errorf("resume of a node that is down: %d", code)
	}
}

func TestR32_AQuorumLossIsForeseenAndRefused(t *testing.T) {
	loses := func(b *bench, node string) bool {
		return ask[agent.OfflineCheck](b, "NODE2", agent.OpClusterOffline, agent.NodeArgs{Node: node}).LosesQuorum
	}
	t.Run("the last member", func(t *testing.T) {
		b := newBench(t, Config{Nodes: 2, Scenario: Scenario{NeverReturns: []string{"NODE1"}}})
		if loses(b, "NODE1") {
			t.Error("two nodes and a witness do not survive without one node")
		}
		b.restart("NODE1")
		b.clock.advance(time.Minute)
		if !loses(b, "NODE2") {
			t.Error("the last member may go")
		}
		if code := refused(b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: "NODE2", DrainType: 1}); code != errNoQuorum {
			t.Errorf("its pause is refused with %d", code)
		}
	})
	t.Run("static votes", func(t *testing.T) {
		b := newBench(t, Config{Nodes: 3, Scenario: Scenario{StaticQuorum: true, NoWitness: true, NeverReturns: []string{"NODE1"}}})
		b.restart("NODE1")
		b.clock.advance(time.Minute)
		if !loses(b, "NODE3") {
			t.Error("one of three static votes is no majority")
		}
		b.restart("NODE3")
		b.clock.advance(20 * time.Second)
		if code := refused(b, "NODE2", agent.OpClusterGet, nil); code != errNodeDown {
			t.Errorf("a cluster without quorum answers %d", code)
		}
		b.clock.advance(2 * time.Minute)
		if m := b.memberView("NODE3"); m.State != nodeUp {
			t.Errorf("the cluster does not form again when a majority is back: %+v", m)
		}
	})
}

func TestDynamicVotesFollowTheMembers(t *testing.T) {
	b := newBench(t, Config{})
	if c := b.cluster(); c.WitnessWeight != 1 || !c.WitnessOnline {
		t.Errorf("four nodes: the witness must have a vote: %+v", c)
	}
	b.drain("NODE1")
	b.restart("NODE1")
	b.clock.advance(20 * time.Second)
	c := b.cluster()
	if c.WitnessWeight != 0 || c.Nodes[0].DynamicWeight != 0 || c.Nodes[0].State != nodeDown {
		t.Errorf("three members: %+v", c)
	}
	b.clock.advance(3 * time.Minute)
	if c := b.cluster(); c.WitnessWeight != 1 || c.Nodes[0].DynamicWeight != 1 {
		t.Errorf("four members again: %+v", c)
	}
}

func TestARestartGoesThroughItsSteps(t *testing.T) {
	b := newBench(t, Config{Scenario: Scenario{PendingRestart: []string{"NODE1"}}})
	if p := ask[agent.Pending](b, "NODE1", agent.OpPendingGet, nil); !p.CBSRebootPending {
		t.Error("the scenario's pending restart is not there")
	}
	b.drain("NODE1")
	old := ask[agent.BootInfo](b, "NODE1", agent.OpBootInfo, nil)
	if old.CBSServicing != 1 || old.UptimeSeconds < 3600 || !old.ClusterService {
		t.Errorf("before: %+v", old)
	}
	b.restart("NODE1")
	again := ask[agent.Restart](b, "NODE1", agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 5, ExpectBoot: old.BootFileTime})
	if again.Code != errShutdownIsScheduled {
		t.Errorf("a second restart: %+v", again)
	}
	b.clock.advance(6 * time.Second)
	again = ask[agent.Restart](b, "NODE1", agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 5, ExpectBoot: old.BootFileTime})
	if again.Code != errShutdownInProgress {
		t.Errorf("while it goes down: %+v", again)
	}
	if _, told := b.power["NODE1"]; told {
		t.Error("the network went before the machine")
	}
	b.clock.advance(4 * time.Second)
	if m := b.memberView("NODE1"); m.State != nodeDown {
		t.Errorf("its peers see %+v", m)
	}
	if up, told := b.power["NODE1"]; up || !told {
		t.Error("WinRM still answers")
	}
	b.clock.advance(45 * time.Second)
	info := ask[agent.BootInfo](b, "NODE1", agent.OpBootInfo, nil)
	if !b.power["NODE1"] || info.BootFileTime == old.BootFileTime || info.UptimeSeconds > 5 || info.AutoLogonChecked || info.CBSServicing != 2 || info.ClusterService {
		t.Errorf("right after the start: %+v", info)
	}
	if code := refused(b, "NODE1", agent.OpClusterGet, nil); code != errNodeDown {
		t.Errorf("the cluster service is not there yet, but the cluster answers %d", code)
	}
	b.clock.advance(13 * time.Second)
	if m := b.memberView("NODE1"); m.State != nodeJoining {
		t.Errorf("joining: %+v", m)
	}
	b.clock.advance(30 * time.Second)
	info = ask[agent.BootInfo](b, "NODE1", agent.OpBootInfo, nil)
	if !info.AutoLogonChecked || info.CBSServicing != 0 || info.TiWorker || !info.ClusterService {
		t.Errorf("ready: %+v", info)
	}
	if p := ask[agent.Pending](b, "NODE1", agent.OpPendingGet, nil); p != (agent.Pending{}) {
		t.Errorf("still pending: %+v", p)
	}
	if m := b.memberView("NODE1"); m.State != nodePaused || m.DrainStatus != drainCompleted {
		t.Errorf("a node that was paused comes back paused: %+v", m)
	}
	late := ask[agent.Restart](b, "NODE1", agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 5, ExpectBoot: old.BootFileTime})
	if !late.AlreadyRestarted {
		t.Errorf("a repeated request restarts twice: %+v", late)
	}
	if s := b.State(); len(s.Incidents) != 0 || s.Nodes[0].Boots != 2 {
		t.Errorf("a drained node's restart: %+v", s)
	}
}

func TestARestartCanBeTakenBack(t *testing.T) {
	b := newBench(t, Config{})
	if r := ask[agent.RestartAbort](b, "NODE1", agent.OpNodeRestartAbort, nil); r.Code != errNoShutdown {
		t.Errorf("nothing to take back: %+v", r)
	}
	b.restart("NODE1")
	if r := ask[agent.RestartAbort](b, "NODE1", agent.OpNodeRestartAbort, nil); r.Code != 0 {
		t.Errorf("abort: %+v", r)
	}
	b.clock.advance(time.Hour)
	if s := b.State(); s.Nodes[0].Boots != 1 {
		t.Error("it restarted nevertheless")
	}
}

func TestR15_ARestartWithoutADrainIsAnOutage(t *testing.T) {
	b := newBench(t, Config{})
	b.restart("NODE1")
	b.clock.advance(10 * time.Minute)
	s := b.State()
	if len(s.Incidents) == 0 || s.Incidents[0].Kind != "outage" {
		t.Errorf("nobody noticed: %+v", s.Incidents)
	}
	for _, g := range s.Cluster.Groups {
		if g.State != groupOnline {
			t.Errorf("%s did not fail over: %+v", g.Name, g)
		}
	}
}

// storageOfARestart goes through the documented order for Storage Spaces Direct.
func storageOfARestart(t *testing.T, s Scenario) {
	t.Helper()
	b := newBench(t, Config{Scenario: s})
	view := func() agent.Storage { return ask[agent.Storage](b, "NODE2", agent.OpStorageGet, nil) }
	maintain := func(on bool) {
		ask[done](b, "NODE2", agent.OpStorageMaintenance, agent.StorageMaintenanceArgs{Node: "NODE1", Enable: on})
	}
	if v := view(); len(v.VirtualDisks) == 0 || v.VirtualDisks[0].Health != healthy || len(v.Jobs) != 0 {
		t.Errorf("before: %+v", v)
	}
	b.drain("NODE1")
	maintain(true)
	if v := view(); v.VirtualDisks[0].Health != warning || v.FaultDomains[0].Operational[0] != inMaintenance {
		t.Errorf("in maintenance: %+v", v)
	}
	if code := refused(b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: "NODE3", DrainType: 1}); code != errSpaceDegraded {
		t.Errorf("a drain while storage is degraded: %d", code)
	}
	if r := try(b, "NODE2", agent.OpStorageMaintenance, agent.StorageMaintenanceArgs{Node: "NODE3", Enable: true}); r.OK {
		t.Error("the last copies may be taken away")
	}
	b.restart("NODE1")
	b.clock.advance(2 * time.Minute)
	if v := view(); v.FaultDomains[0].Operational[0] != inMaintenance {
		t.Errorf("maintenance mode does not survive the restart: %+v", v)
	}
	maintain(false)
	ask[done](b, "NODE2", agent.OpNodeResume, agent.ResumeArgs{Node: "NODE1", FailbackType: 1})
	if v := view(); v.VirtualDisks[0].Health == healthy || len(v.Jobs) != 0 {
		t.Errorf("repair appears at once: %+v", v)
	}
	b.clock.advance(2 * time.Minute)
	if v := view(); len(v.Jobs) != 1 || v.Jobs[0].State != jobRunning || v.Jobs[0].Percent < 10 {
		t.Errorf("during repair: %+v", v)
	}
	b.clock.advance(10 * time.Minute)
	if v := view(); v.VirtualDisks[0].Health != healthy || v.Jobs[0].State != jobCompleted {
		t.Errorf("repaired: %+v", v)
	}
}

func TestAForcedDrainStopsWhatDoesNotMoveAndMovesItAsFailed(t *testing.T) {
	b := newBench(t, Config{Scenario: Scenario{StuckOn: []string{"NODE3"}}})
	ask[done](b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: "NODE3", DrainType: 2})
	b.clock.advance(15 * time.Minute)
	if m := b.memberView("NODE3"); m.DrainStatus != drainCompleted {
		t.Errorf("%+v", m)
	}
	failed := 0
	for _, g := range ask[agent.Cluster](b, "NODE1", agent.OpClusterGet, nil).Groups {
		if g.State == groupFailed {
			failed++
		}
		if g.Owner == "NODE3" {
			t.Errorf("%s stays on NODE3", g.Name)
		}
	}
	if failed != 1 {
		t.Errorf("%d groups have failed", failed)
	}
	if s := b.State(); len(s.Incidents) != 1 || s.Incidents[0].Kind != "outage" {
		t.Errorf("%+v", s.Incidents)
	}
}

func TestAPauseWithoutADrainMovesNothingAndAnUnknownOneIsRefused(t *testing.T) {
	b := newBench(t, Config{})
	if code := refused(b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: "NODE3", DrainType: 3}); code != 0 {
		t.Errorf("%d", code)
	}
	owned := func() (n int) {
		for _, g := range ask[agent.Cluster](b, "NODE1", agent.OpClusterGet, nil).Groups {
			if g.Owner == "NODE3" && g.State == groupOnline {
				n++
			}
		}
		return n
	}
	before := owned()
	ask[done](b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: "NODE3", DrainType: 0})
	b.clock.advance(10 * time.Minute)
	if m := b.memberView("NODE3"); m.State != nodePaused || m.DrainStatus != drainNone || owned() != before || before == 0 {
		t.Errorf("%+v, %d of %d roles", m, owned(), before)
	}
}

// rushed is a clock on which a second of model time takes a millisecond.
type rushed struct{ *manual }

func (c rushed) Until(t time.Time) time.Duration { return t.Sub(c.Now()) / 1000 }

func TestTheAnswerToARestartGetsAwayHoweverFastTimeIs(t *testing.T) {
	clock := &manual{now: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}
	w, err := New(Config{Clock: rushed{clock}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	b := &bench{World: w, t: t, clock: clock}
	boot := ask[agent.BootInfo](b, "NODE1", agent.OpBootInfo, nil).BootFileTime
	if r := ask[agent.Restart](b, "NODE1", agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 5, ExpectBoot: boot}); r.Code != 0 || r.AlreadyRestarted {
		t.Fatalf("%+v", r)
	}
	clock.advance(99 * time.Second)
	if n := b.node("NODE1"); w.Now().IsZero() || n.phase != running {
		t.Error("it goes down while the answer is on its way")
	}
	clock.advance(10 * time.Second)
	if n := b.node("NODE1"); w.Now().IsZero() || n.phase == running {
		t.Error("it does not go down")
	}
}
