package engine_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/plugins"
)

func TestTheArgumentsOfTheEquivalentInvokeCauRunAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		drawn := func() plugins.Arguments {
			args := plugins.Arguments{}
			for range rapid.IntRange(0, 3).Draw(t, "arguments") {
				args[rapid.StringMatching("[A-Z][A-Za-z]{0,8}").Draw(t, "name")] = rapid.StringMatching(`[ -~‘’“”ß]{1,30}`).Draw(t, "value")
			}
			return args
		}
		p := &engine.Plan{Cluster: "FC1", Plugin: "Microsoft.HotfixPlugin", Arguments: drawn(), Options: engine.DefaultOptions()}
		if rapid.Bool().Draw(t, "two plug-ins") {
			p.Further = []engine.PluginPlan{{Instance: "Microsoft.HotfixPlugin (2)", Name: "Microsoft.HotfixPlugin", Arguments: drawn()}}
		}
		_, invoke := engine.CommandLines(p)
		names := "'Microsoft.HotfixPlugin'"
		if len(p.Further) > 0 {
			names += ", " + names
		}
		before := "Invoke-CauRun -ClusterName 'FC1' -CauPluginName " + names + " "
		line, ok := strings.CutPrefix(invoke, before)
		if !ok {
			t.Fatalf("%s does not begin with %s", invoke, before)
		}
		text, given := strings.CutPrefix(line, "-CauPluginArguments ")
		if !given {
			for _, pp := range p.Instances() {
				if len(pp.Arguments) > 0 {
					t.Fatalf("%s leaves out %v", invoke, pp.Arguments)
				}
			}
			return
		}
		sets, rest, err := plugins.ReadHashtables(text)
		if err != nil || len(sets) != len(p.Instances()) || !strings.HasPrefix(rest, " -MaxFailedNodes ") {
			t.Fatalf("%s\n%d sets, rest %q, %v", invoke, len(sets), rest, err)
		}
		for i, pp := range p.Instances() {
			if len(sets[i]) != len(pp.Arguments) {
				t.Fatalf("%s\ngives %v, want %v", invoke, sets[i], pp.Arguments)
			}
			for _, a := range sets[i] {
				if pp.Arguments[a.Name] != a.Value {
					t.Fatalf("%s\ngives %q for %s, want %q", invoke, a.Value, a.Name, pp.Arguments[a.Name])
				}
			}
		}
	})
}

func TestOnlyFilesAreBroughtToANodeAndWhatAScanRemarksIsInThePlan(t *testing.T) {
	t.Parallel()
	in := planInput(clusterOf(nil), each([]string{"NODE1", "NODE2"}, "u"))
	in.Scan.Updates["NODE1"][0].Identity = "UpdateID 1 revision 2"
	in.Scan.Remarks = map[string][]string{"NODE1": {"Updates come from here."}}
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Nodes {
		switch n.Name {
		case "NODE1":
			if n.Delivery != "" || len(n.Remarks) != 1 {
				t.Errorf("%+v", n)
			}
		case "NODE2":
			if n.Delivery != plugins.DeliveryPull || len(n.Remarks) != 0 {
				t.Errorf("%+v", n)
			}
		}
	}
}
