package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// healthy is an observation in which every check passes.
func healthy() engine.Observation {
	o := engine.Observation{
		Cluster: engine.AnswerOf(engine.ClusterView{Name: "C", WitnessWeight: 1, WitnessOnline: true}, nil),
		Storage: engine.AnswerOf(engine.StorageView{}, nil), Foreign: engine.AnswerOf([]engine.ForeignRun(nil), nil), Backups: engine.AnswerOf([]string(nil), nil),
		LosesQuorum: map[string]engine.Answer[bool]{}, Nodes: map[string]engine.NodeObservation{},
	}
	for _, n := range numbered(3) {
		o.Cluster.Value.Nodes = append(o.Cluster.Value.Nodes, engine.MemberView{Name: n, DynamicWeight: 1})
		o.LosesQuorum[n] = engine.AnswerOf(false, nil)
		o.Nodes[n] = engine.NodeObservation{
			View: engine.AnswerOf(goodNodeView(n, noon), nil), Pending: engine.AnswerOf(engine.PendingView{Remarks: []string{"file renames"}}, nil),
			Updaters: engine.AnswerOf(engine.UpdatersView{Setting: "turned off by policy"}, nil), BitLocker: engine.AnswerOf(engine.BitLockerView{Known: true}, nil),
			Roles: engine.AnswerOf([]engine.RoleView(nil), nil), Residents: engine.AnswerOf(engine.ResidentsView{}, nil),
		}
	}
	return o
}

// node changes what one node said.
func node(o *engine.Observation, name string, change func(n *engine.NodeObservation)) {
	n := o.Nodes[name]
	change(&n)
	o.Nodes[name] = n
}

func TestClusterChecksAnswerFromWhatWasSeen(t *testing.T) {
	unread := errors.New("the RPC server is unavailable")
	all := engine.DefaultOptions()
	all.RequireAllNodesOnline = true
	for _, c := range []struct {
		name    string
		opts    engine.Options
		change  func(o *engine.Observation)
		id      string
		subject string
		want    check.Outcome
		says    string
	}{
		{"all up", engine.DefaultOptions(), func(*engine.Observation) {}, "cluster.nodes-up", "", check.Pass, "All 3"},
		{"one down", engine.DefaultOptions(), func(o *engine.Observation) { o.Cluster.Value.Nodes[1].State = engine.NodeDown }, "cluster.nodes-up", "", check.Warn, "NODE2 is Down"},
		{"one down, all required", all, func(o *engine.Observation) { o.Cluster.Value.Nodes[1].State = engine.NodeDown }, "cluster.nodes-up", "", check.Fail, "NODE2 is Down"},
		{"one isolated, all required", all, func(o *engine.Observation) { o.Cluster.Value.Nodes[1].StatusInformation = 1 }, "cluster.nodes-up", "", check.Fail, "isolated"},
		{"one quarantined, all required", all, func(o *engine.Observation) { o.Cluster.Value.Nodes[1].StatusInformation = 2 }, "cluster.nodes-up", "", check.Fail, "quarantined"},
		{"a single node", engine.DefaultOptions(), func(o *engine.Observation) { o.Cluster.Value.Nodes = o.Cluster.Value.Nodes[:1] }, "cluster.nodes-up", "", check.Fail, "nowhere to go"},
		{"cluster unread", engine.DefaultOptions(), func(o *engine.Observation) { o.Cluster = engine.AnswerOf(engine.ClusterView{}, unread) }, "cluster.nodes-up", "", check.CannotVerify, "RPC"},
		{"cluster unread", engine.DefaultOptions(), func(o *engine.Observation) { o.Cluster = engine.AnswerOf(engine.ClusterView{}, unread) }, "cluster.quorum", "", check.CannotVerify, "RPC"},
		{"quorum kept", engine.DefaultOptions(), func(*engine.Observation) {}, "cluster.quorum", "", check.Pass, "keeps quorum"},
		{"quorum lost says the cluster", engine.DefaultOptions(), func(o *engine.Observation) { o.LosesQuorum["NODE3"] = engine.AnswerOf(true, nil) }, "cluster.quorum", "", check.Fail, "NODE3"},
		{"quorum not answered", engine.DefaultOptions(), func(o *engine.Observation) { delete(o.LosesQuorum, "NODE2") }, "cluster.quorum", "", check.CannotVerify, "not asked"},
		{"quorum by arithmetic alone", engine.DefaultOptions(), func(o *engine.Observation) {
			o.Cluster.Value.WitnessOnline = false
			o.Cluster.Value.Nodes[2].State = engine.NodeDown
		}, "cluster.quorum", "", check.Warn, "1 of 2 votes"},
		{"a paused node votes", engine.DefaultOptions(), func(o *engine.Observation) { o.Cluster.Value.Nodes[2].State = engine.NodePaused }, "cluster.quorum", "", check.Pass, ""},
		{"storage", engine.DefaultOptions(), func(o *engine.Observation) { o.Storage.Value.Unhealthy = []string{"Volume1"} }, "cluster.storage", "", check.Fail, "Volume1"},
		{"storage job", engine.DefaultOptions(), func(o *engine.Observation) { o.Storage.Value.Jobs = []string{"Repair"} }, "cluster.storage", "", check.Fail, "Repair"},
		{"storage maintenance", engine.DefaultOptions(), func(o *engine.Observation) { o.Storage.Value.InMaintenance = []string{"NODE1"} }, "cluster.storage", "", check.Fail, "maintenance"},
		{"storage unread", engine.DefaultOptions(), func(o *engine.Observation) { o.Storage = engine.AnswerOf(engine.StorageView{}, unread) }, "cluster.storage", "", check.CannotVerify, "RPC"},
		{"foreign run", engine.DefaultOptions(), func(o *engine.Observation) { o.Foreign.Value = []engine.ForeignRun{{ID: "77"}} }, "cluster.foreign-run", "", check.Fail, "77"},
		{"foreign run not asked", engine.DefaultOptions(), func(o *engine.Observation) { o.Foreign = engine.Answer[[]engine.ForeignRun]{} }, "cluster.foreign-run", "", check.CannotVerify, "not asked"},
		{"language mode", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.LanguageMode = "ConstrainedLanguage" })
		}, "node.language-mode", "NODE2", check.Fail, "Constrained"},
		{"no admin", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.Admin = false })
		}, "node.admin", "NODE2", check.Fail, "not an administrator"},
		{"little room", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.FreeBytes = 10<<30 - 1 })
		}, "node.disk", "NODE2", check.Warn, "GiB"},
		{"room unknown", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.FreeBytes = 0 })
		}, "node.disk", "NODE2", check.CannotVerify, ""},
		{"clock slow", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.Time = noon.Add(-5*time.Minute - time.Second) })
		}, "node.clock", "NODE2", check.Warn, "5m1s"},
		{"clock within five minutes", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.Time = noon.Add(5 * time.Minute) })
		}, "node.clock", "NODE2", check.Pass, ""},
		{"restart pending", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Pending.Value.Reasons = []string{"Windows Update"} })
		}, "node.pending-restart", "NODE2", check.Warn, "Windows Update"},
		{"file renames alone", engine.DefaultOptions(), func(*engine.Observation) {}, "node.pending-restart", "NODE2", check.Pass, ""},
		{"pending unread", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Pending = engine.AnswerOf(engine.PendingView{}, unread) })
		}, "node.pending-restart", "NODE2", check.CannotVerify, "RPC"},
		{"namespace missing", engine.DefaultOptions(), func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.Namespaces = []string{"mscluster"} })
		}, "node.namespaces", "NODE2", check.Fail, "storage"},
		{"node unread", engine.DefaultOptions(), func(o *engine.Observation) { delete(o.Nodes, "NODE2") }, "node.admin", "NODE2", check.CannotVerify, "not asked"},
	} {
		o := healthy()
		c.change(&o)
		found := 0
		for _, r := range engine.ClusterChecks(o, c.opts, noon) {
			if r.ID != c.id || r.Subject != c.subject {
				continue
			}
			found++
			if r.Outcome != c.want || !strings.Contains(r.Evidence, c.says) {
				t.Errorf("%s: %+v", c.name, r)
			}
			if r.Evidence == "" || (r.Outcome == check.Fail && r.Remedy == "") {
				t.Errorf("%s: says too little: %+v", c.name, r)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d answers for %s", c.name, found, c.id)
		}
	}
}

func TestR07_WhatCouldNotBeReadNeverPasses(t *testing.T) {
	for _, r := range engine.ClusterChecks(engine.Observation{}, engine.DefaultOptions(), noon) {
		if r.Outcome != check.CannotVerify {
			t.Errorf("%+v", r)
		}
	}
	o := healthy()
	o.Nodes = nil
	for _, r := range engine.ClusterChecks(o, engine.DefaultOptions(), noon) {
		if strings.HasPrefix(r.ID, "node.") && r.Outcome != check.CannotVerify {
			t.Errorf("%+v", r)
		}
	}
}

func TestObserveAsksEveryoneAndKeepsWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(numbered(3)...)
		w.fail = func(act, n string) error {
			if act == "hello" && n == "NODE2" {
				return errors.New("logon failure")
			}
			return nil
		}
		o, err := engine.Observe(t.Context(), w, w.node)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range engine.ClusterChecks(o, engine.DefaultOptions(), time.Now()) {
			want := check.Pass
			if r.Subject == "NODE2" && strings.HasPrefix(r.ID, "node.") { // what only the node knows
				want = check.CannotVerify
			}
			if r.Outcome != want {
				t.Errorf("%+v", r)
			}
		}
	})
}
