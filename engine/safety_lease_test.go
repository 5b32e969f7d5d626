package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
)

func leased(t *testing.T, change ...func(*engine.PlanInput)) *bench {
	t.Helper()
	b := newBench(t, newWorld(numbered(2)...), each(numbered(2), "u"), change...)
	b.p.scripts["NODE1/u"] = restart()
	b.lease = &fakeLease{}
	return b
}

func accepting(id string) func(*engine.PlanInput) {
	return func(in *engine.PlanInput) { in.Accepted = append(in.Accepted, id) }
}

func (l *fakeLease) do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func TestR27_TheLeaseIsTakenBeforeAnythingIsChangedAndGivenBackAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t)
		if s := b.toEnd(); s.Status != engine.RunSucceeded || s.Lease == nil || s.Lease.Epoch != 1 || !s.Lease.Dropped {
			t.Fatalf("%s, lease %+v, cause %v", s.Status, s.Lease, s.Cause)
		}
		kinds := b.journal.kinds(t)
		if got := strings.Join(kinds[:3], ", "); got != "run.started, lease.intent, lease.taken" {
			t.Errorf("it begins with %s", got)
		}
		if got := strings.Join(kinds[len(kinds)-2:], ", "); got != "lease.dropped, run.ended" {
			t.Errorf("it ends with %s", got)
		}
		if !b.lease.dropped || b.lease.log[0] != "read" || b.lease.log[1] != "take" || b.lease.log[len(b.lease.log)-1] != "drop" {
			t.Errorf("asked for: %v", b.lease.log)
		}
		changed := 0
		for i, entry := range b.lease.log {
			act, under, isChange := strings.Cut(entry, " under ")
			if !isChange {
				continue
			}
			changed++
			if !strings.HasPrefix(under, "1, ") {
				t.Errorf("%s under epoch %s", act, under)
			}
			if (strings.HasPrefix(act, "pause ") || strings.HasPrefix(act, "restart ")) && !strings.HasSuffix(under, " renewed 0s ago") {
				t.Errorf("%s under %s (%s)", act, under, b.lease.log[i-1])
			}
		}
		if changed == 0 {
			t.Error("nothing was changed under the lease")
		}
	})
}

func TestR27_ALeaseIsRenewedWhileARunWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t)
		b.p.scripts["NODE1/u"] = script{takes: 2 * time.Hour}
		oldest := time.Duration(0)
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactInstallDone {
				b.lease.mu.Lock()
				defer b.lease.mu.Unlock()
				oldest = max(oldest, time.Since(b.lease.renewed))
			}
		}
		b.toEnd()
		if oldest > engine.LeaseStale/4 {
			t.Errorf("it was not renewed for %s", oldest)
		}
	})
}

func TestR27_AnotherRunsLivingLeaseHoldsTheRunAndSaysWhose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t, accepting("cluster.lease")) // no acceptance opens a failed check (R07)
		b.lease.anotherTakes("ffff0000", "host9, process 7")
		b.journal.on = func(f engine.Fact) {
			if f.Kind != engine.FactRunHeld {
				return
			}
			text := f.Data.Message
			if f.Data.Checks[0].ID != "cluster.lease" || !strings.Contains(text, "ffff0000") || !strings.Contains(text, "host9, process 7") || !strings.Contains(text, "ago") {
				t.Errorf("held: %s", text)
			}
			if len(b.w.acts) > 0 {
				t.Errorf("done meanwhile: %v", b.w.acts)
			}
			b.lease.anotherDrops()
			b.control <- engine.Control{Verb: engine.VerbResume, By: "ann"}
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded || s.Lease.Epoch != 2 {
			t.Fatalf("%s, lease %+v", s.Status, s.Lease)
		}
	})
}

func TestR27_AStaleLeaseIsNamedAndOpensOnlyByItsId(t *testing.T) {
	for _, accepted := range []bool{false, true} {
		t.Run(fmt.Sprint("accepted ", accepted), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var change []func(*engine.PlanInput)
				if accepted {
					change = append(change, accepting("cluster.lease"))
				}
				b := leased(t, change...)
				b.lease.anotherTakes("ffff0000", "host9, process 7")
				time.Sleep(engine.LeaseStale + time.Minute)
				held := ""
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactRunHeld {
						held = f.Data.Message + " " + f.Data.Cause.Hint
						b.control <- engine.Control{Verb: engine.VerbStop, By: "ann"}
					}
				}
				s := b.toEnd()
				if accepted {
					if s.Status != engine.RunSucceeded || held != "" || s.Lease.Epoch != 2 {
						t.Fatalf("%s, held %q, lease %+v", s.Status, held, s.Lease)
					}
					return
				}
				if s.Status != engine.RunCanceled || !strings.Contains(held, "not been renewed for 16m") || !strings.Contains(held, "cau takeover") {
					t.Errorf("%s, held %q", s.Status, held)
				}
				if len(b.w.acts) > 0 || b.lease.epoch != 1 {
					t.Errorf("done: %v; epoch %d", b.w.acts, b.lease.epoch)
				}
			})
		})
	}
}

func TestR27_ACoordinatorThatWasReplacedChangesNothingMore(t *testing.T) {
	for _, at := range []engine.FactKind{engine.FactStageIntent, engine.FactPauseIntent, engine.FactDrainDone, engine.FactInstallIntent, engine.FactInstallDone, engine.FactRestartIntent, engine.FactResumeIntent, engine.FactNodeEnded} {
		t.Run(string(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := leased(t)
				changed, taken := 0, false
				count := func() int {
					n := 0
					for _, e := range b.lease.log {
						if strings.Contains(e, " under ") {
							n++
						}
					}
					return n
				}
				b.journal.on = func(f engine.Fact) {
					if f.Kind == at && !taken {
						taken = true
						b.lease.anotherTakes(b.plan.Run, "host2, process 9")
						changed = count()
					}
				}
				s, err := b.run()
				if !errors.Is(err, engine.ErrTakenOver) || s.Status != engine.RunTakenOver {
					t.Fatalf("%s, %v", s.Status, err)
				}
				if n := count(); n != changed {
					t.Errorf("changed %d times since: %v", n-changed, b.lease.log)
				}
				kinds := b.journal.kinds(t)
				if kinds[len(kinds)-1] != string(engine.FactTakenOver) || !strings.Contains(s.Waiting, "taken over") {
					t.Errorf("it ends with %s: %q", kinds[len(kinds)-1], s.Waiting)
				}
				if b.lease.dropped {
					t.Error("it gave the other one's lease back")
				}
			})
		})
	}
}

func TestR27_ARunThatWasTakenOverIsNotResumedHereEvenWhenTheOtherOneHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t)
		b.journal.dieAfter = 12
		if _, err := b.run(); err == nil {
			t.Fatal("it did not die")
		}
		b.journal.dieAfter = 0
		b.lease.anotherTakes(b.plan.Run, "host2, process 9")
		b.lease.anotherDrops()
		acts := len(b.w.acts)
		s, err := b.run()
		if !errors.Is(err, engine.ErrTakenOver) || s.Status != engine.RunTakenOver || !strings.Contains(s.Waiting, "host2, process 9") {
			t.Fatalf("%s, %q, %v", s.Status, s.Waiting, err)
		}
		if len(b.w.acts) != acts {
			t.Errorf("done: %v", b.w.acts[acts:])
		}
	})
}

func TestR27_WhoHeldTheClusterMeanwhileCannotBeToldAfterAThirdRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t)
		b.journal.dieAfter = 4
		if _, err := b.run(); err == nil {
			t.Fatal("it did not die")
		}
		b.journal.dieAfter = 0
		b.lease.anotherTakes("ffff0000", "host9, process 7")
		b.lease.anotherDrops()
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		if s := b.toEnd(); s.Status != engine.RunCanceled {
			t.Errorf("%s", s.Status)
		}
		if !slices.Contains(b.journal.kinds(t), "run.held") {
			t.Error("it went on as if nobody had been there")
		}
		b.wantInService()
	})
}

func TestR26_R27_ACoordinatorThatDiesAnywhereAroundItsLeaseGetsItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := leased(t)
		want := endOf(whole, whole.toEnd()).String()
		for n := 1; n < len(whole.journal.lines)+3; n++ {
			for _, before := range []bool{false, true} {
				b := leased(t)
				if before {
					b.journal.dieBefore = n
				} else {
					b.journal.dieAfter = n
				}
				_, first := b.run()
				b.journal.dieBefore, b.journal.dieAfter = 0, 0
				s := b.toEnd()
				if got := endOf(b, s).String(); got != want {
					t.Errorf("dead at fact %d (before: %v, %v): %s, not %s", n, before, first, got, want)
				}
				if !b.lease.dropped {
					t.Errorf("dead at fact %d: the lease was not given back", n)
				}
			}
		}
	})
}

func TestR27_AnAnswerThatWasLostIsFoundByTheHoldersName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t)
		lost := false
		b.lease.lose = func(op string) error {
			if op == "take" && !lost {
				lost = true
				return errors.New("the connection was reset")
			}
			return nil
		}
		if s := b.toEnd(); s.Status != engine.RunSucceeded || s.Lease.Epoch != 2 {
			t.Errorf("%s, lease %+v", s.Status, s.Lease)
		}
	})
}

func TestR27_AClusterThatGivesNoLeaseIsCannotVerify(t *testing.T) {
	for _, accepted := range []bool{false, true} {
		t.Run(fmt.Sprint("accepted ", accepted), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var change []func(*engine.PlanInput)
				if accepted {
					change = append(change, accepting("cluster.lease"))
				}
				b := leased(t, change...)
				b.lease.fail = func(op string) error {
					if op == "take" {
						return fmt.Errorf("take the lease: %w", no{})
					}
					return nil
				}
				b.askOn(engine.FactRunHeld, "", engine.VerbStop)
				s := b.toEnd()
				kinds := b.journal.kinds(t)
				if accepted && (s.Status != engine.RunSucceeded || !slices.Contains(kinds, "lease.none")) {
					t.Errorf("%s, %v", s.Status, kinds)
				}
				if !accepted && (s.Status != engine.RunCanceled || len(b.w.acts) > 0 || !slices.Contains(kinds, "run.held")) {
					t.Errorf("%s, done %v, %v", s.Status, b.w.acts, kinds)
				}
			})
		})
	}
}

func TestR27_ACoordinatorThatSleptLooksAtItsLeaseBeforeItActs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := leased(t)
		b.p.scripts["NODE1/u"] = script{takes: time.Hour}
		asleep := false // nobody can renew while the computer sleeps
		b.lease.fail = func(op string) error {
			if op == "renew" && asleep {
				return errors.New("no route to the host")
			}
			return nil
		}
		b.journal.on = func(f engine.Fact) {
			if f.Kind == engine.FactPauseIntent {
				b.lease.do(func() { asleep = true })
			}
			if f.Kind == engine.FactInstallDone && f.Node == "NODE1" {
				b.lease.do(func() { asleep = false })
				b.lease.anotherTakes(b.plan.Run, "host2, process 9")
			}
		}
		s, err := b.run()
		if !errors.Is(err, engine.ErrTakenOver) || s.Status != engine.RunTakenOver {
			t.Fatalf("%s, %v", s.Status, err)
		}
		kinds := b.journal.kinds(t)
		if last := kinds[len(kinds)-2]; last != "install.done NODE1" {
			t.Errorf("the last thing done was %s", last)
		}
		if e := b.lease.log[len(b.lease.log)-1]; e != "renew" {
			t.Errorf("it found out by %s", e)
		}
	})
}
