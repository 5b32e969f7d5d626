package engine_test

import (
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

func installFirst(in *engine.PlanInput) { in.Options.InstallOrder = engine.InstallFirst }

// inServiceFirst is a bench whose updates are installed while their nodes are in service.
func inServiceFirst(t *testing.T, what map[string][]string, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(3)...), what, append(change, installFirst)...)
	b.w.installsFirst = true
	return b
}

// initiates is an installer that restarts its machine itself.
func initiates() script {
	code := fault.Code(1641)
	return script{result: plugins.Result{Outcome: plugins.Installed, ExitCode: &code}, selfRestart: true}
}

func (b *bench) wantOrder(kinds ...string) {
	b.t.Helper()
	all, at := b.journal.kinds(b.t), 0
	for _, k := range kinds {
		i := slices.Index(all[at:], k)
		if i < 0 {
			b.t.Fatalf("%s does not follow in\n%s", k, strings.Join(all, "\n"))
		}
		at += i + 1
	}
}

func TestInstallFirstPausesANodeOnlyForARestart(t *testing.T) {
	for _, s2d := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := inServiceFirst(t, each(numbered(2), "u", "v"), withScripts)
			b.w.s2d = s2d
			b.p.scripts["NODE2/u"] = restart()
			s := b.toEnd()
			b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeUpToDate})
			if b.w.count("pause NODE1") != 0 || b.w.count("resume-Immediate NODE1") != 0 || b.w.count("maintenance-true NODE1") != 0 || b.w.count("restart NODE2") != 1 || b.w.count("pause NODE2") != 1 {
				t.Errorf("%v", b.w.acts)
			}
			b.wantOrder("script.intent NODE1", "in-service.intent NODE1", "install.intent NODE1", "install.done NODE1", "rescan.done NODE1", "script.intent NODE1", "node.ended NODE1")
			b.wantOrder("in-service.intent NODE2", "install.done NODE2", "install.done NODE2", "pause.intent NODE2", "drain.done NODE2", "restart.proven NODE2", "rescan.done NODE2", "resume.done NODE2", "settle.done NODE2", "script.intent NODE2", "node.ended NODE2")
			b.wantInService()
		})
	}
}

func TestR14_InstallFirstLooksAtTheGateBeforeTheFirstInstallerAndAgainBeforeThePause(t *testing.T) {
	for _, at := range []engine.FactKind{engine.FactStageDone, engine.FactInService, engine.FactInstallDone} {
		t.Run(string(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inServiceFirst(t, map[string][]string{"NODE1": {"u", "v"}})
				b.p.scripts["NODE1/u"] = restart()
				var open time.Time
				begun := map[engine.FactKind]bool{}
				b.journal.on = func(f engine.Fact) {
					if f.Kind == at && open.IsZero() {
						open = time.Now().Add(20 * time.Minute)
						b.w.locked(func(w *world) { w.set("NODE3", engine.NodeDown) })
						go func() {
							time.Sleep(20 * time.Minute)
							b.w.locked(func(w *world) { w.set("NODE3", engine.NodeUp) })
						}()
						return
					}
					if !open.IsZero() && time.Now().Before(open) {
						begun[f.Kind] = true
					}
					if f.Kind == engine.FactRunHeld {
						go func() {
							time.Sleep(time.Until(open) + time.Minute)
							b.control <- engine.Control{Verb: engine.VerbResume}
						}()
					}
				}
				s := b.toEnd()
				if begun[engine.FactInstallIntent] || begun[engine.FactInService] || begun[engine.FactPauseIntent] || s.Status != engine.RunSucceeded {
					t.Errorf("%v %s %v", begun, s.Status, s.Cause)
				}
				b.wantInService()
			})
		})
	}
}

func TestR29_InstallFirstDoesADueRestartAfterAPauseOrAStopWasAsked(t *testing.T) {
	for _, verb := range []engine.Verb{engine.VerbPause, engine.VerbStop} {
		t.Run(string(verb), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inServiceFirst(t, each(numbered(2), "u", "v"))
				b.p.scripts["NODE1/u"] = restart()
				b.askOn(engine.FactInstallIntent, "NODE1", verb)
				b.askOn(engine.FactRunPaused, "", engine.VerbStop)
				s := b.toEnd()
				want := map[engine.Verb]engine.NodeStatus{engine.VerbPause: engine.NodeSucceeded, engine.VerbStop: engine.NodeCanceled}[verb]
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": want, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
				if verb == engine.VerbPause {
					b.wantOrder("restart.proven NODE1", "node.ended NODE1", "run.paused")
				}
				if s.Node("NODE1").Restarts != 1 || b.p.starts["NODE2/u"] != 0 || len(b.w.machine("NODE1").pending) != 0 {
					t.Errorf("%v %v", b.w.acts, b.p.starts)
				}
				b.wantInService()
			})
		})
	}
}

func TestR29_InstallFirstHoldsADueRestartForWhichTheGateIsClosedWhenStopIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, map[string][]string{"NODE1": {"u"}})
		b.p.scripts["NODE1/u"] = restart()
		b.journal.on = func(f engine.Fact) {
			switch f.Kind {
			case engine.FactInstallDone:
				b.w.locked(func(w *world) { w.set("NODE3", engine.NodeDown) })
			case engine.FactGateWaiting:
				b.control <- engine.Control{Verb: engine.VerbStop}
			default:
			}
		}
		s := b.toEnd()
		c := s.Node("NODE1").Cause
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeUpToDate, "NODE3": engine.NodeUpToDate})
		b.wantState("NODE1", engine.NodeUp)
		if b.w.count("pause NODE1") != 0 || !strings.Contains(c.Message, "a restart is due") || !strings.Contains(c.Message, "NODE3 is Down") || !strings.Contains(c.Hint, "restart it by hand") || strings.Contains(c.Hint, "stays paused") {
			t.Errorf("%+v", c)
		}
	})
}

func TestR22_InstallFirstLeavesAFailedNodeInService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, each(numbered(2), "u", "v"), withBudget(2))
		b.p.scripts["NODE1/u"] = failed(1603)
		b.p.scripts["NODE2/u"] = failed(350) // Fail_RebootRequired
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodePartiallyFailed, "NODE2": engine.NodePartiallyFailed, "NODE3": engine.NodeUpToDate})
		if b.w.count("pause NODE1") != 0 || s.Node("NODE2").Restarts != 1 {
			t.Errorf("%v", b.w.acts)
		}
		b.wantInService()
	})
}

func TestR22_InstallFirstLeavesANodeWhoseDrainFailsInServiceAndSaysThatARestartIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, map[string][]string{"NODE1": {"u"}})
		b.p.scripts["NODE1/u"] = restart()
		b.w.machine("NODE1").drainFails = true
		s := b.toEnd()
		b.wantState("NODE1", engine.NodeUp)
		if n := s.Node("NODE1"); n.Status != engine.NodeFailed || !strings.Contains(n.Cause.Hint, "The restart is still due") || b.w.count("restart NODE1") != 0 {
			t.Errorf("%s %+v", n.Status, n.Cause)
		}
	})
}

func TestR22_InstallFirstPausesANodeThatMustBeHeld(t *testing.T) {
	for name, sc := range map[string]script{
		"unknown": {err: plugins.ErrJobLost},
		"runs on": outlives(0, plugins.Result{}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inServiceFirst(t, each(numbered(2), "u", "v"), withBudget(2))
				b.p.scripts["NODE1/u"] = sc
				b.w.after = func(act, node string) {
					if act == "pause" && node == "NODE1" {
						b.w.machine("NODE1").updaters.Servicing = true // its own installer
					}
				}
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactInstallDone {
						b.w.locked(func(w *world) { w.machine("NODE1").updaters.Servicing = true })
					}
				}
				b.askOn(engine.FactRunHeld, "", engine.VerbStop)
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
				b.wantState("NODE1", engine.NodePaused)
				if b.p.starts["NODE1/v"] != 0 || b.w.count("restart NODE1") != 0 || b.p.starts["NODE2/u"] != 0 || slices.ContainsFunc(b.w.groups, func(g *role) bool { return g.owner == "NODE1" }) {
					t.Errorf("%v %v", b.w.acts, b.p.starts)
				}
				if c := s.Node("NODE1").Cause; !strings.Contains(c.Hint, "NODE1 stays paused") {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestR18_NoNodeIsTakenWhileAnInstallerMayBeAtWorkOnOneThatCouldNotBePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, each(numbered(2), "u"), withBudget(2))
		b.p.scripts["NODE1/u"] = script{err: plugins.ErrJobLost}
		b.w.fail = func(act, node string) error {
			if act == "pause" && node == "NODE1" {
				return &fault.Error{Op: "pause", Code: 5, Err: fmt.Errorf("not allowed")}
			}
			return nil
		}
		said := ""
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				said = f.Data.Message
				b.control <- engine.Control{Verb: engine.VerbStop}
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
		if b.p.starts["NODE2/u"] != 0 || !strings.Contains(said, "the installer of u.msu may be at work there") {
			t.Errorf("%q %v", said, b.p.starts)
		}
	})
}

func TestR21_ARestartThatAnInstallerBeginsInServiceIsProvenAndNothingIsAskedOfTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, each(numbered(2), "u", "v"))
		b.p.scripts["NODE1/u"] = initiates()
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeUpToDate})
		if b.w.count("restart NODE1") != 0 || b.w.count("pause NODE1") != 0 || s.Node("NODE1").Restarts != 1 || !slices.Contains(b.w.outages, "ROLE-NODE1") {
			t.Errorf("%v %v", b.w.acts, b.w.outages)
		}
		b.wantOrder("install.done NODE1", "restart.intent NODE1", "restart.proven NODE1", "install.intent NODE1", "node.ended NODE1", "in-service.intent NODE2")
	})
}

func TestR21_ARestartThatAnInstallerAnnouncedAndDidNotBeginHoldsTheNodePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, each(numbered(2), "u", "v"))
		sc := initiates()
		sc.selfRestart = false
		b.p.scripts["NODE1/u"] = sc
		s := b.toEnd()
		c := s.Node("NODE1").Cause
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
		b.wantState("NODE1", engine.NodePaused)
		if b.w.count("restart NODE1") != 0 || b.p.starts["NODE1/v"] != 0 || !strings.Contains(c.Message, "after 15m0s it did not") || !strings.Contains(c.Hint, "restart it by hand") {
			t.Errorf("%v %+v", b.w.acts, c)
		}
	})
}

func TestR22_ANodeThatItsInstallerRestartedAndThatReturnsLateIsWatchedAndLeftInService(t *testing.T) {
	for _, ever := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := inServiceFirst(t, each(numbered(2), "u"), withScripts)
			b.p.scripts["NODE1/u"] = initiates()
			b.w.restartTakes = 40 * time.Minute
			b.w.machine("NODE1").neverUp = !ever
			s := b.toEnd()
			n := s.Node("NODE1")
			b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
			if n.Returned != ever || b.w.count("resume-Immediate NODE1") != 0 || strings.Contains(n.Cause.Hint, "stays paused") || strings.Contains(n.Cause.Message, "returned late") != ever {
				t.Errorf("%+v", n.Cause)
			}
			if ever {
				b.wantState("NODE1", engine.NodeUp)
			}
		})
	}
}

func TestR29_StopAtAnyFactOfInstallFirstLeavesEveryNodeInService(t *testing.T) {
	fresh := func(t *testing.T) *bench {
		t.Helper()
		b := inServiceFirst(t, each(numbered(2), "u", "v"), withScripts)
		b.p.scripts["NODE1/u"] = restart()
		return b
	}
	total := 0
	synctest.Test(t, func(t *testing.T) {
		b := fresh(t)
		b.toEnd()
		total = len(b.journal.lines)
	})
	for k := 1; k <= total; k++ {
		synctest.Test(t, func(t *testing.T) {
			b := fresh(t)
			b.journal.on = func(engine.Fact) {
				if len(b.journal.lines) == k {
					b.control <- engine.Control{Verb: engine.VerbStop}
				}
			}
			b.toEnd()
			b.wantInService()
			if len(b.w.machine("NODE1").pending) != 0 {
				t.Errorf("stopped at fact %d a restart stays pending", k)
			}
		})
	}
}

func TestR22_NoNodeIsTakenBesideOneThatKeepsRestartingInService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, each(numbered(2), "u"), withBudget(2))
		b.p.scripts["NODE1/u"] = initiates()
		b.w.machine("NODE1").again = slices.Repeat([]time.Duration{50 * time.Second}, 60)
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
		if b.p.starts["NODE2/u"] != 0 {
			t.Errorf("%v", b.p.starts)
		}
	})
}

func TestInstallFirstTriesADrainAgainForTheRestartThatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, map[string][]string{"NODE1": {"u"}}, withRetries(1))
		b.p.scripts["NODE1/u"] = restart()
		b.w.machine("NODE1").drainFails = true
		b.onRetry(func(f engine.Fact) { b.w.machine(f.Node).drainFails = false })
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || n.Restarts != 1 || b.p.starts["NODE1/u"] != 1 {
			t.Errorf("%s %v, %d restarts, %v", n.Status, n.Cause, n.Restarts, b.p.starts)
		}
	})
}

func TestInstallFirstSoaksAfterANodeThatWasNeverPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inServiceFirst(t, each(numbered(2), "u"), with(func(o *engine.Options) { o.Soak = engine.TimeSpan(3 * time.Hour) }))
		b.toEnd()
		var ended, next time.Time
		for _, f := range b.journal.facts(t) {
			switch {
			case f.Kind == engine.FactNodeEnded && f.Node == "NODE1":
				ended = f.Time
			case f.Kind == engine.FactInService && f.Node == "NODE2":
				next = f.Time
			}
		}
		if soaked := next.Sub(ended); soaked < 3*time.Hour {
			t.Errorf("NODE2 is begun %s after NODE1", soaked)
		}
	})
}

func TestR29_InstallFirstPausesForADueRestartAfterTheWindowHasClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The bubble's time begins at midnight, UTC.
		b := inServiceFirst(t, each(numbered(2), "u"), with(func(o *engine.Options) { o.Window = "23:00-00:30 UTC" }))
		sc := restart()
		sc.takes = time.Hour
		b.p.scripts["NODE1/u"] = sc
		b.askOn(engine.FactGateWaiting, "NODE2", engine.VerbStop)
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || n.Restarts != 1 || n.Ended.Sub(s.Started) > 3*time.Hour || b.p.starts["NODE2/u"] != 0 {
			t.Errorf("%s %v, %d restarts, %s, %v", n.Status, n.Cause, n.Restarts, n.Ended.Sub(s.Started), b.p.starts)
		}
	})
}
