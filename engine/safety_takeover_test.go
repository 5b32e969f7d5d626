package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
)

// fakeKept keeps the newest checkpoint of a run, which is packed as on nodes for whoever takes it over.
type fakeKept struct {
	w        *world
	sequence int64
	state    engine.State
	some     bool
	at       []string
	prefers  [][]string
	dropped  bool
	// fail answers in the nodes' place.
	fail error
	// told hears how many facts each checkpoint holds.
	told func(facts int)
}

func (k *fakeKept) Put(_ context.Context, s engine.State, sequence int64, prefer []string) ([]string, error) {
	if k.fail != nil {
		return nil, k.fail
	}
	if sequence < k.sequence {
		return nil, fmt.Errorf("checkpoint %d comes after %d", sequence, k.sequence)
	}
	if k.told != nil {
		k.told(s.Facts)
	}
	k.w.mu.Lock()
	defer k.w.mu.Unlock()
	done := ""
	if len(k.w.acts) > 0 {
		done = k.w.acts[len(k.w.acts)-1]
	}
	k.sequence, k.state, k.some, k.at, k.prefers, k.dropped = sequence, s, true, append(k.at, done), append(k.prefers, prefer), false
	return slices.Clone(prefer[:min(2, len(prefer))]), nil
}

func (k *fakeKept) Drop(context.Context) error {
	k.dropped = true
	return k.fail
}

// takeOver goes on with the run as a host does that has nothing but the checkpoint.
func (b *bench) takeOver() {
	b.t.Helper()
	b.lease.mu.Lock()
	now := b.lease.now()
	b.lease.mu.Unlock()
	b.journal = &journal{}
	packed, err := engine.PackState(&b.kept.state)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.journal.Record(engine.Fact{Kind: engine.FactRunRestored, Data: engine.FactData{Packed: packed, Lease: now.Epoch, Holder: now.Holder}}); err != nil {
		b.t.Fatal(err)
	}
}

func kept(b *bench) *bench {
	b.lease, b.kept = &fakeLease{}, &fakeKept{w: b.w}
	return b
}

func TestR27_AnotherHostGoesOnFromTheCheckpointWhereverTheFirstOneDied(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(t *testing.T) *bench{
		"restarts": func(t *testing.T) *bench {
			t.Helper()
			b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "a", "b"))
			b.p.scripts["NODE1/b"], b.p.scripts["NODE2/a"] = restart(), restart()
			return b
		},
		"failures of every kind": scenarios()["failures of every kind"],
		"storage spaces direct":  scenarios()["storage spaces direct"],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				whole := kept(scenario(t))
				want := endOf(whole, whole.toEnd())
				if !whole.kept.dropped {
					t.Error("the checkpoint is left behind")
				}
				for n := 4; n < len(whole.journal.lines); n++ {
					b := kept(scenario(t))
					b.journal.dieAfter = n
					if _, err := b.run(); err == nil {
						t.Fatalf("it did not die at fact %d", n)
					}
					if !b.kept.some || b.lease.dropped {
						continue // nothing was begun, or all was done
					}
					last := b.journal.kinds(t)[n-1]
					b.takeOver()
					s := b.toEnd()
					got := endOf(b, s)
					if diff := cmp.Diff(want.String(), got.String()); diff != "" {
						t.Errorf("taken over after fact %d, %s:\n%s\n%s", n, last, diff, strings.Join(b.journal.kinds(t), ", "))
					}
				}
			})
		})
	}
}

func TestR27_ACheckpointLiesElsewhereThanOnTheNodeInMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := numbered(4)
		b := kept(newBench(t, newWorld(names...), each(names, "u")))
		b.p.scripts["NODE1/u"] = restart()
		b.toEnd()
		for i, prefer := range b.kept.prefers {
			if len(prefer) != len(names) {
				t.Errorf("checkpoint %d may lie on %v", i, prefer)
			}
		}
		// The first ones are about NODE1, and NODE2 comes next.
		if got := strings.Join(b.kept.prefers[1], " "); got != "NODE3 NODE4 NODE2 NODE1" {
			t.Errorf("with NODE1 under way it lies rather on %s", got)
		}
	})
}

func TestR27_ACheckpointThatCannotBeWrittenIsARemarkAndSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := kept(newBench(t, newWorld(numbered(2)...), each(numbered(2), "u")))
		b.kept.fail = errors.New("its folder is a reparse point")
		s := b.toEnd()
		said := 0
		for _, k := range b.journal.kinds(t) {
			if k == string(engine.FactCheckpointFailed) {
				said++
			}
		}
		if s.Status != engine.RunSucceeded || said != 2 { // once that it cannot be written, once that it cannot be removed
			t.Errorf("%s, said %d times", s.Status, said)
		}
	})
}

func TestR27_AStateOfAnotherProgramRunOrPlanIsNotGoneOnWith(t *testing.T) {
	b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"))
	s := engine.NewState(b.plan)
	good, err := engine.PackState(&s)
	if err != nil {
		t.Fatal(err)
	}
	other := s
	other.Run = "ffffffff"
	foreign, err := engine.PackState(&other)
	if err != nil {
		t.Fatal(err)
	}
	other = s
	other.Nodes = other.Nodes[:1]
	fewer, err := engine.PackState(&other)
	if err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]byte{"none": nil, "torn": good[:len(good)/2], "of another run": foreign, "of other nodes": fewer} {
		fresh := engine.NewState(b.plan)
		if err := fresh.Apply(engine.Fact{Kind: engine.FactRunRestored, Data: engine.FactData{Packed: packed}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	fresh := engine.NewState(b.plan)
	if err := fresh.Apply(engine.Fact{Kind: engine.FactRunStarted}); err != nil {
		t.Fatal(err)
	}
	if err := fresh.Apply(engine.Fact{Kind: engine.FactRunRestored, Data: engine.FactData{Packed: good}}); err == nil {
		t.Error("a journal may go back to a state in its middle")
	}
}

func TestR27_WhatWasAskedOfARunIsKnownToWhoeverTakesItOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := func() *bench {
			b := kept(newBench(t, newWorld(numbered(3)...), each(numbered(3), "u")))
			b.askWhen(engine.FactInstallIntent, "NODE1", to(engine.VerbSkip, "NODE3"))
			return b
		}
		whole := begun()
		want := whole.toEnd()
		b := begun()
		// The answer of the first installer is lost with its coordinator: no step of the node is due in between.
		b.journal.dieBefore = 1 + slices.Index(whole.journal.kinds(t), string(engine.FactInstallDone)+" NODE1")
		if _, err := b.run(); err == nil {
			t.Fatal("it did not die")
		}
		b.takeOver()
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeSucceeded, "NODE3": want.Node("NODE3").Status})
		if by := s.Node("NODE3").SkippedBy; by == "" {
			t.Error("that NODE3 is to be left out was lost")
		}
	})
}

func TestR27_StopNowLeavesNoCheckpointToGoOnFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := kept(newBench(t, newWorld(numbered(2)...), each(numbered(2), "u")))
		b.askWhen(engine.FactInstallIntent, "NODE1", engine.Control{Verb: engine.VerbStopNow, Typed: b.plan.Cluster, By: "CONTOSO\\ann"})
		b.toEnd()
		if !b.kept.dropped {
			t.Error("a run that ended is left on its nodes")
		}
	})
}

func TestR27_NothingIsDoneToANodeBeforeACheckpointHoldsIt(t *testing.T) {
	acts := []engine.FactKind{
		engine.FactScriptIntent, engine.FactPauseIntent, engine.FactUndoIntent, engine.FactMaintenanceIntent, engine.FactInstallIntent,
		engine.FactRestartIntent, engine.FactResumeIntent,
	}
	for name, scenario := range scenarios() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := kept(scenario(t))
				var mu sync.Mutex
				recorded, seen := 0, 0
				open := map[string]int{} // the number of the intent that a node's next fact answers
				b.journal.on = func(f engine.Fact) {
					mu.Lock()
					defer mu.Unlock()
					recorded++
					if n, is := open[f.Node]; is && f.Node != "" {
						seen++
						if n > 0 {
							t.Errorf("fact %d of %s was acted on before a checkpoint held it; then came %s", n, f.Node, f.Kind)
						}
						delete(open, f.Node)
					}
					off := f.Kind == engine.FactMaintenanceIntent && !f.Data.On // what is on is looked for
					if slices.Contains(acts, f.Kind) && !off {
						open[f.Node] = recorded
					}
				}
				b.kept.told = func(facts int) {
					mu.Lock()
					defer mu.Unlock()
					for node, n := range open {
						if n <= facts {
							open[node] = 0
						}
					}
				}
				b.toEnd()
				if seen == 0 {
					t.Error("nothing was done")
				}
			})
		})
	}
}
