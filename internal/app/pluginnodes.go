package app

import (
	"context"
	"sync"

	"cau/internal/cli"
	"cau/internal/fault"
)

// PluginsOnNodes asks every node of the cluster. One that cannot be asked is in the answer with its reason, as the others'
// are of use without it.
func (p *program) PluginsOnNodes(ctx context.Context, target cli.Target, note func(string)) (cli.ClusterPlugins, error) {
	s, names, err := p.nodesOf(ctx, target, "", note)
	if err != nil {
		return cli.ClusterPlugins{}, err
	}
	out := cli.ClusterPlugins{Cluster: s.view.Name, Nodes: make([]cli.NodePlugins, len(names))}
	room := make(chan struct{}, doctorsAtOnce)
	var asked sync.WaitGroup
	for i, name := range names {
		asked.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			out.Nodes[i] = s.pluginsOn(ctx, name)
		})
	}
	asked.Wait()
	return out, ctx.Err()
}

func (s *session) pluginsOn(ctx context.Context, name string) cli.NodePlugins {
	n := cli.NodePlugins{Node: name, Plugins: []cli.CauPlugin{}}
	got, err := s.fleet.Node(name).CauPlugins(ctx)
	if err != nil {
		n.Problem, n.Advice = err.Error(), fault.Hint(err)
		return n
	}
	n.Module = got.Module
	for _, pl := range got.Plugins {
		n.Plugins = append(n.Plugins, cli.CauPlugin(pl))
	}
	return n
}
