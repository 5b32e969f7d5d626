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

func TestR15_NoRestartWhenSomebodyResumedTheNodeMeanwhile(t *testing.T) {
	for _, mode := range []engine.FailbackMode{engine.FailbackImmediate, engine.FailbackNone} {
		t.Run(string(mode), func(t *testing.T) { noRestartAfterResume(t, mode) })
	}
}

func noRestartAfterResume(t *testing.T, mode engine.FailbackMode) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactInstallDone {
				if err := b.w.Resume(t.Context(), "NODE1", mode); err != nil {
					t.Error(err)
				}
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
		if b.w.count("restart NODE1") != 0 || !strings.Contains(s.Node("NODE1").Cause.Message, "not drained any more") {
			t.Errorf("%v, %v", b.w.acts, s.Node("NODE1").Cause)
		}
	})
}

func TestR15_NoRestartWhileARoleIsOnThePausedNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactInstallDone {
				b.w.locked(func(w *world) { w.groups[0].owner = "NODE1" }) // moved there by hand
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
		if b.w.count("restart NODE1") != 0 || !strings.Contains(s.Node("NODE1").Cause.Message, "ROLE-NODE1") {
			t.Errorf("%v, %v", b.w.acts, s.Node("NODE1").Cause)
		}
	})
}

func TestR21_ANodeIsReadyOnlyWhenEverySignSaysSo(t *testing.T) {
	const late = 8 * time.Minute
	for name, hold := range map[string]func(w *world){
		"boot-time servicing": func(w *world) { w.boots = func(b *engine.BootView) { b.LogonReady = b.Uptime > late } },
		"component servicing": func(w *world) { w.boots = func(b *engine.BootView) { b.ServicingBusy = b.Uptime < late } },
		"the Cluster service": func(w *world) { w.boots = func(b *engine.BootView) { b.ClusterService = b.Uptime > late } },
		"its peers":           func(w *world) { w.joins = late },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.p.scripts["NODE1/u"] = restart()
				hold(b.w)
				b.journal.on = func(f engine.Fact) {
					if up := f.Time.Sub(b.w.machine("NODE1").bootAt); f.Kind == engine.FactRestartProven && up < late+time.Minute {
						t.Errorf("proven %s after the boot", up)
					}
				}
				if s := b.toEnd(); s.Status != engine.RunSucceeded {
					t.Errorf("%s %v", s.Status, s.Cause)
				}
			})
		})
	}
}

func TestR30_WhyARestartIsNotProvenIsTheFirstErrorOfTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		asked, n := false, 0
		b.w.fail = func(act, _ string) error {
			asked = asked || act == "restart"
			if !asked || act != "boot" {
				return nil
			}
			if n++; n == 1 {
				return errors.New("the certificate expired")
			}
			return errors.New("connection refused")
		}
		if s := b.toEnd(); !strings.Contains(s.Cause.Message, "certificate") {
			t.Errorf("%v", s.Cause)
		}
	})
}

func TestR15_ADrainIsNotDoneWhileASharedVolumeIsStillThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.w.volumeLag = 2 * time.Minute
		var paused time.Time
		b.journal.on = func(f engine.Fact) {
			switch {
			case f.Kind == engine.FactPauseIntent:
				paused = f.Time
			case f.Kind == engine.FactDrainDone && f.Time.Sub(paused) < b.w.drainTakes+b.w.volumeLag:
				t.Errorf("%s counts as drained after %s", f.Node, f.Time.Sub(paused))
			}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
	})
}

func TestR21_ARestartIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		b.w.shutdownTakes = 2 * time.Minute
		asked := 0
		b.w.fail = func(act, _ string) error {
			if act == "restart" {
				asked++
			}
			return nil
		}
		if b.toEnd(); asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestR21_ASecondSpontaneousRestartStartsTheProofOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		b.w.machine("NODE1").again = []time.Duration{50 * time.Second}
		var proven time.Time
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRestartProven {
				proven = f.Time
			}
		}
		s := b.toEnd()
		m := b.w.machine("NODE1")
		if s.Status != engine.RunSucceeded || m.restarts != 2 || proven.Sub(m.bootAt) < time.Minute {
			t.Errorf("%s, %d restarts, proven %s after the last boot", s.Status, m.restarts, proven.Sub(m.bootAt))
		}
		b.wantKind(engine.FactRestartAgain, true)
	})
}

func TestR21_ANodeThatKeepsRestartingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		b.w.machine("NODE1").again = slices.Repeat([]time.Duration{50 * time.Second}, 20)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
		if !strings.Contains(s.Cause.Message, "by itself") {
			t.Errorf("%v", s.Cause)
		}
	})
}

func TestR21_AnIdentityThatMovesWithTheClockIsNoRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = restart()
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRestartIntent && !b.w.machine("NODE1").clockSet && f.Data.Message == "" {
				b.w.machine("NODE1").clockSet = true // Windows corrects its clock: the identity changes, nothing restarts
			}
		}
		s := b.toEnd()
		if s.Status != engine.RunSucceeded || b.w.machine("NODE1").restarts != 1 || s.Node("NODE1").Restarts != 1 {
			t.Errorf("%s, %d restarts, %v", s.Status, b.w.machine("NODE1").restarts, b.w.acts)
		}
	})
}

func TestR21_ARestartThatTheInstallerDidItselfIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		code := fault.Code(1641)
		b.p.scripts["NODE1/u"] = script{result: plugins.Result{Outcome: plugins.Installed, ExitCode: &code, RestartRequired: true}, selfRestart: true}
		s := b.toEnd()
		if s.Status != engine.RunSucceeded || b.w.machine("NODE1").restarts != 1 || b.w.count("restart NODE1") != 0 {
			t.Errorf("%s, %d restarts, %v", s.Status, b.w.machine("NODE1").restarts, b.w.acts)
		}
	})
}

func TestR18_AfterAnInstallerThatRestartsTheNodeTheNextOneWaitsForTheProof(t *testing.T) {
	for _, outcome := range []plugins.Outcome{plugins.Installed, plugins.UpdateFailed} { // as the rules have it
		t.Run(string(outcome), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE1": {"u", "v"}})
				code := fault.Code(1641)
				b.p.scripts["NODE1/u"] = script{result: plugins.Result{Outcome: outcome, ExitCode: &code}, selfRestart: true}
				proven := false
				b.journal.on = func(f engine.Fact) {
					proven = proven || f.Kind == engine.FactRestartProven
					if f.Kind == engine.FactInstallIntent && f.Update == "v" && !proven {
						t.Error("the next installer is started before the restart is proven")
					}
				}
				s := b.toEnd()
				if b.w.machine("NODE1").restarts != 1 || b.p.ends["NODE1/v"] != 1 || s.Node("NODE1").RestartBegun {
					t.Errorf("%s, %d restarts, %v", s.Status, b.w.machine("NODE1").restarts, b.w.acts)
				}
			})
		})
	}
}

func TestR21_AfterTwoRestartsAPendingOneIsALoop(t *testing.T) {
	for stays, want := range map[int]engine.NodeStatus{0: engine.NodeSucceeded, 1: engine.NodeSucceeded, 2: engine.NodeFailed, 9: engine.NodeFailed} {
		t.Run(fmt.Sprintf("pending after %d restarts", stays), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), map[string][]string{"NODE1": {"u"}})
				b.p.scripts["NODE1/u"] = restart()
				b.w.machine("NODE1").pendingStays = stays
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": want, "NODE2": engine.NodeUpToDate})
				if got := b.w.count("restart NODE1"); got != min(stays+1, 2) {
					t.Errorf("%d restarts", got)
				}
				if want == engine.NodeFailed {
					b.wantState("NODE1", engine.NodePaused)
					if !strings.Contains(s.Cause.Message, "loop guard") {
						t.Errorf("%v", s.Cause)
					}
				}
			})
		})
	}
}

func TestR21_AnUpdateOfferedAgainAfterSuccessIsALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.offered = []string{"u"}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled})
		if b.p.starts["NODE1/u"] != 1 || !strings.Contains(s.Cause.Message, "offered again") {
			t.Errorf("%v %v", b.p.starts, s.Cause)
		}
		b.wantInService()
	})
}
