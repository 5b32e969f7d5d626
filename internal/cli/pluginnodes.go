package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cau/internal/message"
)

// pluginsEverywhere is what cau plugin list --json prints with a cluster: the plug-ins that a run can have, and those that
// Microsoft's CAU has registered on the nodes.
type pluginsEverywhere struct {
	Plugins []pluginEntry `json:"plugins"`
	ClusterPlugins
	Differing []differingPlugin `json:"differing"`
}

// differingPlugin is registered on some of the nodes that answered and not on others.
type differingPlugin struct {
	Plugin string   `json:"plugin"`
	On     []string `json:"on"`
	NotOn  []string `json:"not_on"`
}

// pluginsOnNodes asks the cluster that is meant, if any. Flags about a cluster mean nothing without one.
func (p *program) pluginsOnNodes(cmd *cobra.Command, target Target) (*ClusterPlugins, error) {
	own := 0
	if cmd.Flags().Changed("json") {
		own = 1
	}
	if target.Cluster == "" && !target.Lab && cmd.Flags().NFlag() == own {
		return nil, nil
	}
	if err := p.checkNodesTarget(target); err != nil {
		return nil, err
	}
	on, err := p.services.PluginsOnNodes(cmd.Context(), target, p.say)
	if err != nil {
		return nil, err
	}
	for _, n := range on.unasked() {
		p.say("cau: " + message.Line(n.Problem))
		if n.Advice != "" {
			p.say("  " + message.Clean(n.Advice))
		}
	}
	if left := len(on.unasked()); left > 0 {
		p.say("cau: " + p.texts.T(message.PluginNodesNotAll, left, len(on.Nodes)))
	}
	return &on, nil
}

func (c ClusterPlugins) unasked() []NodePlugins {
	var out []NodePlugins
	for _, n := range c.Nodes {
		if n.Problem != "" {
			out = append(out, n)
		}
	}
	return out
}

// incomplete ends the command with a failure when a node could not be asked; which one was said.
func (c ClusterPlugins) incomplete() error {
	if len(c.unasked()) == 0 {
		return nil
	}
	return exitWith(ExitFailed)
}

// differing are the plug-ins that not all nodes have, among those that answered.
func (c ClusterPlugins) differing() []differingPlugin {
	out := []differingPlugin{}
	for _, n := range c.Nodes {
		for _, pl := range n.Plugins {
			if slices.ContainsFunc(out, func(d differingPlugin) bool { return strings.EqualFold(d.Plugin, pl.Name) }) {
				continue
			}
			d := differingPlugin{Plugin: pl.Name}
			for _, m := range c.Nodes {
				switch {
				case m.Problem != "":
				case m.has(pl.Name):
					d.On = append(d.On, m.Node)
				default:
					d.NotOn = append(d.NotOn, m.Node)
				}
			}
			out = append(out, d)
		}
	}
	return slices.DeleteFunc(out, func(d differingPlugin) bool { return len(d.NotOn) == 0 })
}

func (n NodePlugins) has(name string) bool {
	return slices.ContainsFunc(n.Plugins, func(pl CauPlugin) bool { return strings.EqualFold(pl.Name, name) })
}

func (p *program) printPluginsOnNodes(c ClusterPlugins) {
	p.line("")
	p.line(p.texts.T(message.PluginNodesHead, message.Clean(c.Cluster)))
	w := tabwriter.NewWriter(p.streams.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, p.texts.T(message.PluginNodesColumns))
	for _, n := range c.Nodes {
		name := message.Clean(n.Node)
		switch {
		case n.Problem != "":
			_, _ = fmt.Fprintf(w, "%s\t%s\n", name, p.texts.T(message.PluginNodesUnasked, message.Line(n.Problem)))
		case !n.Module:
			_, _ = fmt.Fprintf(w, "%s\t%s\n", name, p.texts.T(message.PluginNodesNoModule))
		case len(n.Plugins) == 0:
			_, _ = fmt.Fprintf(w, "%s\t%s\n", name, p.texts.T(message.PluginNodesNone))
		}
		for _, pl := range n.Plugins {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, message.Clean(pl.Name), message.Clean(pl.Class), message.Clean(pl.Binary))
		}
	}
	_ = w.Flush() // the answer's first failure is kept by the stream
	differing := c.differing()
	for _, d := range differing {
		p.line("! " + p.texts.T(message.PluginNodesDiffer, message.Clean(d.Plugin), message.Clean(strings.Join(d.On, ", ")), message.Clean(strings.Join(d.NotOn, ", "))))
	}
	if len(differing) > 0 {
		p.line("  " + p.texts.T(message.PluginNodesDifferSay))
	}
}
