package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"cau/engine"
	"cau/internal/lab/model"
)

// small is the run whose every point is gone through: two nodes, one update that asks for a restart and one that does not.
func small() cast {
	f := newFiles()
	f.addUpdate("", "First.msu", 3010, 20)
	f.addUpdate("NODE1", "Second.msi", 0, 15)
	// One node after the other, so that the points come in one order.
	return cast{nodes: 2, files: f, plan: func(in *engine.PlanInput) { in.Options.StageNodesAtOnce = 1 }}
}

// fate is what a random round does to a run, beyond what the run is made of.
type fate struct {
	// deaths are the points at which one life after the other ends, counted from each one's beginning; down is for how long
	// nobody is there afterwards.
	deaths []int
	down   []time.Duration
	// lost tells after which deaths the host is lost too, and another one takes the run over.
	lost []bool
	// asks are what an administrator asks for, in order; a pause, a hold and a takeover by hand are taken back after a while.
	asks []asked
}

// asked is a request, a time after the run began.
type asked struct {
	after time.Duration
	verb  engine.Verb
	node  string
}

func (f fate) stops() bool {
	for _, a := range f.asks {
		if a.verb == engine.VerbStop || a.verb == engine.VerbSkip {
			return true
		}
	}
	return false
}

// draw makes a round of its seed, and of nothing else.
func draw(seed uint64) (cast, fate) {
	r := rand.New(rand.NewPCG(seed, 0))
	one := func(n int) bool { return r.IntN(n) == 0 }
	c := cast{nodes: 2 + r.IntN(4), files: newFiles(), outages: map[string][]outageAt{}}
	names := []string{""}
	for i := range c.nodes {
		names = append(names, fmt.Sprintf("NODE%d", i+1))
	}
	exits := map[string][]int{".msu": {3010, 3010, 0, 3010}, ".msi": {0, 3010, 0, 0}}
	bad := map[string][]int{".msu": {1603, 3017, -2145124329}, ".msi": {1603, 3018, 1633}}
	unlucky := one(4)
	for i, n := range names {
		for j := range r.IntN(3) + 1 - min(i, 1) {
			kind := []string{".msu", ".msi"}[r.IntN(2)]
			exit := exits[kind][r.IntN(4)]
			if unlucky && one(4) {
				exit = bad[kind][r.IntN(3)]
			}
			c.files.addUpdate(n, fmt.Sprintf("U%d%s", j, kind), exit, 5+r.IntN(120))
		}
	}
	c.scenario = drawScenario(r, names[1:])
	c.plan = drawOptions(r, c.nodes)
	if one(2) {
		for _, n := range names[1:] {
			for range r.IntN(3) {
				c.outages[n] = append(c.outages[n], outageAt{
					after: time.Duration(r.IntN(40*60)) * time.Second, lasts: time.Duration(1+r.IntN(90)) * time.Second, answersLost: one(2),
				})
			}
		}
	}
	if one(3) {
		c.lost = 10 + r.IntN(50)
	}
	return c, drawFate(r, names[1:], unlucky)
}

func drawScenario(r *rand.Rand, names []string) model.Scenario {
	one := func(n int) bool { return r.IntN(n) == 0 }
	some := func() string { return names[r.IntN(len(names))] }
	s := model.Scenario{Name: "drawn", S2D: one(3)}
	if one(5) {
		s.PendingRestart = []string{some()}
	}
	if one(4) {
		s.ReturnsLate = []model.LateReturn{{Node: some(), Minutes: float64(1 + r.IntN(8))}}
	}
	if one(4) {
		s.SlowDrains = []model.SlowDrain{{Node: some(), Seconds: float64(10 + r.IntN(80))}}
	}
	if one(6) {
		s.RestartsTwice = []string{some()}
	}
	for i := range s.ReturnsLate {
		// A restart that is proven only because nobody looked for hours would be another end than the undisturbed one.
		if late := &s.ReturnsLate[i]; slices.Contains(s.RestartsTwice, late.Node) {
			late.Minutes = min(late.Minutes, 3)
		}
	}
	if one(6) {
		s.ClockJumps = []model.ClockJump{{Node: some(), Minutes: float64(r.IntN(9) - 4), AfterRestart: one(2)}}
	}
	return s
}

// drawOptions draws what decides how a run goes, and is the same in a run that nothing disturbs.
func drawOptions(r *rand.Rand, nodes int) func(*engine.PlanInput) {
	budget, atOnce, retries := r.IntN(nodes), 1+3*r.IntN(2), r.IntN(4)
	failback := []engine.FailbackMode{engine.FailbackImmediate, engine.FailbackImmediate, engine.FailbackPolicy, engine.FailbackNone}[r.IntN(4)]
	order, pending := engine.InstallOrders()[r.IntN(2)], r.IntN(2) == 0
	soak := time.Duration(r.IntN(3)) * 5 * time.Minute
	pre, post := r.IntN(3) == 0, r.IntN(3) == 0
	return func(in *engine.PlanInput) {
		o := &in.Options
		o.MaxFailedNodes, o.StageNodesAtOnce, o.MaxRetriesPerNode, o.FailbackMode = &budget, atOnce, retries, failback
		o.InstallOrder, o.RestartPending, o.Soak = order, pending, engine.TimeSpan(soak)
		if pre {
			o.PreUpdateScript, in.PreScript = `before.ps1`, []byte("Write-Output 'before'\nStart-Sleep -Seconds 20\nexit 0\n")
		}
		if post {
			o.PostUpdateScript, in.PostScript = `after.ps1`, []byte("Start-Sleep -Seconds 10\nWrite-Output 'after'\n")
		}
	}
}

func drawFate(r *rand.Rand, names []string, unlucky bool) fate {
	var f fate
	for range 1 + r.IntN(12) {
		// Most lives end early in what is left, so that every part of a run sees deaths; some end soon again.
		f.deaths = append(f.deaths, 1+r.IntN([]int{8, 60, 250, 900}[r.IntN(4)]))
		f.down = append(f.down, []time.Duration{0, time.Second, time.Minute, 10 * time.Minute, 3 * time.Hour}[r.IntN(5)])
		f.lost = append(f.lost, r.IntN(5) == 0)
	}
	if r.IntN(3) > 0 {
		return f
	}
	verbs := []engine.Verb{engine.VerbPause, engine.VerbStop, engine.VerbTake}
	if !unlucky {
		// With nodes that fail, the order in which nodes are taken decides which ones are begun at all.
		verbs = append(verbs, engine.VerbHold, engine.VerbHold, engine.VerbSkip)
	}
	for range 1 + r.IntN(2) {
		a := asked{after: time.Duration(r.IntN(30*60)) * time.Second, verb: verbs[r.IntN(len(verbs))]}
		if a.verb == engine.VerbTake || a.verb == engine.VerbHold || a.verb == engine.VerbSkip {
			a.node = names[r.IntN(len(names))]
		}
		f.asks = append(f.asks, a)
	}
	return f
}
