package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
)

func TestR22_WhenANodeDoesNotAnswerItsPeersAreAskedWhetherItIsGone(t *testing.T) {
	for _, c := range []struct {
		name, act string
		first     bool
		neverUp   bool
		says      string
		state     engine.NodeState
	}{
		{"before its installer", "boot", true, false, "its peers see it Paused, so that contact is lost from this host only", engine.NodeUp},
		{"after its installer", "pending", false, false, "its peers see it Paused, so that contact is lost from this host only", engine.NodePaused},
		{"after its restart", "boot", false, false, "its peers see it Paused, so that contact is lost from this host only", engine.NodePaused},
		{"never back from its restart", "", false, true, "its peers see it Down, too", engine.NodeDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				b.p.scripts["NODE1/u"] = restart()
				b.w.machine("NODE1").neverUp = c.neverUp
				var lost atomic.Bool
				lost.Store(c.first)
				b.w.fail = func(act, node string) error {
					if act == c.act && node == "NODE1" && lost.Load() {
						return errors.New("no route")
					}
					return nil
				}
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactRestartIntent {
						lost.Store(true)
					}
				}
				s := b.toEnd()
				if n := s.Node("NODE1"); n.Status != engine.NodeFailed || !strings.Contains(n.Cause.Message, c.says) {
					t.Errorf("%s %v", n.Status, n.Cause)
				}
				b.wantState("NODE1", c.state)
			})
		})
	}
}

func TestR22_ANodeWhoseStorageDoesNotHealIsInServiceAndNoOtherIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(3)...), each(numbered(3), "u"), withBudget(2))
		b.w.s2d, b.w.repair = true, 1000*time.Hour
		held := ""
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactRunHeld {
				held = fmt.Sprint(f.Data.Message)
				b.control <- engine.Control{Verb: engine.VerbStop}
			}
		}
		s := b.toEnd()
		b.wantNodes(s, map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded, "NODE2": engine.NodeCanceled, "NODE3": engine.NodeCanceled})
		b.wantState("NODE1", engine.NodeUp)
		if !strings.Contains(held, "storage job not finished: Repair") || b.w.count("pause NODE2") != 0 || b.w.count("maintenance-false NODE1") != 1 {
			t.Errorf("%q %v", held, b.w.acts)
		}
	})
}
