package e2e_test

import (
	"encoding/json"
	"slices"
	"testing"

	"cau/internal/cli"
)

// cauPluginsDiffer: what CAU itself has registered is shown by node, without a run.
func cauPluginsDiffer(t *testing.T) {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	lab := "--lab=" + w.lab("--scenario", "cau-plugins-differ").ID
	shown := w.want(0, "plugin", "list", lab)
	for _, want := range []string{
		"Microsoft.RollingUpgradePlugin", "NODE1 *Microsoft.HotfixPlugin *MS.Internal.ClusterAwareUpdating.HotfixPlugin", "NODE2 *Contoso.FirmwarePlugin", "NODE3 *ClusterAwareUpdating is not installed",
		"Contoso.FirmwarePlugin is on NODE2 and not on NODE1, NODE3, NODE4.",
	} {
		if !like(want, shown.out) {
			t.Errorf("it does not say %s:\n%s", want, shown.out)
		}
	}
	var list struct {
		Plugins []struct{ Name string }
		cli.ClusterPlugins
		Differing []struct {
			Plugin string
			On     []string
		}
	}
	if err := json.Unmarshal([]byte(w.want(0, "plugin", "list", lab, "--json").out), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Plugins) != 3 || len(list.Nodes) != 4 || list.Nodes[2].Module || len(list.Nodes[1].Plugins) != 3 || len(list.Differing) != 3 || !slices.Equal(list.Differing[2].On, []string{"NODE2"}) {
		t.Errorf("%+v", list)
	}
}
