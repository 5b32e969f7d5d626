package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/plugins"
)

func with(change func(o *engine.Options)) func(*engine.PlanInput) {
	return func(in *engine.PlanInput) { change(&in.Options) }
}

// timed is three nodes with two updates of half an hour each; the first needs a restart. A bubble begins at midnight UTC.
func timed(t *testing.T, change func(o *engine.Options), more ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "a", "b"), append(more, with(change))...)
	for _, n := range numbered(3) {
		first := restart()
		first.takes = 30 * time.Minute
		b.p.scripts[n+"/a"] = first
		b.p.scripts[n+"/b"] = script{takes: 30 * time.Minute, result: plugins.Result{Outcome: plugins.Installed}}
	}
	return b
}

func (b *bench) when(kind engine.FactKind, node string) time.Duration {
	b.t.Helper()
	for _, f := range b.journal.facts(b.t) {
		if f.Kind == kind && f.Node == node {
			return f.Time.Sub(b.w.began)
		}
	}
	b.t.Fatalf("no fact %s %s in\n%s", kind, node, strings.Join(b.journal.kinds(b.t), "\n"))
	return 0
}

func (b *bench) wantCause(s engine.State, node, op, message string) {
	b.t.Helper()
	c := s.Cause
	if node != "" {
		c = s.Node(node).Cause
	}
	if c == nil || c.Op != op || c.Node != node || !strings.Contains(c.Message, message) {
		b.t.Errorf("the cause of %q is %+v", node, c)
	}
}

func TestR29_ARunWaitsVisiblyForItsWindowAndStopsCleanlyAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timed(t, func(o *engine.Options) { o.Window = "01:00-01:20 UTC" })
		asked := 0
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactGateWaiting {
				if f.Data.Message != "Before NODE1: The window 01:00-01:20 UTC opens at 2000-01-01 01:00 UTC." || f.Data.Until.Sub(b.w.began) != time.Hour || f.Data.Checks[0].ID != "run.window" {
					t.Errorf("%+v", f.Data)
				}
				asked++
			}
		}
		s := b.toEnd()
		if begun := b.when(engine.FactPauseIntent, "NODE1"); begun < time.Hour || begun > time.Hour+time.Minute {
			t.Errorf("the first node is begun after %s", begun)
		}
		if at := b.when(engine.FactRunTimeUp, ""); at != 80*time.Minute || asked != 1 {
			t.Errorf("stopped after %s, waited visibly %d times", at, asked)
		}
		n := s.Node("NODE1")
		if n.Update("a").Outcome != plugins.Installed || n.Update("b").Outcome != "" || n.Restarts != 1 || s.Status != engine.RunCanceled {
			t.Errorf("%s %+v", s.Status, n)
		}
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeCanceled, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled})
		for _, node := range []string{"", "NODE1", "NODE2", "NODE3"} {
			b.wantCause(s, node, "Window", "The window 01:00-01:20 UTC ended at 2000-01-01 01:20 UTC.")
		}
		b.wantInService()
	})
}

func TestR29_AWindowThatEndedWhileNobodyWasThereIsOver(t *testing.T) {
	for _, kind := range []engine.FactKind{engine.FactStageDone, engine.FactGateWaiting, engine.FactPauseIntent, engine.FactInstallIntent, engine.FactUndoDone} {
		synctest.Test(t, func(t *testing.T) {
			b := timed(t, func(o *engine.Options) { o.Window = "01:00-03:00 UTC" })
			if kind == engine.FactUndoDone {
				b.w.after = func(act, node string) { // a foreign run appears around the first pause
					if act == "pause" {
						b.w.foreign = []engine.ForeignRun{{ID: "f"}}
					}
				}
			}
			b.journal.on = func(f engine.Fact) {
				if f.Kind == kind {
					b.journal.dieAfter = len(b.journal.lines)
				}
			}
			if _, err := b.run(); err == nil {
				t.Fatal("the program should have died")
			}
			b.journal.on, b.journal.dieAfter, b.w.after, b.w.foreign = nil, 0, nil, nil
			paused := b.w.count("pause NODE1")
			time.Sleep(25*time.Hour + 30*time.Minute) // within the next day's window
			s := b.toEnd()
			if s.Status != engine.RunCanceled || b.w.count("pause NODE1") != paused || b.w.count("pause NODE2") != 0 {
				t.Errorf("%s: %s, %v", kind, s.Status, b.w.acts)
			}
			b.wantCause(s, "NODE2", "Window", "ended at 2000-01-01 03:00 UTC")
			b.wantOnce()
			b.wantInService()
		})
	}
}

func TestR29_StopAfterStopsCleanlyWhateverTheRunIsDoing(t *testing.T) {
	const after = 20 * time.Minute
	for name, c := range map[string]struct {
		prepare func(b *bench)
		begun   bool
	}{
		"installing": {func(*bench) {}, true},
		"at a gate":  {func(b *bench) { b.w.backups = []string{"Volume1"} }, false},
		"held": {func(b *bench) {
			b.journal.on = func(f engine.Fact) {
				if f.Kind == engine.FactStageDone {
					b.w.foreign = []engine.ForeignRun{{ID: "f"}}
				}
			}
		}, false},
		"held before anything":   {func(b *bench) { b.w.foreign = []engine.ForeignRun{{ID: "f"}} }, false},
		"paused":                 {func(b *bench) { b.control <- engine.Control{Verb: engine.VerbPause} }, false},
		"staging":                {func(b *bench) { b.p.stageTakes = time.Hour }, false},
		"waiting for the window": {func(*bench) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, killed := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					b := timed(t, func(o *engine.Options) {
						o.StopAfter, o.StageNodesAtOnce = engine.TimeSpan(after), 1
						if name == "waiting for the window" {
							o.Window = "12:00-13:00 UTC"
						}
					})
					c.prepare(b)
					if killed {
						on := b.journal.on
						b.journal.on = func(f engine.Fact) {
							if on != nil {
								on(f)
							}
							if f.Kind == engine.FactRunTimeUp {
								b.journal.dieAfter = len(b.journal.lines)
							}
						}
						if _, err := b.run(); err == nil {
							t.Fatal("the program should have died")
						}
						b.journal.on, b.journal.dieAfter = nil, 0
					}
					s := b.toEnd()
					if at := b.when(engine.FactRunTimeUp, ""); at != after || s.Status != engine.RunCanceled || s.TimeUp == nil {
						t.Errorf("killed %v: stopped after %s as %s", killed, at, s.Status)
					}
					n := s.Node("NODE1")
					if c.begun != (n.Update("a").Outcome == plugins.Installed) || c.begun != (n.Restarts == 1) || n.Update("b").Outcome != "" || b.w.count("pause NODE2") != 0 {
						t.Errorf("killed %v: %+v", killed, n)
					}
					if len(b.p.stages) > 1 && name == "staging" {
						t.Errorf("staged after its time: %v", b.p.stages)
					}
					b.wantCause(s, "NODE3", "StopAfter", "00:20:00")
					b.wantCause(s, "", "StopAfter", "00:20:00")
					b.wantInService()
				})
			}
		})
	}
}

func TestR18_StopAfterEndsNoInstaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timed(t, func(o *engine.Options) { o.StopAfter = engine.TimeSpan(20 * time.Minute) })
		b.toEnd()
		if took := b.when(engine.FactInstallDone, "NODE1") - b.when(engine.FactInstallIntent, "NODE1"); took < 30*time.Minute {
			t.Errorf("the installer of half an hour was waited for for %s", took)
		}
		b.wantOnce()
	})
}

func TestR29_StopAfterCountsFromTheRunsStartThroughEveryCoordinator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timed(t, func(o *engine.Options) {
			o.StopAfter, o.WarnAfter = engine.TimeSpan(3*time.Hour), engine.TimeSpan(time.Hour)
		})
		for range 5 {
			b.journal.dieAfter = len(b.journal.lines) + 3
			if _, err := b.run(); err == nil {
				t.Fatal("the program should have died")
			}
			time.Sleep(20 * time.Minute)
		}
		b.journal.dieAfter = 0
		s := b.toEnd()
		if at := b.when(engine.FactRunTimeUp, ""); at < 3*time.Hour || at > 3*time.Hour+time.Second {
			t.Errorf("stopped after %s", at)
		}
		if !s.Warned || s.Status != engine.RunCanceled {
			t.Errorf("%s, warned %v", s.Status, s.Warned)
		}
		b.wantInService()
	})
}

func TestWarnAfterIsSaidOnceAndChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timed(t, func(o *engine.Options) { o.WarnAfter = engine.TimeSpan(10 * time.Minute) })
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunWarned {
				if !f.MayIgnore || !strings.Contains(f.Data.Message, "00:10:00") {
					t.Errorf("%+v", f)
				}
				b.journal.dieAfter = len(b.journal.lines)
			}
		}
		if s, err := b.run(); !s.Warned || err == nil {
			t.Fatalf("warned %v, %v", s.Warned, err)
		}
		b.journal.on, b.journal.dieAfter = nil, 0
		s := b.toEnd()
		warned := slices.Collect(func(yield func(string) bool) {
			for _, k := range b.journal.kinds(t) {
				if k == string(engine.FactRunWarned) && !yield(k) {
					return
				}
			}
		})
		if at := b.when(engine.FactRunWarned, ""); at != 10*time.Minute || len(warned) != 1 || s.Status != engine.RunSucceeded {
			t.Errorf("warned after %s, %d times; %s", at, len(warned), s.Status)
		}
	})
}

func TestR29_AfterStartNoNodeAfterTheNodeUnderWayIsFinishedAndNoFurtherIsBegun(t *testing.T) {
	for _, killed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := timed(t, func(o *engine.Options) { o.StartNoNodeAfter = "00:30 UTC" })
			if killed {
				b.askDeath(engine.FactInstallIntent)
				if _, err := b.run(); err == nil {
					t.Fatal("the program should have died")
				}
				b.journal.on, b.journal.dieAfter = nil, 0
				time.Sleep(23 * time.Hour) // still the same moment, and not the next day's
			}
			s := b.toEnd()
			b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled})
			b.wantCause(s, "NODE2", "StartNoNodeAfter", "after 2000-01-01 00:30 UTC")
			b.wantCause(s, "", "StartNoNodeAfter", "after 2000-01-01 00:30 UTC")
			if at := b.when(engine.FactRunNoMoreNodes, ""); !killed && at != 30*time.Minute || s.Status != engine.RunCanceled {
				t.Errorf("%s after %s", s.Status, at)
			}
			b.wantInService()
		})
	}
}

func TestR29_ARunThatStandsStillEndsAtStartNoNodeAfter(t *testing.T) {
	for name, prepare := range map[string]func(b *bench){
		"held":      func(b *bench) { b.w.foreign = []engine.ForeignRun{{ID: "f"}} },
		"paused":    func(b *bench) { b.control <- engine.Control{Verb: engine.VerbPause} },
		"at a gate": func(b *bench) { b.w.backups = []string{"Volume1"} },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := timed(t, func(o *engine.Options) { o.StartNoNodeAfter = "00:30 UTC" })
			prepare(b)
			s := b.toEnd()
			if took := s.Ended.Sub(b.w.began); took > 32*time.Minute || s.Status != engine.RunCanceled || b.w.count("pause NODE1") != 0 {
				t.Errorf("%s: %s after %s", name, s.Status, took)
			}
		})
	}
}

// askDeath ends the program at the first fact of the kind.
func (b *bench) askDeath(kind engine.FactKind) {
	b.journal.on = func(f engine.Fact) {
		if f.Kind == kind && b.journal.dieAfter == 0 {
			b.journal.dieAfter = len(b.journal.lines)
		}
	}
}

func TestR14_TheNextNodeIsTakenOnlyAfterTheSoak(t *testing.T) {
	for _, killed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := timed(t, func(o *engine.Options) { o.Soak = engine.TimeSpan(3 * time.Hour) })
			if killed {
				b.askDeath(engine.FactSettleDone)
				if _, err := b.run(); err == nil {
					t.Fatal("the program should have died")
				}
				b.journal.on, b.journal.dieAfter = nil, 0
				time.Sleep(time.Hour)
			}
			waited := engine.Fact{}
			b.journal.on = func(f engine.Fact) {
				if f.Kind == engine.FactGateWaiting && f.Node == "NODE2" {
					waited = f
				}
			}
			s := b.toEnd()
			back := b.when(engine.FactResumeDone, "NODE1")
			if soaked := b.when(engine.FactPauseIntent, "NODE2") - back; soaked < 3*time.Hour || soaked > 3*time.Hour+2*time.Minute {
				t.Errorf("NODE2 is taken %s after NODE1 came back", soaked)
			}
			if waited.Data.Until.Sub(b.w.began) != back+3*time.Hour || !strings.Contains(waited.Data.Message, "Before NODE2: NODE1 is back since ") || waited.Data.Checks[0].ID != "run.soak" {
				t.Errorf("%+v", waited.Data)
			}
			if s.Status != engine.RunSucceeded || !s.WaitingUntil.IsZero() {
				t.Errorf("%s %s", s.Status, s.WaitingUntil)
			}
			b.wantKind(engine.FactRunHeld, false)
		})
	}
}

// What passes by itself uses up nobody's patience; what else closes the gate afterwards has all of its own.
func TestR14_ASoakDoesNotUseUpThePatienceWithWhatComesAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timed(t, func(o *engine.Options) { o.Soak = engine.TimeSpan(5 * time.Hour) })
		go func() {
			time.Sleep(6*time.Hour + 2*time.Minute) // NODE1 is back after about an hour
			b.w.locked(func(w *world) { w.backups = []string{"Volume1"} })
			time.Sleep(time.Hour)
			b.w.locked(func(w *world) { w.backups = nil })
		}()
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s", s.Status)
		}
		b.wantKind(engine.FactRunHeld, false)
	})
}

func TestThePreviewSaysWhenARunBegins(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change  func(o *engine.Options)
		outcome check.Outcome
		want    string
	}{
		"nothing":        {func(*engine.Options) {}, "", ""},
		"closed":         {func(o *engine.Options) { o.Window = "22:00-05:00 Europe/Stockholm" }, check.Warn, "The window 22:00-05:00 Europe/Stockholm opens at 2026-11-29 22:00 CET. A run that starts now waits until then before its first node, and ends at 2026-11-30 05:00 CET."},
		"open":           {func(o *engine.Options) { o.Window = "11:00-14:00 UTC" }, check.Pass, "The window 11:00-14:00 UTC is open until 2026-11-29 14:00 UTC."},
		"last begin":     {func(o *engine.Options) { o.StartNoNodeAfter = "04:00 UTC" }, check.Pass, "No node is begun after 2026-11-30 04:00 UTC."},
		"is over":        {func(o *engine.Options) { o.StartNoNodeAfter = "2026-11-28T04:00:00Z" }, check.Fail, "No node would be begun"},
		"never meet":     {func(o *engine.Options) { o.Window, o.StartNoNodeAfter = "22:00-05:00 UTC", "21:00 UTC" }, check.Fail, "the first could be at 2026-11-29 22:00 UTC, and StartNoNodeAfter is 2026-11-29 21:00 UTC"},
		"stopped before": {func(o *engine.Options) { o.Window, o.StopAfter = "22:00-05:00 UTC", engine.TimeSpan(time.Hour) }, check.Fail, "StopAfter ends the run at 2026-11-29 13:00 UTC"},
	} {
		o := engine.DefaultOptions()
		c.change(&o)
		var got []check.Result
		for _, r := range engine.ClusterChecks(healthy(), o, noon) {
			if r.ID == "run.window" {
				got = append(got, r)
			}
		}
		switch {
		case c.outcome == "" && len(got) == 0:
		case len(got) != 1 || got[0].Outcome != c.outcome || !strings.Contains(got[0].Evidence, c.want) || c.outcome != check.Pass && got[0].Remedy == "":
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAnOptionThatCannotBeReadStartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := timed(t, func(*engine.Options) {})
		b.plan.Options.Window = "whenever"
		var problem engine.OptionError
		if _, err := b.run(); !errors.As(err, &problem) || len(b.journal.lines) != 0 {
			t.Errorf("%v", err)
		}
	})
}
