package model

import "cau/internal/winnode/agent"

// CauPlugins is what Microsoft's CAU has registered on Node beside the plug-ins that come with it. NoModule leaves the
// node without the Failover Clustering Tools, and so without anything that could register one.
type CauPlugins struct {
	Node     string            `json:"node"`
	NoModule bool              `json:"no_module,omitempty"`
	Plugins  []agent.CauPlugin `json:"plugins,omitempty"`
}

// cauAssembly is the assembly of the plug-ins that come with CAU (Get-CauPlugin, example 1).
const cauAssembly = `C:\Windows\system32\WindowsPowerShell\v1.0\Modules\ClusterAwareUpdating\ClusterAwareUpdating.dll`

// cauPlugins are the two plug-ins that come with CAU, then what a scenario registered.
func (n *Node) cauPlugins() agent.CauPlugins {
	out := agent.CauPlugins{Available: true, Plugins: []agent.CauPlugin{
		{Name: "Microsoft.WindowsUpdatePlugin", Binary: cauAssembly, Class: "MS.Internal.ClusterAwareUpdating.WuaPlugin"},
		{Name: "Microsoft.HotfixPlugin", Binary: cauAssembly, Class: "MS.Internal.ClusterAwareUpdating.HotfixPlugin"},
	}}
	for _, p := range n.world.scenario.CauPlugins {
		switch {
		case !is(p.Node, n.name):
		case p.NoModule:
			return agent.CauPlugins{Plugins: []agent.CauPlugin{}}
		default:
			out.Plugins = append(out.Plugins, p.Plugins...)
		}
	}
	return out
}
