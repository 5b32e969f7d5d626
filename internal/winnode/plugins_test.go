package winnode_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"cau/internal/winnode"
	"cau/internal/winnode/agent"
)

func TestThePluginsOfANodeAreItsOwnWordsMadePrintable(t *testing.T) {
	s, f := newSite(t, "N1")
	n := f.Node("N1")
	s.on(agent.OpCauPlugins, give(agent.CauPlugins{Available: true, Plugins: []agent.CauPlugin{{Name: "A\x1b[31m", Binary: "C:\\a\n.dll", Class: "A.B"}}}))
	want := winnode.RegisteredPlugins{Module: true, Plugins: []agent.CauPlugin{{Name: "A [31m", Binary: `C:\a .dll`, Class: "A.B"}}}
	got, err := n.CauPlugins(t.Context())
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	s.on(agent.OpCauPlugins, give(agent.CauPlugins{Plugins: []agent.CauPlugin{}}))
	if got, err := n.CauPlugins(t.Context()); err != nil || got.Module || len(got.Plugins) != 0 {
		t.Errorf("a node without the module: %+v %v", got, err)
	}
	many := agent.CauPlugins{Available: true, Plugins: make([]agent.CauPlugin, 300)}
	for i := range many.Plugins {
		many.Plugins[i].Name = "A"
	}
	s.on(agent.OpCauPlugins, give(many))
	if got, err := n.CauPlugins(t.Context()); err != nil || len(got.Plugins) != 200 {
		t.Errorf("%d %v", len(got.Plugins), err)
	}
	for _, answer := range []any{map[string]any{}, map[string]any{"available": true}, agent.CauPlugins{Available: true, Plugins: []agent.CauPlugin{{Class: "A.B"}}}} {
		s.on(agent.OpCauPlugins, give(answer))
		if got, err := n.CauPlugins(t.Context()); err == nil {
			t.Errorf("%v is taken for %+v", answer, got)
		}
	}
}
