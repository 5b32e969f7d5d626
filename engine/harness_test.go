package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// journal keeps facts as JSON, as the real one does, and can die around any of them.
type journal struct {
	lines []string
	// dieAfter ends the program once so many facts are durable; dieBefore loses that fact and all later ones.
	// Zero means never.
	dieAfter, dieBefore int
	die                 context.CancelFunc
	dead                bool
	// on sees every fact once it is durable.
	on func(f engine.Fact)
}

var errDead = errors.New("the program is dead")

func (j *journal) Record(f engine.Fact) error {
	if j.dead {
		return errDead
	}
	if j.dieBefore > 0 && len(j.lines)+1 >= j.dieBefore {
		j.dead = true
		j.die()
		return errDead
	}
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	j.lines = append(j.lines, string(line))
	if j.on != nil {
		j.on(f)
	}
	if j.dieAfter > 0 && len(j.lines) >= j.dieAfter {
		j.dead = true
		j.die()
	}
	return nil
}

func (j *journal) facts(t *testing.T) []engine.Fact {
	t.Helper()
	var out []engine.Fact
	for _, l := range j.lines {
		var f engine.Fact
		if err := json.Unmarshal([]byte(l), &f); err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// kinds lists the facts' kinds with their nodes.
func (j *journal) kinds(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, f := range j.facts(t) {
		out = append(out, strings.TrimSpace(string(f.Kind)+" "+f.Node))
	}
	return out
}

// bench is one run with everything it needs.
type bench struct {
	t       *testing.T
	w       *world
	p       *fakePlugin
	plan    *engine.Plan
	journal *journal
	control chan engine.Control
	// heard is what became of the controls.
	heard []answered
	// credential may be nil.
	credential engine.Credential
	// gate may be nil.
	gate engine.Gatekeeper
	// lease may be nil, holder is the coordinator's name in it; each call of run has another one unless it is set.
	lease  *fakeLease
	holder string
	// kept may be nil; it counts only with a lease.
	kept *fakeKept
	// further are the plan's plug-ins beyond p, by instance.
	further map[string]*fakePlugin
}

// allPlugins are the plug-ins of the plan.
func (b *bench) allPlugins() []*fakePlugin {
	out := []*fakePlugin{b.p}
	for _, pp := range b.plan.Further {
		out = append(out, b.further[pp.Instance])
	}
	return out
}

type answered struct {
	asked engine.Control
	err   error
}

// newBench plans updates for nodes; what is the update ids by node, in plan order.
func newBench(t *testing.T, w *world, what map[string][]string, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	in := planInput(w.view(), what)
	in.Options.MaxRetriesPerNode = 0 // what fails has failed, in every test that is not about attempts
	for _, c := range change {
		c(&in)
	}
	plan, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, w: w, p: newPlugin(w), plan: plan, journal: &journal{}, control: make(chan engine.Control, 100), further: map[string]*fakePlugin{}}
	for _, pp := range plan.Further {
		b.further[pp.Instance] = newPlugin(w)
		b.further[pp.Instance].name = pp.Name
	}
	return b
}

func planInput(v engine.ClusterView, what map[string][]string) engine.PlanInput {
	scan := plugins.Scan{Updates: map[string][]plugins.Update{}, Source: `\\fs1\updates\root`}
	for node, ids := range what {
		for _, id := range ids {
			scan.Updates[node] = append(scan.Updates[node], plugins.Update{ID: id, Name: id + ".msu", Rule: "MSU"})
		}
	}
	addresses := map[string]string{}
	for _, m := range v.Nodes {
		addresses[m.Name] = m.Name + ":5985"
	}
	return engine.PlanInput{
		Run: "0123abcd", Created: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC), Program: "test", Address: "cluster1", View: v,
		Options: engine.DefaultOptions(), Plugin: "Test.Plugin", Addresses: addresses, Scan: scan, Checks: allPass(),
	}
}

func allPass() []check.Result {
	var out []check.Result
	for _, c := range check.Catalogue() {
		out = append(out, check.Result{ID: c.ID, Outcome: check.Pass})
	}
	return out
}

func withBudget(n int) func(*engine.PlanInput) {
	return func(in *engine.PlanInput) { in.Options.MaxFailedNodes = &n }
}

func withRetries(n int) func(*engine.PlanInput) {
	return func(in *engine.PlanInput) { in.Options.MaxRetriesPerNode = n }
}

// run goes on from what the journal holds, to the end of the run or the program's death.
func (b *bench) run() (engine.State, error) {
	b.t.Helper()
	state, err := engine.Fold(b.plan, b.journal.facts(b.t))
	if err != nil {
		b.t.Fatal(err)
	}
	if len(b.journal.lines) == 0 {
		state = engine.State{}
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	b.journal.die, b.journal.dead = cancel, false
	further := map[string]plugins.Plugin{}
	for instance, p := range b.further {
		further[instance] = p
	}
	in := engine.RunInput{
		Plan: b.plan, State: state, Plugin: b.p, Further: further, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Control: b.control, Clock: bubbleClock{},
		Credential: b.credential, Gate: b.gate,
		Answer: func(c engine.Control, err error) {
			b.heard = append(b.heard, answered{c, err})
			if errors.Is(err, errDead) {
				b.control <- c // whoever got no answer asks again
			}
		},
	}
	if b.lease != nil {
		in.Lease, in.Holder = b.lease.keeper(b)
		if b.kept != nil {
			in.Checkpoints = b.kept
		}
	}
	got, err := engine.Run(ctx, in)
	folded, foldErr := engine.Fold(b.plan, b.journal.facts(b.t))
	if foldErr != nil {
		b.t.Fatal(foldErr)
	}
	if diff := cmp.Diff(folded, got); diff != "" {
		b.t.Errorf("the live state is not the fold of the facts:\n%s", diff)
	}
	for _, v := range b.w.broken {
		b.t.Error(v)
	}
	return got, err
}

// toEnd runs and expects the run to end.
func (b *bench) toEnd() engine.State {
	b.t.Helper()
	s, err := b.run()
	if err != nil {
		b.t.Fatalf("the run did not end: %v\n%s", err, strings.Join(b.journal.kinds(b.t), "\n"))
	}
	if !s.Status.Ended() || s.Ended.IsZero() {
		b.t.Fatalf("the run is %s", s.Status)
	}
	return s
}

// askOn sends a control as soon as a fact of the kind is recorded, once, for a node or any.
func (b *bench) askOn(kind engine.FactKind, node string, verb engine.Verb) {
	done, before := false, b.journal.on
	b.journal.on = func(f engine.Fact) {
		if before != nil {
			before(f)
		}
		if !done && f.Kind == kind && (node == "" || f.Node == node) {
			done = true
			b.control <- engine.Control{Verb: verb, By: "CONTOSO\\ann"}
		}
	}
}

func (b *bench) wantNodes(s engine.State, want map[string]engine.NodeStatus) {
	b.t.Helper()
	for _, n := range s.Nodes {
		if want[n.Name] != n.Status {
			b.t.Errorf("%s ended %s, not %s; cause %v", n.Name, n.Status, want[n.Name], n.Cause)
		}
	}
}

// wantInService expects every machine back where it was.
func (b *bench) wantInService() {
	b.t.Helper()
	time.Sleep(time.Hour)
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	b.w.pass()
	for _, m := range b.w.order {
		if m.state != engine.NodeUp || m.maintenance || m.files {
			b.t.Errorf("%s is %s, maintenance %v, files left %v", m.name, m.state, m.maintenance, m.files)
		}
	}
	for _, g := range b.w.groups {
		if g.owner != g.home {
			b.t.Errorf("%s is on %s, not on %s", g.name, g.owner, g.home)
		}
	}
}

func (b *bench) wantState(name string, state engine.NodeState) {
	b.t.Helper()
	if m := b.w.machine(name); m.state != state {
		b.t.Errorf("%s is %s, not %s", name, m.state, state)
	}
}

func (b *bench) wantKind(kind engine.FactKind, want bool) {
	b.t.Helper()
	if slices.ContainsFunc(b.journal.facts(b.t), func(f engine.Fact) bool { return f.Kind == kind }) != want {
		b.t.Errorf("fact %s: want %v in\n%s", kind, want, strings.Join(b.journal.kinds(b.t), "\n"))
	}
}

func restart() script {
	code := fault.Code(3010)
	return script{result: plugins.Result{Outcome: plugins.Installed, ExitCode: &code, RestartRequired: true}}
}

func failed(code fault.Code) script {
	return script{result: plugins.Result{Outcome: plugins.UpdateFailed, ExitCode: &code, RestartRequired: code == 350}}
}

func each(names []string, ids ...string) map[string][]string {
	out := map[string][]string{}
	for _, n := range names {
		out[n] = ids
	}
	return out
}

func numbered(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("NODE%d", i+1))
	}
	return out
}

func isCheck(id string) func(check.Result) bool {
	return func(r check.Result) bool { return r.ID == id }
}

// collector keeps telemetry.
type collector struct {
	mu  sync.Mutex
	got []engine.Progress
}

func (c *collector) Report(p engine.Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, p)
}
