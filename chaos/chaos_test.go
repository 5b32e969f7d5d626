package chaos_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
)

// The bounds of the random rounds: they end with the number or with the budget, whatever comes first. Only the number of
// rounds depends on how fast the machine is.
var (
	rounds = flag.Int("chaos.n", 100000, "how many random rounds to go through at most")
	budget = flag.Duration("chaos.budget", 15*time.Second, "how long to begin new random rounds")
	every  = flag.Int("chaos.every", 3, "of the points of the small run, one out of so many, drawn from chaos.first; 1 takes all")
	first  = flag.Uint64("chaos.first", 1, "the seed of the first random round; the others follow")
	single = flag.Uint64("chaos.seed", 0, "go through the round of this seed alone and tell all of it")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The runtime's goroutine that waits for signals must not be born in a bubble, which it would never leave.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGURG)
	debug.SetGCPercent(400) // many short worlds
	os.Exit(m.Run())
}

// bubble runs do in a bubble of its own, as a test of that name, and reports whether it went well.
func bubble(t *testing.T, name string, do func(t *testing.T)) bool {
	t.Helper()
	return t.Run(name, func(t *testing.T) { synctest.Test(t, do) })
}

// undisturbed is what a run comes to when nothing ends its coordinator and nothing fails on the way, with the points that it
// passes.
func undisturbed(t *testing.T, name string, c cast, watch func(n int, point string)) (out outcome, ok bool) {
	t.Helper()
	c.outages, c.lost = nil, 0
	ok = bubble(t, name, func(t *testing.T) {
		t.Helper()
		tr := newTrial(t, c, 0)
		s := tr.toEnd(func(n int, point string) bool {
			watch(n, point)
			return false
		})
		tr.judge(s)
		out = outcomeOf(s, tr.world.State())
		if *single != 0 {
			t.Log(tr.tale())
		}
	})
	return out, ok
}

// TestChaosAtEveryPoint ends the coordinator of a small run at each of its points, or a share of them, once, and goes on.
func TestChaosAtEveryPoint(t *testing.T) {
	t.Parallel()
	// A look that is repeated until something has changed is one point: the facts in between are the same.
	type place struct {
		facts int
		point string
	}
	seen := map[place]bool{}
	var at []int
	facts := 0
	want, ok := undisturbed(t, "undisturbed", small(), func(n int, point string) {
		if p := (place{facts, point}); !seen[p] {
			seen[p] = true
			at = append(at, n)
		}
		if point == "flush after" {
			facts++
		}
	})
	if !ok || want.Status != engine.RunSucceeded {
		t.Fatalf("the undisturbed run: %+v", want)
	}
	t.Logf("%d points", len(at))
	// Drawn, not counted off: points of one kind come in a rhythm.
	share := max(*every, 1)
	if testing.Short() {
		share = 10
	}
	rand.New(rand.NewPCG(*first, 0)).Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
	at = at[:(len(at)+share-1)/share]
	inParallel(at, func(n int) {
		bubble(t, fmt.Sprint(n), func(t *testing.T) {
			t.Helper()
			tr := newTrial(t, small(), uint64(n))
			_, l, err := tr.live(func(k int, _ string) bool { return k == n })
			if err == nil || !l.over() {
				tr.fatalf("the life did not end at point %d: %v", n, err)
			}
			s := tr.toEnd(nil)
			tr.judge(s)
			if diff := cmp.Diff(want, outcomeOf(s, tr.world.State())); diff != "" {
				tr.fatalf("the end is not that of the undisturbed run:\n%s", diff)
			}
		})
	})
}

// TestChaosRounds goes through random rounds.
func TestChaosRounds(t *testing.T) {
	t.Parallel()
	if *single != 0 {
		story := round(t, *single)
		t.Log(story)
		return
	}
	if testing.Short() {
		*rounds = min(*rounds, 5)
	}
	began := time.Now()
	var seeds []uint64
	for i := range *rounds {
		seeds = append(seeds, *first+uint64(i))
	}
	var done, deaths atomic.Int64
	inParallel(seeds, func(seed uint64) {
		if time.Since(began) > *budget {
			return
		}
		deaths.Add(int64(strings.Count(round(t, seed), "a life ended")))
		done.Add(1)
	})
	t.Logf("%d rounds with %d deaths", done.Load(), deaths.Load())
	if done.Load() == 0 {
		t.Error("not one round")
	}
}

// inParallel does something for each, on as many goroutines as there are processors.
func inParallel[T any](all []T, do func(T)) {
	queue := make(chan T)
	var working sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		working.Go(func() {
			for one := range queue {
				do(one)
			}
		})
	}
	for _, one := range all {
		queue <- one
	}
	close(queue)
	working.Wait()
}

// round is one random round, against the same run without deaths and without requests. It returns the round's story.
func round(t *testing.T, seed uint64) (story string) {
	t.Helper()
	c, f := draw(seed)
	want, ok := undisturbed(t, fmt.Sprintf("seed %d undisturbed", seed), c, func(int, string) {})
	if !ok {
		return ""
	}
	bubble(t, fmt.Sprintf("seed %d", seed), func(t *testing.T) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Logf("again: go test ./chaos -run ChaosRounds -chaos.seed=%d", seed)
			}
		}()
		tr := newTrial(t, c, seed)
		s := tr.through(f)
		tr.judge(s)
		got := outcomeOf(s, tr.world.State())
		story = tr.tale()
		if f.stops() {
			tr.stopped(want, got)
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			tr.fatalf("the end is not that of the undisturbed run:\n%s", diff)
		}
	})
	return story
}
