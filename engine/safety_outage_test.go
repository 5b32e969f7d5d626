package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"cau/engine"
)

// Pauses that take roles down (R15).

// outage gives a plan one of the options that take roles down, with the cluster's typed name.
func outage(option string) func(*engine.PlanInput) {
	return func(in *engine.PlanInput) {
		o := &in.Options
		o.ForcePauseNoDrain = option == "ForcePauseNoDrain"
		o.ForcePauseAndDrain = option == "ForcePauseAndDrain"
		o.ForcePauseDrainAndReboot = option == "ForcePauseDrainAndReboot"
		o.Outage = "contoso-fc1"
	}
}

// goingDown is a bench on which roles may go down.
func goingDown(t *testing.T, option string, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(3)...), map[string][]string{"NODE1": {"u"}, "NODE2": {"u"}}, append(change, outage(option), func(in *engine.PlanInput) {
		if option == "" {
			in.Options.Outage = ""
		}
	})...)
	b.w.mayGoDown = true
	return b
}

func TestR15_AnOptionThatTakesRolesDownNeedsTheClustersTypedName(t *testing.T) {
	for _, option := range []string{"ForcePauseNoDrain", "ForcePauseAndDrain", "ForcePauseDrainAndReboot"} {
		for typed, right := range map[string]bool{"": false, "yes": false, "CONTOSO-FC": false, "CONTOSO-FC1": true, "contoso-fc1": true} {
			in := planInput(newWorld(numbered(3)...).view(), map[string][]string{"NODE1": {"u"}})
			outage(option)(&in)
			in.Options.Outage = typed
			p, err := engine.BuildPlan(in)
			if !right {
				var e engine.OptionError
				if !errors.As(err, &e) || e.Name != "Outage" || !strings.Contains(err.Error(), option) || !strings.Contains(err.Error(), "type the cluster's name, CONTOSO-FC1") {
					t.Errorf("%s %q: %v", option, typed, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %q: %v", option, typed, err)
				continue
			}
			for _, n := range p.Nodes {
				want := []string(nil)
				if n.Name == "NODE1" {
					want = []string{"ROLE-NODE1", "Cluster Group"}
				}
				if !slices.Equal(n.Outage, want) {
					t.Errorf("%s: %s: %v", option, n.Name, n.Outage)
				}
			}
		}
	}
	in := planInput(newWorld(numbered(2)...).view(), nil)
	in.Options.Outage = "CONTOSO-FC1"
	if _, err := engine.BuildPlan(in); err == nil || !strings.Contains(err.Error(), "no option takes roles down") {
		t.Errorf("%v", err)
	}
}

func TestR15_APlanWhoseOptionsWereChangedByHandTakesNothingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.plan.Options.ForcePauseNoDrain = true
		if _, err := b.run(); !errors.Is(err, engine.ErrBlocked) || len(b.w.acts) != 0 {
			t.Errorf("%v %v", err, b.w.acts)
		}
	})
}

func TestR15_WithoutADrainRolesStayAndGoDownWithTheRestart(t *testing.T) {
	for _, s2d := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := goingDown(t, "ForcePauseNoDrain")
			b.w.s2d = s2d
			b.p.scripts["NODE1/u"] = restart()
			b.journal.on = func(f engine.Fact) {
				if f.Kind == engine.FactDrainDone && f.Node == "NODE1" && (len(b.w.outages) != 0 || !slices.Contains(f.Data.Roles, "ROLE-NODE1")) {
					t.Errorf("%v, %+v", b.w.outages, f.Data)
				}
			}
			s := b.toEnd()
			b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeUpToDate})
			if !slices.Contains(b.w.outages, "ROLE-NODE1") || slices.Contains(b.w.outages, "ROLE-NODE2") || b.w.count("restart NODE1") != 1 {
				t.Errorf("%v %v", b.w.outages, b.w.acts)
			}
			if f := b.fact(engine.FactPauseIntent); f.Data.Drain != engine.DrainNone || !slices.Contains(f.Data.Roles, "ROLE-NODE1") {
				t.Errorf("%+v", f.Data)
			}
		})
	}
}

func TestR15_WithoutADrainNoRestartOnceSomebodyResumedOrDrainedTheNode(t *testing.T) {
	for name, meanwhile := range map[string]func(m *machine){
		"resumed": func(m *machine) { m.state = engine.NodeUp },
		"drained": func(m *machine) { m.drain = engine.DrainInProgress; m.drainHangs = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := goingDown(t, "ForcePauseNoDrain")
				b.p.scripts["NODE1/u"] = restart()
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactInstallDone {
						b.w.locked(func(w *world) { meanwhile(w.machine("NODE1")) })
					}
				}
				s := b.toEnd()
				if n := s.Node("NODE1"); n.Status != engine.NodeHeld || b.w.count("restart NODE1") != 0 || !strings.Contains(n.Cause.Message, "not drained any more") {
					t.Errorf("%s %v %v", n.Status, n.Cause, b.w.acts)
				}
			})
		})
	}
}

func TestR15_WithoutADrainANodeThatIsFoundDrainedAfterACrashIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := goingDown(t, "ForcePauseNoDrain")
		diesAt(b, engine.FactPauseIntent, func(w *world) {
			w.mayBePaused["NODE1"] = true
			w.machine("NODE1").state, w.machine("NODE1").drain = engine.NodePaused, engine.DrainCompleted
		})
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		b.toEnd()
		b.wantState("NODE1", engine.NodePaused)
		if len(b.p.starts) != 0 || b.w.count("pause NODE1")+b.w.count("resume-NoFailback NODE1") != 0 {
			t.Errorf("%v %v", b.p.starts, b.w.acts)
		}
	})
}

func TestR15_AForcedDrainStopsWhatDoesNotMoveAndSaysWhatDidNotComeBack(t *testing.T) {
	for _, option := range []string{"ForcePauseAndDrain", "ForcePauseDrainAndReboot", ""} {
		t.Run("option "+option, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := goingDown(t, option)
				b.w.machine("NODE1").sticks = []string{"ROLE-NODE1"}
				s := b.toEnd()
				n := s.Node("NODE1")
				if option == "" {
					if n.Status != engine.NodeFailed || len(b.w.outages) != 0 {
						t.Errorf("%s, %v went down", n.Status, b.w.outages)
					}
					return
				}
				restarts := map[string]int{"ForcePauseDrainAndReboot": 1}[option]
				if n.Status != engine.NodeSucceeded || n.Restarts != restarts || s.Node("NODE2").Restarts != restarts || s.Node("NODE3").Restarts != 0 {
					t.Errorf("%s %v, %d restarts", n.Status, n.Cause, n.Restarts)
				}
				if !slices.Equal(n.RolesDown, []string{"ROLE-NODE1 has failed"}) || len(s.Node("NODE2").RolesDown) != 0 {
					t.Errorf("%v, %v", n.RolesDown, s.Node("NODE2").RolesDown)
				}
			})
		})
	}
}

func TestR29_ANodeOnWhichNothingWasBegunIsNotRestartedForAnOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := goingDown(t, "ForcePauseDrainAndReboot")
		b.askOn(engine.FactPauseIntent, "NODE1", engine.VerbStop)
		s := b.toEnd()
		if len(b.p.starts) != 0 || b.w.count("restart NODE1") != 0 || s.Node("NODE1").Status != engine.NodeCanceled {
			t.Errorf("%v %v %s", b.p.starts, b.w.acts, s.Node("NODE1").Status)
		}
		b.wantState("NODE1", engine.NodeUp)
	})
}
