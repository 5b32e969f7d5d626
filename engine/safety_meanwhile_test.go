package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// What happened meanwhile: between a look and an act, while the coordinator was dead or asleep, and by the hands
// of an administrator.

func TestR14_AnAdministratorsPauseIsNeverTakenForOurs(t *testing.T) {
	for name, pause := range map[string]func(b *bench, m *machine){
		"plain":   func(_ *bench, m *machine) { m.state = engine.NodePaused },
		"drained": func(_ *bench, m *machine) { m.state, m.drain = engine.NodePaused, engine.DrainCompleted },
		"at the very moment": func(b *bench, m *machine) {
			b.w.fail = func(act, node string) error {
				if act != "pause" || node != m.name {
					return nil
				}
				b.w.fail = nil
				m.state, m.drain = engine.NodePaused, engine.DrainCompleted
				return &fault.Error{Op: "pause", Code: 5070, Err: errors.New("the node is paused")}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
				once := false
				b.journal.on = func(f engine.Fact) {
					m := b.w.machine("NODE1")
					switch {
					case f.Kind == engine.FactPauseIntent && !once:
						once = true
						b.w.locked(func(w *world) { w.mayBePaused["NODE1"] = true; pause(b, m) })
					case f.Kind == engine.FactRunHeld:
						if !strings.Contains(f.Data.Message, "NODE1 is Paused") || b.p.starts["NODE1/u"] != 0 {
							t.Errorf("%q, %v", f.Data.Message, b.p.starts)
						}
						b.wantState("NODE1", engine.NodePaused)
						if slices.ContainsFunc(b.w.acts, func(a string) bool { return strings.HasPrefix(a, "resume") }) {
							t.Errorf("somebody else's pause was undone: %v", b.w.acts)
						}
						b.w.locked(func(w *world) { w.set("NODE1", engine.NodeUp); m.drain = engine.DrainNotInitiated })
						b.control <- engine.Control{Verb: engine.VerbResume}
					}
				}
				if s := b.toEnd(); s.Status != engine.RunSucceeded {
					t.Errorf("%s %v", s.Status, s.Cause)
				}
				b.wantKind(engine.FactRunHeld, true)
				b.wantInService()
			})
		})
	}
}

// diesAt kills the program right after the first fact of the kind; meanwhile happens before the next life.
func diesAt(b *bench, kind engine.FactKind, meanwhile func(w *world)) {
	b.t.Helper()
	b.journal.on = func(f engine.Fact) {
		if f.Kind == kind {
			b.journal.dieAfter = len(b.journal.lines)
		}
	}
	if _, err := b.run(); err == nil {
		b.t.Fatal("the program should have died")
	}
	time.Sleep(10 * time.Hour)
	b.w.locked(meanwhile)
	b.journal.on, b.journal.dieAfter = nil, 0
}

func TestR14_APermissionFromBeforeACrashIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		diesAt(b, engine.FactPauseIntent, func(w *world) { w.set("NODE3", engine.NodeDown) })
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				if b.w.count("pause NODE1") != 0 || !strings.Contains(f.Data.Message, "NODE3 is Down") {
					t.Errorf("%q after %v", f.Data.Message, b.w.acts)
				}
				b.w.locked(func(w *world) { w.set("NODE3", engine.NodeUp) })
				b.control <- engine.Control{Verb: engine.VerbResume}
			}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
		b.wantKind(engine.FactRunHeld, true)
		b.wantInService()
	})
}

func TestR14_AfterACrashAStopKeepsANodeThatIsStillInServiceThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		diesAt(b, engine.FactPauseIntent, func(*world) {})
		b.control <- engine.Control{Verb: engine.VerbStop}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeCanceled, "NODE2": engine.NodeCanceled})
		if b.w.count("pause NODE1") != 0 {
			t.Errorf("%v", b.w.acts)
		}
	})
}

func TestR14_APauseWithoutADrainFoundAfterACrashIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		diesAt(b, engine.FactPauseIntent, func(w *world) { w.set("NODE1", engine.NodePaused) })
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		b.toEnd()
		b.wantState("NODE1", engine.NodePaused)
		if len(b.p.starts) != 0 || len(b.w.acts) != 0 && b.w.count("pause NODE1") != 0 {
			t.Errorf("%v %v", b.p.starts, b.w.acts)
		}
	})
}

func TestR15_NothingIsInstalledOnANodeThatSomebodyResumedMeanwhile(t *testing.T) {
	for _, c := range []struct {
		at      engine.FactKind
		status  engine.NodeStatus
		outcome plugins.Outcome
	}{
		{engine.FactDrainDone, engine.NodeFailed, ""},
		{engine.FactInstallIntent, engine.NodeHeld, plugins.Unknown}, // whether the job was started is not known
	} {
		t.Run(string(c.at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				diesAt(b, c.at, func(w *world) {
					m := w.machine("NODE1")
					m.state, m.drain = engine.NodeUp, engine.DrainNotInitiated
				})
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": c.status, "NODE2": engine.NodeCanceled})
				n := s.Node("NODE1")
				if len(b.p.starts) != 0 || n.Update("u").Outcome != c.outcome || !strings.Contains(n.Cause.Message, "not drained any more") {
					t.Errorf("%v, %+v, %v", b.p.starts, n.Update("u"), n.Cause)
				}
			})
		})
	}
}

func TestR14_NoRestartWhileAnotherNodeIsOutOfServiceOrQuorumWouldBeLost(t *testing.T) {
	for _, c := range []struct {
		name        string
		close, open func(w *world)
		says        string
	}{
		{"another node is down", func(w *world) { w.set("NODE3", engine.NodeDown) }, func(w *world) { w.set("NODE3", engine.NodeUp) }, "NODE3 is Down"},
		{"another node is paused", func(w *world) { w.set("NODE3", engine.NodePaused) }, func(w *world) { w.set("NODE3", engine.NodeUp) }, "NODE3 is Paused"},
		{"quorum", func(w *world) { w.losesQuorum = true }, func(w *world) { w.losesQuorum = false }, "loses quorum"},
	} {
		for _, opens := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
					b.p.scripts["NODE1/u"] = restart()
					var closed atomic.Bool
					said := ""
					b.journal.on = func(f engine.Fact) {
						switch {
						case f.Kind == engine.FactInstallDone && f.Node == "NODE1":
							b.w.locked(c.close)
							closed.Store(true)
							if opens {
								go func() {
									time.Sleep(20 * time.Minute)
									b.w.locked(c.open)
									closed.Store(false)
								}()
							}
						case f.Kind == engine.FactGateWaiting:
							said += f.Data.Message
						case f.Kind == engine.FactRestartIntent && closed.Load():
							t.Error("the restart was decided while the gate is closed")
						}
					}
					s := b.toEnd()
					want := engine.NodeSucceeded
					if !opens {
						want = engine.NodeHeld
						b.wantState("NODE1", engine.NodePaused)
					}
					if s.Node("NODE1").Status != want || !strings.Contains(said, c.says) || s.Waiting != "" {
						t.Errorf("%s %v, it said %q", s.Node("NODE1").Status, s.Node("NODE1").Cause, said)
					}
				})
			})
		}
	}
}

func TestR14_ARestartDecidedBeforeACrashStillWaitsForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		b.p.scripts["NODE1/u"] = restart()
		diesAt(b, engine.FactRestartIntent, func(w *world) { w.set("NODE2", engine.NodeDown) })
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeHeld || b.w.count("restart NODE1") != 0 || !strings.Contains(n.Cause.Message, "NODE2 is Down") {
			t.Errorf("%s %v %v", n.Status, n.Cause, b.w.acts)
		}
	})
}

// skewed is the bubble's time with a wall clock that somebody sets, and no other.
type skewed struct{ by atomic.Int64 }

func (s *skewed) Now() time.Time { return time.Now().Round(0).Add(time.Duration(s.by.Load())) }

func (s *skewed) Sleep(ctx context.Context, d time.Duration) error {
	return (bubbleClock{}).Sleep(ctx, d)
}

func (b *bench) runWith(c engine.Clock) engine.State {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	s, err := engine.Run(ctx, engine.RunInput{
		Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Control: b.control, Clock: c,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, v := range b.w.broken {
		b.t.Error(v)
	}
	return s
}

func TestR27_AClockThatJumpsOrACoordinatorThatSleptEndsNothingAndRestartsNothingTwice(t *testing.T) {
	for _, jump := range []time.Duration{9 * time.Hour, -9 * time.Hour, 3 * time.Minute, -430 * time.Second} {
		for _, kind := range []engine.FactKind{
			engine.FactGateWaiting, engine.FactPauseIntent, engine.FactDrainDone, engine.FactInstallIntent, engine.FactInstallDone,
			engine.FactRestartIntent, engine.FactRestartProven, engine.FactResumeIntent, engine.FactResumeDone, engine.FactNodeEnded,
		} {
			t.Run(string(kind)+jump.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := twoNodes(t)
					b.p.scripts["NODE1/u"] = restart()
					b.w.drainTakes, b.w.repair = 3*time.Minute, 4*time.Minute
					c := &skewed{}
					b.journal.on = func(f engine.Fact) {
						if f.Kind == kind {
							go func() {
								time.Sleep(40 * time.Second)
								c.by.Add(int64(jump))
							}()
						}
					}
					s := b.runWith(c)
					if s.Status != engine.RunSucceeded || b.w.machine("NODE1").restarts != 1 {
						t.Errorf("%s %v, %d restarts", s.Status, s.Cause, b.w.machine("NODE1").restarts)
					}
					time.Sleep(time.Hour)
				})
			})
		}
	}
}

func TestR21_AJumpOfTheClockDoesNotMakeANodeStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		c := &skewed{}
		ready := time.Time{}
		b.w.boots = func(v *engine.BootView) {
			if m := b.w.machine("NODE1"); m.restarts == 1 && v.LogonReady && ready.IsZero() {
				ready = time.Now()
				go func() {
					time.Sleep(time.Second)
					c.by.Store(int64(9 * time.Hour))
				}()
			}
		}
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRestartProven && time.Since(ready) < time.Minute {
				t.Errorf("proven %s after it was ready", time.Since(ready))
			}
		}
		if s := b.runWith(c); s.Status != engine.RunSucceeded {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
	})
}

func TestR22_ANodeThatIsLeftPausedSaysSoAndKeepsItsFirstCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.machine("NODE1").drainFails = true
		b.w.fail = func(act, _ string) error {
			if act == "resume" {
				return &fault.Error{Op: "resume", Code: 1722, Err: errors.New("no route")}
			}
			return nil
		}
		s := b.toEnd()
		b.wantState("NODE1", engine.NodePaused)
		c := s.Node("NODE1").Cause
		first, then := strings.Index(c.Message, "the drain failed"), strings.Index(c.Message, "no route")
		if first < 0 || then < first || !strings.Contains(c.Hint, "stays paused") || strings.Contains(c.Hint, "Every role stays") {
			t.Errorf("%+v", c)
		}
		if s.Cause.Hint != c.Hint {
			t.Errorf("the run's hint is %q", s.Cause.Hint)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = script{err: &fault.Error{Op: "install", Hint: "Look at its anti-virus.", Err: plugins.ErrJobLost}}
		s := b.toEnd()
		if c := s.Node("NODE1").Cause; !strings.HasPrefix(c.Hint, "Look at its anti-virus. NODE1 stays paused") {
			t.Errorf("%+v", c)
		}
	})
}

func TestR25_WhenWhatWasAskedCannotBeRecordedNothingMoreIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		full := errors.New("the disk is full")
		_, err := engine.Run(t.Context(), engine.RunInput{
			Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Clock: bubbleClock{}, Control: b.control,
			Recorder: recorderFunc(func(f engine.Fact) error {
				switch f.Kind {
				case engine.FactPauseIntent:
					b.control <- engine.Control{Verb: engine.VerbPause}
				case engine.FactControl:
					return full
				default:
				}
				return nil
			}),
		})
		if !errors.Is(err, full) || len(b.p.starts) != 0 {
			t.Errorf("%v, %v", err, b.p.starts)
		}
	})
}

func TestAPauseThatDoesNotBeginADrainIsAskedForAFewTimesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), map[string][]string{"NODE1": {"u"}})
		b.w.after = func(act, node string) {
			if act == "pause" {
				b.w.machine(node).drain = engine.DrainNotInitiated
			}
		}
		s := b.toEnd()
		if s.Node("NODE1").Status != engine.NodeFailed || b.w.count("pause NODE1") != 3 {
			t.Errorf("%s after %d pauses", s.Node("NODE1").Status, b.w.count("pause NODE1"))
		}
		b.wantState("NODE1", engine.NodeUp)
	})
}
