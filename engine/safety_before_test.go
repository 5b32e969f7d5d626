package engine_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// twoNodes plans update "u" for both of two nodes.
func twoNodes(t *testing.T, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	return newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), change...)
}

func TestR12_AForeignRunBeforeAnythingHoldsTheRunUntilItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.foreign = []engine.ForeignRun{{ID: "cau-run", Node: "NODE2"}}
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				if !strings.Contains(f.Data.Message, "cau-run on NODE2") || f.Data.Cause == nil {
					t.Errorf("%+v", f.Data)
				}
				if len(b.p.stages) > 0 {
					t.Error("something was staged under a foreign run")
				}
				b.w.foreign = nil
				b.control <- engine.Control{Verb: engine.VerbResume}
			}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded || s.Cause != nil || s.Waiting != "" {
			t.Errorf("%+v", s)
		}
		b.wantKind(engine.FactRunHeld, true)
		b.wantInService()
	})
}

func TestR12_ALockThatAppearsAroundThePauseUndoesItAndHoldsTheRun(t *testing.T) {
	for _, when := range []string{"right before the pause", "right after the pause"} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				appear := func() { b.w.foreign = []engine.ForeignRun{{ID: "other"}} }
				b.w.after = func(act, node string) {
					if act == "pause" && node == "NODE2" && when == "right after the pause" {
						appear()
					}
				}
				b.journal.on = func(f engine.Fact) {
					switch {
					case f.Kind == engine.FactPauseIntent && f.Node == "NODE2" && when == "right before the pause":
						appear()
					case f.Kind == engine.FactRunHeld:
						b.wantState("NODE2", engine.NodeUp)
						b.control <- engine.Control{Verb: engine.VerbStop}
					}
				}
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeCanceled})
				wantPauses := map[string]int{"right before the pause": 0, "right after the pause": 1}[when]
				if b.w.count("pause NODE2") != wantPauses || b.w.count("resume-NoFailback NODE2") != wantPauses || s.Status != engine.RunCanceled {
					t.Errorf("%s after %v", s.Status, b.w.acts)
				}
				if b.p.starts["NODE2/u"] != 0 {
					t.Error("an update was installed under a foreign run")
				}
			})
		})
	}
}

func TestR12_AForeignLockThatCannotBeReadIsNoPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.fail = func(act, _ string) error {
			if act == "foreign" {
				return errors.New("access denied")
			}
			return nil
		}
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		if s := b.toEnd(); s.Status != engine.RunCanceled || len(b.w.acts) != 0 {
			t.Errorf("%s after %v", s.Status, b.w.acts)
		}
	})
}

func TestR07_AnAcceptedCheckMayStayUnverifiedDuringTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t, func(in *engine.PlanInput) { in.Accepted = []string{"cluster.foreign-run"} })
		b.w.fail = func(act, _ string) error {
			if act == "foreign" {
				return errors.New("access denied")
			}
			return nil
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s: %v", s.Status, s.Waiting)
		}
		for _, f := range b.journal.facts(t) {
			if f.Kind == engine.FactPauseIntent && !slices.ContainsFunc(f.Data.Checks, isCheck("cluster.foreign-run")) {
				t.Errorf("the gate opened without saying what was not verified: %+v", f.Data)
			}
		}
	})
}

func TestR14_TheGateStaysClosed(t *testing.T) {
	for _, c := range []struct {
		name string
		// close and open change the world; the run must pass no node between the two.
		close, open func(w *world)
		says        string
		// held: the run asks a person instead of waiting.
		held bool
	}{
		{"another node is down", func(w *world) { w.set("NODE3", engine.NodeDown) }, func(w *world) { w.set("NODE3", engine.NodeUp) }, "NODE3 is Down", false},
		{"another node is paused by someone", func(w *world) { w.set("NODE3", engine.NodePaused) }, func(w *world) { w.set("NODE3", engine.NodeUp) }, "NODE3 is Paused", false},
		{"the node itself is paused by someone", func(w *world) { w.set("NODE2", engine.NodePaused) }, func(w *world) { w.set("NODE2", engine.NodeUp) }, "NODE2 is Paused", false},
		{"a storage job runs", func(w *world) { w.storageJobs = []string{"Rebalance"} }, func(w *world) { w.storageJobs = nil }, "Rebalance", false},
		{"disks are in maintenance", func(w *world) { w.machine("NODE3").maintenance = true }, func(w *world) { w.machine("NODE3").maintenance = false }, "in maintenance mode: NODE3", false},
		{"a role is still moving", func(w *world) { w.groups[2].state = 4; w.groups[2].settles = time.Now().Add(1000 * time.Hour) }, func(w *world) { w.groups[2].state = 0 }, "ROLE-NODE3", false},
		{"quorum would be lost", func(w *world) { w.losesQuorum = true }, func(w *world) { w.losesQuorum = false }, "loses quorum", true},
		{"a foreign run", func(w *world) { w.foreign = []engine.ForeignRun{{ID: "f"}} }, func(w *world) { w.foreign = nil }, "Another updating run", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := numbered(3)
				b := newBench(t, newWorld(names...), each(names, "u"))
				closed, said := time.Time{}, ""
				b.journal.on = func(f engine.Fact) {
					switch {
					case f.Kind == engine.FactNodeEnded && f.Node == "NODE1":
						b.w.locked(c.close)
						closed = time.Now()
						go func() {
							time.Sleep(4 * time.Minute)
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

// locked changes the world from outside of a call; what is changed may be away from now on.
func (w *world) locked(change func(w *world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

func (w *world) set(name string, state engine.NodeState) {
	w.machine(name).state = state
	w.mayBePaused[name] = state != engine.NodeUp
}

func TestR14_AGateThatDoesNotOpenHoldsTheRunInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactNodeEnded && f.Node == "NODE1" {
				b.w.locked(func(w *world) { w.set("NODE3", engine.NodeDown) })
			}
		}
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled})
		if s.Status != engine.RunCanceled {
			t.Errorf("%s", s.Status)
		}
	})
}

func TestR14_TwoCleanPollsThirtySecondsApartAreNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.repair = 10 * time.Minute // every return starts a storage job
		resumed, paused := time.Time{}, time.Time{}
		b.journal.on = func(f engine.Fact) {
			switch f.Kind {
			case engine.FactResumeDone:
				resumed = f.Time
			case engine.FactPauseIntent:
				paused = f.Time
			default:
			}
			// A person who keeps asking must not shorten the distance of the polls.
			if f.Kind == engine.FactSettleDone && f.Node == "NODE1" {
				go func() {
					for range 90 {
						time.Sleep(10 * time.Second)
						b.control <- engine.Control{Verb: engine.VerbResume}
					}
				}()
			}
			if f.Kind == engine.FactPauseIntent && f.Node == "NODE2" && paused.Sub(resumed) < 10*time.Minute+30*time.Second {
				t.Errorf("NODE2 was taken %s after NODE1 came back, with 10m of repair", paused.Sub(resumed))
			}
		}
		b.toEnd()
		if paused.Sub(resumed) > 12*time.Minute {
			t.Errorf("it took %s", paused.Sub(resumed))
		}
		time.Sleep(time.Hour)
	})
}

func TestR14_ArithmeticAloneWarnsAndTheClusterDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.witness = false // two votes, one left, two needed: only dynamic quorum saves it
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s", s.Status)
		}
		warned := false
		for _, f := range b.journal.facts(t) {
			warned = warned || (f.Kind == engine.FactPauseIntent && slices.ContainsFunc(f.Data.Checks, isCheck("cluster.quorum")))
		}
		if !warned {
			t.Error("the warning is not journalled")
		}
	})
}

func TestR22_ADrainThatFailsOrHangsIsUndoneWithoutFailback(t *testing.T) {
	for name, breakIt := range map[string]func(b *bench){
		"the cluster says failed": func(b *bench) { b.w.machine("NODE1").drainFails = true },
		"it never ends":           func(b *bench) { b.w.machine("NODE1").drainHangs = true },
		"the pause is refused": func(b *bench) {
			b.w.fail = func(act, node string) error {
				if act == "pause" && node == "NODE1" {
					return &fault.Error{Op: "pause", Code: 5, Err: errors.New("denied")}
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withBudget(1))
				breakIt(b)
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeSucceeded})
				if b.p.starts["NODE1/u"] != 0 || b.w.count("resume-Immediate NODE1") != 0 {
					t.Errorf("%v %v", b.p.starts, b.w.acts)
				}
				if c := s.Node("NODE1").Cause; c == nil || !strings.Contains(c.Message, "NODE1: ") || c.Node != "NODE1" {
					t.Errorf("cause %+v", c)
				}
				b.wantInService()
			})
		})
	}
}

func TestDegradedStorageIsWaitedForDuringThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		refusals := 0
		b.w.fail = func(act, _ string) error {
			if act == "pause" && refusals < 20 {
				refusals++
				return &fault.Error{Op: "pause", Code: 0x80071763, Err: errors.New("degraded")}
			}
			return nil
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded || refusals != 20 {
			t.Errorf("%s after %d refusals", s.Status, refusals)
		}
	})
}

func TestADrainSurvivesPeersThatDoNotAnswerForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		taken := false
		b.journal.on = func(f engine.Fact) {
			taken = f.Kind != engine.FactNodeEnded && (taken || f.Kind == engine.FactPauseIntent)
		}
		// A third of the answers is lost.
		lost := rand.New(rand.NewPCG(1, 2))
		b.w.fail = func(string, string) error {
			if taken && lost.IntN(3) == 0 {
				return errors.New("connection reset")
			}
			return nil
		}
		s := b.toEnd()
		if s.Status != engine.RunSucceeded {
			t.Errorf("%s: %v", s.Status, s.Cause)
		}
		for key, starts := range b.p.starts {
			if starts != 1 {
				t.Errorf("%s was started %d times", key, starts)
			}
		}
	})
}

var _ plugins.Plugin = (*fakePlugin)(nil)
