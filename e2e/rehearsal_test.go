package e2e_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/lab"
	"cau/plugins"
)

// promise is what a scenario's description promises to whoever rehearses with it.
type promise struct {
	// args are those of the run beyond the usual ones; limits take the place of the options that keep a slow machine
	// from running into the model's time limits.
	args, limits []string
	// checks are what the preview must say, "id outcome" or "id outcome subject", with a pattern of the evidence.
	checks map[string]string
	// code is the program's, run how the run ends; empty where none is begun.
	code int
	run  engine.RunStatus
	// nodes are the nodes that end unlike others.
	nodes  map[string]engine.NodeStatus
	others engine.NodeStatus
	// says are patterns of what a user reads, facts of kinds of facts with their nodes and messages.
	says, facts []string
	// left is how nodes are left; by default as their status wants it.
	left map[string]left
	// incidents are the kinds of what the lab saw that should not happen; none by default.
	incidents []string
	more      func(*testing.T, rehearsed)
}

// left is how a node is left in the lab.
type left struct {
	state engine.NodeState
	boots int
	// installed are the files that are installed, started those whose installers were started, without the former.
	installed, started []string
}

// rehearsed is what came of a run in a scenario.
type rehearsed struct {
	*world
	info   lab.Info
	result result
	facts  []engine.Fact
	state  engine.State
	report lab.Report
}

// speed is how much faster than real time the labs of scenarios run, and slowly where no run is begun: what a scenario
// shows before a run must still be there when the second command looks, and nobody holds the lab between the two.
const speed, slowly = "400", "40"

// quickly is a world with the program that does not look for races.
func quickly(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.program = quick
	return w
}

// rehearse goes through a run in a scenario and compares everything that was promised.
func (p promise) rehearse(t *testing.T, scenario string) {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	pace := speed
	if p.run == "" {
		pace = slowly
	}
	r := rehearsed{world: w, info: w.lab("--scenario", scenario, "--speed", pace)}
	if p.checks != nil {
		r.preview(p.checks, p.args...)
	}
	limits := p.limits
	if limits == nil {
		limits = patient()
	}
	r.result = w.want(p.code, applyWithin(limits, r.info, p.args...)...)
	r.look(p)
	if p.run == "" {
		if runs := strings.TrimSpace(w.want(0, "runs", "--json").out); runs != "[]" && p.code != 0 {
			t.Errorf("a run was begun: %s", runs)
		}
		return
	}
	r.facts = facts(t, r.result.out)
	r.compare(p)
}

// look reads what the lab saw, and holds what must be true of every scenario against it.
func (r *rehearsed) look(p promise) {
	r.t.Helper()
	for _, want := range p.says {
		if !like(want, r.result.errOut+r.result.out) {
			r.t.Errorf("it does not say %q:\n%s", want, r.result.errOut)
		}
	}
	r.report = r.inspect(r.info)
	var kinds []string
	for _, i := range r.report.State.Incidents {
		kinds = append(kinds, i.Kind)
	}
	if !slices.Equal(kinds, p.incidents) {
		r.t.Errorf("incidents: %+v", r.report.State.Incidents)
	}
	for name, heard := range r.report.WinRM {
		if heard.Readable > 0 {
			r.t.Errorf("%s got %d readable bodies", name, heard.Readable)
		}
	}
	for _, n := range r.report.State.Nodes {
		begun := map[string]int{}
		for _, i := range n.Installs {
			if i.Code == int64(notApplicable) {
				begun[i.File]-- // it may be tried again once another one is installed (R08)
			}
			if begun[i.File]++; begun[i.File] > 1 || i.Overlap {
				r.t.Errorf("%s: %s was started %d times, overlapping: %t", n.Name, i.File, begun[i.File], i.Overlap)
			}
		}
		if p.run == "" && (n.Boots != 1 || len(n.Installs) > 0 || r.member(n.Name) != engine.NodeUp) {
			r.t.Errorf("without a run %s has %d boots, %d installations and is %s", n.Name, n.Boots, len(n.Installs), r.member(n.Name))
		}
	}
}

// compare holds the run against the promise.
func (r *rehearsed) compare(p promise) {
	r.t.Helper()
	r.state = r.status()
	if r.state.Status != p.run {
		r.t.Errorf("the run is %s, not %s: %+v", r.state.Status, p.run, r.state.Cause)
	}
	for _, n := range r.state.Nodes {
		want, ok := p.nodes[n.Name]
		if !ok {
			want = p.others
		}
		if n.Status != want {
			r.t.Errorf("%s is %s, not %s: %+v", n.Name, n.Status, want, n.Cause)
		}
		how, ok := p.left[n.Name]
		if !ok {
			how = usually(n)
		}
		r.leaves(n.Name, how)
	}
	for _, want := range p.facts {
		if !slices.ContainsFunc(r.facts, func(f engine.Fact) bool {
			return like(want, string(f.Kind)+" "+f.Node+" "+f.Data.Message)
		}) {
			r.t.Errorf("no fact like %q", want)
		}
	}
	inOrder(r.t, r.facts)
	if p.more != nil {
		p.more(r.t, *r)
	}
}

// usually is how a node is left: in service, with everything installed and one restart when it was done, untouched
// when it was not begun.
func usually(n engine.NodeRun) left {
	if n.Status != engine.NodeSucceeded {
		return left{boots: 1}
	}
	return left{boots: 2, installed: files(n.Name)}
}

// files are those that the sample root has for a node.
func files(node string, without ...string) []string {
	list := []string{"Update1.msu", "Update2.msi", "Update3.msp"}
	switch node {
	case "NODE1":
		list = append(list, "Node1_Specific_Update.msu")
	case "NODE2":
		list = append(list, "SpecialHotfix1.exe")
	}
	return slices.DeleteFunc(list, func(f string) bool { return slices.Contains(without, f) })
}

func (r *rehearsed) leaves(name string, want left) {
	r.t.Helper()
	for _, n := range r.report.State.Nodes {
		if n.Name != name {
			continue
		}
		got := left{state: r.member(name), boots: n.Boots}
		for _, i := range n.Installs {
			if i.Installed {
				got.installed = append(got.installed, i.File)
			} else {
				got.started = append(got.started, i.File)
			}
		}
		if got.state != want.state || got.boots != want.boots || !slices.Equal(got.installed, want.installed) || !slices.Equal(got.started, want.started) {
			r.t.Errorf("%s is left as %+v, not %+v", name, got, want)
		}
	}
}

// member is a node as the cluster sees it.
func (r *rehearsed) member(name string) engine.NodeState {
	for _, m := range r.report.State.Cluster.Nodes {
		if m.Name == name {
			return engine.NodeState(m.State)
		}
	}
	return engine.NodeUnknown
}

// preview compares the checks before a run.
func (r *rehearsed) preview(want map[string]string, more ...string) {
	r.t.Helper()
	var plan engine.Plan
	out := r.cau(append([]string{"preview", "--lab=" + r.info.ID, "--json", "--plugin", hotfixPlugin}, more...)...).out
	if err := json.Unmarshal([]byte(out), &plan); err != nil {
		r.t.Fatalf("%v in %s", err, out)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !slices.ContainsFunc(plan.Checks, func(c check.Result) bool {
			id := c.ID + " " + string(c.Outcome)
			return (key == id || key == id+" "+c.Subject) && like(want[key], c.Evidence)
		}) {
			id, _, _ := strings.Cut(key, " ")
			r.t.Errorf("the preview does not say %q of %s: %+v", want[key], key, slices.DeleteFunc(plan.Checks, func(c check.Result) bool { return c.ID != id }))
		}
	}
}

// inOrder holds the facts against what no run may do: install or restart without a completed drain, or have two nodes
// out of service.
func inOrder(t *testing.T, list []engine.Fact) {
	t.Helper()
	out, drained := "", false
	for _, f := range list {
		switch f.Kind {
		case engine.FactPauseIntent:
			if out != "" {
				t.Errorf("%s was paused while %s was", f.Node, out)
			}
			out, drained = f.Node, false
		case engine.FactDrainDone:
			drained = true
		case engine.FactInstallIntent, engine.FactRestartIntent:
			if f.Node != out || !drained {
				t.Errorf("%s on %s, which is not drained", f.Kind, f.Node)
			}
		case engine.FactResumeDone, engine.FactUndoDone:
			if out == f.Node {
				out = ""
			}
		default:
		}
	}
}

// once expects every update to have exactly one result, and a good one.
func once(t *testing.T, r rehearsed) {
	t.Helper()
	done := map[string]int{}
	for _, f := range r.facts {
		if f.Kind == engine.FactInstallDone {
			done[f.Node+" "+f.Update]++
		}
	}
	for _, n := range r.state.Nodes {
		for _, u := range n.Updates {
			if u.Outcome != plugins.Installed || done[n.Name+" "+u.ID] != 1 {
				t.Errorf("%s on %s: %s, with %d results", u.Name, n.Name, u.Outcome, done[n.Name+" "+u.ID])
			}
		}
	}
}

// like tells whether text holds the pattern's parts, which * separates, one after the other.
func like(pattern, text string) bool {
	for _, part := range strings.Split(pattern, "*") {
		_, rest, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}
