package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"cau/engine"
	"cau/internal/check"
)

// inSites is a cluster of four nodes in the sites that are given by node.
func inSites(roles map[string]int, sites map[string]string) engine.ClusterView {
	v := clusterOf(roles)
	for i := range v.Nodes {
		v.Nodes[i].Site = sites[v.Nodes[i].Name]
	}
	return v
}

func TestNodesComeBySiteAndWithinASiteByFewestRolesAndTheHostOfThisMachineLast(t *testing.T) {
	sites := map[string]string{"NODE1": "Lund", "NODE2": "Malmo", "NODE3": "Lund"}
	roles := map[string]int{"NODE1": 3, "NODE2": 2, "NODE3": 1, "NODE4": 0}
	for name, c := range map[string]struct {
		change func(in *engine.PlanInput)
		want   string
	}{
		"one site first":            {func(in *engine.PlanInput) { in.Options.SiteAwareUpdatingOrder = []string{"lund"} }, "NODE3 NODE1 NODE4 NODE2"},
		"all sites":                 {func(in *engine.PlanInput) { in.Options.SiteAwareUpdatingOrder = []string{"Malmo", "Lund"} }, "NODE2 NODE3 NODE1 NODE4"},
		"this host's node":          {func(in *engine.PlanInput) { in.HostNode = "node4" }, "NODE3 NODE2 NODE1 NODE4"},
		"this host's node's site":   {func(in *engine.PlanInput) { in.HostNode, in.Options.SiteAwareUpdatingOrder = "NODE3", []string{"Lund"} }, "NODE1 NODE4 NODE2 NODE3"},
		"this host's node by order": {func(in *engine.PlanInput) { in.HostNode, in.Options.NodeOrder = "NODE4", []string{"NODE1", "NODE4"} }, "NODE1 NODE4 NODE3 NODE2"},
	} {
		in := planInput(inSites(roles, sites), each(numbered(4), "u"))
		c.change(&in)
		p, err := engine.BuildPlan(in)
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, n := range p.Nodes {
			got = append(got, n.Name)
			if n.Site != sites[n.Name] {
				t.Errorf("%s: %s is in %q", name, n.Name, n.Site)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestASiteThatTheClusterDoesNotHaveAndAChoiceOfNoNodeAreMistakesOfTheOption(t *testing.T) {
	for _, c := range []struct {
		sites  map[string]string
		change func(o *engine.Options)
		option string
		says   string
	}{
		{map[string]string{"NODE1": "Lund", "NODE2": "Malmo"}, func(o *engine.Options) { o.SiteAwareUpdatingOrder = []string{"Ystad"} }, "SiteAwareUpdatingOrder", "its sites are Lund, Malmo"},
		{nil, func(o *engine.Options) { o.SiteAwareUpdatingOrder = []string{"Ystad"} }, "SiteAwareUpdatingOrder", "no node of the cluster is in a site"},
		{nil, func(o *engine.Options) { o.SkipNodes = numbered(4) }, "SkipNodes", "no node to take"},
	} {
		in := planInput(inSites(nil, c.sites), nil)
		c.change(&in.Options)
		_, err := engine.BuildPlan(in)
		var oe engine.OptionError
		if !errors.As(err, &oe) || oe.Name != c.option || !strings.Contains(oe.Problem, c.says) {
			t.Errorf("%v", err)
		}
	}
}

func TestANodeThatIsLeftOutIsShownAndDoesNotMakeTheRunCanceled(t *testing.T) {
	for name, c := range map[string]struct {
		choose func(o *engine.Options)
		reason string
	}{
		"OnlyNodes": {func(o *engine.Options) { o.OnlyNodes = []string{"node1", "NODE2"} }, "OnlyNodes does not name it."},
		"SkipNodes": {func(o *engine.Options) { o.SkipNodes = []string{"node3"} }, "SkipNodes names it."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), func(in *engine.PlanInput) { c.choose(&in.Options) })
				if i := slices.IndexFunc(b.plan.Nodes, func(n engine.NodePlan) bool { return n.NotTaken == c.reason && len(n.Updates) == 0 }); len(b.plan.Nodes) != 3 || i < 0 || b.plan.Nodes[i].Name != "NODE3" {
					t.Fatalf("%+v", b.plan.Nodes)
				}
				s := b.toEnd()
				b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": engine.NodeNotTaken})
				if s.Status != engine.RunSucceeded || s.Node("NODE3").NotTaken != c.reason || b.w.count("pause NODE3") != 0 || b.p.starts["NODE3/u"] != 0 {
					t.Errorf("%s %+v after %v", s.Status, s.Node("NODE3"), b.w.acts)
				}
				b.wantInService()
			})
		})
	}
}

func TestR14_ANodeThatIsLeftOutStillHasToBeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), func(in *engine.PlanInput) { in.Options.SkipNodes = []string{"NODE3"} })
		b.w.set("NODE3", engine.NodeDown)
		b.askOn(engine.FactGateWaiting, "", engine.VerbStop)
		if s := b.toEnd(); s.Status != engine.RunCanceled || len(b.w.acts) > 2 || b.w.count("pause NODE1")+b.w.count("pause NODE2") != 0 {
			t.Errorf("%s after %v", s.Status, b.w.acts)
		}
		b.wantKind(engine.FactGateWaiting, true)
	})
}

func TestANodeThatIsLeftOutIsNotAskedWhetherItCouldBeTaken(t *testing.T) {
	o := healthy()
	node(&o, "NODE2", func(n *engine.NodeObservation) { n.BitLocker.Value.AsksAtStart = true })
	o.LosesQuorum["NODE2"] = engine.AnswerOf(true, nil)
	opts := engine.DefaultOptions()
	closed := func() []check.Result { return check.Gate(engine.ClusterChecks(o, opts, noon), nil) }
	if got := closed(); len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	if opts.SkipNodes = []string{"NODE2"}; len(closed()) != 0 {
		t.Errorf("%+v", closed())
	}
	o.Cluster.Value.Nodes[1].State = engine.NodeDown
	if opts.RequireAllNodesOnline = true; len(closed()) != 1 {
		t.Errorf("it need not be up: %+v", closed())
	}
}
