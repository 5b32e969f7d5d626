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
	"cau/plugins"
)

// withScripts plans both scripts.
func withScripts(in *engine.PlanInput) {
	in.Options.PreUpdateScript, in.Options.PostUpdateScript = "/home/ann/silence.ps1", `C:\scripts\ring.ps1`
	in.PreScript, in.PostScript = []byte("Write-Output silence"), []byte("Write-Output ring")
}

func twoNodesWithScripts(t *testing.T, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	return newBench(t, newWorld(numbered(3)...), each(numbered(2), "u"), append([]func(*engine.PlanInput){withScripts}, change...)...)
}

func TestScriptsRunBeforeThePauseAndAfterTheReturnOnNodesThatHaveWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodesWithScripts(t)
		b.p.scripts["NODE1/u"] = restart()
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeUpToDate})
		var order []string
		for _, a := range b.w.acts {
			if strings.HasSuffix(a, " NODE1") {
				order = append(order, strings.TrimSuffix(a, " NODE1"))
			}
		}
		if want := []string{"script-pre", "pause", "restart", "resume-Immediate", "script-post", "clean-0123abcd"}; !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
		if b.w.count("script-pre NODE2") != 1 || b.w.count("script-post NODE2") != 1 || b.w.count("script-pre NODE3") != 0 || b.w.count("script-post NODE3") != 0 {
			t.Errorf("%v", b.w.acts)
		}
		n := s.Node("NODE1")
		if n.PreScript == nil || *n.PreScript.ExitCode != 0 || n.PreScript.Name != "silence.ps1" || n.PreScript.Account != `NT AUTHORITY\SYSTEM` || !slices.Equal(n.PreScript.Output, []string{"pre on NODE1"}) ||
			n.PostScript == nil || n.PostScript.Name != "ring.ps1" || n.PostScript.Ended.IsZero() {
			t.Errorf("%+v %+v", n.PreScript, n.PostScript)
		}
		for _, j := range b.w.jobsAsked {
			if j.AsCaller || j.Limit != 30*time.Minute {
				t.Errorf("%+v", j)
			}
		}
		b.wantInService()
	})
}

func TestTheGateIsLookedAtAgainAfterThePreScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodesWithScripts(t)
		b.journal.on = func(f engine.Fact) {
			switch {
			case f.Kind == engine.FactScriptDone && f.Node == "NODE1" && f.Data.Script.Phase == plugins.PhasePre:
				b.w.locked(func(w *world) { w.storageJobs = []string{"Repair"} })
				go func() {
					time.Sleep(30 * time.Minute)
					b.w.locked(func(w *world) { w.storageJobs = nil })
				}()
			case f.Kind == engine.FactPauseIntent && len(b.w.storageJobs) > 0:
				t.Error("paused while storage repairs itself")
			}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
		b.wantKind(engine.FactGateWaiting, true)
	})
}

func TestAPreScriptThatFailsLeavesItsNodeUntouchedInService(t *testing.T) {
	for name, c := range map[string]struct {
		script   scripted
		says     string
		runsOn   bool
		accounts engine.ScriptAs
	}{
		"by its exit code, which leaves a log": {scripted{code: 3, lines: []string{"checking", "the\x1b]0;disk is\x07 full"}}, "exit code 3; its last line: the ]0;disk is  full", false, engine.ScriptAsSystem},
		"by itself, as caller":                 {scripted{err: fmt.Errorf("%w: the hash does not match", plugins.ErrJobFailed)}, "the hash does not match", false, engine.ScriptAsCaller},
		"its result is lost":                   {scripted{err: plugins.ErrJobLost}, "without a result", false, engine.ScriptAsSystem},
		"contact is lost":                      {scripted{err: errors.New("contact was lost")}, "contact was lost", true, engine.ScriptAsSystem},
		"over its time":                        {scripted{takes: 5 * time.Hour}, "still running after 10m0s", true, engine.ScriptAsSystem},
		"a code of all 32 bits":                {scripted{code: -1}, "exit code -1", false, engine.ScriptAsSystem},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodesWithScripts(t, func(in *engine.PlanInput) {
					in.Options.ScriptTimeoutMinutes, in.Options.ScriptAs = 10, c.accounts
				})
				b.w.scripts["NODE1/pre"] = c.script
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
				if b.w.count("pause NODE1") != 0 || b.w.count("script-post NODE1") != 0 || len(b.p.starts) != 0 || s.Status != engine.RunFailed {
					t.Errorf("%s %v %v", s.Status, b.w.acts, b.p.starts)
				}
				n := s.Node("NODE1")
				if !strings.Contains(n.Cause.Message, "pre-update script silence.ps1: ") || !strings.Contains(n.Cause.Message, c.says) || !strings.Contains(n.Cause.Hint, "NODE1 was not paused") {
					t.Errorf("%+v", n.Cause)
				}
				// What may be running keeps its folder.
				if log := n.PreScript.Log != ""; n.PreScript.RunsOn != c.runsOn || n.Traces != (c.runsOn || log) || log != strings.Contains(n.Cause.Hint, n.PreScript.Log+"; it stays there") {
					t.Errorf("%+v, traces %v", n.PreScript, n.Traces)
				}
				for _, j := range b.w.jobsAsked {
					if j.AsCaller != (c.accounts == engine.ScriptAsCaller) {
						t.Errorf("%+v", j)
					}
				}
			})
		})
	}
}

func TestAPostScriptThatFailsLeavesItsNodeInServicePartiallyFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodesWithScripts(t, withBudget(1))
		b.w.scripts["NODE1/post"] = scripted{code: 7}
		b.w.scripts["NODE2/post"] = scripted{takes: time.Hour}
		b.p.scripts["NODE2/u"] = script{result: plugins.Result{Outcome: plugins.NotApplicable}}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodePartiallyFailed, "NODE2": engine.NodeFailed, "NODE3": engine.NodeUpToDate})
		if c := s.Node("NODE1").Cause; !strings.Contains(c.Message, "post-update script ring.ps1: exit code 7") || !strings.Contains(c.Hint, "back in service") {
			t.Errorf("%+v", c)
		}
		b.wantState("NODE1", engine.NodeUp)
		b.wantState("NODE2", engine.NodeUp)
		if b.w.count("clean-0123abcd NODE1") != 0 || b.w.count("clean-0123abcd NODE2") != 0 {
			t.Errorf("%v", b.w.acts)
		}
	})
}

func TestThePostScriptRunsWheneverAPauseWasTakenBack(t *testing.T) {
	for name, breakIt := range map[string]func(b *bench){
		"the drain failed":  func(b *bench) { b.w.machine("NODE1").drainFails = true },
		"an update failed":  func(b *bench) { b.p.scripts["NODE1/u"] = failed(1603) },
		"stop was asked":    func(b *bench) { b.askOn(engine.FactInstallIntent, "NODE1", engine.VerbStop) },
		"it returned late":  func(b *bench) { slow(b, 40*time.Minute) },
		"roles do not rest": func(b *bench) { b.w.failbackTakes = 1000 * time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodesWithScripts(t)
				breakIt(b)
				b.toEnd()
				if b.w.count("script-post NODE1") != 1 || b.w.count("script-pre NODE1") != 1 {
					t.Errorf("%v", b.w.acts)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := twoNodesWithScripts(t)
		b.askOn(engine.FactScriptDone, "NODE1", engine.VerbStop)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeCanceled, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeUpToDate})
		if b.w.count("pause NODE1") != 0 || b.w.count("script-post NODE1") != 0 {
			t.Errorf("it was never paused: %v", b.w.acts)
		}
	})
}

func TestAScriptsLinesAreTelemetryUpToABoundAndTheLastOnesAreInTheFact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodesWithScripts(t)
		var lines []string
		for i := range 3000 {
			lines = append(lines, fmt.Sprintf("line %d", i))
		}
		b.w.scripts["NODE1/pre"] = scripted{lines: append(lines, strings.Repeat("x", 5000))}
		c := &collector{}
		_, err := engine.Run(t.Context(), engine.RunInput{Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Telemetry: c, Clock: bubbleClock{}})
		if err != nil {
			t.Fatal(err)
		}
		reported := 0
		for _, p := range c.got {
			if p.Node == "NODE1" && strings.HasPrefix(p.Message, "silence.ps1: ") {
				reported++
			}
		}
		out := b.fact(engine.FactScriptDone).Data.Script.Output
		if reported != 1001 || len(out) != 20 || out[0] != "line 2981" || len(out[19]) != 300 {
			t.Errorf("%d lines reported, %d kept: %q", reported, len(out), out)
		}
	})
}

func TestR26_AScriptThatBeganBeforeACrashIsAttachedTo(t *testing.T) {
	for _, phase := range []string{plugins.PhasePre, plugins.PhasePost} {
		t.Run(phase, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodesWithScripts(t)
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactScriptIntent && f.Data.Script.Phase == phase {
						go func() {
							time.Sleep(10 * time.Second) // in the middle of the script
							b.journal.dead = true
							b.journal.die()
						}()
						b.journal.on = nil
					}
				}
				if _, err := b.run(); err == nil {
					t.Fatal("the program should have died")
				}
				s := b.toEnd()
				if s.Status != engine.RunSucceeded || b.w.count("script-"+phase+" NODE1") != 1 {
					t.Errorf("%s %v", s.Status, b.w.acts)
				}
				b.wantInService()
			})
		})
	}
}
