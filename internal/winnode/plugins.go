package winnode

import (
	"context"

	"cau/internal/winnode/agent"
)

// maxPlugins bounds the list of a node's registered plug-ins.
const maxPlugins = 200

// RegisteredPlugins are the plug-ins that Microsoft's CAU has registered on one node.
type RegisteredPlugins struct {
	// Module is false where CAU's PowerShell module is not installed: then nothing can be registered there.
	Module  bool
	Plugins []agent.CauPlugin
}

// CauPlugins lists what Get-CauPlugin does on the node; it changes nothing.
func (n *Node) CauPlugins(ctx context.Context) (RegisteredPlugins, error) {
	var a struct {
		Available *bool             `json:"available"`
		Plugins   []agent.CauPlugin `json:"plugins"`
	}
	if _, err := n.link.call(ctx, agent.OpCauPlugins, struct{}{}, &a); err != nil {
		return RegisteredPlugins{}, err
	}
	if a.Available == nil || *a.Available && a.Plugins == nil {
		return RegisteredPlugins{}, missing(agent.OpCauPlugins, n.Name(), "list of plug-ins")
	}
	out := RegisteredPlugins{Module: *a.Available}
	for _, p := range a.Plugins[:min(len(a.Plugins), maxPlugins)] {
		p = agent.CauPlugin{Name: agent.Printable(p.Name, maxName), Binary: agent.Printable(p.Binary, maxMessage), Class: agent.Printable(p.Class, maxName)}
		if p.Name == "" {
			return RegisteredPlugins{}, missing(agent.OpCauPlugins, n.Name(), "name of a plug-in")
		}
		out.Plugins = append(out.Plugins, p)
	}
	return out, nil
}
