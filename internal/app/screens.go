package app

import (
	"context"
	"io"
	"os"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui"
	"cau/tui/backend"
	"cau/tui/lines"
)

// Interactive opens the main window, or asks line by line. Only here does a missing --cluster mean the lab (R01).
func (p *program) Interactive(ctx context.Context, target cli.Target, accessible bool) error {
	if target.Cluster == "" {
		target.Lab = true
	}
	s, err := p.signIn(ctx, target)
	if err != nil {
		return err
	}
	if err := s.connect(ctx, p.note); err != nil {
		return err
	}
	w := &window{program: p, session: s}
	if accessible {
		return lines.Run(ctx, lines.Config{In: p.streams.In, Out: p.streams.Out, Services: w, Texts: p.texts})
	}
	return tui.Run(ctx, tui.Config{Services: w, Texts: p.texts, In: os.Stdin, Out: os.Stdout, Env: os.Environ()})
}

// View opens the live view of a run; no cluster is touched for it.
func (p *program) View(ctx context.Context, run string) error {
	w := &window{program: p}
	return tui.Run(ctx, tui.Config{Services: w, Texts: p.texts, In: os.Stdin, Out: os.Stdout, Env: os.Environ(), OpenRun: run})
}

// note prints what is being done, before a screen is drawn.
func (p *program) note(line string) { _, _ = io.WriteString(p.streams.Err, message.Clean(line)+"\n") }

// window is what the screens see of the program: one cluster, connected to once.
type window struct {
	*program
	session *session
}

// Overview reads the cluster for the main window.
func (w *window) Overview(ctx context.Context) (backend.Overview, error) {
	view, err := w.session.fleet.Describe(ctx, "")
	if err != nil {
		return backend.Overview{}, err
	}
	o := backend.Overview{Cluster: view.Name, Simulated: w.session.lab != nil, Reached: w.session.reached()}
	roles := map[string]int{}
	for _, g := range view.Groups {
		if !g.Core {
			roles[g.Owner]++
		}
	}
	for _, m := range view.Nodes {
		o.Nodes = append(o.Nodes, backend.OverviewNode{Name: m.Name, State: m.State, Roles: roles[m.Name]})
	}
	return o, w.history(&o)
}

// history adds what this host's runs say about the cluster's nodes.
func (w *window) history(o *backend.Overview) error {
	home, err := w.home()
	if err != nil {
		return err
	}
	runs, err := home.List()
	if err != nil {
		return err
	}
	newest := true
	for _, s := range runs {
		plan, state, alive, err := home.Load(s.Run)
		if err != nil || !w.same(plan) {
			continue // a run that cannot be read is shown by cau runs, with its reason
		}
		if newest && !alive && !state.Status.Ended() {
			o.LostRun = s.Run
		}
		newest = false
		if alive && o.ActiveRun == "" && !state.Status.Ended() {
			o.ActiveRun = s.Run
		}
		if state.Status.Ended() && o.LastRun == nil {
			info := runInfo(s.Run, state, alive)
			o.LastRun = &info
		}
		for i := range o.Nodes {
			n := &o.Nodes[i]
			if r := state.Node(n.Name); n.LastStatus == "" && r != nil && !r.Ended.IsZero() {
				n.LastStatus, n.LastTime = r.Status, r.Ended
			}
		}
	}
	return nil
}

// same tells whether a plan was for the window's cluster: labs all have the same name.
func (w *window) same(plan *engine.Plan) bool {
	if w.session.lab != nil {
		return plan.Lab == w.session.lab.ID
	}
	return plan.Lab == "" && plan.Cluster == w.session.view.Name
}

func runInfo(run string, s engine.State, alive bool) backend.RunInfo {
	return backend.RunInfo{Run: run, Cluster: s.Cluster, Plugin: s.Plugin, Status: s.Status, Started: s.Started, Ended: s.Ended, Alive: alive}
}

// Plugins are the plug-ins with the lab's sample root to start from.
func (w *window) Plugins() []backend.PluginInfo {
	var out []backend.PluginInfo
	list, _ := w.known()
	for _, k := range list {
		pl := k.says
		info := backend.PluginInfo{Name: pl.Name(), Description: pl.Description(), Options: pl.Options(), Validate: pl.Validate, Others: k.other}
		if k.root && w.session != nil && w.session.lab != nil {
			info.Defaults = map[string]string{argRoot: w.session.lab.Root}
		}
		if c, ok := pl.(plugins.Checker); ok {
			info.Check = c.Check
		}
		if r, ok := pl.(plugins.Refuser); ok {
			info.Refused = r.Refused().Error() + ". " + fault.Hint(r.Refused())
		}
		out = append(out, info)
	}
	return out
}

// Preview scans and checks.
func (w *window) Preview(ctx context.Context, req backend.Request, note func(string)) (*engine.Plan, error) {
	options, err := w.notifyOptions(req.Options)
	if err != nil {
		return nil, err
	}
	asked := cli.Request{Target: w.session.target, Plugin: req.Plugin, Arguments: requestArguments(req.Arguments), Options: options, Accepted: req.Accepted}
	for _, f := range req.Further {
		asked.Further = append(asked.Further, cli.PluginRequest{Plugin: f.Plugin, Arguments: requestArguments(f.Arguments)})
	}
	return w.preview(ctx, w.session, asked, note)
}

// Start starts the run.
func (w *window) Start(ctx context.Context, plan *engine.Plan) (backend.Started, error) {
	s, err := w.start(ctx, plan, w.session)
	return backend.Started(s), err
}

// Runs lists the runs on this host.
func (w *window) Runs(ctx context.Context) ([]backend.RunInfo, error) {
	list, err := w.program.Runs(ctx)
	out := make([]backend.RunInfo, 0, len(list))
	for _, r := range list {
		out = append(out, backend.RunInfo{Run: r.Run, Cluster: r.Cluster, Plugin: r.Plugin, Status: r.Status, Started: r.Started, Ended: r.Ended, Alive: r.Alive})
	}
	return out, err
}

// Watch follows a run.
func (w *window) Watch(ctx context.Context, run string) (<-chan backend.Snapshot, error) {
	snapshots, err := w.snapshots(ctx, run)
	if err != nil {
		return nil, err
	}
	out := make(chan backend.Snapshot)
	go func() { // ends with snapshots, which end with ctx
		defer close(out)
		for s := range snapshots {
			b := backend.Snapshot{State: s.State, Plan: s.Plan, Alive: s.Alive, Err: s.Err}
			if s.Plan != nil {
				b.History = w.earlier(s.Plan)
			}
			for _, l := range s.Lines {
				if l.Text != "" {
					b.Lines = append(b.Lines, backend.LogLine{Time: l.Time, Node: l.Node, Text: l.Text})
				}
			}
			select {
			case out <- b:
			case <-ctx.Done():
			}
		}
	}()
	return out, nil
}
