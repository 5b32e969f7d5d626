package engine_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
)

// longRun takes 64 nodes through restarts of ten minutes each, and gives its journal.
func longRun(t *testing.T) (lines []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		names := numbered(64)
		b := newBench(t, newWorld(names...), each(names, "u"), func(in *engine.PlanInput) {
			in.Options.StageNodesAtOnce = 1 // side by side, any of them may be the first
		})
		b.w.restartTakes = 10 * time.Minute
		for _, n := range names {
			b.p.scripts[n+"/u"] = restart()
		}
		s := b.toEnd()
		if s.Status != engine.RunSucceeded || s.Ended.Sub(s.Started) < 64*10*time.Minute {
			t.Errorf("%s after %s", s.Status, s.Ended.Sub(s.Started))
		}
		b.wantInService()
		lines = b.journal.lines
	})
	return lines
}

func TestARunOfSixtyFourNodesWithLongRestartsIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	first, second := longRun(t), longRun(t)
	for i := range min(len(first), len(second)) {
		if first[i] != second[i] {
			t.Fatalf("fact %d is\n%s\nand was\n%s", i+1, second[i], first[i])
		}
	}
	if !slices.Equal(first, second) || len(first) < 64*8 {
		t.Errorf("%d facts, then %d", len(first), len(second))
	}
}
