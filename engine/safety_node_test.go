package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

func TestR30_TheFirstErrorIsTheCauseAndNotTheLastSymptom(t *testing.T) {
	for _, act := range []string{"boot", "pause", "pending"} {
		t.Run(act, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				n := 0
				b.w.fail = func(a, _ string) error {
					if a != act {
						return nil
					}
					if n++; n == 1 {
						return errors.New("the certificate expired")
					}
					return errors.New("connection refused")
				}
				s := b.toEnd()
				if c := s.Node("NODE1").Cause; c == nil || !strings.Contains(c.Message, "certificate") || !strings.Contains(s.Cause.Message, "certificate") {
					t.Errorf("%v", c)
				}
			})
		})
	}
}

func TestRolesCountAsSettledOnlyAfterNothingMovedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.failbackLag = 7 * time.Second
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactSettleDone && b.w.groups[slices.Index(numbered(2), f.Node)].owner != f.Node {
				t.Errorf("%s counts as settled before its role was back", f.Node)
			}
		}
		b.toEnd()
		b.wantInService()
	})
}

func TestR16_StorageMaintenanceIsEnteredAfterTheDrainAndLeftBeforeTheResume(t *testing.T) {
	for _, byPause := range []bool{false, true} {
		t.Run(fmt.Sprintf("set by the pause %v", byPause), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.w.s2d = true
				for _, m := range b.w.order {
					m.pausesDisks = byPause
				}
				b.p.scripts["NODE1/u"] = restart()
				if s := b.toEnd(); s.Status != engine.RunSucceeded {
					t.Fatalf("%s: %v", s.Status, s.Cause)
				}
				entered := 1
				if byPause {
					entered = 0
				}
				if b.w.count("maintenance-true NODE1") != entered || b.w.count("maintenance-false NODE1") != 1 {
					t.Errorf("%v", b.w.acts)
				}
				b.wantKind(engine.FactMaintenanceDone, true)
				b.wantInService()
			})
		})
	}
}

func TestR16_WhenMaintenanceCannotBeEnteredNothingIsInstalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.s2d = true
		b.w.fail = func(act, _ string) error {
			if act == "maintenance" {
				return &fault.Error{Op: "maintenance", Err: errors.New("the last copy would be taken away")}
			}
			return nil
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
		if len(b.p.starts) != 0 || !strings.Contains(s.Cause.Message, "last copy") {
			t.Errorf("%v %v", b.p.starts, s.Cause)
		}
		b.wantInService2()
	})
}

// wantInService2 is wantInService after a pause that was undone without failback: roles stay where they went.
func (b *bench) wantInService2() {
	b.t.Helper()
	for _, m := range b.w.order {
		if m.state != engine.NodeUp || m.maintenance || m.files {
			b.t.Errorf("%s is %s, maintenance %v, files left %v", m.name, m.state, m.maintenance, m.files)
		}
	}
}

func TestR18_AnInstallerThatRunsOnHoldsItsNodePausedAndIsNotOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "slow", "z"))
		b.p.scripts["NODE1/slow"] = script{err: fmt.Errorf("after 30m0s: %w", plugins.ErrJobStillRunning)}
		b.p.scripts["NODE1/a"] = restart()
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
		b.wantState("NODE1", engine.NodePaused)
		if b.p.starts["NODE1/z"] != 0 || b.w.count("restart NODE1") != 0 || b.w.count("clean-0123abcd NODE1") != 0 {
			t.Errorf("%v %v", b.p.starts, b.w.acts)
		}
		if u := s.Node("NODE1").Update("slow"); u.Outcome != plugins.UpdateFailed {
			t.Errorf("%+v", u)
		}
		if s.Status != engine.RunPartiallyFailed || !strings.Contains(s.Cause.Message, "still running") {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
	})
}

func TestR19_AnUpdateWhoseResultIsLostHoldsItsNode(t *testing.T) {
	for name, sc := range map[string]script{
		"the plug-in says unknown": {result: plugins.Result{Outcome: plugins.Unknown}},
		"the job died":             {err: plugins.ErrJobLost},
		"nothing is known":         {err: errors.New("the script stopped")},
		"an outcome nobody knows":  {result: plugins.Result{Outcome: "fine"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u", "z"))
				b.p.scripts["NODE1/u"] = sc
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
				b.wantState("NODE1", engine.NodePaused)
				if o := s.Node("NODE1").Update("u").Outcome; o != plugins.Unknown || b.p.starts["NODE1/u"] != 1 || b.p.starts["NODE1/z"] != 0 {
					t.Errorf("%s %v", o, b.p.starts)
				}
				if s.Status != engine.RunFailed || s.Cause == nil {
					t.Errorf("%s %v", s.Status, s.Cause)
				}
			})
		})
	}
}

func TestR22_HowAFailedNodeIsLeft(t *testing.T) {
	for _, c := range []struct {
		name     string
		breakIt  func(b *bench)
		status   engine.NodeStatus
		state    engine.NodeState
		restarts int
		says     string
	}{
		{"install failed: resumed", func(b *bench) { b.p.scripts["NODE1/u"] = failed(1603) }, engine.NodeFailed, engine.NodeUp, 0, "0x00000643"},
		{"install failed and needs a restart: restarted, resumed", func(b *bench) { b.p.scripts["NODE1/u"] = failed(350) }, engine.NodeFailed, engine.NodeUp, 1, "0x0000015E"},
		{"restart not proven: paused", func(b *bench) {
			b.p.scripts["NODE1/u"] = restart()
			b.w.machine("NODE1").neverUp = true
		}, engine.NodeFailed, engine.NodeDown, 0, "connection refused"},
		{"the node never goes down: paused", func(b *bench) {
			b.p.scripts["NODE1/u"] = restart()
			b.w.fail = func(act, _ string) error {
				if act == "restart" {
					return &fault.Error{Op: "restart", Code: 5, Err: errors.New("not allowed")}
				}
				return nil
			}
		}, engine.NodeFailed, engine.NodePaused, 0, "not allowed"},
		{"result unknown: paused, held", func(b *bench) { b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost} }, engine.NodeHeld, engine.NodePaused, 0, "without a result"},
		{"pending cannot be read: paused", func(b *bench) {
			b.w.fail = func(act, _ string) error {
				if act == "pending" {
					return errors.New("no registry")
				}
				return nil
			}
		}, engine.NodeFailed, engine.NodePaused, 0, "no registry"},
		{"the node is not reached before the install: resumed by its peers", func(b *bench) {
			b.w.fail = func(act, node string) error {
				if act == "boot" && node == "NODE1" {
					return errors.New("no route")
				}
				return nil
			}
		}, engine.NodeFailed, engine.NodeUp, 0, "no route"},
		{"roles do not settle: stays resumed", func(b *bench) { b.w.failbackTakes = 1000 * time.Hour }, engine.NodeFailed, engine.NodeUp, 0, "still moving: ROLE-NODE1"},
		{"resume refused: paused", func(b *bench) {
			b.w.fail = func(act, _ string) error {
				if act == "resume" {
					return &fault.Error{Op: "resume", Code: 5985, Err: errors.New("quarantined")}
				}
				return nil
			}
		}, engine.NodeFailed, engine.NodePaused, 0, "quarantined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				c.breakIt(b)
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": c.status, "NODE2": engine.NodeCanceled})
				b.wantState("NODE1", c.state)
				n := s.Node("NODE1")
				if n.Cause == nil || !strings.Contains(n.Cause.Message, c.says) || !strings.Contains(s.Cause.Message, "NODE1") || n.Restarts != c.restarts {
					t.Errorf("%d restarts, cause %+v, the run's %+v", n.Restarts, n.Cause, s.Cause)
				}
				if b.w.count("pause NODE2") != 0 {
					t.Error("another node was taken")
				}
			})
		})
	}
}

func TestR22_ANodeThatStaysPausedKeepsTheOthersInServiceUntilSomebodyDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withBudget(2))
		b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost}
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				// The administrator has looked, and resumes the node.
				if err := b.w.Resume(t.Context(), "NODE1", engine.FailbackImmediate); err != nil {
					t.Error(err)
				}
				b.control <- engine.Control{Verb: engine.VerbResume}
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeSucceeded})
		b.wantKind(engine.FactRunHeld, true)
	})
}
