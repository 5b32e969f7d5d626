package app

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/external"
)

// registry is where other people's plug-ins are registered.
func (p *program) registry() external.Registry {
	return external.Registry{Dir: filepath.Join(p.dir, "plugins")}
}

// known are all plug-ins: CAU's, then other people's. With an error it is what could be read.
func (p *program) known() ([]known, error) {
	list := builtins()
	registered, err := p.registry().List()
	for _, r := range registered {
		list = append(list, known{
			says: &external.Plugin{Registration: r},
			scans: func(s *session, run, _ string) plugins.Plugin {
				return &external.Plugin{Registration: r, Nodes: func(name string) plugins.Node { return s.node(name) }, Run: run, Cluster: s.view.Name}
			},
			runs: func(_ *runAccess, cluster string) plugins.Plugin {
				return &external.Plugin{Registration: r, Cluster: cluster}
			},
			jobs:  true,
			other: true,
		})
	}
	return list, err
}

// unchanged refuses to begin or to go on with a plan whose plug-in is not the executable that was confirmed (R31).
func unchanged(k known, pp engine.PluginPlan) error {
	pl, ok := k.says.(*external.Plugin)
	if !ok {
		return nil
	}
	if err := pl.Registration.Unchanged(); err != nil {
		return err
	}
	now := pl.Registration.File
	if len(pp.Pinned) != 1 || pp.Pinned[0].SHA256 != now.SHA256 || pp.Pinned[0].Path != now.Path {
		return &fault.Error{
			Op: "start the plug-in " + pp.Name, Err: fmt.Errorf("the plan was made with another executable than %s, which is registered now", now.Path),
			Hint: "Make a new plan.",
		}
	}
	return nil
}

// ofOthers tells whether other people's plug-ins bring all that the node gets in the plan.
func ofOthers(plan *engine.Plan, node string) bool {
	for _, n := range plan.Nodes {
		if n.Name != node {
			continue
		}
		for _, u := range n.Updates {
			if len(u.Files) > 0 || u.Plugin == "" || strings.HasPrefix(u.Plugin, "Microsoft.") {
				return false
			}
		}
		return len(n.Updates) > 0
	}
	return false
}

// PluginsRegistered are other people's plug-ins as they were registered.
func (p *program) PluginsRegistered(context.Context) ([]cli.RegisteredPlugin, error) {
	list, err := p.registry().List()
	out := make([]cli.RegisteredPlugin, 0, len(list))
	for _, r := range list {
		one := registeredAs(r)
		if changed := r.Unchanged(); changed != nil {
			one.Changed, one.Advice = changed.Error(), fault.Hint(changed)
		}
		out = append(out, one)
	}
	return out, err
}

func registeredAs(r external.Registration) cli.RegisteredPlugin {
	out := cli.RegisteredPlugin{
		Name: r.Declared.Name, Version: r.Declared.Version, Description: r.Declared.Description, Path: r.File.Path, SHA256: r.File.SHA256,
		Owner: r.File.Owner, Mode: r.File.Mode, At: r.At, By: r.By, Capabilities: []string{},
	}
	for _, c := range r.Declared.Capabilities {
		out.Capabilities = append(out.Capabilities, string(c))
	}
	return out
}

// PluginInspect looks at an executable and asks it what it is.
func (p *program) PluginInspect(ctx context.Context, path string) (cli.RegisteredPlugin, error) {
	r, err := external.Inspect(ctx, path, external.Limits{})
	if errors.Is(err, external.ErrUntrusted) {
		return cli.RegisteredPlugin{}, cli.Refused(err)
	}
	return registeredAs(r), err
}

// PluginRegister trusts what was shown, and nothing that came in its place meanwhile.
func (p *program) PluginRegister(ctx context.Context, shown cli.RegisteredPlugin) error {
	r, err := external.Inspect(ctx, shown.Path, external.Limits{})
	if err != nil {
		return err
	}
	now := registeredAs(r)
	if fmt.Sprint(now) != fmt.Sprint(shown) {
		return cli.Refused(&fault.Error{Op: "register " + shown.Path, Err: errors.New("it changed while it was looked at"), Hint: "Find out who writes there, then begin again."})
	}
	r.At = time.Now().UTC().Truncate(time.Second)
	if u, err := user.Current(); err == nil {
		r.By = u.Username
	}
	return p.registry().Add(r)
}

// PluginUnregister forgets a plug-in and says which executable it was.
func (p *program) PluginUnregister(_ context.Context, name string) (cli.RegisteredPlugin, error) {
	for _, k := range builtins() {
		if strings.EqualFold(k.says.Name(), name) {
			return cli.RegisteredPlugin{}, cli.Usage(&fault.Error{Op: "unregister " + k.says.Name(), Err: errors.New("it is built in"), Hint: "Only plug-ins that cau plugin register added can be unregistered."})
		}
	}
	r, err := p.registry().Remove(name)
	if err != nil {
		return cli.RegisteredPlugin{}, cli.Usage(err)
	}
	return registeredAs(r), nil
}

// PluginTest runs the conformance suite.
func (p *program) PluginTest(ctx context.Context, path string, args []plugins.Argument) ([]cli.PluginCase, error) {
	var out []cli.PluginCase
	for _, c := range external.Conform(ctx, path, args, external.Limits{}) {
		out = append(out, cli.PluginCase(c))
	}
	return out, ctx.Err()
}
