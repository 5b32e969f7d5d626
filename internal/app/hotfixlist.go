package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cau/internal/cli"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// HotfixList says what a hotfix root holds, for whom and by which rule. It reads every update and changes nothing.
func (p *program) HotfixList(ctx context.Context, req cli.HotfixListRequest, note func(string)) (cli.HotfixList, error) {
	list := cli.HotfixList{Root: req.Root, Simulated: req.Target.Lab}
	source, err := p.listSource(ctx, &req, note)
	if err != nil {
		return list, err
	}
	defer source.close()
	list.Root, list.Cluster = req.Root, source.cluster
	plugin := &hotfix.Plugin{MadeUp: req.Target.Lab}
	args, err := listArguments(plugin, req)
	if err != nil {
		return list, err
	}
	shown, err := shownNodes(source.nodes, req.Nodes, source.cluster)
	if err != nil {
		return list, err
	}
	nodes := source.nodes
	if nodes == nil {
		nodes = req.Nodes
	}
	files, err := source.open(ctx)
	if err != nil {
		return list, err
	}
	defer func() { _ = files.Close() }()
	note(fmt.Sprintf("Reading %s%s.", req.Root, source.as))
	found, err := plugin.List(ctx, files, nodes, args)
	if err != nil {
		return list, err
	}
	list.Config, list.Guessed, list.Changed = found.Config, found.Guessed, found.Changed
	list.Warnings, list.Nodes = configNotes(found.Warnings), []cli.HotfixNode{}
	list.Ignored = append([]plugins.Ignored{}, found.Ignored...)
	for _, n := range found.Nodes {
		if n.Name == "" {
			n.Name = "*"
		} else if len(shown) > 0 && !slices.Contains(shown, n.Name) {
			continue
		}
		list.Nodes = append(list.Nodes, cli.HotfixNode{Name: n.Name, Updates: append([]plugins.Update{}, n.Updates...)})
	}
	return list, nil
}

// listSource is where the root lies and whose nodes it is for.
type listSource struct {
	// nodes are the cluster's or the lab's; nil where nobody was asked.
	nodes   []string
	cluster string
	open    func(context.Context) (hotfix.Files, error)
	// as says who reads, for people, or is empty.
	as    string
	close func()
}

func (p *program) listSource(ctx context.Context, req *cli.HotfixListRequest, note func(string)) (listSource, error) {
	if req.Target.Cluster != "" {
		return p.listCluster(ctx, req, note)
	}
	local := req.Root != "" && !cli.OnShare(req.Root)
	look := cli.HotfixCheckRequest{Root: req.Root, Target: req.Target, Config: req.Config}
	s := listSource{close: func() {}}
	if local && !req.Target.Lab {
		s.open = openFolder(req.Root)
		return s, nil
	}
	var r *rootReader
	var at smbcheck.Location
	var err error
	if local {
		r, err = p.rootReader(ctx, &look)
		s.open = openFolder(req.Root)
	} else {
		r, at, err = p.openReader(ctx, &look, "list")
		s.open = func(ctx context.Context) (hotfix.Files, error) { return r.open(ctx, at) }
	}
	if err != nil {
		return s, err
	}
	s.close, req.Root = r.close, look.Root
	if r.as != "" {
		s.as = " as " + r.as
	}
	if r.lab != nil {
		s.nodes, s.cluster = look.Nodes, r.lab.Cluster
	}
	return s, nil
}

// listCluster asks the cluster for its nodes, and lets the same credential read the root.
func (p *program) listCluster(ctx context.Context, req *cli.HotfixListRequest, note func(string)) (listSource, error) {
	s, err := p.signIn(ctx, req.Target) // closed with the program
	if err != nil {
		return listSource{}, err
	}
	out := listSource{close: func() {}, open: openFolder(req.Root)}
	if cli.OnShare(req.Root) {
		if err := s.shareKnown(); err != nil {
			return out, err
		}
		at, err := smbcheck.ParseUNC(req.Root)
		if err != nil {
			return out, cli.Usage(err)
		}
		out.open = func(ctx context.Context) (hotfix.Files, error) { return s.opener()(ctx, at) }
	}
	if err := s.connect(ctx, note); err != nil {
		return out, err
	}
	out.cluster = s.view.Name
	for _, m := range s.view.Nodes {
		out.nodes = append(out.nodes, m.Name)
	}
	return out, nil
}

func openFolder(path string) func(context.Context) (hotfix.Files, error) {
	return func(context.Context) (hotfix.Files, error) {
		f, err := hotfix.OpenFolder(path)
		if err != nil {
			return nil, err
		}
		return f, nil
	}
}

// listArguments are the plug-in's for a root that may be a folder of this host.
func listArguments(plugin *hotfix.Plugin, req cli.HotfixListRequest) (plugins.Arguments, error) {
	args, problems := plugins.Resolve(plugin.Options(), rootArguments(cli.HotfixCheckRequest{Root: req.Root, Config: req.Config, RequireEncryption: req.RequireEncryption}))
	if len(problems) == 0 {
		checked := args
		if !cli.OnShare(req.Root) {
			checked = plugins.Arguments{argConfigName: args[argConfigName]}
		}
		problems = plugin.Validate(checked)
	}
	for _, pr := range problems {
		return nil, cli.Usage(&fault.Error{Op: "list " + strconv.Quote(req.Root), Err: fmt.Errorf("%s %s", pr.Name, pr.Problem), Hint: pr.Hint})
	}
	return args, nil
}

// shownNodes are the nodes to show as their cluster spells them; none shows all.
func shownNodes(known, wanted []string, cluster string) ([]string, error) {
	if known == nil {
		return wanted, nil
	}
	var shown []string
	for _, w := range wanted {
		i := slices.IndexFunc(known, func(n string) bool { return strings.EqualFold(n, w) })
		if i < 0 {
			return nil, cli.Usage(&fault.Error{Op: "--node", Err: fmt.Errorf("%s is not a node of %s", w, cluster), Hint: "Its nodes are " + strings.Join(known, ", ") + "."})
		}
		shown = append(shown, known[i])
	}
	return shown, nil
}
