package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/plugins"
)

// end is what must be the same however often the program died.
type end struct {
	status   engine.RunStatus
	nodes    map[string]engine.NodeStatus
	outcomes map[string]plugins.Outcome
	restarts map[string]int
}

func endOf(b *bench, s engine.State) end {
	e := end{status: s.Status, nodes: map[string]engine.NodeStatus{}, outcomes: map[string]plugins.Outcome{}, restarts: map[string]int{}}
	for _, n := range s.Nodes {
		e.nodes[n.Name] = n.Status
		for _, u := range n.Updates {
			e.outcomes[n.Name+"/"+u.ID] = u.Outcome
		}
		e.restarts[n.Name] = b.w.machine(n.Name).restarts
	}
	return e
}

func (e end) String() string {
	return fmt.Sprintf("%s %v %v %v", e.status, e.nodes, e.outcomes, e.restarts)
}

// scenarios are runs that must end the same wherever the program dies.
func scenarios() map[string]func(t *testing.T) *bench {
	return map[string]func(t *testing.T) *bench{
		"the three layouts": threeLayouts,
		"storage spaces direct": func(t *testing.T) *bench {
			t.Helper()
			b := threeLayouts(t)
			b.w.s2d, b.w.repair = true, 5*time.Minute
			return b
		},
		"failures of every kind": func(t *testing.T) *bench {
			t.Helper()
			names := numbered(6)
			b := newBench(t, newWorld(names...), each(names, "a", "b"), withBudget(5))
			b.p.scripts["NODE1/a"], b.p.scripts["NODE2/b"] = failed(1603), failed(350)
			b.w.machine("NODE3").drainFails = true
			b.p.stageErr["NODE4"] = errors.New("no share")
			b.p.scripts["NODE5/a"] = restart()
			b.w.machine("NODE5").pendingStays = 1
			b.p.scripts["NODE6/b"] = script{err: plugins.ErrJobLost}
			return b
		},
		"an update that does not come": func(t *testing.T) *bench { t.Helper(); return notHere(t) },
		"a restart that is never proven": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
			b.p.scripts["NODE1/u"] = restart()
			b.w.machine("NODE1").neverUp = true
			return b
		},
		"scripts": func(t *testing.T) *bench {
			t.Helper()
			b := twoNodesWithScripts(t, withBudget(2))
			b.p.scripts["NODE1/u"] = restart()
			b.w.scripts["NODE2/pre"] = scripted{code: 1}
			return b
		},
		"a restart that takes too long": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1), withScripts)
			slow(b, 40*time.Minute)
			return b
		},
		"an installer that ends late": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
			b.p.scripts["NODE1/u"] = outlives(40*time.Minute, plugins.Result{Outcome: plugins.Installed})
			return b
		},
		"a credential that does not work for a while": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withScripts)
			b.p.scripts["NODE1/u"] = restart()
			b.w.noSignIn.from, b.w.noSignIn.to = time.Now().Add(5*time.Minute), time.Now().Add(100*time.Minute)
			return b
		},
		"attempts": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(4)...), each(numbered(4), "a", "b"), withRetries(2), withBudget(3), withScripts)
			b.p.scripts["NODE1/a"], b.p.scripts["NODE1/b"], b.p.scripts["NODE2/b"] = restart(), failed(1603), failed(350)
			b.w.machine("NODE2").drainFails = true
			b.w.scripts["NODE3/post"] = scripted{code: 1}
			b.p.stageErr["NODE4"] = errors.New("no share")
			b.onRetry(func(f engine.Fact) {
				delete(b.p.stageErr, f.Node)
				b.w.machine(f.Node).drainFails = false
				if f.Data.Attempt == 2 {
					delete(b.p.scripts, f.Node+"/b")
				}
				if f.Node == "NODE3" {
					delete(b.w.scripts, "NODE3/post")
				}
			})
			return b
		},
		"pauses without a drain": func(t *testing.T) *bench {
			t.Helper()
			b := goingDown(t, "ForcePauseNoDrain")
			b.p.scripts["NODE1/u"] = restart()
			return b
		},
		"forced drains that restart every node": func(t *testing.T) *bench {
			t.Helper()
			b := goingDown(t, "ForcePauseDrainAndReboot", withScripts)
			b.w.machine("NODE1").sticks = []string{"ROLE-NODE1"}
			return b
		},
		"an update that needs another": func(t *testing.T) *bench {
			t.Helper()
			return secondOrder(t)
		},
		"updates that appear, and a question about them": func(t *testing.T) *bench {
			t.Helper()
			return appearing(t, engine.FollowUpsAsk)
		},
		"updates that appear": func(t *testing.T) *bench {
			t.Helper()
			return appearing(t, engine.FollowUpsSameRun)
		},
		"two plug-ins, each restarting for itself": func(t *testing.T) *bench {
			t.Helper()
			return twoPlugins(t, func(in *engine.PlanInput) { in.Options.SeparateReboots = true })
		},
		"two plug-ins, the first of which fails": func(t *testing.T) *bench {
			t.Helper()
			b := twoPlugins(t, func(in *engine.PlanInput) { in.Options.StopOnPluginFailure = true }, withBudget(1))
			b.p.scripts["NODE1/b"] = failed(1603)
			return b
		},
		"two plug-ins, one of which cannot stage": func(t *testing.T) *bench {
			t.Helper()
			b := twoPlugins(t, withBudget(1))
			b.further["Test.Plugin (2)"].stageErr["NODE2"] = errors.New("no share")
			return b
		},
		"a window, a soak and a last begin": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withScripts, with(func(o *engine.Options) {
				o.Window, o.StartNoNodeAfter, o.Soak = "01:00-22:00 UTC", "20:00 UTC", engine.TimeSpan(2*time.Hour)
				o.WarnAfter, o.StopAfter = engine.TimeSpan(time.Hour), engine.TimeSpan(21*time.Hour)
			}))
			b.p.scripts["NODE1/u"] = restart()
			return b
		},
		"a restart and nothing else": func(t *testing.T) *bench {
			t.Helper()
			return onlyPending(t, true, withScripts)
		},
		"install-first": func(t *testing.T) *bench {
			t.Helper()
			b := inServiceFirst(t, each(numbered(3), "u", "v"), withScripts, withBudget(2))
			b.p.scripts["NODE1/u"], b.p.scripts["NODE2/u"] = restart(), failed(1603)
			b.w.machine("NODE1").pendingStays = 1
			return b
		},
		"install-first, and an installer that restarts its node": func(t *testing.T) *bench {
			t.Helper()
			b := inServiceFirst(t, each(numbered(2), "u", "v"))
			b.p.scripts["NODE1/u"], b.p.scripts["NODE2/v"] = initiates(), restart()
			return b
		},
		"install-first, and a node that must be held": func(t *testing.T) *bench {
			t.Helper()
			b := inServiceFirst(t, each(numbered(2), "u", "v"))
			b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost}
			return b
		},
		"controls": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(4)...), each(numbered(4), "a", "b"), withBudget(2))
			b.p.scripts["NODE1/a"], b.p.scripts["NODE4/a"] = restart(), script{err: plugins.ErrJobLost}
			b.askWhen(engine.FactStageIntent, "NODE1", to(engine.VerbHold, "NODE2"), to(engine.VerbSkip, "NODE3"))
			b.askWhen(engine.FactInstallIntent, "NODE1", to(engine.VerbTake, "NODE1"))
			b.askWhen(engine.FactGateWaiting, "NODE1", to(engine.VerbGiveBack, "NODE1"))
			b.askWhen(engine.FactNodeEnded, "NODE4", engine.Control{Verb: engine.VerbMark, Node: "NODE4", Update: "a", Outcome: plugins.Installed})
			b.askWhen(engine.FactGateWaiting, "NODE2", to(engine.VerbRelease, "NODE2"))
			return b
		},
		"stop now": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a"))
			b.p.scripts["NODE1/a"] = script{result: plugins.Result{Outcome: plugins.Installed}, takes: 20 * time.Minute}
			b.askWhen(engine.FactInstallIntent, "NODE1", engine.Control{Verb: engine.VerbStopNow, Typed: "CONTOSO-FC1"})
			return b
		},
		"a loop": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
			b.p.offered = []string{"u"}
			return b
		},
	}
}

func TestR26_KilledAtAnyFactTheRunEndsAsIfUndisturbed(t *testing.T) {
	t.Parallel()
	for name, make := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want string
			total := 0
			synctest.Test(t, func(t *testing.T) {
				b := make(t)
				want, total = endOf(b, b.toEnd()).String(), len(b.journal.lines)
			})
			for k := 1; k <= total; k++ {
				// Killed right after fact k was made durable, or after acting but before fact k could be.
				for _, die := range []func(j *journal){func(j *journal) { j.dieAfter = k }, func(j *journal) { j.dieBefore = k }} {
					synctest.Test(t, func(t *testing.T) {
						b := make(t)
						die(b.journal)
						// Where a watch runs beside the rest, one life may make a fact less than another.
						if _, err := b.run(); err == nil && len(b.journal.lines) > k {
							t.Fatalf("fact %d: the program should have died", k)
						}
						// Installers and restarts go on while nobody watches.
						time.Sleep(time.Duration(k%5) * 97 * time.Second)
						b.journal.dieAfter, b.journal.dieBefore = 0, 0
						s := b.toEnd()
						if got := endOf(b, s).String(); got != want {
							t.Errorf("killed around fact %d:\n got %s\nwant %s\n%v", k, got, want, b.journal.kinds(t))
						}
						b.wantOnce()
					})
				}
			}
		})
	}
}

// wantOnce expects that no installer was started twice, no success entered twice, and none overlapping.
func (b *bench) wantOnce() {
	b.t.Helper()
	jobs := map[string]map[string]bool{}
	done := map[string]int{}
	open := ""
	for _, f := range b.journal.facts(b.t) {
		key := f.Node + "/" + f.Update + passOf(f.Data.Job)
		switch f.Kind {
		case engine.FactInstallIntent:
			if open != "" {
				b.t.Errorf("%s was begun while %s is open", key, open)
			}
			open = key
			if jobs[key] == nil {
				jobs[key] = map[string]bool{}
			}
			jobs[key][f.Data.Job] = true
		case engine.FactInstallDone:
			done[key+" "+f.Data.Job]++
			open = ""
		default:
		}
	}
	// One start for each attempt that began it.
	for _, p := range b.allPlugins() {
		for key, n := range p.starts {
			if n != len(jobs[key]) {
				b.t.Errorf("%s was started %d times as %v", key, n, jobs[key])
			}
		}
	}
	for key, n := range done {
		if n != 1 {
			b.t.Errorf("%s has %d results", key, n)
		}
	}
}

func TestR26_KilledAgainAndAgainTheRunStillEnds(t *testing.T) {
	var want string
	synctest.Test(t, func(t *testing.T) {
		b := threeLayouts(t)
		want = endOf(b, b.toEnd()).String()
	})
	synctest.Test(t, func(t *testing.T) {
		b := threeLayouts(t)
		var s engine.State
		for lives := 1; ; lives++ {
			// Each life makes two facts: that it has begun, and one step.
			b.journal.dieAfter = len(b.journal.lines) + 2
			var err error
			if s, err = b.run(); err == nil {
				break
			}
			if lives > 200 {
				t.Fatal("the run makes no progress")
			}
		}
		if got := endOf(b, s).String(); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestR26_AMaintenanceModeIsUndoneAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
		b.w.s2d = true
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactMaintenanceIntent && b.journal.dieAfter == 0 {
				b.journal.dieBefore = len(b.journal.lines) + 2
			}
		}
		if _, err := b.run(); err == nil {
			t.Fatal("the program should have died")
		}
		if !b.w.machine("NODE1").maintenance {
			t.Fatal("the act should have been done")
		}
		b.journal.on, b.journal.dieBefore = nil, 0
		b.control <- engine.Control{Verb: engine.VerbStop}
		b.toEnd()
		b.wantInService()
	})
}

func TestAHeldRunStaysHeldForItsNextCoordinator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.foreign = []engine.ForeignRun{{ID: "f"}}
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				b.journal.dieAfter = len(b.journal.lines)
			}
		}
		if s, err := b.run(); !errors.Is(err, context.Canceled) || s.Status != engine.RunHeld {
			t.Fatalf("%s %v", s.Status, err)
		}
		b.journal.on, b.journal.dieAfter = nil, 0
		b.w.foreign = nil
		go func() {
			time.Sleep(time.Hour)
			if b.w.count("pause NODE1") != 0 || len(b.p.stages) != 0 {
				t.Error("it went on before anybody decided")
			}
			b.control <- engine.Control{Verb: engine.VerbResume}
		}()
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s", s.Status)
		}
	})
}

func TestR25_WhenAFactCannotBeRecordedNothingMoreIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		full := errors.New("the disk is full")
		state, err := engine.Run(t.Context(), engine.RunInput{
			Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Clock: bubbleClock{}, Control: b.control,
			Recorder: recorderFunc(func(f engine.Fact) error {
				if f.Kind == engine.FactPauseIntent {
					return full
				}
				return nil
			}),
		})
		if !errors.Is(err, full) || state.Status.Ended() || len(b.w.acts) != 0 {
			t.Errorf("%v, %s, %v", err, state.Status, b.w.acts)
		}
	})
}

type recorderFunc func(engine.Fact) error

func (r recorderFunc) Record(f engine.Fact) error { return r(f) }

func TestTheEndOfTheCoordinatorLeavesNoFalseOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(3 * time.Minute) // in the middle of NODE1's installer
			cancel()
		}()
		began := time.Now()
		s, err := engine.Run(ctx, engine.RunInput{Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Control: b.control, Clock: bubbleClock{}})
		if !errors.Is(err, context.Canceled) || time.Since(began) > 3*time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if n := s.Node("NODE1"); n.Status != engine.NodeUpdating || n.Update("u").Outcome != "" || n.Update("u").Started.IsZero() {
			t.Errorf("%+v", n)
		}
	})
}
