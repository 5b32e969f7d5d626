package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"cau/engine"
	"cau/internal/check"
)

// carries puts roles on NODE2 of a healthy cluster of three.
func carries(o *engine.Observation, roles ...engine.GroupView) {
	var views []engine.RoleView
	for _, g := range roles {
		if g.Owner == "" {
			g.Owner = "node2"
		}
		o.Cluster.Value.Groups = append(o.Cluster.Value.Groups, g)
		if g.Owner == "node2" {
			views = append(views, engine.RoleView{Name: g.Name, Owners: numbered(3), OwnersKnown: true})
		}
	}
	node(o, "NODE2", func(n *engine.NodeObservation) { n.Roles.Value = views })
}

func owners(o *engine.Observation, known bool, names ...string) {
	node(o, "NODE2", func(n *engine.NodeObservation) {
		n.Roles.Value[0].Owners, n.Roles.Value[0].OwnersKnown = names, known
	})
}

func TestR14_TheRolesOfANodeHaveSomewhereToGoOrTheGateIsClosed(t *testing.T) {
	vm := engine.GroupView{Name: "VM1"}
	apart := func(name, owner string) engine.GroupView {
		return engine.GroupView{Name: name, Owner: owner, Apart: []string{"DCs"}}
	}
	for name, c := range map[string]struct {
		change func(o *engine.Observation)
		opts   func(o *engine.Options)
		id     string
		want   check.Outcome
		says   string
	}{
		"no role":               {func(*engine.Observation) {}, nil, "node.placement", check.Pass, "0 roles"},
		"everywhere":            {func(o *engine.Observation) { carries(o, vm) }, nil, "node.placement", check.Pass, "1 role on NODE2"},
		"only here":             {func(o *engine.Observation) { carries(o, vm); owners(o, true, "NODE2") }, nil, "node.placement", check.Fail, "VM1 (possible owners: NODE2)"},
		"a node that is gone":   {func(o *engine.Observation) { carries(o, vm); owners(o, true, "NODE2", "NODE9") }, nil, "node.placement", check.Fail, "NODE9"},
		"resources that differ": {func(o *engine.Observation) { carries(o, vm); owners(o, true) }, nil, "node.placement", check.Fail, "no node may own all"},
		"nobody says":           {func(o *engine.Observation) { carries(o, vm); owners(o, false) }, nil, "node.placement", check.Warn, "does not say who may own VM1"},
		"an outage was named": {
			func(o *engine.Observation) { carries(o, vm); owners(o, true, "NODE2") },
			func(o *engine.Options) { o.ForcePauseAndDrain = true }, "node.placement", check.Warn, "Nowhere to go",
		},
		"offline, only here": {func(o *engine.Observation) {
			carries(o, engine.GroupView{Name: "VM1", State: 1})
			owners(o, true, "NODE2")
		}, nil, "node.placement", check.Pass, ""},
		"failed, only here": {func(o *engine.Observation) {
			carries(o, engine.GroupView{Name: "VM1", State: 2})
			owners(o, true, "NODE2")
		}, nil, "node.placement", check.Pass, ""},
		"kept apart, a node is free": {func(o *engine.Observation) { carries(o, apart("DC1", ""), apart("DC2", "NODE1")) }, nil, "node.placement", check.Pass, ""},
		"kept apart, none is free": {func(o *engine.Observation) {
			carries(o, apart("DC1", ""), apart("DC2", "NODE1"), apart("DC3", "NODE3"))
		}, nil, "node.placement", check.Warn, "DC1 beside DC2"},
		"kept apart, enforced": {func(o *engine.Observation) {
			o.Cluster.Value.ApartEnforced = true
			carries(o, apart("DC1", ""), apart("DC2", "NODE1"), apart("DC3", "NODE3"))
		}, nil, "node.placement", check.Fail, "would stay offline"},
		"kept apart from what is off": {func(o *engine.Observation) {
			off := apart("DC3", "NODE3")
			off.State = 1
			carries(o, apart("DC1", ""), apart("DC2", "NODE1"), off)
		}, nil, "node.placement", check.Pass, ""},
		"unread": {func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Roles = engine.AnswerOf([]engine.RoleView(nil), errors.New("RPC")) })
		}, nil, "node.placement", check.CannotVerify, "RPC"},
		"locked":           {func(o *engine.Observation) { carries(o, engine.GroupView{Name: "VM1", Locked: true}) }, nil, "cluster.locked", check.Warn, "VM1"},
		"locked elsewhere": {func(o *engine.Observation) { carries(o, engine.GroupView{Name: "VM1", Owner: "NODE1", Locked: true}) }, nil, "cluster.locked", check.Pass, ""},
		"a lonely machine": {func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Residents.Value.Machines = []string{"DC01"} })
		}, nil, "node.residents", check.Warn, "go down when NODE2 restarts: DC01"},
		"open files": {func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) {
				n.Residents.Value.OpenFiles = strings.Split("a b c d e f g h i j", " ")
			})
		}, nil, "node.residents", check.Warn, "h and 2 more"},
		"more files than were read": {func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Residents.Value.MoreOpenFiles = true })
		}, nil, "node.residents", check.Warn, "not all were looked at"},
		"residents unread": {func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) {
				n.Residents = engine.AnswerOf(engine.ResidentsView{}, errors.New("RPC"))
			})
		}, nil, "node.residents", check.CannotVerify, "RPC"},
	} {
		o, opts := healthy(), engine.DefaultOptions()
		c.change(&o)
		if c.opts != nil {
			c.opts(&opts)
		}
		found := 0
		for _, r := range engine.ClusterChecks(o, opts, noon) {
			if r.ID != c.id || r.Subject != "NODE2" {
				continue
			}
			found++
			if r.Outcome != c.want || !strings.Contains(r.Evidence, c.says) || (r.Outcome != check.Pass && r.Remedy == "") {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d answers", name, found)
		}
	}
}

func TestR14_NoNodeIsTakenWhileARoleHasNowhereToGoOrIsLocked(t *testing.T) {
	role := func(w *world, name string) *role {
		for _, g := range w.groups {
			if g.name == name {
				return g
			}
		}
		return nil
	}
	testGate(t, []gateCase{
		{"nowhere to go", func(w *world) { role(w, "ROLE-NODE2").owners = []string{"NODE2"} }, func(w *world) { role(w, "ROLE-NODE2").owners = nil }, "ROLE-NODE2 (possible owners: NODE2)", true},
		{"locked by a backup", func(w *world) { role(w, "ROLE-NODE2").locked = true }, func(w *world) { role(w, "ROLE-NODE2").locked = false }, "Locked on NODE2", false},
		{"nobody knows where to", func(w *world) {
			w.fail = func(act, _ string) error {
				if act == "roles" {
					return errors.New("access is denied")
				}
				return nil
			}
		}, func(w *world) { w.fail = nil }, "access is denied", true},
	})
}

func TestWhatADrainDoesNotMoveIsJournalledAndClosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE2": {"u"}})
		b.w.machine("NODE2").residents.Machines = []string{"DC01"}
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s", s.Status)
		}
		b.wantKind(engine.FactGateWaiting, false)
		if got := b.fact(engine.FactPauseIntent).Data.Checks; len(got) != 1 || got[0].ID != "node.residents" || !strings.Contains(got[0].Evidence, "DC01") {
			t.Errorf("%+v", got)
		}
	})
}

// opens expects that the gate before NODE2 opens at once after a change of the world, with these remarks.
func opens(t *testing.T, name string, change func(w *world), remarks []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE2": {"u"}})
		change(b.w)
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s: %s", name, s.Status)
		}
		b.wantKind(engine.FactGateWaiting, false)
		var got []string
		for _, r := range b.fact(engine.FactPauseIntent).Data.Checks {
			got = append(got, r.ID+" "+string(r.Outcome))
		}
		if strings.Join(got, ",") != strings.Join(remarks, ",") {
			t.Errorf("%s: %v, want %v", name, got, remarks)
		}
	})
}
