package engine

import (
	"fmt"
	"slices"
	"strings"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// PluginPlan is one plug-in of a plan with what is its own.
type PluginPlan struct {
	// Instance is the plug-in's name, with " (2)" behind it for the second of that name and so on, as CAU counts them in
	// its errors. plugins.Update.Plugin holds it.
	Instance  string            `json:"instance"`
	Name      string            `json:"name"`
	Arguments plugins.Arguments `json:"arguments"`
	Source    string            `json:"source"`
	Pinned    []plugins.File    `json:"pinned,omitempty"`
	Ignored   []plugins.Ignored `json:"ignored,omitempty"`
}

// PluginInput is what a plan needs to know of a plug-in beyond the first.
type PluginInput struct {
	Name      string
	Arguments plugins.Arguments
	// Specs are its options; arguments of kind secret stay out of the plan (R04).
	Specs []plugins.OptionSpec
	Scan  plugins.Scan
}

// Instances are the plan's plug-ins in the order in which they install. The first is the one that plans have named since
// there was only one.
func (p *Plan) Instances() []PluginPlan {
	first := PluginPlan{Instance: p.Plugin, Name: p.Plugin, Arguments: p.Arguments, Source: p.Source, Pinned: p.Pinned, Ignored: p.Ignored}
	return append([]PluginPlan{first}, p.Further...)
}

// place is where the plug-in of an update stands among Instances. Whatever names none of the further ones is the first's.
func (p *Plan) place(u plugins.Update) int {
	return 1 + slices.IndexFunc(p.Further, func(f PluginPlan) bool { return f.Instance == u.Plugin })
}

// further plans the plug-ins beyond the first.
func (in *PlanInput) further() []PluginPlan {
	seen := map[string]int{in.Plugin: 1}
	var out []PluginPlan
	for _, f := range in.Further {
		seen[f.Name]++
		pp := PluginPlan{Instance: f.Name, Name: f.Name, Arguments: withoutSecrets(f.Arguments, f.Specs), Source: f.Scan.Source, Pinned: f.Scan.Pinned, Ignored: f.Scan.Ignored}
		if n := seen[f.Name]; n > 1 {
			pp.Instance = fmt.Sprintf("%s (%d)", f.Name, n)
		}
		out = append(out, pp)
	}
	return out
}

// allUpdates are a node's updates, plug-in after plug-in. Two instances of one plug-in may give the same id, which must be
// unique on the node: those of further plug-ins say whose they are.
func (in *PlanInput) allUpdates(node string, further []PluginPlan) []plugins.Update {
	out := make([]plugins.Update, 0, len(in.Scan.Updates[node]))
	for _, u := range in.Scan.Updates[node] {
		if len(further) > 0 {
			u.Plugin = in.Plugin
		}
		out = append(out, u)
	}
	for i, f := range in.Further {
		for _, u := range f.Scan.Updates[node] {
			out = append(out, further[i].own(i+1, u))
		}
	}
	return out
}

// own is an update as the plan names it, for the plug-in at that place of Instances.
func (p PluginPlan) own(place int, u plugins.Update) plugins.Update {
	if mark := idMark(place); !strings.HasPrefix(u.ID, mark) {
		u.ID = mark + u.ID
	}
	u.Plugin = p.Instance
	return u
}

func idMark(place int) string {
	if place == 0 {
		return ""
	}
	return fmt.Sprintf("p%d-", place+1)
}

// furtherChecks are what further plug-ins found, each under its own name. A root that is not the first's needs every answer
// for itself (R07).
func (in *PlanInput) furtherChecks(further []PluginPlan) []check.Result {
	var out []check.Result
	for i, f := range in.Further {
		for _, c := range completeChecks(f.Scan.Checks) {
			known, ok := check.Lookup(c.ID)
			missing := !slices.ContainsFunc(f.Scan.Checks, func(have check.Result) bool { return have.ID == c.ID })
			if missing && (!ok || known.Scope != check.ScopeRoot) {
				continue // another scope's, which is answered once for the whole run
			}
			c.Subject = strings.TrimSpace(further[i].Instance + " " + c.Subject)
			out = append(out, c)
		}
	}
	return out
}

// furtherProblems are those of further plug-ins.
func (in *PlanInput) furtherProblems(nodes []string) []error {
	var errs []error
	for i, f := range in.Further {
		for _, s := range append([]string{f.Name}, argumentTexts(f.Arguments)...) {
			if strings.ContainsFunc(s, invisible) {
				errs = append(errs, fmt.Errorf("%q holds a control character", s))
			}
		}
		for _, e := range scanProblems(f.Scan, nodes, len(idMark(i+1))) {
			errs = append(errs, fmt.Errorf("plug-in %d, %s: %w", i+2, f.Name, e))
		}
	}
	if len(in.Further) == 0 {
		return errs
	}
	further := in.further()
	for _, node := range nodes {
		seen := map[string]bool{}
		for _, u := range in.allUpdates(node, further) {
			if seen[u.ID] {
				errs = append(errs, fmt.Errorf("the update id %q comes twice for %s", u.ID, node))
			}
			seen[u.ID] = true
		}
	}
	return errs
}

// plugin is the plug-in that installs the update, with what the plan says of it.
func (r *run) plugin(u plugins.Update) (plugins.Plugin, PluginPlan) {
	return r.pluginAt(r.Plan.place(u))
}

func (r *run) pluginAt(place int) (plugins.Plugin, PluginPlan) {
	pp := r.Plan.Instances()[place]
	if place == 0 {
		return r.Plugin, pp
	}
	return r.Further[pp.Instance], pp
}

// pluginsMissing names the plan's plug-ins that this program was not given.
func (in *RunInput) pluginsMissing() error {
	for _, f := range in.Plan.Further {
		if in.Further[f.Instance] == nil {
			return &fault.Error{Op: "begin the run", Err: fmt.Errorf("the plan needs the plug-in %s, which this program does not have", f.Instance), Hint: "Make a plan with the plug-ins that cau has: cau preview --help names them."}
		}
	}
	return nil
}

// inWords is the plug-in as a failure names it where there are several; empty where there is only one.
func (p *Plan) inWords(place int) string {
	if len(p.Further) == 0 {
		return ""
	}
	return "the " + p.Instances()[place].Instance + " plug-in"
}

// blame says which plug-in reported the failure, where there are several.
func (p *Plan) blame(place int, node string, c *fault.Cause) *fault.Cause {
	who := p.inWords(place)
	if who == "" {
		return c
	}
	blamed := *c
	blamed.Message = node + ": " + who + " reported: " + strings.TrimPrefix(c.Message, node+": ")
	return &blamed
}

// skips tells whether the plug-in is done with on the node because one failed there: itself while it was staging, or, with
// StopOnPluginFailure, one before it.
func (r *run) skips(place int, np NodePlan, nr NodeRun) bool {
	for _, f := range nr.PluginFailures {
		failed := r.Plan.place(plugins.Update{Plugin: f.Plugin})
		if failed < place && r.Plan.Options.StopOnPluginFailure {
			return true
		}
	}
	own := r.Plan.ownUpdates(place, np, nr)
	return slices.ContainsFunc(own, func(u plugins.Update) bool { run := nr.Update(u.ID); return run != nil && run.Skipped != "" })
}

// pluginStops is the fact that skips the plug-ins after one of which an update failed on the node; nil when nothing is to
// be skipped. It is only asked with StopOnPluginFailure.
func (r *run) pluginStops(np NodePlan, nr NodeRun) *Fact {
	if !r.Plan.Options.StopOnPluginFailure || len(r.Plan.Further) == 0 {
		return nil
	}
	for _, u := range updatesOf(np, nr) {
		run := nr.Update(u.ID)
		if run == nil || run.Outcome == "" || run.Outcome.Final() {
			continue
		}
		place := r.Plan.place(u)
		if skipped := r.openAfter(place, np, nr); len(skipped) > 0 {
			return &Fact{Kind: FactPluginFailed, Node: np.Name, Data: FactData{
				Plugin: r.Plan.Instances()[place].Instance, Skipped: skipped, Cause: causeOfUpdate(np.Name, run),
				Message: fmt.Sprintf("Skipped, because %s of %s %s (StopOnPluginFailure).", u.Name, r.Plan.inWords(place), run.Outcome),
			}}
		}
	}
	return nil
}

// openAfter are the ids of updates of plug-ins after that place which are not begun and would be.
func (r *run) openAfter(place int, np NodePlan, nr NodeRun) []string {
	var out []string
	for _, u := range updatesOf(np, nr) {
		if run := nr.Update(u.ID); run != nil && run.open() && run.Started.IsZero() && r.Plan.place(u) > place {
			out = append(out, u.ID)
		}
	}
	return out
}

// open tells whether the update has no outcome and is not skipped.
func (u *UpdateRun) open() bool { return u.Outcome == "" && u.Skipped == "" }

// restartsBefore tells whether a restart that is due comes before the update: it is its plug-in's first one since, and each
// plug-in restarts for itself (SeparateReboots).
func (r *run) restartsBefore(nr NodeRun, u plugins.Update) bool {
	if !r.Plan.Options.SeparateReboots || !nr.RestartDue || !nr.Update(u.ID).Started.IsZero() {
		return false
	}
	latest := nr.latest()
	return latest != nil && latest.Plugin != nr.Update(u.ID).Plugin
}

// latest is the update that was begun last; nil before the first.
func (n *NodeRun) latest() *UpdateRun {
	var out *UpdateRun
	for i := range n.Updates {
		if u := &n.Updates[i]; !u.Started.IsZero() && (out == nil || u.Started.After(out.Started)) {
			out = u
		}
	}
	return out
}

// separateRestarts is how many restarts SeparateReboots adds: one between each two plug-ins.
func separateRestarts(o Options, updates []plugins.Update) int {
	n := 0
	for i := 1; o.SeparateReboots && i < len(updates); i++ {
		if updates[i].Plugin != updates[i-1].Plugin {
			n++
		}
	}
	return n
}

// checkPlugins is the check that warns of options that mean nothing with one plug-in.
const checkPlugins = "options.plugins"

// alone warns of options that mean something with two plug-ins or more only, as Invoke-CauRun does.
func (o Options) alone(pluginCount int) []check.Result {
	var out []check.Result
	for _, s := range []struct {
		option string
		set    bool
	}{{"SeparateReboots", o.SeparateReboots}, {"RunPluginsSerially", o.RunPluginsSerially}, {"StopOnPluginFailure", o.StopOnPluginFailure}} {
		if s.set && pluginCount < 2 {
			out = append(out, check.Result{
				ID: checkPlugins, Outcome: check.Warn, Subject: s.option,
				Evidence: s.option + " means something with two plug-ins or more; this plan has one.", Remedy: "Leave it out.",
			})
		}
	}
	return out
}
