package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cau/engine"
	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/smbcheck"
)

// nodeFile is what the nodes of a cluster have of the configuration file that comes with Cluster-Aware Updating.
type nodeFile struct {
	session *session
	nodes   []cli.ConfigOnNode
	// node is whose content it is; empty where no node that answered has one.
	node    string
	content []byte
}

// configOfNodes asks the nodes in service, or the one that is named. Nodes whose files differ are refused by name: which is
// right is not for a program to choose.
func (p *program) configOfNodes(ctx context.Context, req cli.ConfigInitRequest, note func(string)) (nodeFile, error) {
	s, names, err := p.nodesOf(ctx, req.Target, req.FromNode, note)
	if err != nil {
		return nodeFile{}, err
	}
	if cli.OnShare(req.Root) {
		if err := s.shareKnown(); err != nil {
			return nodeFile{}, err
		}
	}
	return s.configOf(ctx, names, req.FromNode != "")
}

// configOf is configOfNodes for nodes of a session; named: the user named the one.
func (s *session) configOf(ctx context.Context, names []string, named bool) (nodeFile, error) {
	out := nodeFile{session: s, nodes: make([]cli.ConfigOnNode, len(names))}
	contents := make([][]byte, len(names))
	room := make(chan struct{}, doctorsAtOnce)
	var asked sync.WaitGroup
	for i, name := range names {
		asked.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			out.nodes[i], contents[i] = s.configOn(ctx, name)
		})
	}
	asked.Wait()
	if err := ctx.Err(); err != nil {
		return out, err
	}
	if err := out.choose(contents, named); err != nil {
		return out, err
	}
	return out, out.understood()
}

// configOn asks one node. One that is not in service is not asked.
func (s *session) configOn(ctx context.Context, name string) (cli.ConfigOnNode, []byte) {
	n := cli.ConfigOnNode{Node: name}
	for _, m := range s.view.Nodes {
		if m.Name == name && m.State != engine.NodeUp && m.State != engine.NodePaused {
			n.Problem = "it is " + m.State.String()
			return n, nil
		}
	}
	got, err := s.fleet.Node(name).HotfixConfig(ctx, hotfixcfg.MaxConfigBytes)
	switch {
	case err != nil:
		n.Problem, n.Advice = err.Error(), fault.Hint(err)
	case got.Found:
		n.Found, n.Bytes, n.SHA256 = true, len(got.Content), digestOf(got.Content)
	}
	return n, got.Content
}

// choose takes the file that every node that has one has the same. A node that was named must have answered.
func (f *nodeFile) choose(contents [][]byte, named bool) error {
	var sums []string
	answered := false
	for i, n := range f.nodes {
		answered = answered || n.Problem == ""
		if !n.Found {
			continue
		}
		if f.node == "" {
			f.node, f.content = n.Node, contents[i]
		}
		if !slices.Contains(sums, n.SHA256) {
			sums = append(sums, n.SHA256)
		}
	}
	const op = "read the hotfix configuration file of CAU"
	switch {
	case !answered:
		return &fault.Error{Op: op, Node: f.nodes[0].Node, Err: errors.New(f.nodes[0].Problem), Hint: f.nodes[0].Advice}
	case named && f.node == "":
		return cli.Refused(&fault.Error{Op: op, Node: f.nodes[0].Node, Err: errors.New("it has none"), Hint: "Leave --from-node out, or name another node. Nothing was written."})
	case len(sums) > 1:
		var words []string
		for _, sum := range sums {
			words = append(words, strings.Join(f.with(sum), ", ")+" (sha256 "+sum+")")
		}
		return cli.Refused(&fault.Error{Op: op, Err: errors.New("the nodes have different ones: " + strings.Join(words, "; ")), Hint: "Nothing was written. Find out who changed it, and name the node with the right one: --from-node " + f.node + "."})
	}
	return nil
}

func (f *nodeFile) with(sum string) []string {
	var names []string
	for _, n := range f.nodes {
		if n.Found && n.SHA256 == sum {
			names = append(names, n.Node)
		}
	}
	return names
}

// understood refuses a file that a run could not read: it would only be found out later.
func (f *nodeFile) understood() error {
	if f.node == "" {
		return nil
	}
	_, problems := hotfixcfg.Validate(f.content)
	if len(problems) == 0 {
		return nil
	}
	first := problems[0]
	return cli.Usage(&fault.Error{
		Op: "read the hotfix configuration file of CAU", Node: f.node, Err: fmt.Errorf("%s:%d:%d: %s", hotfixcfg.DefaultFileName, first.Line, first.Column, first.Msg),
		Hint: "Nothing was written. cau reads Microsoft's file by its documentation, which does not say all of its form: report this, and use --from with a file of your own meanwhile.",
	})
}

// creator makes a new file in a root.
type creator interface {
	Create(ctx context.Context, path string, content []byte) error
}

// createAs makes the file in a root on a file server as whoever signed in on the nodes.
func (s *session) createAs(ctx context.Context, at smbcheck.Location, name string, content []byte) error {
	c, err := s.opener()(ctx, at)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	root, ok := c.(creator)
	if !ok {
		return &fault.Error{Op: fmt.Sprintf("create %q", name), Err: errors.New("this connection only reads")}
	}
	return root.Create(ctx, name, content)
}
