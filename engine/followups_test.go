package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/plugins"
)

func withFollowUps(how engine.FollowUps) func(*engine.PlanInput) {
	return func(in *engine.PlanInput) { in.Options.FollowUps = how }
}

// offersAgain offers what did not apply and was followed by another installation, as Microsoft.HotfixPlugin does.
func offersAgain(_ string, req plugins.FollowUpRequest) ([]plugins.Update, error) {
	var out []plugins.Update
	for _, u := range req.Updates {
		waits, since := false, false
		for _, d := range req.Done {
			if d.Update == u.ID {
				waits, since = d.Outcome == plugins.NotApplicable, false
			} else if d.Outcome == plugins.Installed {
				since = true
			}
		}
		if waits && since {
			out = append(out, u)
		}
	}
	return out, nil
}

// appears offers one update that is in no plan, on NODE1 alone, until it was tried.
func appears(node string, req plugins.FollowUpRequest) ([]plugins.Update, error) {
	if node != "NODE1" || len(req.Updates) > 1 {
		return nil, nil
	}
	return []plugins.Update{{ID: "new", Name: "new.msu", Rule: "MSU", Files: []plugins.File{{Path: "new.msu", Size: 7, SHA256: "ab"}}}}, nil
}

// secondOrder are two nodes where the first update needs the second one.
func secondOrder(t *testing.T, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "b"), change...)
	b.p.follows = offersAgain
	for _, n := range numbered(2) {
		b.p.scripts[n+"/a"] = script{result: plugins.Result{Outcome: plugins.NotApplicable}}
		b.p.scripts[n+"/a#2"], b.p.scripts[n+"/b"] = restart(), restart()
	}
	return b
}

// appearing are two nodes, on the first of which an update appears that asks for a restart. A question about it is
// answered with yes as soon as it is put, in every life of the program.
func appearing(t *testing.T, how engine.FollowUps) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withFollowUps(how), withScripts)
	b.p.follows = appears
	b.p.scripts["NODE1/new#2"] = restart()
	b.askOnAnswer("NODE1")
	return b
}

func TestR08_WhatBecameApplicableIsInstalledInAFurtherPassOfTheSameDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := secondOrder(t)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
		for _, n := range s.Nodes {
			a := n.Update("a")
			if a.Outcome != plugins.Installed || !a.FollowUp || a.Pass != 2 || len(a.Earlier) != 1 || a.Earlier[0].Outcome != plugins.NotApplicable {
				t.Errorf("%s: %+v", n.Name, a)
			}
			if u := n.Update("b"); u.FollowUp || u.Pass != 0 {
				t.Errorf("%s: %+v", n.Name, u)
			}
			if n.Restarts != 2 || b.w.count("pause "+n.Name) != 1 || b.w.count("resume-Immediate "+n.Name) != 1 {
				t.Errorf("%s: %d restarts, %v", n.Name, n.Restarts, b.w.acts)
			}
		}
		for _, f := range b.journal.facts(t) {
			if f.Kind == engine.FactFollowUpsFound && (len(f.Data.Updates) != 1 || f.Data.Updates[0].Name != "a.msu" || f.Data.Pass != 2) {
				t.Errorf("%+v", f.Data)
			}
		}
		if len(b.p.stages) != 2 {
			t.Errorf("files that are there were staged again: %v", b.p.stages)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestR08_WithPlannedOnlyWhatBecameApplicableIsListedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := secondOrder(t, withFollowUps(engine.FollowUpsPlannedOnly))
		s := b.toEnd()
		for _, n := range s.Nodes {
			if n.Status != engine.NodeSucceeded || n.Update("a").Outcome != plugins.NotApplicable || len(n.Left) != 1 || n.Left[0].Name != "a.msu" || !strings.Contains(n.Left[0].Reason, "planned-only") {
				t.Errorf("%s %s: %+v, left %+v", n.Name, n.Status, n.Update("a"), n.Left)
			}
		}
		b.wantKind(engine.FactFollowUpsFound, false)
		b.wantInService()
	})
}

func TestR08_AnUpdateThatAppearedIsStagedWhereItWasFoundAndNoJobIsUsedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := appearing(t, engine.FollowUpsSameRun)
		s := b.toEnd()
		n := s.Node("NODE1")
		if u := n.Update("new"); n.Status != engine.NodeSucceeded || u == nil || u.Outcome != plugins.Installed || !u.FollowUp || n.Restarts != 1 {
			t.Fatalf("%+v", n)
		}
		if len(n.FollowUps) != 1 || n.FollowUps[0].Files[0].SHA256 != "ab" {
			t.Errorf("the pinned update is lost: %+v", n.FollowUps)
		}
		seen := map[string]bool{}
		for _, id := range b.p.stages {
			if seen[id] {
				t.Errorf("%s was used twice: %v", id, b.p.stages)
			}
			seen[id] = true
		}
		if len(b.p.stages) != 3 {
			t.Errorf("staged %v", b.p.stages)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestR08_WithAskANodeIsFinishedFirstAndTakenAgainOnceSomebodySaidYes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := appearing(t, engine.FollowUpsAsk)
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || n.Update("new").Outcome != plugins.Installed || len(n.Asked) != 0 || n.TakeAgain {
			t.Fatalf("%+v", n)
		}
		kinds := b.journal.kinds(t)
		asked, done, other, found := slices.Index(kinds, "follow-ups.asked NODE1"), slices.Index(kinds, "node.ended NODE1"), slices.Index(kinds, "node.ended NODE2"), slices.Index(kinds, "follow-ups.found NODE1")
		if asked < 0 || asked > done || done > other || other > found {
			t.Errorf("not asked, finished, others, taken again: %v", kinds)
		}
		if b.w.count("pause NODE1") != 2 || b.w.count("resume-Immediate NODE1") != 2 || b.w.count("script-pre NODE1") != 2 || b.w.count("script-post NODE1") != 2 {
			t.Errorf("%v", b.w.acts)
		}
		if by := b.answers(); len(by) != 1 || by[0].Data.By != `CONTOSO\ann` || !by[0].Data.Install {
			t.Errorf("answers %+v", by)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func (b *bench) answers() []engine.Fact {
	b.t.Helper()
	return slices.DeleteFunc(b.journal.facts(b.t), func(f engine.Fact) bool { return f.Kind != engine.FactFollowUpsAnswered })
}

func TestR08_WithAskTheNodeIsTakenIntoStorageMaintenanceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := appearing(t, engine.FollowUpsAsk)
		b.w.s2d = true
		if s := b.toEnd(); s.Node("NODE1").Update("new").Outcome != plugins.Installed {
			t.Errorf("%+v", s.Node("NODE1"))
		}
		b.wantInService()
	})
}

func TestR08_AQuestionThatIsAnsweredWithNoOrNotAtAllLeavesTheUpdate(t *testing.T) {
	for name, c := range map[string]struct {
		answer *engine.Control
		reason string
		atMost time.Duration
	}{
		"no":      {&engine.Control{Verb: engine.VerbFollowUps, Node: "NODE1", By: "ann"}, "Left by ann.", time.Hour},
		"stop":    {&engine.Control{Verb: engine.VerbStop, By: "ann"}, "The run was asked to stop.", time.Hour},
		"nothing": {nil, "Nobody answered within 4 hours.", 5 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := appearing(t, engine.FollowUpsAsk)
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactRunAsking && c.answer != nil {
						b.control <- *c.answer
					}
				}
				began := time.Now()
				s := b.toEnd()
				n := s.Node("NODE1")
				if n.Status != engine.NodeSucceeded || s.Status != engine.RunSucceeded || len(n.Asked) != 0 || len(n.Left) != 1 || n.Left[0].Reason != c.reason || n.Update("new") != nil {
					t.Errorf("%s, %s: left %+v, asked %+v", s.Status, n.Status, n.Left, n.Asked)
				}
				if took := time.Since(began); took > c.atMost {
					t.Errorf("the run took %s", took)
				}
				if s.Waiting != "" {
					t.Errorf("it still waits for %q", s.Waiting)
				}
				b.wantInService()
			})
		})
	}
}

func TestR08_TheWaitForAnAnswerIsNotBegunAnewByANewCoordinator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := appearing(t, engine.FollowUpsAsk)
		var since time.Time
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunAsking {
				since, b.journal.dieAfter = f.Time, len(b.journal.lines)
			}
		}
		if _, err := b.run(); err == nil {
			t.Fatal("it should have died")
		}
		b.journal.on, b.journal.dieAfter = nil, 0
		time.Sleep(3 * time.Hour)
		b.toEnd()
		if waited := time.Since(since); waited > 4*time.Hour+10*time.Minute {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestR21_WhatSucceededAndIsOfferedAgainAsAFollowUpIsALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(1), "u"))
		b.p.follows = func(_ string, req plugins.FollowUpRequest) ([]plugins.Update, error) { return req.Updates, nil }
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeFailed || !strings.Contains(n.Cause.Message, "loop guard: u.msu is offered again after it was installed") {
			t.Errorf("%s: %v", n.Status, n.Cause)
		}
		b.wantInService()
	})
}

func TestR21_APluginThatAlwaysOffersSomethingNewIsAskedForABoundedNumberOfPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(1), "u"))
		b.p.follows = func(_ string, req plugins.FollowUpRequest) ([]plugins.Update, error) {
			id := "v" + strings.Repeat("v", len(req.Updates))
			b.p.scripts["NODE1/"+id+"#"+string(rune('1'+len(req.Updates)))] = restart()
			return []plugins.Update{{ID: id, Name: id}}, nil
		}
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodeSucceeded || len(n.Updates) != 5 || n.Restarts != 4 || len(n.Left) != 1 || !strings.Contains(n.Left[0].Reason, "5 passes") {
			t.Errorf("%s with %d updates, %d restarts, left %+v; cause %v", n.Status, len(n.Updates), n.Restarts, n.Left, n.Cause)
		}
		b.wantInService()
	})
}

func TestAnUpdateThatFailedIsNoFollowUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(1), "u", "v"), func(in *engine.PlanInput) { in.Options.MaxRetriesPerNode = 0 })
		b.p.scripts["NODE1/u"] = failed(1603)
		b.p.follows = func(_ string, req plugins.FollowUpRequest) ([]plugins.Update, error) { return req.Updates[:1], nil }
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodePartiallyFailed || n.Update("u").Outcome != plugins.UpdateFailed || n.Pass != 0 {
			t.Errorf("%+v", n)
		}
	})
}

func TestAFollowUpThatCannotBeStagedFailsAndTheNodeComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1), func(in *engine.PlanInput) { in.Options.MaxRetriesPerNode = 0 })
		b.p.follows = func(node string, req plugins.FollowUpRequest) ([]plugins.Update, error) {
			b.p.stageErr["NODE1"] = errors.New("the share is gone")
			return appears(node, req)
		}
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodePartiallyFailed || !strings.Contains(n.Cause.Message, "the share is gone") || n.Update("new").Skipped == "" || !n.Update("new").Started.IsZero() {
			t.Errorf("%s: %v, %+v", n.Status, n.Cause, n.Update("new"))
		}
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodePartiallyFailed, "NODE2": engine.NodeSucceeded})
		b.wantInService()
	})
}

func TestThatFollowUpsCannotBeLookedForIsARemark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(1), "u"))
		b.p.follows = func(string, plugins.FollowUpRequest) ([]plugins.Update, error) { return nil, errors.New("no answer") }
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded {
			t.Errorf("%s: %v", n.Status, n.Cause)
		}
		b.wantKind(engine.FactFollowUpsLeft, true)
	})
}

func TestR29_AStoppedRunBeginsNoFurtherPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := secondOrder(t)
		b.askOn(engine.FactRestartIntent, "NODE1", engine.VerbStop)
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || n.Pass != 0 || b.p.starts["NODE1/a#2"] != 0 {
			t.Errorf("%s, pass %d, started %v", n.Status, n.Pass, b.p.starts)
		}
		b.wantInService()
	})
}

func TestR29_AStopBeforeAFurtherPassHasBegunAnythingLeavesTheNodeAsThePlanMadeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := appearing(t, engine.FollowUpsSameRun)
		b.askOn(engine.FactFollowUpsFound, "NODE1", engine.VerbStop)
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || len(n.Updates) != 2 || n.Update("new").Outcome != "" || b.p.starts["NODE1/new#2"] != 0 {
			t.Errorf("%s: %+v, started %v", n.Status, n.Update("new"), b.p.starts)
		}
		b.wantInService()
	})
}

func TestR14_ANodeThatIsLeftPausedEndsTheQuestionsAboutOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withFollowUps(engine.FollowUpsAsk), withBudget(1))
		b.p.follows = appears
		b.p.scripts["NODE3/u"] = script{err: plugins.ErrJobLost}
		b.askOnAnswer("NODE1")
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodeSucceeded || len(n.Left) != 1 || !strings.HasPrefix(n.Left[0].Reason, "NODE3 stays out of service") || len(b.p.stages) != 3 {
			t.Errorf("%s, left %+v, staged %v", n.Status, n.Left, b.p.stages)
		}
	})
}

func TestAPluginThatCouldNotStageIsTriedAgainBeforeTheFirstDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t, withRetries(1))
		b.second().stageErr["NODE1"] = errors.New("no share")
		b.onRetry(func(engine.Fact) { delete(b.second().stageErr, "NODE1") })
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeSucceeded || n.Attempt != 2 || n.Update("p2-b").Outcome != plugins.Installed || len(n.PluginFailures) != 0 {
			t.Errorf("%+v", n)
		}
		if b.w.count("pause NODE1") != 1 {
			t.Errorf("%v", b.w.acts)
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestAnotherAttemptBeginsSkippedPluginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t, withRetries(1), func(in *engine.PlanInput) { in.Options.StopOnPluginFailure = true })
		b.p.scripts["NODE1/b"] = failed(1603)
		b.onRetry(func(engine.Fact) { delete(b.p.scripts, "NODE1/b") })
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodeSucceeded || n.Attempt != 2 || n.Update("p2-b").Outcome != plugins.Installed || n.Update("p2-b").Skipped != "" || n.Update("b").Plugin != "Test.Plugin" {
			t.Errorf("%s: %+v", n.Status, n.Updates)
		}
		b.wantOnce()
		b.wantInService()
	})
}

// askOnAnswer says yes to whatever is asked about the node, in every life of the program.
func (b *bench) askOnAnswer(node string) {
	b.journal.on = func(f engine.Fact) {
		if f.Kind == engine.FactFollowUpsAsked || f.Kind == engine.FactRunAsking || f.Kind == engine.FactRunContinued {
			b.control <- engine.Control{Verb: engine.VerbFollowUps, Node: node, Install: true, By: `CONTOSO\ann`}
		}
	}
}
