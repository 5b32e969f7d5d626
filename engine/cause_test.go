package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/fault"
)

// causeCase breaks one step of NODE1 and says what its cause must hold; the run's cause carries it on.
type causeCase struct {
	name    string
	breakIt func(b *bench)
	// message is how the cause's message begins, hint what its hint holds.
	message, hint string
	code          string
}

func testCauses(t *testing.T, op string, cases []causeCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := twoNodes(t)
				c.breakIt(b)
				s := b.toEnd()
				got := s.Node("NODE1").Cause
				if got == nil || got.Op != op || got.Node != "NODE1" || got.Code != c.code || !strings.HasPrefix(got.Message, "NODE1: "+op+": "+c.message) {
					t.Errorf("%+v", got)
				}
				if !strings.Contains(got.Hint, c.hint) || !strings.Contains(got.Hint, "NODE1") {
					t.Errorf("hint %q", got.Hint)
				}
				if strings.Count(got.Message, "NODE1: ") != 1 {
					t.Errorf("the node is named again: %q", got.Message)
				}
				if s.Cause.Message != got.Message || s.Cause.Op != got.Op || s.Cause.Hint != got.Hint {
					t.Errorf("the run's cause is %+v", s.Cause)
				}
			})
		})
	}
}

func TestR30_ADrainThatFailedSaysWhatIsLeftOnTheNodeAndWhatToDo(t *testing.T) {
	hang := func(b *bench) { b.w.machine("NODE1").drainHangs = true }
	stay := "Every role stays where it is now."
	testCauses(t, "drain", []causeCase{
		{"it never ends", hang, "not done after 1h0m0s: still there: ROLE-NODE1, Cluster Group", "Move ROLE-NODE1, Cluster Group off NODE1 by hand, or see why", ""},
		{"the cluster says that it failed", func(b *bench) { b.w.machine("NODE1").drainFails = true }, "the cluster says that the drain failed; still there: ROLE-NODE1", "Move ROLE-NODE1", ""},
		{"many roles are left", func(b *bench) {
			hang(b)
			for i := range 6 {
				b.w.groups = append(b.w.groups, &role{name: fmt.Sprintf("VM%d", i), owner: "NODE1", home: "NODE1"})
			}
		}, "not done after", "Move ROLE-NODE1, Cluster Group, VM0, VM1, VM2 and 3 more off", ""},
		{"nothing is left", func(b *bench) {
			hang(b)
			b.w.after = func(act, node string) {
				for _, g := range b.w.groups {
					if act == "pause" && g.owner == node {
						g.owner = "NODE2"
					}
				}
			}
		}, "not done after 1h0m0s: the drain goes on", "See what the cluster's events say about NODE1; then start a new run. " + stay, ""},
		{"the pause is refused", func(b *bench) {
			b.w.fail = func(act, _ string) error {
				if act == "pause" {
					return &fault.Error{Op: "pause", Node: "NODE1", Code: 5, Err: errors.New("denied")}
				}
				return nil
			}
		}, "pause: denied (0x00000005 ERROR_ACCESS_DENIED)", fault.Code(5).Advice() + " See what the cluster's events say", "0x00000005"},
		{"somebody resumes it each time", func(b *bench) {
			b.w.after = func(act, node string) {
				if act == "pause" {
					m := b.w.machine(node)
					m.state, m.drain = engine.NodeUp, engine.DrainNotInitiated
				}
			}
		}, "the pause was asked for 3 times", "Find out who resumes NODE1; ", ""},
	})
}

func TestR30_ARestartThatIsNotProvenSaysItsStepAndWhatToDo(t *testing.T) {
	needed := func(b *bench) { b.p.scripts["NODE1/u"] = restart() }
	testCauses(t, "restart", []causeCase{
		{"the node does not come back", func(b *bench) {
			needed(b)
			asked := false
			b.w.fail = func(act, node string) error {
				asked = asked || act == "restart"
				if asked && act == "boot" {
					return &fault.Error{Op: "read the boot identity", Node: node, Err: errors.New("no route")}
				}
				return nil
			}
		}, "not proven after 15m0s: read the boot identity: no route", "Look at its console, and restart it by hand if it did not restart. NODE1 stays paused", ""},
		{"the node refuses the restart", func(b *bench) {
			needed(b)
			b.w.fail = func(act, node string) error {
				if act == "restart" {
					return &fault.Error{Op: "restart", Node: node, Code: 5, Err: errors.New("not allowed")}
				}
				return nil
			}
		}, "not proven after 15m0s: restart: not allowed", fault.Code(5).Advice() + " Look at its console", "0x00000005"},
		{"its Cluster service does not start", func(b *bench) {
			needed(b)
			b.w.boots = func(v *engine.BootView) { v.ClusterService = v.Uptime > 100*time.Hour }
		}, "not proven after 15m0s: the Cluster service does not run", "It did restart: look at its System event log. NODE1 stays paused and its roles stay where they are", ""},
		{"it restarts again and again", func(b *bench) {
			needed(b)
			b.w.machine("NODE1").again = []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute}
		}, "the node restarted", "It did restart", ""},
		{"it is not drained any more", func(b *bench) {
			needed(b)
			b.journal.on = func(f engine.Fact) {
				if f.Kind == engine.FactInstallDone {
					b.w.locked(func(w *world) { w.groups[0].owner = "NODE1" })
				}
			}
		}, "a restart is due, but the node is not drained any more; it has ROLE-NODE1", "The restart is still due: drain NODE1, restart it by hand", ""},
		{"its peers cannot be asked before the restart", func(b *bench) {
			needed(b)
			due := false
			b.journal.on = func(f engine.Fact) { due = due || f.Kind == engine.FactInstallDone }
			b.w.fail = func(act, _ string) error {
				if due && act == "describe" {
					return &fault.Error{Op: "describe the cluster", Err: errors.New("no route")}
				}
				return nil
			}
		}, "describe the cluster: no route", "The restart is still due", ""},
	})
}

func TestR30_TheRunsCauseBeginsWithTheNodeAlsoWhenItsCauseNamesItLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.stageErr["NODE1"] = fmt.Errorf("two of three: %w", &fault.Error{Op: "stage u.msu", Node: "NODE1", Err: errors.New("no rights")})
		if s := b.toEnd(); !strings.HasPrefix(s.Cause.Message, "NODE1: two of three: ") {
			t.Errorf("%+v", s.Cause)
		}
	})
}
