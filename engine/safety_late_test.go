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

// outlives is an installer whose limit passes after half an hour and that goes on for so long.
func outlives(runsOn time.Duration, late plugins.Result) script {
	return script{err: fmt.Errorf("after 30m0s: %w", plugins.ErrJobStillRunning), takes: 30 * time.Minute, runsOn: runsOn, late: late}
}

func (b *bench) fact(kind engine.FactKind) *engine.Fact {
	b.t.Helper()
	facts := b.journal.facts(b.t)
	i := slices.IndexFunc(facts, func(f engine.Fact) bool { return f.Kind == kind })
	if i < 0 {
		b.t.Fatalf("no fact %s in\n%s", kind, strings.Join(b.journal.kinds(b.t), "\n"))
	}
	return &facts[i]
}

func TestR18_AnInstallerThatEndsLateIsJournalledAndItsNodeStaysHeld(t *testing.T) {
	for _, attachable := range []bool{true, false} {
		t.Run(fmt.Sprintf("attachable %v", attachable), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.w.attachable = attachable
				code := fault.Code(3010)
				b.p.scripts["NODE1/u"] = outlives(50*time.Minute, plugins.Result{Outcome: plugins.Installed, ExitCode: &code, RestartRequired: true})
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
				b.wantState("NODE1", engine.NodePaused)
				u := s.Node("NODE1").Update("u")
				if u.Outcome != plugins.UpdateFailed || u.Late == nil || u.Late.Outcome != plugins.Installed || *u.Late.ExitCode != 3010 || b.p.starts["NODE1/u"] != 1 {
					t.Errorf("%+v, started %v", u, b.p.starts)
				}
				late, held := b.fact(engine.FactInstallerEndedLate), b.fact(engine.FactNodeEnded)
				if d := late.Time.Sub(held.Time); d < 49*time.Minute || d > 51*time.Minute || s.Ended.Before(late.Time) {
					t.Errorf("it ended %s after its node was held", d)
				}
				if c := s.Node("NODE1").Cause; !strings.Contains(c.Message, "still running") || !strings.Contains(c.Message, "ended late: installed, exit code 3010") || !strings.Contains(c.Hint, "restart NODE1 by hand") {
					t.Errorf("%+v", c)
				}
				if b.w.count("restart NODE1") != 0 || b.w.count("clean-0123abcd NODE1") != 0 || s.Node("NODE1").Watched {
					t.Errorf("%v", b.w.acts)
				}
			})
		})
	}
}

func TestR18_AnInstallerThatNeverEndsIsWatchedForABoundedTimeOrUntilStop(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(fmt.Sprintf("stop %v", stop), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.p.scripts["NODE1/u"] = outlives(0, plugins.Result{})
				if stop {
					b.askOn(engine.FactRunWatching, "", engine.VerbStop)
				}
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
				b.wantState("NODE1", engine.NodePaused)
				begun, over := b.fact(engine.FactWatchBegun), b.fact(engine.FactWatchEnded)
				watched := over.Time.Sub(begun.Time)
				if stop && watched > time.Minute || !stop && (watched < 2*time.Hour || watched > 2*time.Hour+time.Minute) || s.Ended.Before(over.Time) {
					t.Errorf("watched for %s, the run ended at %s", watched, s.Ended)
				}
				b.wantKind(engine.FactInstallerEndedLate, false)
			})
		})
	}
}

func TestR18_WhileAnInstallerIsWatchedTheOtherNodesGoOnAsFarAsTheyMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withBudget(2))
		b.p.scripts["NODE1/u"] = outlives(3*time.Minute, plugins.Result{Outcome: plugins.Installed})
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactInstallerEndedLate {
				if err := b.w.Resume(t.Context(), "NODE1", engine.FailbackImmediate); err != nil { // the administrator has seen it
					t.Error(err)
				}
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeSucceeded})
		if late := b.fact(engine.FactInstallerEndedLate); !late.Time.Before(s.Node("NODE2").Ended) {
			t.Error("the late end came after the other nodes")
		}
	})
}

func TestR19_ANewCoordinatorNeverStartsAnInstallerOnlyToWatchIt(t *testing.T) {
	for _, attachable := range []bool{true, false} {
		t.Run(fmt.Sprintf("attachable %v", attachable), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.w.attachable = attachable
				b.p.scripts["NODE1/u"] = outlives(30*time.Minute, plugins.Result{Outcome: plugins.Installed})
				diesAt(b, engine.FactWatchBegun, func(w *world) { clear(w.machine("NODE1").jobs) }) // somebody cleaned the node
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
				u := s.Node("NODE1").Update("u")
				if b.p.starts["NODE1/u"] != 1 || attachable != (u.Late != nil) || attachable && u.Late.Outcome != plugins.Unknown {
					t.Errorf("started %v, %+v", b.p.starts, u.Late)
				}
				b.wantKind(engine.FactWatchEnded, !attachable)
			})
		})
	}
}

// slow makes NODE1's restart take longer than it may.
func slow(b *bench, takes time.Duration) {
	b.p.scripts["NODE1/u"] = restart()
	b.w.restartTakes = takes
}

func TestR22_ANodeThatReturnsLateIsBroughtBackIntoService(t *testing.T) {
	for _, s2d := range []bool{false, true} {
		t.Run(fmt.Sprintf("s2d %v", s2d), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.w.s2d = s2d
				slow(b, 40*time.Minute)
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
				b.wantInService()
				n := s.Node("NODE1")
				if !n.Returned || n.PausedByUs || n.Restarts != 1 || b.w.count("restart NODE1") != 1 || b.w.count("pause NODE2") != 0 {
					t.Errorf("%+v %v", n, b.w.acts)
				}
				if !strings.Contains(n.Cause.Message, "not proven after 15m0s") || !strings.Contains(n.Cause.Message, "it returned late") || !strings.Contains(s.Cause.Message, "returned late") {
					t.Errorf("%v", n.Cause)
				}
				if late := b.fact(engine.FactReturnedLate); !strings.Contains(late.Data.Message, "returned late") || s.Ended.Before(late.Time) {
					t.Errorf("%+v", late)
				}
			})
		})
	}
}

func TestR22_TheGateWaitsForANodeThatMayReturnAndThenTheRunGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withBudget(2))
		slow(b, 60*time.Minute)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeSucceeded})
		b.wantKind(engine.FactRunHeld, false)
		b.wantInService()
	})
}

func TestR22_ALateNodeIsNotTouchedWhenItIsNotForUsToResume(t *testing.T) {
	for name, c := range map[string]struct {
		breakIt func(b *bench)
		says    string
		state   engine.NodeState
	}{
		"it never comes back": {func(b *bench) { b.w.machine("NODE1").neverUp = true }, "not watched any more after 2h0m0s", engine.NodeDown},
		"somebody resumed it": {func(b *bench) {
			b.journal.on = func(f engine.Fact) {
				if f.Kind == engine.FactWatchBegun {
					go func() {
						time.Sleep(50 * time.Minute)
						b.w.locked(func(w *world) { w.pass(); w.machine("NODE1").state = engine.NodeUp })
					}()
				}
			}
			b.w.boots = func(v *engine.BootView) { v.ClusterService = v.Uptime > 5*time.Hour }
		}, "Somebody resumed NODE1", engine.NodeUp},
		"another restart is pending": {func(b *bench) { b.w.machine("NODE1").pendingStays = 1 }, "another restart is pending: component servicing", engine.NodePaused},
		"it restarts again and again": {func(b *bench) {
			b.w.machine("NODE1").again = []time.Duration{90 * time.Second, 50 * time.Second, 50 * time.Second, 50 * time.Second, 50 * time.Second}
			b.w.joins = 2 * time.Minute
		}, "not watched any more", engine.NodeDown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				slow(b, 40*time.Minute)
				c.breakIt(b)
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
				b.wantState("NODE1", c.state)
				if said := b.fact(engine.FactWatchEnded).Data.Message; !strings.Contains(said, c.says) {
					t.Errorf("%q", said)
				}
				if b.w.count("resume-Immediate NODE1") != 0 || b.w.count("restart NODE1") != 1 {
					t.Errorf("%v", b.w.acts)
				}
			})
		})
	}
}

func TestR22_StopEndsTheWatchAndLeavesTheNodePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		slow(b, 40*time.Minute)
		b.askOn(engine.FactWatchBegun, "", engine.VerbStop)
		s := b.toEnd()
		b.wantKind(engine.FactReturnedLate, false)
		if n := s.Node("NODE1"); n.Watched || n.Status != engine.NodeFailed || s.Ended.Sub(b.fact(engine.FactWatchBegun).Time) > time.Minute {
			t.Errorf("%+v", n)
		}
	})
}

func TestR22_OnceALateNodeIsBackNothingStopsItsWayIntoService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		slow(b, 40*time.Minute)
		b.askOn(engine.FactReturnedLate, "", engine.VerbStop)
		b.toEnd()
		b.wantInService()
	})
}

func TestR18_AScriptThatEndsLateIsJournalledAndChangesNothingElse(t *testing.T) {
	for _, phase := range []string{plugins.PhasePre, plugins.PhasePost} {
		for _, attachable := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, attachable %v", phase, attachable), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := twoNodesWithScripts(t, withBudget(2))
					b.w.attachable = attachable
					b.w.scripts["NODE1/"+phase] = scripted{code: 4, takes: 80 * time.Minute}
					s := b.toEnd()
					n := s.Node("NODE1")
					run := n.PreScript
					want := map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeUpToDate}
					if phase == plugins.PhasePost {
						run, want["NODE1"] = n.PostScript, engine.NodePartiallyFailed
					}
					b.wantNodes(s, want)
					if run.RunsOn || run.ExitCode != nil || run.LateExit == nil || *run.LateExit != 4 || n.Watched || b.w.count("script-"+phase+" NODE1") != 1 {
						t.Errorf("%+v", run)
					}
					late := b.fact(engine.FactScriptEndedLate)
					if took := late.Time.Sub(run.Started); took < 80*time.Minute || took > 81*time.Minute || s.Ended.Before(late.Time) {
						t.Errorf("it ended after %s", took)
					}
					if !strings.Contains(n.Cause.Message, "still running after 30m0s; ") || !strings.Contains(n.Cause.Message, ".ps1 ended late: exit code 4") {
						t.Errorf("%q", n.Cause.Message)
					}
				})
			})
		}
	}
}

func TestR18_ANewCoordinatorNeverStartsAScriptOnlyToWatchIt(t *testing.T) {
	for _, attachable := range []bool{true, false} {
		t.Run(fmt.Sprintf("attachable %v", attachable), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodesWithScripts(t)
				b.w.attachable = attachable
				b.w.scripts["NODE1/pre"] = scripted{takes: 80 * time.Minute}
				diesAt(b, engine.FactWatchBegun, func(w *world) { clear(w.machine("NODE1").scriptRuns) }) // somebody cleaned the node
				b.toEnd()
				if b.w.count("script-pre NODE1") != 1 {
					t.Errorf("%v", b.w.acts)
				}
				b.wantKind(engine.FactScriptEndedLate, attachable)
				b.wantKind(engine.FactWatchEnded, !attachable)
			})
		})
	}
}
