package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/plugins/rollingupgrade"
	"cau/plugins/windowsupdate"
)

// known is a plug-in that this program has, and how it is made for a preview and for a run. Plug-ins of other people join
// this list.
type known struct {
	// says is the plug-in by what it says of itself; it cannot scan.
	says plugins.Plugin
	// scans makes it for a preview: job is the id of a job that it may start on each node.
	scans func(s *session, run, job string) plugins.Plugin
	// runs makes it for a run.
	runs func(access *runAccess, cluster string) plugins.Plugin
	// root: it installs from a hotfix root, which is read here.
	root bool
	// jobs: its scan runs jobs on the nodes, whose traces are to be removed.
	jobs bool
	// other: it is other people's.
	other bool
}

// builtins are the plug-ins in the order in which they are shown, the default first.
func builtins() []known {
	return []known{
		{
			says: &windowsupdate.Plugin{},
			scans: func(s *session, run, job string) plugins.Plugin {
				return &windowsupdate.Plugin{Nodes: func(name string) plugins.Node { return s.node(name) }, Run: run, ScanJob: job}
			},
			runs: func(*runAccess, string) plugins.Plugin { return &windowsupdate.Plugin{} },
			jobs: true,
		},
		{
			says: &hotfix.Plugin{},
			scans: func(s *session, _, _ string) plugins.Plugin {
				return &hotfix.Plugin{Open: s.opener(), Ask: s.asker(), MadeUp: s.lab != nil}
			},
			runs: func(access *runAccess, _ string) plugins.Plugin { return &hotfix.Plugin{Open: access.root()} },
			root: true,
		},
		{
			says:  rollingupgrade.Plugin{},
			scans: func(*session, string, string) plugins.Plugin { return rollingupgrade.Plugin{} },
			runs:  func(*runAccess, string) plugins.Plugin { return rollingupgrade.Plugin{} },
		},
	}
}

func (p *program) knownAs(name string) (known, error) {
	var names []string
	list, err := p.known()
	for _, k := range list {
		if strings.EqualFold(k.says.Name(), name) {
			return k, nil
		}
		names = append(names, k.says.Name())
	}
	if err != nil {
		return known{}, err
	}
	return known{}, cli.Usage(&fault.Error{Op: "choose the plug-in", Err: fmt.Errorf("there is no plug-in %q", name), Hint: "There are " + strings.Join(names, ", ") + "."})
}

// Plugins are the plug-ins by what they say of themselves; they cannot scan without a target.
func (p *program) Plugins() []plugins.Plugin {
	var out []plugins.Plugin
	list, _ := p.known() // what cannot be read is said by whoever chooses it, and by cau plugin list
	for _, k := range list {
		out = append(out, k.says)
	}
	return out
}

// runPlugins are a plan's plug-ins for its run: the first, and the further ones by their instances.
func (p *program) runPlugins(plan *engine.Plan, access *runAccess) (first plugins.Plugin, further map[string]plugins.Plugin, err error) {
	further = map[string]plugins.Plugin{}
	for i, pp := range plan.Instances() {
		k, err := p.knownAs(pp.Name)
		if err == nil {
			err = unchanged(k, pp)
		}
		if err != nil {
			return nil, nil, err
		}
		if i == 0 {
			first = k.runs(access, plan.Cluster)
			continue
		}
		further[pp.Instance] = k.runs(access, plan.Cluster)
	}
	return first, further, nil
}

// chosen is one plug-in of a request with its arguments resolved, and then what it found.
type chosen struct {
	known
	plugin plugins.Plugin
	args   plugins.Arguments
	scan   plugins.Scan
}

// choose resolves what was asked for, before anything is touched.
func (p *program) choose(s *session, run string, req cli.Request) ([]chosen, error) {
	var out []chosen
	for i, asked := range append([]cli.PluginRequest{{Plugin: req.Plugin, Arguments: req.Arguments}}, req.Further...) {
		k, err := p.knownAs(asked.Plugin)
		if err != nil {
			return nil, err
		}
		if r, ok := k.says.(plugins.Refuser); ok {
			return nil, cli.Usage(r.Refused())
		}
		c := chosen{known: k, plugin: k.scans(s, run, fmt.Sprintf("%s-scan-%d", run, i+1))}
		if c.args, err = arguments(k, s, asked.Arguments); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// readsRoot tells whether any of them reads a hotfix root.
func readsRoot(list []chosen) bool {
	return slices.ContainsFunc(list, func(c chosen) bool { return c.root })
}

// scanAll lets each plug-in look, side by side or, with RunPluginsSerially, one after the other (Invoke-CauRun).
func (s *session) scanAll(ctx context.Context, list []chosen, nodes []string, serially bool, run string, note func(string)) error {
	errs := make([]error, len(list))
	one := func(i int) {
		c := &list[i]
		c.scan, errs[i] = c.plugin.Scan(ctx, nodes, c.args)
	}
	for _, c := range list {
		switch {
		case c.root:
			note(fmt.Sprintf("Reading %s.", c.args[argRoot]))
		case c.other:
			note(fmt.Sprintf("The plug-in %s looks at %d nodes.", c.says.Name(), len(nodes)))
		default:
			note(fmt.Sprintf("Asking %d nodes what Windows Update offers them; this may take many minutes.", len(nodes)))
		}
	}
	var all sync.WaitGroup
	for i := range list {
		if serially {
			one(i)
			continue
		}
		all.Go(func() { one(i) })
	}
	all.Wait()
	if slices.ContainsFunc(list, func(c chosen) bool { return c.jobs }) {
		s.cleanScans(ctx, nodes, run)
	}
	return errors.Join(errs...)
}

// cleanLimit bounds the removal of a scan's traces.
const cleanLimit = time.Minute

// cleanScans removes what scans left on the nodes. What stays is removed with the run's traces, or by cau node clean.
func (s *session) cleanScans(ctx context.Context, nodes []string, run string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	var all sync.WaitGroup
	for _, name := range nodes {
		all.Go(func() { _ = s.node(name).Clean(ctx, run) })
	}
	all.Wait()
}

// arguments resolves a plug-in's arguments; a lab fills in its own sample root where none is named.
func arguments(k known, s *session, given []plugins.Argument) (plugins.Arguments, error) {
	named := slices.ContainsFunc(given, func(a plugins.Argument) bool { return strings.EqualFold(a.Name, argRoot) })
	if k.root && s.lab != nil && !named {
		given = append(slices.Clone(given), plugins.Argument{Name: argRoot, Value: s.lab.Root})
	}
	args, problems := plugins.Resolve(k.says.Options(), given)
	if len(problems) == 0 {
		problems = k.says.Validate(args)
	}
	for _, pr := range problems {
		return nil, cli.Usage(&fault.Error{Op: "--arg", Err: pr, Hint: pr.Hint})
	}
	return args, nil
}

// deliveries asks the nodes how the files of each root can come to them. A node to which any root must be pushed gets all
// of its files so.
func (s *session) deliveries(ctx context.Context, run string, list []chosen, o engine.Options, note func(string)) (map[string]engine.DeliveryChoice, []check.Result, error) {
	out := map[string]engine.DeliveryChoice{}
	var checks []check.Result
	for _, c := range list {
		if !c.root {
			continue
		}
		choices, answers, err := s.delivery(ctx, run, c.args, c.scan, o, note)
		if err != nil {
			return nil, nil, err
		}
		checks = append(checks, answers...)
		for node, choice := range choices {
			if out[node].Delivery != plugins.DeliveryPush {
				out[node] = choice
			}
		}
	}
	return out, checks, nil
}

// found are all updates of a request by node, for whoever counts with all of them.
func found(list []chosen) plugins.Scan {
	all := plugins.Scan{Updates: map[string][]plugins.Update{}}
	for _, c := range list {
		for node, updates := range c.scan.Updates {
			all.Updates[node] = append(all.Updates[node], updates...)
		}
	}
	return all
}

// furtherInput is what a plan needs of the plug-ins behind the first.
func furtherInput(list []chosen) []engine.PluginInput {
	var out []engine.PluginInput
	for _, c := range list[1:] {
		out = append(out, engine.PluginInput{Name: c.says.Name(), Arguments: c.args, Specs: c.says.Options(), Scan: c.scan})
	}
	return out
}

// firstRoot is the first hotfix root of a request, empty where there is none.
func firstRoot(list []chosen) string {
	var root string
	for _, c := range list {
		root = cmp.Or(root, c.args[argRoot])
	}
	return root
}

// roots are all hotfix roots of a request, each once.
func roots(list []chosen) []string {
	var out []string
	for _, c := range list {
		if root := c.args[argRoot]; root != "" && !slices.Contains(out, root) {
			out = append(out, root)
		}
	}
	return out
}
