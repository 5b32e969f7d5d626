package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/coordinator"
	"cau/internal/journal"
	"cau/internal/lab/model"
	"cau/internal/winnode"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// runID is every trial's run; each has a home of its own.
const runID = "0123abcd"

// tooLong is how long a run may take in its own time before it counts as stuck.
const tooLong = 12 * time.Hour

// cast is what a run is made of.
type cast struct {
	nodes    int
	files    files
	scenario model.Scenario
	// plan changes what the plan is made of; nil is nothing.
	plan func(*engine.PlanInput)
	// outages are by node.
	outages map[string][]outageAt
	// lost is one in how many answers of nodes that gets lost; 0 is none.
	lost int
}

// outageAt is an outage by the time since the run's beginning.
type outageAt struct {
	after, lasts time.Duration
	answersLost  bool
}

// trial is one run with its world, in a bubble.
type trial struct {
	t       *testing.T
	rng     *rand.Rand
	world   *model.World
	network *network
	nodes   map[string]*model.Node
	plan    *engine.Plan
	// dir holds the homes of the hosts that had the run, one after the other.
	dir string
	// story is what happened to the lives, for whoever looks for a failure's cause.
	story []string

	mu   sync.Mutex
	door *door
	// here is the home of the host that has the run; hosts counts them.
	here  *coordinator.Home
	hosts int
	// back is what was asked for to take something back.
	back map[engine.Control]bool
}

// newTrial makes a world, and the plan of a run on it. It must be called in a bubble.
func newTrial(t *testing.T, c cast, seed uint64) *trial {
	t.Helper()
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{t: t, rng: rand.New(rand.NewPCG(seed, 1)), network: newNetwork(), nodes: map[string]*model.Node{}, dir: dir, back: map[engine.Control]bool{}}
	tr.move(tr.newHost())
	tr.world, err = model.New(model.Config{
		Nodes: c.nodes, Scenario: c.scenario, Clock: model.Scaled{Start: time.Now(), Speed: 1}, Shares: c.files, Power: tr.network.power,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range tr.world.Nodes() {
		tr.nodes[n.Name()] = n
	}
	ctx, cancel := context.WithCancel(context.Background())
	var passing sync.WaitGroup
	passing.Go(func() { tr.world.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		tr.world.Close()
		passing.Wait()
		_ = os.RemoveAll(dir)
	})
	tr.prepare(c)
	tr.network.lost, tr.network.drawn = c.lost, rand.New(rand.NewPCG(seed, 2))
	for node, list := range c.outages {
		for _, o := range list {
			from := time.Now().Add(o.after)
			tr.network.outages[node] = append(tr.network.outages[node], outage{from: from, to: from.Add(o.lasts), answersLost: o.answersLost})
		}
	}
	return tr
}

// prepare scans the root, plans the run, and writes the plan into the home.
func (tr *trial) prepare(c cast) {
	tr.t.Helper()
	fleet := tr.fleet(&life{})
	defer fleet.Close()
	ctx := context.Background()
	view, err := fleet.Describe(ctx, "")
	if err != nil {
		tr.t.Fatal(err)
	}
	in := engine.PlanInput{
		Run: runID, Created: time.Now(), Program: "chaos", Address: "lab", Lab: "chaos", View: view, Options: engine.DefaultOptions(),
		Plugin: hotfix.Name, Addresses: map[string]string{},
	}
	var names []string
	for _, m := range view.Nodes {
		names = append(names, m.Name)
		in.Addresses[m.Name] = strings.ToLower(m.Name) + ":5985"
	}
	p := plugin(c.files)
	var wrong []plugins.ArgumentError
	if in.Arguments, wrong = plugins.Resolve(p.Options(), []plugins.Argument{{Name: "HotfixRootFolderPath", Value: unc}}); len(wrong) > 0 {
		tr.t.Fatal(wrong)
	}
	if in.Scan, err = p.Scan(ctx, names, in.Arguments); err != nil {
		tr.t.Fatal(err)
	}
	in.Scan.Checks = nil // of a share that has no wire
	for _, k := range check.Catalogue() {
		in.Checks = append(in.Checks, check.Result{ID: k.ID, Outcome: check.Pass})
	}
	if c.plan != nil {
		c.plan(&in)
	}
	if tr.plan, err = engine.BuildPlan(in); err != nil {
		tr.t.Fatal(err)
	}
	if err := tr.home().NewRun(tr.plan); err != nil {
		tr.t.Fatal(err)
	}
}

func plugin(f files) *hotfix.Plugin {
	return &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) { return scanned(f), nil }}
}

// fleet is the nodes as a life reaches them.
func (tr *trial) fleet(l *life) *winnode.Fleet {
	tr.t.Helper()
	cfg := winnode.Config{Dialer: &wire{life: l, network: tr.network, nodes: tr.nodes}, Clock: clock{}}
	for _, n := range tr.world.Nodes() {
		cfg.Nodes = append(cfg.Nodes, winnode.NodeAddress{Name: n.Name(), Address: strings.ToLower(n.Name()) + ":5985"})
	}
	f, err := winnode.New(cfg)
	if err != nil {
		tr.t.Fatal(err)
	}
	return f
}

// live is one coordinator's life, from its start to the run's end or to the point at which at ends it.
func (tr *trial) live(at func(n int, point string) bool) (engine.State, *life, error) {
	tr.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	l := &life{at: at, end: cancel}
	fleet := tr.fleet(l)
	var d *disk
	home := tr.home()
	path := filepath.Join(home.RunDir(runID), "journal.jsonl")
	s, err := coordinator.Serve(ctx, coordinator.ServeInput{
		Home: home, Run: runID, Plugin: &hotfix.Plugin{}, Cluster: fleet, Lease: fleet, Checkpoints: shelf{fleet}, Clock: clock{},
		Nodes: func(name string) engine.Node { return fleet.Node(name) },
		Seams: coordinator.Seams{
			SnapshotEvery: 7, Step: l.point,
			Disk: func(inner journal.Disk) journal.Disk {
				d = newDisk(inner, path, l)
				return d
			},
			Listener: func(inner net.Listener) net.Listener {
				tr.mu.Lock()
				defer tr.mu.Unlock()
				tr.door = newDoor(inner)
				return tr.door
			},
		},
	})
	fleet.Close()
	if !l.over() {
		return s, l, err
	}
	if d != nil {
		if err := d.lose(tr.rng.IntN); err != nil {
			tr.t.Fatal(err)
		}
	}
	tr.tell("a life ended at its point %d, %s", l.passed, l.last)
	tr.folds(s)
	if err := leaveSocket(home.RunDir(runID)); err != nil {
		tr.t.Fatal(err)
	}
	return s, l, err
}

// toEnd is a life that nothing ends but the run's end.
func (tr *trial) toEnd(at func(n int, point string) bool) engine.State {
	tr.t.Helper()
	s, _, err := tr.live(at)
	if errors.Is(err, coordinator.ErrEnded) { // the last fact was durable, and nobody was told of it
		_, s, _, err = tr.home().Load(runID)
	}
	if err != nil {
		tr.fatalf("the run does not end: %v", err)
	}
	if !s.Status.Ended() {
		tr.fatalf("the run is %s", s.Status)
	}
	tr.folds(s)
	return s
}

// facts are what the journal holds.
func (tr *trial) facts() []engine.Fact {
	tr.t.Helper()
	r, err := journal.OpenReader(filepath.Join(tr.home().RunDir(runID), "journal.jsonl"), 1)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var out []engine.Fact
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			tr.fatalf("the journal: %v", err)
		}
		var f engine.Fact
		if err := json.Unmarshal(rec.Body, &f); err != nil {
			tr.t.Fatal(err)
		}
		out = append(out, f)
	}
}

// folds holds the state that a life left against the facts on the disk. At most one fact more may be there: one that was
// written and that nobody was told of any more.
func (tr *trial) folds(left engine.State) {
	tr.t.Helper()
	facts := tr.facts()
	if left.Facts == 0 { // it ended before it had read the facts
		return
	}
	if left.Facts > len(facts) || len(facts) > left.Facts+1 {
		tr.fatalf("a life ended with %d facts, the journal has %d", left.Facts, len(facts))
	}
	folded, err := engine.Fold(tr.plan, facts[:left.Facts])
	if err != nil {
		tr.fatalf("%v", err)
	}
	if diff := cmp.Diff(folded, left); diff != "" {
		tr.fatalf("the live state is not the fold of the facts:\n%s", diff)
	}
}

// fatalf ends the test with the whole story.
func (tr *trial) fatalf(format string, a ...any) {
	tr.t.Helper()
	tr.t.Fatalf("%s\n%s", fmt.Sprintf(format, a...), tr.tale())
}

// tale is everything that happened, as far as it is known.
func (tr *trial) tale() string {
	var b strings.Builder
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, line := range tr.story {
		b.WriteString(line + "\n")
	}
	r, err := os.ReadFile(filepath.Join(tr.here.RunDir(runID), "journal.jsonl"))
	if err == nil {
		for line := range strings.Lines(string(r)) {
			if _, body, ok := strings.Cut(line, `"body":`); ok {
				body, _, _ = strings.Cut(body, `,"sha":`)
				b.WriteString(body + "\n")
			}
		}
	}
	return b.String()
}
