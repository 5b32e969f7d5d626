package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// clusterOf is a cluster whose nodes answer as the test says.
type clusterOf struct {
	fake
	on ClusterPlugins
}

func (a *clusterOf) PluginsOnNodes(_ context.Context, target Target, note func(string)) (ClusterPlugins, error) {
	a.touched = append(a.touched, target.Cluster)
	note("Connecting.")
	return a.on, nil
}

func TestPluginListSaysWhatIsRegisteredOnEachNodeAndWhereNodesDiffer(t *testing.T) {
	t.Parallel()
	update := CauPlugin{Name: "Microsoft.WindowsUpdatePlugin", Binary: `C:\x\ClusterAwareUpdating.dll`, Class: "Wua"}
	firmware := CauPlugin{Name: "Contoso.Firmware\x1b[2J", Binary: `C:\c.dll`, Class: "C"}
	small := firmware
	small.Name = strings.ToLower(small.Name)
	a := &clusterOf{on: ClusterPlugins{Cluster: "FC1", Nodes: []NodePlugins{
		{Node: "N1", Module: true, Plugins: []CauPlugin{update}},
		{Node: "N2", Module: true, Plugins: []CauPlugin{update, firmware}},
		{Node: "N3", Module: true, Plugins: []CauPlugin{update, small}},
		{Node: "N4", Plugins: []CauPlugin{}},
	}}}
	code, out, errOut := doWith(a, "plugin", "list", "--cluster", "n1", "--user", "x")
	if code != ExitOK || errOut != "Connecting.\n" || strings.Contains(out, "\x1b") {
		t.Errorf("%d %q", code, errOut)
	}
	for _, want := range []string{
		"Microsoft.HotfixPlugin", "on the nodes of FC1", "N4    none: its module ClusterAwareUpdating is not installed",
		"! Contoso.Firmware\ufffd[2J is on N2, N3 and not on N1, N4.", "! Microsoft.WindowsUpdatePlugin is on N1, N2, N3 and not on N4.", "Register-CauPlugin",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	a.on.Nodes = a.on.Nodes[1:3]
	if _, out, _ := doWith(a, "plugin", "list", "--cluster", "n1", "--user", "x"); strings.Contains(out, "!") || strings.Contains(out, "Register-CauPlugin") {
		t.Errorf("equal nodes differ:\n%s", out)
	}
}

func TestANodeThatCannotBeAskedIsNamedAndTheExitCodeSaysSo(t *testing.T) {
	t.Parallel()
	a := &clusterOf{on: ClusterPlugins{Cluster: "FC1", Nodes: []NodePlugins{
		{Node: "N1", Module: true, Plugins: []CauPlugin{{Name: "A"}}},
		{Node: "N2", Plugins: []CauPlugin{}, Problem: "N2: connection refused", Advice: "Start WinRM."},
	}}}
	code, out, errOut := doWith(a, "plugin", "list", "--cluster", "n1", "--user", "x")
	if code != ExitFailed || !strings.Contains(out, "N2    could not be asked: N2: connection refused") || strings.Contains(out, "!") {
		t.Errorf("%d %s", code, out)
	}
	if !strings.Contains(errOut, "N2: connection refused") || !strings.Contains(errOut, "Start WinRM.") || !strings.Contains(errOut, "1 of 2 nodes") {
		t.Error(errOut)
	}
	code, out, _ = doWith(a, "plugin", "list", "--cluster", "n1", "--user", "x", "--json")
	var got pluginsEverywhere
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != ExitFailed || len(got.Plugins) != 1 || got.Cluster != "FC1" || len(got.Nodes) != 2 || got.Nodes[1].Advice == "" || len(got.Differing) != 0 {
		t.Errorf("%d %v %s", code, err, out)
	}
}

func TestWithoutAClusterNothingIsAskedAndFlagsAboutOneAreRefused(t *testing.T) {
	t.Parallel()
	a := &clusterOf{}
	code, out, _ := doWith(a, "plugin", "list", "--json")
	var list []pluginEntry
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != ExitOK || len(list) != 1 {
		t.Errorf("%d %v %s", code, err, out)
	}
	for _, line := range [][]string{{"--user", "x"}, {"--node", "N1=a", "--json"}, {"--lab", "--cluster", "n1"}, {"--lab", "--user", "x"}} {
		if code, out, _ := doWith(a, append([]string{"plugin", "list"}, line...)...); code != ExitUsage || out != "" {
			t.Errorf("%v: %d %s", line, code, out)
		}
	}
	if len(a.touched) > 0 {
		t.Errorf("touched %v", a.touched)
	}
}
