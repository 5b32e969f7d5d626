package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/plugins"
)

// fate is a run that was drawn: everything that may go wrong, and when the program dies.
type fate struct {
	nodes, budget int
	retries       int
	// order is whether installing or draining comes first, option one that takes roles down.
	order  engine.InstallOrder
	option string
	s2d    bool
	// static is without dynamic quorum, then with a witness or not.
	static, witness bool
	updates         map[string][]string
	scripts         map[string]script
	drainFails      map[string]bool
	stageErr        map[string]bool
	unstaged        map[string]bool
	neverUp         map[string]bool
	again           map[string]int
	pendingStays    map[string]int
	// slow is how long the restarts take; scripts are pre- and post-update scripts, which are planned when it is not nil.
	slow   time.Duration
	around map[string]scripted
	deaths []int
	// asks are controls by the number of the fact after which they come.
	asks map[int]engine.Control
	// two: every update comes from a second plug-in too. options are those about plug-ins and follow-ups.
	two     bool
	options func(o *engine.Options)
	// follows is what nodes are offered beyond the plan; answer is what is said about it, nil for nothing.
	follows map[string]func(node string, req plugins.FollowUpRequest) ([]plugins.Update, error)
	answer  *bool
}

func drawFate(t *rapid.T) fate {
	f := fate{
		nodes: rapid.IntRange(2, 6).Draw(t, "nodes"), s2d: rapid.Bool().Draw(t, "s2d"),
		updates: map[string][]string{}, scripts: map[string]script{}, drainFails: map[string]bool{}, stageErr: map[string]bool{}, unstaged: map[string]bool{},
		neverUp: map[string]bool{}, again: map[string]int{}, pendingStays: map[string]int{}, asks: map[int]engine.Control{},
	}
	f.static, f.witness = rapid.Bool().Draw(t, "static quorum"), rapid.Bool().Draw(t, "witness")
	f.budget = rapid.IntRange(0, f.nodes-1).Draw(t, "budget")
	f.retries = rapid.IntRange(0, 2).Draw(t, "retries")
	f.order = rapid.SampledFrom(engine.InstallOrders()).Draw(t, "order")
	if f.order == engine.DrainFirst {
		f.option = rapid.SampledFrom([]string{"", "", "ForcePauseNoDrain", "ForcePauseAndDrain", "ForcePauseDrainAndReboot"}).Draw(t, "option")
	}
	seldom := func(name string) bool { return rapid.IntRange(0, 9).Draw(t, name) == 0 }
	kinds := []script{
		{result: plugins.Result{Outcome: plugins.Installed}},
		restart(), restart(), restart(),
		{result: plugins.Result{Outcome: plugins.NotApplicable}},
		failed(1603),
		failed(350),
		refused(),
		{err: plugins.ErrJobLost},
		initiates(),
		outlives(0, plugins.Result{}),
		outlives(time.Hour, plugins.Result{Outcome: plugins.Installed}),
	}
	for _, n := range numbered(f.nodes) {
		for i := range rapid.IntRange(0, 3).Draw(t, "updates of "+n) {
			id := fmt.Sprintf("u%d", i)
			f.updates[n] = append(f.updates[n], id)
			f.unstaged[n+"/"+id] = seldom("does not come")
			if rapid.Bool().Draw(t, "plain") {
				continue
			}
			f.scripts[n+"/"+id] = rapid.SampledFrom(kinds).Draw(t, "script")
		}
		f.drainFails[n], f.stageErr[n], f.neverUp[n] = seldom("drain fails"), seldom("stage fails"), seldom("never up")
		if seldom("again") {
			f.again[n] = rapid.IntRange(1, 5).Draw(t, "restarts by itself")
		}
		if seldom("pending stays") {
			f.pendingStays[n] = rapid.IntRange(1, 3).Draw(t, "pending")
		}
	}
	f.slow = rapid.SampledFrom([]time.Duration{4 * time.Minute, 4 * time.Minute, 40 * time.Minute, 5 * time.Hour}).Draw(t, "restarts take")
	if rapid.Bool().Draw(t, "with scripts") {
		f.around = map[string]scripted{}
		for _, n := range numbered(f.nodes) {
			for _, phase := range []string{"pre", "post"} {
				if seldom(phase + "-script of " + n) {
					f.around[n+"/"+phase] = rapid.SampledFrom([]scripted{{code: 1}, {takes: time.Hour}, {err: plugins.ErrJobLost}, {err: errors.New("contact was lost")}}).Draw(t, "script")
				}
			}
		}
	}
	f.drawFollowUps(t, kinds, seldom)
	f.deaths = rapid.SliceOfN(rapid.IntRange(1, 15), 0, 6).Draw(t, "deaths")
	for range rapid.IntRange(0, 4).Draw(t, "asks") {
		f.asks[rapid.IntRange(1, 60).Draw(t, "when")] = drawControl(t, f.nodes)
	}
	return f
}

// drawFollowUps draws what becomes applicable beyond the plan, what is said about it, and whether there are two plug-ins.
func (f *fate) drawFollowUps(t *rapid.T, kinds []script, seldom func(string) bool) {
	f.two = rapid.Bool().Draw(t, "two plug-ins")
	how := rapid.SampledFrom(engine.FollowUpAnswers()).Draw(t, "follow-ups")
	separate, serial, stops := rapid.Bool().Draw(t, "separate"), rapid.Bool().Draw(t, "serial"), rapid.Bool().Draw(t, "stops")
	f.options = func(o *engine.Options) {
		o.FollowUps, o.SeparateReboots, o.RunPluginsSerially, o.StopOnPluginFailure = how, separate, serial, stops
	}
	f.follows = map[string]func(string, plugins.FollowUpRequest) ([]plugins.Update, error){}
	for _, n := range numbered(f.nodes) {
		switch rapid.IntRange(0, 3).Draw(t, "beyond on "+n) {
		case 0:
			f.follows[n] = offersAgain
		case 1:
			f.follows[n] = func(_ string, req plugins.FollowUpRequest) ([]plugins.Update, error) {
				id := fmt.Sprintf("new%d", len(req.Updates))
				return []plugins.Update{{ID: id, Name: id}}, nil
			}
		case 2:
			if seldom("what succeeded is offered again on " + n) {
				f.follows[n] = func(_ string, req plugins.FollowUpRequest) ([]plugins.Update, error) { return req.Updates, nil }
			}
		}
		for _, id := range []string{"u0#2", "u1#2", "new1#2", "new2#2", "new3#3", "p2-u0", "p2-u1", "p2-u0#2", "p2-new2#2"} {
			if rapid.Bool().Draw(t, "plain") {
				f.scripts[n+"/"+id] = rapid.SampledFrom(kinds).Draw(t, "script")
			}
		}
	}
	if rapid.Bool().Draw(t, "answered") {
		yes := rapid.Bool().Draw(t, "yes")
		f.answer = &yes
	}
}

// drawControl is anything an administrator may ask, whether or not it fits.
func drawControl(t *rapid.T, nodes int) engine.Control {
	return engine.Control{
		Verb: rapid.SampledFrom([]engine.Verb{
			engine.VerbPause, engine.VerbResume, engine.VerbStop, engine.VerbStopNow, engine.VerbHold, engine.VerbRelease, engine.VerbSkip,
			engine.VerbRetry, engine.VerbRetry, engine.VerbTake, engine.VerbGiveBack, engine.VerbMark, engine.VerbMark,
		}).Draw(t, "verb"),
		Node: rapid.SampledFrom(numbered(nodes)).Draw(t, "node"), Update: "u0", Typed: "CONTOSO-FC1", By: "ann",
		Outcome: rapid.SampledFrom([]plugins.Outcome{plugins.Installed, plugins.NotApplicable, plugins.UpdateFailed}).Draw(t, "outcome"),
	}
}

func (f fate) bench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(f.nodes)...), f.updates, withBudget(f.budget), withRetries(f.retries), func(in *engine.PlanInput) {
		if f.around != nil {
			withScripts(in)
		}
		if f.two {
			withSecondPlugin(in)
		}
		f.options(&in.Options)
		if in.Options.InstallOrder = f.order; f.option != "" {
			outage(f.option)(in)
		}
	})
	for _, p := range b.allPlugins() {
		p.scripts = f.scripts
		p.follows = func(node string, req plugins.FollowUpRequest) ([]plugins.Update, error) {
			if offers := f.follows[node]; offers != nil {
				return offers(node, req)
			}
			return nil, nil
		}
	}
	b.w.installsFirst, b.w.mayGoDown = f.order == engine.InstallFirst, f.option != ""
	b.w.static, b.w.witness = f.static, f.witness || !f.static
	b.w.s2d, b.w.restartTakes, b.w.scripts = f.s2d, f.slow, f.around
	for _, m := range b.w.order {
		m.drainFails, m.neverUp, m.pendingStays = f.drainFails[m.name], f.neverUp[m.name], f.pendingStays[m.name]
		for range f.again[m.name] {
			m.again = append(m.again, 45*time.Second)
		}
		if f.stageErr[m.name] {
			b.p.stageErr[m.name] = errors.New("no share")
		}
		for _, id := range f.updates[m.name] {
			if f.unstaged[m.name+"/"+id] {
				b.p.unstaged[m.name+"/"+id] = errors.New("no room")
			}
		}
	}
	return b
}

// live goes through every death to the end; whoever is held or paused is stopped in the end.
func (f fate) live(b *bench) engine.State {
	n := 0
	b.journal.on = func(fact engine.Fact) {
		n++
		if c, ok := f.asks[n]; ok {
			b.control <- c
		}
		if fact.Kind == engine.FactGateWaiting {
			f.decide(b, fact)
		}
		if fact.Kind == engine.FactRunHeld {
			b.control <- engine.Control{Verb: engine.VerbStop}
		}
		if f.answer != nil && (fact.Kind == engine.FactFollowUpsAsked || fact.Kind == engine.FactRunAsking) {
			for _, np := range b.plan.Nodes {
				b.control <- engine.Control{Verb: engine.VerbFollowUps, Node: np.Name, Install: *f.answer, By: "ann"}
			}
		}
		if fact.Kind == engine.FactRunPaused {
			b.control <- engine.Control{Verb: engine.VerbResume}
		}
	}
	for _, d := range f.deaths {
		b.journal.dieAfter = len(b.journal.lines) + d
		if s, err := b.run(); err == nil {
			return s
		}
		// What was asked and died unheard is asked again by those who see the state.
		if s, err := engine.Fold(b.plan, b.journal.facts(b.t)); err == nil && (s.Status == engine.RunHeld || s.PauseAsked || inHands(s)) {
			b.control <- engine.Control{Verb: engine.VerbStop}
		}
	}
	b.journal.dieAfter = 0
	return b.toEnd()
}

func inHands(s engine.State) bool {
	return slices.ContainsFunc(s.Nodes, func(n engine.NodeRun) bool { return n.HeldBackBy != "" || n.TakenBy != "" || n.Look })
}

// decide ends what only an administrator ends.
func (f fate) decide(b *bench, fact engine.Fact) {
	switch {
	case strings.Contains(fact.Data.Message, "held back"):
		b.control <- engine.Control{Verb: engine.VerbRelease, Node: fact.Node}
	case strings.Contains(fact.Data.Message, "in the hands of"):
		b.control <- engine.Control{Verb: engine.VerbGiveBack, Node: fact.Node}
	case strings.Contains(fact.Data.Message, "was given back"):
		b.control <- engine.Control{Verb: engine.VerbStop}
	}
}

// problems are what must never be, in the facts and in the end.
func (f fate) problems(b *bench, s engine.State) []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	out = append(out, b.w.broken...)
	out = append(out, leftWrong(b.w, s)...)
	for _, p := range b.allPlugins() {
		for key, n := range p.starts {
			name, _, _ := strings.Cut(key, "/")
			if attempts := s.Node(name).Attempt; n > attempts {
				say("%s was started %d times in %d attempts", key, n, attempts)
			}
		}
	}
	idle := map[string]bool{} // those that wait for another attempt, which failed before
	failures, away, left := map[string]bool{}, "", map[string]bool{}
	for _, fact := range b.journal.facts(b.t) {
		switch fact.Kind {
		case engine.FactNodeRetried:
			idle[fact.Node] = true
		case engine.FactStageIntent, engine.FactScriptIntent, engine.FactPauseIntent, engine.FactInService:
			idle[fact.Node] = false
		default:
		}
		switch fact.Kind {
		case engine.FactPauseIntent:
			if away != "" && away != fact.Node {
				say("%s was taken while %s is away", fact.Node, away)
			}
			if len(left) > 0 {
				say("%s was taken while %v stay paused", fact.Node, left)
			}
			if len(failures) > f.budget {
				say("%s was taken after %d failures, budget %d", fact.Node, len(failures), f.budget)
			}
			away = fact.Node
		case engine.FactControl:
			if v := fact.Data.Verb; v == engine.VerbRetry || v == engine.VerbMark {
				delete(failures, fact.Node)
				if left[fact.Node] { // it goes on from where it was left
					delete(left, fact.Node)
					away = fact.Node
				}
			}
		case engine.FactLooked:
			if away == fact.Node && !fact.Data.On {
				away = ""
			}
		case engine.FactUndoDone, engine.FactResumeDone:
			if away == fact.Node {
				away = ""
			}
			delete(left, fact.Node) // one that returned late
		case engine.FactNodeEnded:
			if fact.Data.NodeStatus != engine.NodeSucceeded && fact.Data.NodeStatus != engine.NodeCanceled {
				failures[fact.Node] = true
			}
			if away == fact.Node {
				left[fact.Node], away = true, ""
			}
		default:
		}
	}
	staged := 0
	for _, n := range s.Nodes {
		if !n.Status.Ended() {
			say("%s ended as %s", n.Name, n.Status)
		}
		if n.Staged && (n.Status == engine.NodeFailed || n.Status == engine.NodePartiallyFailed || n.Status == engine.NodeHeld) {
			// One that waited for another attempt when nothing more was begun had failed before.
			if !idle[n.Name] && (len(n.PluginFailures) == 0 || !n.Started.IsZero()) {
				staged++
			}
			if n.Cause == nil || n.Cause.Message == "" {
				say("%s ended as %s without a cause", n.Name, n.Status)
			}
		}
		for _, u := range n.Updates {
			if !u.Started.IsZero() && u.Outcome == "" {
				say("%s: %s was begun and has no outcome", n.Name, u.ID)
			}
		}
		if n.Status == engine.NodeSucceeded {
			for _, u := range n.Updates {
				if !u.Outcome.Final() && (u.Outcome != "" || !u.FollowUp) {
					say("%s succeeded with %s %q", n.Name, u.ID, u.Outcome)
				}
			}
		}
		restarts := n.InService && n.RestartFrom != "" // by its installer's doing, and it is not back
		if !n.PausedByUs && !restarts && b.w.machine(n.Name).state != engine.NodeUp {
			say("%s ended as %s, in the world it is %s", n.Name, n.Status, b.w.machine(n.Name).state)
		}
	}
	// What is staged at the same time fails at the same time; after that the run stops at one more than the budget.
	if staged > f.budget+1 {
		say("%d failures after staging, budget %d", staged, f.budget)
	}
	if (s.Failures() > 0) != (s.Status == engine.RunFailed || s.Status == engine.RunPartiallyFailed) {
		say("%d failures and the run is %s", s.Failures(), s.Status)
	}
	return out
}

func TestWhateverGoesWrongNeverTwoNodesAreOutOfServiceAndTheBudgetHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := drawFate(rt)
		var problems []string
		var story string
		synctest.Test(t, func(t *testing.T) {
			b := f.bench(t)
			s := f.live(b)
			problems, story = f.problems(b, s), strings.Join(b.journal.kinds(t), "\n")
		})
		if len(problems) > 0 {
			rt.Fatalf("%s\n%s", strings.Join(problems, "\n"), story)
		}
	})
}
