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

// gateCase closes the gate before NODE2 for a while.
type gateCase struct {
	name        string
	close, open func(w *world)
	says        string
	held        bool
}

func testGate(t *testing.T, cases []gateCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				closed, said := time.Time{}, ""
				b.journal.on = func(f engine.Fact) {
					switch {
					case f.Kind == engine.FactNodeEnded && f.Node == "NODE1":
						b.w.locked(c.close)
						closed = time.Now()
						go func() {
							time.Sleep(90 * time.Minute)
							b.w.locked(c.open)
							closed = time.Time{}
							b.control <- engine.Control{Verb: engine.VerbResume}
						}()
					case f.Kind == engine.FactGateWaiting, f.Kind == engine.FactRunHeld:
						said += f.Data.Message + "\n"
					case f.Kind == engine.FactPauseIntent && !closed.IsZero():
						t.Errorf("%s was taken while the gate is closed", f.Node)
					}
				}
				if s := b.toEnd(); s.Status != engine.RunSucceeded {
					t.Errorf("%s", s.Status)
				}
				if !strings.Contains(said, c.says) {
					t.Errorf("it said %q", said)
				}
				b.wantKind(engine.FactRunHeld, c.held)
				b.wantInService()
			})
		})
	}
}

func TestR14_NoNodeIsTakenWhileABackupRunsAndTheRunWaitsForIt(t *testing.T) {
	testGate(t, []gateCase{
		{"a backup", func(w *world) { w.backups = []string{"Volume1 is being backed up"} }, func(w *world) { w.backups = nil }, "Volume1 is being backed up", false},
		{"nobody knows", func(w *world) {
			w.fail = func(act, _ string) error {
				if act == "backups" {
					return errors.New("access is denied")
				}
				return nil
			}
		}, func(w *world) { w.fail = nil }, "access is denied", true},
	})
}

func TestR12_NoNodeIsTakenWhileSomebodyElseInstallsThere(t *testing.T) {
	testGate(t, []gateCase{
		{"servicing on the node", func(w *world) { w.machine("NODE2").updaters.Servicing = true }, func(w *world) { w.machine("NODE2").updaters.Servicing = false }, "is being installed on NODE2", false},
		{"nobody knows", func(w *world) {
			w.fail = func(act, _ string) error {
				if act == "updaters" {
					return errors.New("access is denied")
				}
				return nil
			}
		}, func(w *world) { w.fail = nil }, "access is denied", true},
		{"BitLocker would ask at the next start", func(w *world) { w.machine("NODE2").bitLocker.AsksAtStart = true }, func(w *world) { w.machine("NODE2").bitLocker.AsksAtStart = false }, "would not come back", true},
	})
}

func TestR12_WarningsAndOtherNodesDoNotCloseTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(2), "u"))
		for _, m := range b.w.order {
			m.updaters.Automatic, m.updaters.ConfigMgr, m.bitLocker.Known = true, true, false
		}
		b.w.machine("NODE3").updaters.Servicing = true
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
		b.wantKind(engine.FactGateWaiting, false)
		var seen []string
		for _, r := range b.fact(engine.FactPauseIntent).Data.Checks {
			seen = append(seen, r.ID+" "+string(r.Outcome))
		}
		if got := strings.Join(seen, ", "); got != "node.updaters warn, node.bitlocker warn" {
			t.Errorf("the gate's remarks are journalled: %s", got)
		}
	})
}

func TestR12_R14_WhatOthersDoIsAnsweredFromWhatWasSeen(t *testing.T) {
	unread := errors.New("the RPC server is unavailable")
	for _, c := range []struct {
		name    string
		change  func(o *engine.Observation)
		id      string
		subject string
		want    check.Outcome
		says    string
	}{
		{"nothing else", func(*engine.Observation) {}, "node.updaters", "NODE2", check.Pass, "turned off by policy"},
		{"automatic updates", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) {
				n.Updaters.Value = engine.UpdatersView{Automatic: true, Setting: "installs on schedule"}
			})
		}, "node.updaters", "NODE2", check.Warn, "installs on schedule"},
		{"ConfigMgr", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Updaters.Value.ConfigMgr = true })
		}, "node.updaters", "NODE2", check.Warn, "Configuration Manager client runs"},
		{"servicing", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Updaters.Value.Servicing = true })
		}, "node.updaters", "NODE2", check.Warn, "the run waits for it"},
		{"updaters unread", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.Updaters = engine.AnswerOf(engine.UpdatersView{}, unread) })
		}, "node.updaters", "NODE2", check.CannotVerify, "RPC"},
		{"no role", func(*engine.Observation) {}, "cluster.self-updating", "", check.Pass, "no self-updating role"},
		{"a role", func(o *engine.Observation) {
			for _, n := range numbered(3) {
				node(o, n, func(n *engine.NodeObservation) {
					n.Updaters.Value.SelfUpdating = []string{"CAURole, Tuesday 3:00"}
				})
			}
		}, "cluster.self-updating", "", check.Warn, "The cluster updates itself: CAURole, Tuesday 3:00."},
		{"one node is enough", func(o *engine.Observation) {
			node(o, "NODE1", func(n *engine.NodeObservation) { n.Updaters = engine.AnswerOf(engine.UpdatersView{}, unread) })
		}, "cluster.self-updating", "", check.Pass, ""},
		{"no node knows", func(o *engine.Observation) {
			for _, n := range numbered(3) {
				node(o, n, func(n *engine.NodeObservation) { n.Updaters = engine.AnswerOf(engine.UpdatersView{}, unread) })
			}
		}, "cluster.self-updating", "", check.CannotVerify, "RPC"},
		{"no backup", func(*engine.Observation) {}, "cluster.backup", "", check.Pass, "No backup"},
		{"a backup", func(o *engine.Observation) { o.Backups.Value = []string{"wbengine runs on NODE1"} }, "cluster.backup", "", check.Fail, "wbengine"},
		{"backup unread", func(o *engine.Observation) { o.Backups = engine.AnswerOf([]string(nil), unread) }, "cluster.backup", "", check.CannotVerify, "RPC"},
		{"BitLocker off", func(*engine.Observation) {}, "node.bitlocker", "NODE2", check.Pass, "not protected"},
		{"BitLocker with a TPM", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.BitLocker.Value.Protected = true })
		}, "node.bitlocker", "NODE2", check.Pass, "asks for nothing"},
		{"BitLocker suspended", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) {
				n.BitLocker.Value = engine.BitLockerView{Known: true, Protected: true, Suspended: 2}
			})
		}, "node.bitlocker", "NODE2", check.Pass, "2 restarts"},
		{"BitLocker with a PIN", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) {
				n.BitLocker.Value = engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}
			})
		}, "node.bitlocker", "NODE2", check.Fail, "would not come back"},
		{"BitLocker unknown", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.BitLocker.Value.Known = false })
		}, "node.bitlocker", "NODE2", check.Warn, "cannot say"},
		{"BitLocker unread", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.BitLocker = engine.AnswerOf(engine.BitLockerView{}, unread) })
		}, "node.bitlocker", "NODE2", check.CannotVerify, "RPC"},
		{"quotas", func(*engine.Observation) {}, "node.quotas", "NODE2", check.Pass, "500 KB and 30 shells"},
		{"small messages", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.MaxEnvelopeKB = 149 })
		}, "node.quotas", "NODE2", check.Fail, "149 KB"},
		{"few shells", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.MaxShells = 2 })
		}, "node.quotas", "NODE2", check.Warn, "2 shells"},
		{"quotas unread", func(o *engine.Observation) {
			node(o, "NODE2", func(n *engine.NodeObservation) { n.View.Value.MaxShells = 0 })
		}, "node.quotas", "NODE2", check.CannotVerify, "did not say"},
	} {
		o := healthy()
		c.change(&o)
		found := 0
		for _, r := range engine.ClusterChecks(o, engine.DefaultOptions(), noon) {
			if r.ID != c.id || r.Subject != c.subject {
				continue
			}
			found++
			if r.Outcome != c.want || !strings.Contains(r.Evidence, c.says) || (r.Outcome != check.Pass && r.Remedy == "") {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d answers for %s", c.name, found, c.id)
		}
	}
}

func TestR07_EveryCheckOfTheCatalogueThatTheEngineAnswersIsInIt(t *testing.T) {
	answered := map[string]bool{}
	for _, r := range engine.ClusterChecks(healthy(), engine.DefaultOptions(), noon) {
		answered[r.ID] = true
		if _, ok := check.Lookup(r.ID); !ok {
			t.Errorf("%s is not in the catalogue", r.ID)
		}
	}
	elsewhere := map[string]bool{"cluster.host": true, "cluster.root-server": true, "cluster.names": true, "node.job": true, "node.share-read": true, "options.plugins": true, "cluster.lease": true}
	for _, c := range check.Catalogue() {
		if (c.Scope == check.ScopeNode || c.Scope == check.ScopeCluster) && !answered[c.ID] && !elsewhere[c.ID] {
			t.Errorf("nobody answers %s", c.ID)
		}
	}
}
