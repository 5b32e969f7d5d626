package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
)

// refusePauses answers NODE1's first n pauses with the code.
func refusePauses(b *bench, n int, code fault.Code) (refused *int) {
	refused = new(int)
	b.w.fail = func(act, node string) error {
		if act == "pause" && node == "NODE1" && *refused < n {
			*refused++
			return &fault.Error{Op: "pause", Code: code, Err: errors.New("refused")}
		}
		return nil
	}
	return refused
}

func TestAPauseIsAskedForAgainAsOftenAsSuspendRetriesPerNodeSays(t *testing.T) {
	for _, c := range []struct {
		retries, refusals int
		taken             bool
	}{{0, 0, true}, {0, 1, false}, {2, 2, true}, {2, 3, false}, {5, 5, true}, {5, 6, false}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1), func(in *engine.PlanInput) {
				in.Options.SuspendRetriesPerNode = c.retries
				in.Options.MaxRetriesPerNode = 0
			})
			refused := refusePauses(b, c.refusals, 5)
			s := b.toEnd()
			if taken := s.Node("NODE1").Status == engine.NodeSucceeded; taken != c.taken || *refused != c.refusals {
				t.Errorf("%d retries, %d of %d refusals: %s", c.retries, *refused, c.refusals, s.Node("NODE1").Status)
			}
			b.wantInService()
		})
	}
}

func TestAPauseThatIsTakenBackIsAskedForAgainAsOftenAsSuspendRetriesPerNodeSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1), func(in *engine.PlanInput) { in.Options.SuspendRetriesPerNode = 4; in.Options.MaxRetriesPerNode = 0 })
		b.w.after = func(act, node string) {
			if act == "pause" && node == "NODE1" {
				b.w.machine(node).state, b.w.machine(node).drain = engine.NodeUp, engine.DrainNotInitiated
			}
		}
		s := b.toEnd()
		if n := s.Node("NODE1"); n.Status != engine.NodeFailed || b.w.count("pause NODE1") != 5 || !strings.Contains(n.Cause.Message, "5 times") {
			t.Errorf("%s after %d pauses, %v", n.Status, b.w.count("pause NODE1"), n.Cause)
		}
	})
}

// With its own limit at 90 minutes, degraded storage neither uses up the drain's 10 minutes nor the pause's tries.
func TestDegradedStorageIsWaitedForUntilSuspendClusterNodeTimeoutMinutes(t *testing.T) {
	for _, gateSeesIt := range []bool{false, true} {
		for _, c := range []struct {
			lasts time.Duration
			taken bool
		}{{80 * time.Minute, true}, {4 * time.Hour, false}} {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), withBudget(1), func(in *engine.PlanInput) {
					in.Options.SuspendClusterNodeTimeoutMinutes, in.Options.DrainTimeoutMinutes, in.Options.WaitForStorageRepairTimeoutMinutes = 90, 10, 600
					in.Options.SuspendRetriesPerNode, in.Options.MaxRetriesPerNode = 0, 0
				})
				var since time.Time
				b.w.fail = func(act, node string) error {
					if act != "pause" || node != "NODE1" || !since.IsZero() && time.Since(since) >= c.lasts {
						return nil
					}
					if since.IsZero() {
						since = time.Now()
						if gateSeesIt {
							b.w.repairUntil = time.Since(b.w.began) + c.lasts
						}
					}
					return &fault.Error{Op: "pause", Code: 0x80071763, Err: errors.New("degraded")}
				}
				s := b.toEnd()
				n := s.Node("NODE1")
				if (n.Status == engine.NodeSucceeded) != c.taken {
					t.Errorf("%s of it, seen by the gate %v: %s %v", c.lasts, gateSeesIt, n.Status, n.Cause)
				}
				if took := n.Ended.Sub(since); !c.taken && (took < 90*time.Minute || took > 92*time.Minute || !strings.Contains(n.Cause.Message, "still degraded after 1h30m")) {
					t.Errorf("given up after %s: %v", took, n.Cause)
				}
				b.wantInService()
			})
		}
	}
}

func TestR14_StorageIsWaitedForAsLongAsWaitForStorageRepairTimeoutMinutesSaysAndABackupAsEver(t *testing.T) {
	for _, c := range []struct {
		minutes int
		close   func(w *world)
		id      string
		held    time.Duration
	}{
		{20, func(w *world) { w.storageJobs = []string{"Repair"} }, "cluster.storage", 20 * time.Minute},
		{600, func(w *world) { w.storageJobs = []string{"Repair"} }, "cluster.storage", 10 * time.Hour},
		{600, func(w *world) { w.backups = []string{"Volume1"} }, "cluster.backup", 2 * time.Hour},
		{20, func(w *world) { w.storageJobs, w.backups = []string{"Repair"}, []string{"Volume1"} }, "cluster.storage", 20 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), func(in *engine.PlanInput) { in.Options.WaitForStorageRepairTimeoutMinutes = c.minutes })
			var waits, held time.Time
			b.journal.on = func(f engine.Fact) {
				switch {
				case f.Kind == engine.FactStageDone:
					c.close(b.w)
				case f.Kind == engine.FactGateWaiting && waits.IsZero():
					waits = f.Time
				case f.Kind == engine.FactRunHeld:
					held = f.Time
					if check.Gate(f.Data.Checks, nil)[0].ID != c.id {
						t.Errorf("held for %+v", f.Data.Checks)
					}
					b.control <- engine.Control{Verb: engine.VerbStop}
				default:
				}
			}
			b.toEnd()
			if took := held.Sub(waits); took < c.held || took > c.held+gateStep {
				t.Errorf("%s after %d minutes allowed: held after %s", c.id, c.minutes, took)
			}
		})
	}
}

// gateStep is how late the gate may notice something.
const gateStep = time.Minute
