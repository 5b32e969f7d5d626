package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/plugins"
)

// sameEverywhere is a run whose nodes all take the same time: two updates of 7 and 3 minutes and a restart.
func sameEverywhere(t *testing.T, nodes int, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	names := numbered(nodes)
	b := newBench(t, newWorld(names...), each(names, "big", "small"), change...)
	for _, n := range names {
		big, small := restart(), restart()
		big.takes, small.takes = 7*time.Minute, 3*time.Minute
		b.p.scripts[n+"/big"], b.p.scripts[n+"/small"] = big, small
	}
	return b
}

// estimates is what was said at every fact, with the node that had just ended.
type estimates struct {
	eta   engine.ETA
	fact  engine.Fact
	ended int
}

// estimating runs to the end and looks at the estimate at every fact.
func estimating(b *bench, h engine.History) (engine.State, []estimates) {
	st := engine.NewState(b.plan)
	var said []estimates
	b.journal.on = func(f engine.Fact) {
		if err := st.Apply(f); err != nil {
			b.t.Error(err)
		}
		ended := 0
		for _, n := range st.Nodes {
			if n.Status.Ended() {
				ended++
			}
		}
		said = append(said, estimates{engine.Estimate(&st, b.plan, h, f.Time), f, ended})
	}
	s := b.toEnd()
	return s, said
}

func TestTheEstimateIsUnknownBeforeAnythingWasMeasuredAndThenConvergesToTheTrueEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sameEverywhere(t, 8)
		s, said := estimating(b, engine.History{})
		for _, e := range said {
			at := fmt.Sprintf("at %s %s (%d ended)", e.fact.Kind, e.fact.Node, e.ended)
			switch {
			case e.fact.Kind == engine.FactRunEnded:
				if e.eta.Known() || e.eta.Unknown == "" {
					t.Errorf("%s: %+v", at, e.eta)
				}
			case e.ended == 0:
				if e.eta.Known() || e.eta.Unknown == "" || e.eta.Basis != "" {
					t.Errorf("%s something is known: %+v", at, e.eta)
				}
			default:
				off := e.eta.At.Sub(s.Ended).Abs()
				// At first only the way to the next node is not measured; 30 seconds for each that is to come.
				if limit := 10 * time.Second; !e.eta.Known() || e.ended > 1 && off > limit || off > 7*time.Minute {
					t.Errorf("%s it is off by %s: %+v", at, off, e.eta)
				}
			}
		}
	})
}

func TestTheEstimateOfANodeIsWhenItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sameEverywhere(t, 4)
		s, said := estimating(b, engine.History{})
		seen := 0
		for _, e := range said {
			if e.ended != 2 {
				continue
			}
			for name, n := range e.eta.Nodes {
				seen++
				if off := n.At.Sub(s.Node(name).Ended).Abs(); !n.Known() || off > 10*time.Second {
					t.Errorf("at %s %s: %s is off by %s: %+v", e.fact.Kind, e.fact.Node, name, off, n)
				}
			}
		}
		if seen < 20 {
			t.Errorf("only %d estimates of nodes", seen)
		}
	})
}

func TestAnEarlierRunOfTheSameClusterIsABasisFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := sameEverywhere(t, 8)
		s := first.toEnd()
		var h engine.History
		h.Add(first.plan, &s)
		if h.Runs != 1 {
			t.Fatalf("%d runs", h.Runs)
		}
		b := sameEverywhere(t, 8)
		s, said := estimating(b, h)
		for _, e := range said[:len(said)-1] {
			if off := e.eta.At.Sub(s.Ended).Abs(); !e.eta.Known() || off > time.Minute {
				t.Errorf("at %s %s it is off by %s: %+v", e.fact.Kind, e.fact.Node, off, e.eta)
			}
		}
		if basis := said[0].eta.Basis; basis != "measured on 1 earlier run of this cluster" {
			t.Errorf("%q", basis)
		}
		if basis := said[len(said)-2].eta.Basis; !strings.Contains(basis, "8 nodes of this run and 1 earlier run") {
			t.Errorf("%q", basis)
		}
	})
}

func TestWhatHappensNowWeighsMoreThanWhatWasEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick := sameEverywhere(t, 4)
		s := quick.toEnd()
		var h engine.History
		h.Add(quick.plan, &s)
		slow := sameEverywhere(t, 8)
		slow.w.restartTakes = 40 * time.Minute
		slow.plan.Options.RebootTimeoutMinutes = 90
		s, said := estimating(slow, h)
		last := time.Duration(1 << 62)
		for _, e := range said[:len(said)-1] {
			if e.fact.Kind != engine.FactNodeEnded {
				continue
			}
			off := e.eta.At.Sub(s.Ended).Abs()
			if off > last+time.Second {
				t.Errorf("after %s it is off by %s, and was by %s", e.fact.Node, off, last)
			}
			last = off
		}
		// Seven nodes of 36 minutes more each were to come when only earlier runs were known; after four still two hours and a half.
		for _, e := range said {
			if e.fact.Kind == engine.FactNodeEnded && e.ended == 4 {
				if off := e.eta.At.Sub(s.Ended).Abs(); off > 45*time.Minute {
					t.Errorf("after four nodes it is still off by %s", off)
				}
			}
		}
	})
}

func TestTheSoakIsCountedBeforeEveryNodeButTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sameEverywhere(t, 4)
		st := b.toEnd()
		var h engine.History
		h.Add(b.plan, &st)
		soaked := sameEverywhere(t, 4, func(in *engine.PlanInput) { in.Options.Soak = engine.TimeSpan(time.Hour) })
		s, said := estimating(soaked, h)
		if s.Ended.Sub(s.Started) < st.Ended.Sub(st.Started)+2*time.Hour {
			t.Fatalf("nothing soaked: %s", s.Ended.Sub(s.Started))
		}
		for _, e := range said[:len(said)-1] {
			// The run that was measured had no soak; the gate is looked at in steps of 30 seconds.
			if off := e.eta.At.Sub(s.Ended).Abs(); !e.eta.Known() || off > 3*time.Minute || e.ended > 2 && off > time.Minute {
				t.Errorf("at %s %s it is off by %s: %+v", e.fact.Kind, e.fact.Node, off, e.eta)
			}
		}
	})
}

func TestNobodyGuessesWhileTheRunStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sameEverywhere(t, 4)
		b.askOn(engine.FactNodeEnded, "NODE1", engine.VerbPause)
		paused := 0
		before := b.journal.on
		st := engine.NewState(b.plan)
		b.journal.on = func(f engine.Fact) {
			before(f)
			if err := st.Apply(f); err != nil {
				t.Error(err)
			}
			if f.Kind == engine.FactRunPaused {
				paused++
				e := engine.Estimate(&st, b.plan, engine.History{}, f.Time)
				if e.Known() || e.Unknown != "the run is paused" || e.Nodes["NODE2"].Known() {
					t.Errorf("%+v", e)
				}
				b.control <- engine.Control{Verb: engine.VerbResume}
			}
		}
		b.toEnd()
		if paused == 0 {
			t.Error("it was never paused")
		}
	})
}

func TestTheWayToTheNextNodePassesWhileTheGateIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sameEverywhere(t, 4)
		st := engine.NewState(b.plan)
		looked := false
		b.journal.on = func(f engine.Fact) {
			if err := st.Apply(f); err != nil {
				t.Error(err)
			}
			if f.Kind == engine.FactNodeEnded && f.Node == "NODE2" {
				looked = true
				now, later := engine.Estimate(&st, b.plan, engine.History{}, f.Time), engine.Estimate(&st, b.plan, engine.History{}, f.Time.Add(20*time.Second))
				if !now.At.Equal(later.At) || now.Remaining-later.Remaining != 20*time.Second {
					t.Errorf("20 seconds later it is %s instead of %s", later.Remaining, now.Remaining)
				}
			}
		}
		b.toEnd()
		if !looked {
			t.Error("NODE2 never ended")
		}
	})
}

func TestThatARestartWasNotNeededIsMeasuredToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(4)
		b := newBench(t, newWorld(names...), each(names, "may"), func(in *engine.PlanInput) {
			for _, updates := range in.Scan.Updates {
				updates[0].MayRestart = true
			}
		})
		s, said := estimating(b, engine.History{})
		for _, e := range said[:len(said)-1] {
			if e.ended >= 2 && (!e.eta.Known() || e.eta.At.Sub(s.Ended).Abs() > 10*time.Second) {
				t.Errorf("at %s %s: %+v", e.fact.Kind, e.fact.Node, e.eta)
			}
		}
	})
}

func TestTheEstimateKnowsTheWindowAndWhoWillNotBeBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := sameEverywhere(t, 4)
		st := b.toEnd()
		var h engine.History
		h.Add(b.plan, &st)
		fresh := engine.NewState(b.plan)
		at := time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
		plain := engine.Estimate(&fresh, b.plan, h, at)
		one := plain.Nodes["NODE2"].Remaining - plain.Nodes["NODE1"].Remaining
		with := func(change func(o *engine.Options)) engine.ETA {
			p := *b.plan
			change(&p.Options)
			return engine.Estimate(&fresh, &p, h, at)
		}
		// The copying goes on while the window is closed.
		closed := with(func(o *engine.Options) { o.Window = "22:00-05:00 UTC" })
		if want := 2*time.Hour + plain.Remaining; closed.Remaining > want || closed.Remaining < want-5*time.Minute {
			t.Errorf("two hours before the window it takes %s, without one %s", closed.Remaining, plain.Remaining)
		}
		for name, e := range map[string]engine.ETA{
			"window": with(func(o *engine.Options) { o.Window = "19:00-20:30 UTC" }), "no node after": with(func(o *engine.Options) { o.StartNoNodeAfter = "20:30 UTC" }),
			"stop after": with(func(o *engine.Options) { o.StopAfter = engine.TimeSpan(30 * time.Minute) }),
		} {
			if !e.Known() || plain.Remaining-e.Remaining != 2*one || !strings.Contains(e.Basis, "NODE3, NODE4 will not be begun: ") {
				t.Errorf("%s: %s instead of %s, two nodes less is %s: %q", name, e.Remaining, plain.Remaining, 2*one, e.Basis)
			}
			if n := e.Nodes["NODE4"]; n.Known() || !strings.Contains(n.Unknown, "will not be begun") {
				t.Errorf("%s: %+v", name, n)
			}
		}
	})
}

func TestANodeThatNeedsNoRestartIsNotExpectedToRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(4)
		b := newBench(t, newWorld(names...), each(names, "plain"))
		s, said := estimating(b, engine.History{})
		for _, e := range said[:len(said)-1] {
			if off := e.eta.At.Sub(s.Ended).Abs(); e.ended >= 2 && off > 10*time.Second {
				t.Errorf("at %s %s it is off by %s", e.fact.Kind, e.fact.Node, off)
			}
		}
	})
}

func TestAnEstimateIsNeverNegativeAndANodesPhasesAreItsTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := drawFate(rt)
		late := rapid.SampledFrom([]time.Duration{0, time.Second, 10 * time.Minute, 100 * time.Hour, -time.Minute}).Draw(rt, "looked at later by")
		earlier := rapid.Bool().Draw(rt, "with history")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			b := f.bench(t)
			end := f.live(b)
			var h engine.History
			if earlier {
				h.Add(b.plan, &end)
			}
			problems = append(problems, wrongEstimates(b, h, late)...)
			for _, n := range end.Nodes {
				if n.Status != engine.NodeSucceeded || len(n.Earlier) > 0 {
					continue
				}
				sum := time.Duration(0)
				for _, p := range n.Phases {
					if p.Phase != engine.PhaseStaging {
						sum += time.Duration(p.Millis) * time.Millisecond
					}
				}
				if took := n.Ended.Sub(n.Started); sum != took {
					problems = append(problems, fmt.Sprintf("%s took %s, its phases %s: %v", n.Name, took, sum, n.Phases))
				}
			}
		})
		if len(problems) > 0 {
			rt.Fatal(strings.Join(problems, "\n"))
		}
	})
}

func wrongEstimates(b *bench, h engine.History, late time.Duration) []string {
	var out []string
	st := engine.NewState(b.plan)
	for _, f := range b.journal.facts(b.t) {
		if err := st.Apply(f); err != nil {
			return append(out, err.Error())
		}
		now := f.Time.Add(late)
		e := engine.Estimate(&st, b.plan, h, now)
		if e.Remaining < 0 || e.Known() == (e.Unknown != "") || e.Known() && !e.At.Equal(now.Add(e.Remaining)) || e.Known() && e.Basis == "" {
			out = append(out, fmt.Sprintf("after %s %s: %+v", f.Kind, f.Node, e))
		}
		for name, n := range e.Nodes {
			if n.Remaining < 0 || n.Known() == (n.Unknown != "") || e.Known() && n.Remaining > e.Remaining || st.Node(name).Status.Ended() {
				out = append(out, fmt.Sprintf("after %s %s: %s %+v of %+v", f.Kind, f.Node, name, n, e))
			}
		}
	}
	return out
}

func TestPhasesOfACopyAreNotWrittenThrough(t *testing.T) {
	plan := &engine.Plan{Run: "0123abcd", Nodes: []engine.NodePlan{{Name: "N1", Updates: []plugins.Update{{ID: "u"}}}}}
	st := engine.NewState(plan)
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	var copied engine.NodeRun
	for i, kind := range []engine.FactKind{engine.FactPauseIntent, engine.FactDrainDone, engine.FactRescanIntent, engine.FactInstallIntent, engine.FactRescanIntent, engine.FactResumeIntent} {
		at = at.Add(time.Minute)
		f := engine.Fact{Kind: kind, Node: "N1", Time: at}
		if kind == engine.FactInstallIntent {
			f.Update = "u"
		}
		if err := st.Apply(f); err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			copied = st.Nodes[0]
		}
	}
	want := "[{draining 60000} {installing 60000} {rescanning 60000}]"
	if got := fmt.Sprint(copied.Phases); got != want {
		t.Errorf("the copy became %s", got)
	}
	if got := fmt.Sprint(st.Nodes[0].Phases); got != "[{draining 60000} {installing 120000} {rescanning 120000}]" {
		t.Errorf("%s", got)
	}
}
