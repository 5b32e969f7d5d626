package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"cau/engine"
	"cau/internal/check"
	"cau/plugins"
)

// withSecondPlugin plans a second instance of the same plug-in, whose updates have the ids of the first one's.
func withSecondPlugin(in *engine.PlanInput) {
	scan := plugins.Scan{Updates: map[string][]plugins.Update{}, Source: `\\fs2\updates\root`}
	for node, updates := range in.Scan.Updates {
		scan.Updates[node] = slices.Clone(updates)
	}
	in.Further = []engine.PluginInput{{Name: in.Plugin, Arguments: plugins.Arguments{"Root": `\\fs2\updates\root`}, Scan: scan}}
}

// twoPlugins are two nodes with two updates of each of two instances; the last ones ask for a restart.
func twoPlugins(t *testing.T, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "a", "b"), append([]func(*engine.PlanInput){withSecondPlugin, withoutRetries}, change...)...)
	for _, n := range numbered(2) {
		b.p.scripts[n+"/b"] = restart()
		b.second().scripts[n+"/p2-b"] = restart()
	}
	return b
}

func withoutRetries(in *engine.PlanInput) { in.Options.MaxRetriesPerNode = 0 }

func (b *bench) second() *fakePlugin { return b.further["Test.Plugin (2)"] }

func TestTwoInstancesOfOnePluginAreToldApartAsCAUDoes(t *testing.T) {
	b := twoPlugins(t)
	in := b.plan.Instances()
	if len(in) != 2 || in[0].Instance != "Test.Plugin" || in[1].Instance != "Test.Plugin (2)" || in[1].Source != `\\fs2\updates\root` || in[1].Name != "Test.Plugin" {
		t.Fatalf("%+v", in)
	}
	var ids []string
	for _, u := range b.plan.Nodes[0].Updates {
		ids = append(ids, u.ID+" "+u.Plugin)
	}
	if want := []string{"a Test.Plugin", "b Test.Plugin", "p2-a Test.Plugin (2)", "p2-b Test.Plugin (2)"}; !slices.Equal(ids, want) {
		t.Errorf("%v, want %v", ids, want)
	}
}

func TestSeveralPluginsInstallOneAfterTheOtherAndRestartOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t)
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded})
		if s.Node("NODE1").Restarts != 1 || len(b.p.starts) != 4 || len(b.second().starts) != 4 {
			t.Errorf("%d restarts, started %v and %v", s.Node("NODE1").Restarts, b.p.starts, b.second().starts)
		}
		var order []string
		for _, f := range b.journal.facts(t) {
			if f.Kind == engine.FactInstallIntent && f.Node == "NODE1" {
				order = append(order, f.Update)
			}
		}
		if want := []string{"a", "b", "p2-a", "p2-b"}; !slices.Equal(order, want) {
			t.Errorf("installed %v", order)
		}
		if s.Node("NODE1").Update("p2-a").Plugin != "Test.Plugin (2)" {
			t.Errorf("%+v", s.Node("NODE1").Update("p2-a"))
		}
		b.wantOnce()
		b.wantInService()
	})
}

func TestSeparateRebootsRestartsAfterEachPluginThatAsksForIt(t *testing.T) {
	for name, c := range map[string]struct {
		first script
		want  []string
	}{
		"both ask":            {restart(), []string{"a", "b", "restart", "p2-a", "p2-b", "restart"}},
		"only the second one": {script{result: plugins.Result{Outcome: plugins.Installed}}, []string{"a", "b", "p2-a", "p2-b", "restart"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoPlugins(t, func(in *engine.PlanInput) { in.Options.SeparateReboots = true })
				b.p.scripts["NODE1/b"] = c.first
				s := b.toEnd()
				var order []string
				for _, f := range b.journal.facts(t) {
					switch {
					case f.Node != "NODE1":
					case f.Kind == engine.FactInstallIntent:
						order = append(order, f.Update)
					case f.Kind == engine.FactRestartIntent:
						order = append(order, "restart")
					}
				}
				if !slices.Equal(order, c.want) || s.Status != engine.RunSucceeded {
					t.Errorf("%s: %v, want %v", s.Status, order, c.want)
				}
				b.wantInService()
			})
		})
	}
}

func TestStopOnPluginFailureSkipsTheFurtherPluginsOfThatNode(t *testing.T) {
	for _, stops := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := twoPlugins(t, withBudget(1), func(in *engine.PlanInput) { in.Options.StopOnPluginFailure = stops })
			b.p.scripts["NODE1/a"] = failed(1603)
			s := b.toEnd()
			n := s.Node("NODE1")
			if n.Status != engine.NodePartiallyFailed || !strings.Contains(n.Cause.Message, "a.msu of the Test.Plugin plug-in failed") || n.Update("b").Outcome != plugins.Installed {
				t.Errorf("%s: %v, %+v", n.Status, n.Cause, n.Update("b"))
			}
			for _, id := range []string{"p2-a", "p2-b"} {
				u := n.Update(id)
				if skipped := u.Started.IsZero() && u.Outcome == "" && strings.Contains(u.Skipped, "StopOnPluginFailure"); skipped != stops {
					t.Errorf("stops %v: %+v", stops, u)
				}
			}
			if s.Node("NODE2").Status != engine.NodeSucceeded || len(s.Node("NODE2").PluginFailures) != 0 {
				t.Errorf("%+v", s.Node("NODE2"))
			}
			b.wantInService()
		})
	}
}

func TestStopOnPluginFailureCountsAFailureToStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t, withBudget(1), func(in *engine.PlanInput) { in.Options.StopOnPluginFailure = true })
		b.p.stageErr["NODE1"] = errors.New("no share")
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodeFailed || n.Cause.Message != "NODE1: the Test.Plugin plug-in reported: stage: no share" || b.w.count("pause NODE1") != 0 {
			t.Errorf("%s: %v", n.Status, n.Cause)
		}
		b.wantInService()
	})
}

func TestWithoutItANodeGetsWhatTheOtherPluginCouldStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t, withBudget(1))
		b.second().stageErr["NODE1"] = errors.New("no share")
		s := b.toEnd()
		n := s.Node("NODE1")
		if n.Status != engine.NodePartiallyFailed || n.Cause.Message != "NODE1: the Test.Plugin (2) plug-in reported: stage: no share" || n.Update("b").Outcome != plugins.Installed || n.Update("p2-a").Skipped == "" {
			t.Errorf("%s: %v", n.Status, n.Cause)
		}
		if len(b.second().starts) != 2 {
			t.Errorf("started %v", b.second().starts)
		}
		b.wantInService()
	})
}

func TestPluginsStageSideBySideUnlessSerially(t *testing.T) {
	for _, serially := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := twoPlugins(t, func(in *engine.PlanInput) {
				in.Options.RunPluginsSerially, in.Options.StageNodesAtOnce = serially, 1
			})
			began, ended := map[engine.FactKind]int64{}, map[engine.FactKind]int64{}
			b.journal.on = func(f engine.Fact) {
				if f.Node == "NODE1" && f.Kind == engine.FactStageIntent {
					began[f.Kind] = f.Time.Unix()
				}
				if f.Node == "NODE1" && f.Kind == engine.FactStageDone {
					ended[f.Kind] = f.Time.Unix()
				}
			}
			s := b.toEnd()
			took, want := ended[engine.FactStageDone]-began[engine.FactStageIntent], int64(15)
			if serially {
				want = 30
			}
			if took != want || s.Status != engine.RunSucceeded {
				t.Errorf("serially %v: staging took %d s", serially, took)
			}
			if b.p.stages[0] == b.second().stages[0] {
				t.Errorf("both staged in the job %s", b.p.stages[0])
			}
			for _, f := range b.journal.facts(t) {
				if f.Kind == engine.FactStageDone && (f.Data.Connection == nil || len(f.Data.Connections) != 1 || f.Data.Bytes != 2000) {
					t.Errorf("%+v", f.Data)
				}
			}
		})
	}
}

func TestOptionsForSeveralPluginsWarnWhereThereIsOne(t *testing.T) {
	all := func(in *engine.PlanInput) {
		in.Options.SeparateReboots, in.Options.RunPluginsSerially, in.Options.StopOnPluginFailure = true, true, true
	}
	warned := func(b *bench) (out []string) {
		for _, c := range b.plan.Checks {
			if c.ID == "options.plugins" && c.Outcome != check.Pass {
				out = append(out, string(c.Outcome)+" "+c.Subject)
			}
		}
		return out
	}
	one := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), all)
	if got, want := warned(one), []string{"warn RunPluginsSerially", "warn SeparateReboots", "warn StopOnPluginFailure"}; !slices.Equal(got, want) || len(one.plan.Blocking()) != 0 {
		t.Errorf("%v", got)
	}
	if got := warned(twoPlugins(t, all)); len(got) != 0 {
		t.Errorf("with two plug-ins: %v", got)
	}
}

func TestR07_TheRootOfAFurtherPluginNeedsItsOwnAnswers(t *testing.T) {
	b := twoPlugins(t, func(in *engine.PlanInput) {
		in.Further[0].Scan.Checks = []check.Result{{ID: "root.reach", Outcome: check.Pass}}
	})
	if !slices.ContainsFunc(b.plan.Blocking(), func(c check.Result) bool {
		return c.ID == "smb.guest" && c.Outcome == check.CannotVerify && c.Subject == "Test.Plugin (2)"
	}) {
		t.Errorf("%+v", b.plan.Blocking())
	}
	for _, c := range b.plan.Blocking() {
		if known, _ := check.Lookup(c.ID); known.Scope != check.ScopeRoot {
			t.Errorf("%+v", c)
		}
	}
}

func TestAPlanWhosePluginIsNotThereDoesNotBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoPlugins(t)
		delete(b.further, "Test.Plugin (2)")
		if _, err := b.run(); err == nil || !strings.Contains(err.Error(), "Test.Plugin (2)") || len(b.journal.lines) != 0 {
			t.Errorf("%v after %d facts", err, len(b.journal.lines))
		}
	})
}
