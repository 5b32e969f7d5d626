package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
)

// bounded is a run with drawn moments, which dies now and then and is continued after a while.
type bounded struct {
	window, last string
	soak, stop   time.Duration
	begins       time.Duration
	takes        []time.Duration
	deaths       []int
	asleep       []time.Duration
}

func drawBounded(t *rapid.T) bounded {
	var b bounded
	zone := rapid.SampledFrom([]string{"UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe"}).Draw(t, "zone")
	clock := func(name string) string {
		m := rapid.IntRange(0, 287).Draw(t, name) * 5
		return fmt.Sprintf("%02d:%02d", m/60, m%60)
	}
	if from, to := clock("from"), clock("to"); from != to && rapid.Bool().Draw(t, "windowed") {
		b.window = from + "-" + to + " " + zone
	}
	if rapid.Bool().Draw(t, "last begin") {
		b.last = clock("last") + " " + zone
	}
	span := func(name string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 0, 20, 90, 400}).Draw(t, name)) * time.Minute
	}
	b.soak, b.stop = span("soak"), span("stop")
	// Around the days in 2000 on which these zones set their clocks.
	b.begins = rapid.SampledFrom([]time.Duration{0, 85 * 24 * time.Hour, 92 * 24 * time.Hour, 302 * 24 * time.Hour}).Draw(t, "season") + time.Duration(rapid.IntRange(0, 48*60).Draw(t, "minute"))*time.Minute
	for range 3 {
		b.takes = append(b.takes, time.Duration(rapid.IntRange(1, 100).Draw(t, "takes"))*time.Minute)
	}
	b.deaths = rapid.SliceOfN(rapid.IntRange(1, 12), 0, 5).Draw(t, "deaths")
	for range b.deaths {
		b.asleep = append(b.asleep, time.Duration(rapid.SampledFrom([]int{0, 1, 30, 200, 1500}).Draw(t, "asleep"))*time.Minute)
	}
	return b
}

func (f bounded) live(t *testing.T) (problems []string, story string) {
	t.Helper()
	time.Sleep(f.begins)
	began := time.Now()
	b := timed(t, func(o *engine.Options) {
		o.Window, o.StartNoNodeAfter, o.Soak, o.StopAfter = f.window, f.last, engine.TimeSpan(f.soak), engine.TimeSpan(f.stop)
	}, withScripts)
	for i, n := range numbered(3) {
		s := b.p.scripts[n+"/a"]
		s.takes = f.takes[i]
		b.p.scripts[n+"/a"] = s
	}
	say := func(format string, a ...any) { problems = append(problems, fmt.Sprintf(format, a...)) }
	var back time.Time
	var backNode string
	may := func(what, node string) {
		now := time.Now()
		if f.window != "" && !window(t, f.window).Inside(now) {
			say("%s %s at %s, outside the window %s", what, node, now, f.window)
		}
		if f.last != "" {
			l, err := engine.ParseLastBegin(f.last)
			if err != nil {
				t.Fatal(err)
			}
			if !now.Before(l.From(began)) {
				say("%s %s at %s, after %s", what, node, now, f.last)
			}
		}
		if f.stop > 0 && now.Sub(began) >= f.stop {
			say("%s %s %s after the start, StopAfter is %s", what, node, now.Sub(began), f.stop)
		}
		if backNode != "" && backNode != node && now.Sub(back) < f.soak {
			say("%s %s %s after %s came back, the soak is %s", what, node, now.Sub(back), backNode, f.soak)
		}
	}
	b.journal.on = func(fact engine.Fact) {
		switch {
		case fact.Kind == engine.FactScriptIntent && fact.Data.Script.Phase == "pre", fact.Kind == engine.FactPauseIntent:
			may(string(fact.Kind), fact.Node)
		case fact.Kind == engine.FactResumeDone:
			back, backNode = time.Now(), fact.Node
		case fact.Kind == engine.FactInstallIntent && f.stop > 0 && time.Since(began) >= f.stop:
			say("%s is begun on %s after StopAfter", fact.Update, fact.Node)
		}
	}
	b.w.after = func(act, node string) {
		if act == "pause" {
			may("the pause of", node)
		}
	}
	for i, d := range f.deaths {
		b.journal.dieAfter = len(b.journal.lines) + d
		if _, err := b.run(); err == nil {
			break
		}
		time.Sleep(f.asleep[i])
	}
	b.journal.dieAfter = 0
	if s, _ := engine.Fold(b.plan, b.journal.facts(t)); !s.Status.Ended() {
		s = b.toEnd()
		if s.Status != engine.RunSucceeded && s.Status != engine.RunCanceled {
			say("the run ended %s: %v", s.Status, s.Cause)
		}
	}
	b.wantOnce()
	b.wantInService()
	return problems, strings.Join(b.journal.kinds(t), "\n")
}

func TestR29_NoNodeIsEverBegunOutsideTheWindowAfterTheLastBeginOrBeforeTheSoakIsOver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := drawBounded(rt)
		var problems []string
		var story string
		synctest.Test(t, func(t *testing.T) { problems, story = f.live(t) })
		if len(problems) > 0 {
			rt.Fatalf("%s\n%s", strings.Join(problems, "\n"), story)
		}
	})
}
