package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// ticket is a credential with an end; a zero end is not known.
type ticket struct {
	mu  sync.Mutex
	end time.Time
}

func lastsUntil(end time.Time) *ticket { return &ticket{end: end} }

func (c *ticket) Ends() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end, !c.end.IsZero()
}

func (c *ticket) renew(end time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = end
}

// expired is how an operation ends with a ticket that is over.
func expired(op, node string) error {
	return &fault.Error{Op: op, Node: node, Err: fmt.Errorf("sign in: %w", engine.ErrCredential), Hint: "kinit"}
}

// refuse makes every question end like that from now on, for so long; 0 is for ever.
func (b *bench) refuse(d time.Duration) {
	b.w.locked(func(w *world) {
		w.noSignIn.from, w.noSignIn.to = time.Now(), time.Time{}
		if d > 0 {
			w.noSignIn.to = time.Now().Add(d)
		}
	})
}

func (b *bench) refuseOn(kind engine.FactKind, d time.Duration) {
	done := false
	b.journal.on = func(f engine.Fact) {
		if f.Kind == kind && !done {
			done = true
			b.refuse(d)
		}
	}
}

func (b *bench) facts(kind engine.FactKind) []engine.Fact {
	b.t.Helper()
	return slices.DeleteFunc(b.journal.facts(b.t), func(f engine.Fact) bool { return f.Kind != kind })
}

func TestR05_OneNodeMayTakeItsDrainItsUpdatesItsRestartsItsScriptsAndAMargin(t *testing.T) {
	o := engine.DefaultOptions()
	o.DrainTimeoutMinutes, o.RebootTimeoutMinutes, o.ScriptTimeoutMinutes = 100, 10, 7
	updates := []plugins.Update{{ID: "a", LimitMinutes: 30}, {ID: "of an older plan"}}
	if got, want := engine.NodeLimit(o, updates), (100+2*10+30+60+15)*time.Minute; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	o.PreUpdateScript = "a.ps1"
	if got, want := engine.NodeLimit(o, nil), (100+2*10+7+15)*time.Minute; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestR05_NoNodeIsBegunThatTheCredentialMayNotOutlastAndARenewalLetsTheRunGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		signIn := lastsUntil(time.Now().Add(4 * time.Hour))
		b.credential = signIn
		b.p.scripts["NODE1/u"] = script{result: plugins.Result{Outcome: plugins.Installed}, takes: 3 * time.Hour}
		var held time.Time
		b.journal.on = func(f engine.Fact) {
			if f.Kind != engine.FactRunHeld {
				return
			}
			held = f.Time
			if b.w.count("pause NODE1") != 1 || b.w.count("pause NODE2") != 0 {
				t.Errorf("%v", b.w.acts)
			}
			go func() {
				time.Sleep(90*time.Minute + 10*time.Second) // over its end: nothing says that it was renewed yet
				signIn.renew(time.Now().Add(10 * time.Hour))
			}()
		}
		s := b.toEnd()
		if s.Status != engine.RunSucceeded || s.HeldFor != "" || s.Waiting != "" || s.Cause != nil {
			t.Errorf("%s %+v", s.Status, s)
		}
		h := b.fact(engine.FactRunHeld).Data
		for _, says := range []string{"Held before NODE2: The credential lasts until ", " UTC, for another 5", "NODE2 may take up to 2h45m."} {
			if !strings.Contains(h.Message, says) {
				t.Errorf("%q does not say %q", h.Message, says)
			}
		}
		if !strings.Contains(h.Cause.Hint, "kinit") || !strings.Contains(h.Cause.Hint, "cau credential 0123abcd") || h.Checks[0].ID != "winrm.credential" {
			t.Errorf("%+v", h)
		}
		if late := b.fact(engine.FactRunReleased).Time.Sub(held); late < 90*time.Minute || late > 92*time.Minute {
			t.Errorf("it went on after %s", late)
		}
		b.wantInService()
	})
}

func TestR05_ACredentialThatLastsOrWhoseEndNobodyKnowsHoldsNothing(t *testing.T) {
	for name, c := range map[string]engine.Credential{"none": nil, "no known end": &ticket{}, "long": lastsUntil(time.Now().AddDate(100, 0, 0))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.credential = c
				if s := b.toEnd(); s.Status != engine.RunSucceeded {
					t.Errorf("%s %v", s.Status, s.Cause)
				}
				b.wantKind(engine.FactRunHeld, false)
				b.wantKind(engine.FactCredentialLost, false)
			})
		})
	}
}

func TestR05_ACredentialThatEndedHoldsTheRunBeforeAnythingIsStaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.credential = lastsUntil(time.Now().Add(-time.Minute))
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		s := b.toEnd()
		if m := b.fact(engine.FactRunHeld).Data.Message; s.Status != engine.RunCanceled || len(b.p.stages) != 0 || !strings.Contains(m, "The credential ended at ") {
			t.Errorf("%s, %v, %q", s.Status, b.p.stages, m)
		}
	})
}

func TestR05_AcceptingDoesNotOpenIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t, func(in *engine.PlanInput) { in.Accepted = []string{"winrm.credential"} })
		b.credential = lastsUntil(time.Now().Add(time.Hour))
		asked := 0
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				// Resuming by hand only makes it look again.
				if asked++; asked < 3 {
					b.control <- engine.Control{Verb: engine.VerbResume}
				} else {
					b.control <- engine.Control{Verb: engine.VerbStop}
				}
			}
		}
		if s := b.toEnd(); s.Status != engine.RunCanceled || b.w.count("pause NODE1") != 0 {
			t.Errorf("%s %v", s.Status, b.w.acts)
		}
	})
}

func TestR05_ARunThatIsHeldForItsCredentialGoesOnWithTheNextCoordinatorsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.credential = lastsUntil(time.Now().Add(time.Hour))
		diesAt(b, engine.FactRunHeld, func(*world) {})
		b.credential = nil
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
		b.wantKind(engine.FactRunReleased, true)
	})
}

func TestR05_APauseThatWasAskedForOutlivesTheHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		signIn := lastsUntil(time.Now().Add(time.Hour))
		b.credential = signIn
		b.journal.on = func(f engine.Fact) {
			switch f.Kind {
			case engine.FactRunHeld:
				b.control <- engine.Control{Verb: engine.VerbPause}
				signIn.renew(time.Time{})
			case engine.FactRunPaused:
				b.wantKind(engine.FactRunReleased, true)
				go func() {
					time.Sleep(time.Hour)
					if b.w.count("pause NODE1") != 0 {
						t.Error("a node was begun while the run is paused")
					}
					b.control <- engine.Control{Verb: engine.VerbResume}
				}()
			default:
			}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded {
			t.Errorf("%s", s.Status)
		}
		b.wantKind(engine.FactRunPaused, true)
	})
}

func TestR05_WhenTheCredentialStopsWorkingBetweenNodesNoneIsBegunUntilItWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"))
		done := false
		b.journal.on = func(f engine.Fact) {
			switch {
			case f.Kind == engine.FactNodeEnded && !done:
				done = true
				b.refuse(30 * time.Hour)
			case f.Kind == engine.FactPauseIntent && done && b.w.refused():
				t.Errorf("%s was begun", f.Node)
			}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded || s.CredentialLost {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
		held := b.facts(engine.FactRunHeld)
		if len(held) != 1 || !strings.Contains(held[0].Data.Message, engine.ErrCredential.Error()) || held[0].Data.Checks[0].Outcome != check.Fail {
			t.Errorf("%+v", held)
		}
		if n := len(b.facts(engine.FactCredentialLost)); n != 1 || len(b.facts(engine.FactCredentialBack)) != 1 {
			t.Errorf("said %d times", n)
		}
		b.wantInService()
	})
}

// A node that is under way when the credential ends is finished when it works again, whatever step it is in.
func TestR05_ANodeThatIsUnderWayIsNeverLeftHalfWay(t *testing.T) {
	for _, kind := range []engine.FactKind{
		engine.FactStageIntent, engine.FactScriptIntent, engine.FactPauseIntent, engine.FactDrainDone, engine.FactMaintenanceIntent, engine.FactInstallIntent,
		engine.FactInstallDone, engine.FactRestartIntent, engine.FactRestartProven, engine.FactRescanIntent, engine.FactResumeIntent, engine.FactResumeDone, engine.FactSettleDone,
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "b"), withScripts)
				b.w.s2d = true
				b.p.scripts["NODE1/a"] = restart()
				b.refuseOn(kind, 100*time.Minute)
				s := b.toEnd()
				if s.Status != engine.RunSucceeded || s.CredentialLost || s.Waiting != "" {
					t.Errorf("%s %v\n%s", s.Status, s.Cause, strings.Join(b.journal.kinds(t), "\n"))
				}
				lost := b.facts(engine.FactCredentialLost)
				if len(lost) != 1 || len(b.facts(engine.FactCredentialBack)) != 1 || !strings.Contains(lost[0].Data.Message, engine.ErrCredential.Error()) {
					t.Fatalf("%+v", lost)
				}
				// A pause that was not asked for yet is taken back to the gate, which holds the run.
				if says := "will be finished"; kind != engine.FactPauseIntent && kind != engine.FactSettleDone && !strings.Contains(lost[0].Data.Message, says) {
					t.Errorf("%q", lost[0].Data.Message)
				}
				b.wantOnce()
				b.wantInService()
			})
		})
	}
}

func TestR05_ACredentialThatNeverWorksAgainLeavesTheNodeWhenItsWaitsAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withBudget(2))
		b.p.scripts["NODE1/u"] = restart()
		b.refuseOn(engine.FactRestartIntent, 0)
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeFailed, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled})
		n := s.Node("NODE1")
		if took := n.Ended.Sub(n.PhaseStarted); !strings.Contains(n.Cause.Message, engine.ErrCredential.Error()) || !n.MayReturn {
			t.Errorf("%+v after %s", n.Cause, took)
		}
		if took := b.facts(engine.FactNodeEnded)[0].Time.Sub(b.fact(engine.FactRestartIntent).Time); took < 2*time.Hour+15*time.Minute || took > 2*time.Hour+20*time.Minute {
			t.Errorf("it was given up after %s", took)
		}
		if b.w.count("pause NODE2") != 0 {
			t.Errorf("%v", b.w.acts)
		}
	})
}

func TestR05_AJobThatEndedIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = script{err: fmt.Errorf("%w: %w", plugins.ErrJobLost, engine.ErrCredential)}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeHeld, "NODE2": engine.NodeCanceled})
		b.wantKind(engine.FactCredentialLost, false)
	})
}

func TestR05_StopIsObeyedWhereNothingIsBegunYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.refuseOn(engine.FactStageIntent, 0)
		b.askOn(engine.FactCredentialLost, "", engine.VerbStop)
		began := time.Now()
		s := b.toEnd()
		if s.Node("NODE1").Status != engine.NodeCanceled || time.Since(began) > 5*time.Minute {
			t.Errorf("%s after %s", s.Node("NODE1").Status, time.Since(began))
		}
	})
}

func TestR05_AnOlderProgramMayPassOverWhatOnlyInformsButNotOverARelease(t *testing.T) {
	for kind, may := range map[engine.FactKind]bool{engine.FactCredentialLost: true, engine.FactCredentialBack: true, engine.FactRunReleased: false} {
		if kind.Ignorable() != may {
			t.Errorf("%s", kind)
		}
	}
	if !errors.Is(expired("a", "b"), engine.ErrCredential) {
		t.Error("the tests' own error")
	}
}
