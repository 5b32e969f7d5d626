package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

func noRoute(node string) error {
	return &fault.Error{Op: "describe the cluster", Node: node, Err: errors.New("no route to the host")}
}

func TestR30_AnEvidenceIsOneLineThatNamesEveryNodeAndSaysACommonCauseOnce(t *testing.T) {
	t.Parallel()
	all := make([]error, 0, 64)
	for _, n := range numbered(64) {
		all = append(all, noRoute(n))
	}
	const stop, lines = "the lease is gone.", "write: the disk is full\r\n\r\nclose: the disk is full\n"
	many := make([]error, 0, 12)
	for i := range 12 {
		many = append(many, fmt.Errorf("reason %d", i))
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"one":                       {noRoute("NODE1"), "NODE1: describe the cluster: no route to the host."},
		"several causes":            {errors.Join(noRoute("NODE1"), errors.New(stop)), "NODE1: describe the cluster: no route to the host; the lease is gone."},
		"one cause of several":      {errors.Join(noRoute("NODE1"), noRoute("NODE12"), noRoute("NODE2")), "NODE1, NODE12, NODE2: describe the cluster: no route to the host."},
		"behind what was tried":     {fmt.Errorf("ask the peers: %w", errors.Join(noRoute("NODE1"), noRoute("NODE2"))), "ask the peers: NODE1, NODE2: describe the cluster: no route to the host."},
		"the same twice":            {errors.Join(noRoute("NODE1"), noRoute("NODE1")), "NODE1: describe the cluster: no route to the host."},
		"no node":                   {errors.Join(errors.New("a"), errors.New("b"), errors.New("a")), "a; b."},
		"a word that names no node": {errors.New(lines), "write: the disk is full; close: the disk is full."},
		"64 nodes":                  {errors.Join(all...), strings.Join(numbered(64), ", ") + ": describe the cluster: no route to the host."},
		"many causes":               {errors.Join(many...), "reason 0; reason 1; reason 2; reason 3; reason 4; reason 5; reason 6; reason 7; and 4 more causes."},
	} {
		o := engine.Observation{Foreign: engine.AnswerOf([]engine.ForeignRun(nil), c.err)}
		for _, r := range engine.ClusterChecks(o, engine.DefaultOptions(), time.Now()) {
			if want := "It could not be read: " + c.want; r.ID == "cluster.foreign-run" && (r.Evidence != want || r.Outcome != check.CannotVerify) {
				t.Errorf("%s:\n got %q\nwant %q", name, r.Evidence, want)
			}
		}
	}
}

func TestR30_NoFactHoldsALineBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(4)...), each(numbered(4), "u"), withBudget(3), withScripts)
		broken := errors.Join(noRoute("NODE1"), noRoute("NODE2"))
		b.p.stageErr["NODE1"] = broken
		b.w.scripts["NODE2/pre"] = scripted{err: broken}
		b.p.scripts["NODE3/u"] = script{err: fmt.Errorf("%w: %w", plugins.ErrJobLost, broken)}
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		s := b.toEnd()
		for _, f := range b.journal.facts(t) {
			for _, text := range factTexts(f) {
				if strings.Contains(text, "\n") {
					t.Errorf("%s %s: %q", f.Kind, f.Node, text)
				}
			}
		}
		if want := "NODE1: stage: NODE1, NODE2: describe"; !strings.Contains(s.Node("NODE1").Cause.Message, "NODE1, NODE2: describe") {
			t.Errorf("%q, not %q", s.Node("NODE1").Cause.Message, want)
		}
		if !strings.Contains(s.Node("NODE3").Cause.Message, "NODE1, NODE2: describe") {
			t.Errorf("%q", s.Node("NODE3").Cause.Message)
		}
	})
}

func factTexts(f engine.Fact) []string {
	out := []string{f.Data.Message}
	if f.Data.Cause != nil {
		out = append(out, f.Data.Cause.Message)
	}
	if f.Data.Result != nil && f.Data.Result.Cause != nil {
		out = append(out, f.Data.Result.Cause.Message)
	}
	for _, c := range f.Data.Checks {
		out = append(out, c.Evidence)
	}
	return out
}
