package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/coordinator"
)

// through goes through every death of a round, with somebody who asks meanwhile, to the run's end.
func (tr *trial) through(f fate) engine.State {
	tr.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asking.Go(func() { tr.ask(ctx, f.asks) })
	asking.Go(func() { tr.attend(ctx) })
	defer asking.Wait()
	defer cancel()
	for i, n := range f.deaths {
		s, l, err := tr.live(func(k int, _ string) bool { return k == n })
		if !l.over() {
			if errors.Is(err, coordinator.ErrEnded) {
				break
			}
			if err != nil || !s.Status.Ended() {
				tr.fatalf("the run is %s and does not end: %v", s.Status, err)
			}
			tr.folds(s)
			return s
		}
		time.Sleep(f.down[i])
	}
	return tr.toEnd(nil)
}

// ask asks for what was drawn, until somebody has written it down. A pause is taken back after a while.
func (tr *trial) ask(ctx context.Context, asks []asked) {
	var all sync.WaitGroup
	for _, a := range asks {
		all.Go(func() {
			if sleep(ctx, a.after) != nil {
				return
			}
			tr.insist(ctx, a.verb)
			if a.verb == engine.VerbPause && sleep(ctx, 40*time.Minute) == nil {
				tr.insist(ctx, engine.VerbResume)
			}
		})
	}
	all.Wait()
}

// attend looks after the run four times an hour: one that is held is resumed.
func (tr *trial) attend(ctx context.Context) {
	for sleep(ctx, 15*time.Minute) == nil {
		_, s, _, err := tr.home.Load(runID)
		if err == nil && s.Status == engine.RunHeld {
			tr.insist(ctx, engine.VerbResume)
		}
	}
}

// insist asks whoever lives, again and again, until it is written down or the run has ended.
func (tr *trial) insist(ctx context.Context, v engine.Verb) {
	for {
		tr.mu.Lock()
		d := tr.door
		tr.mu.Unlock()
		err := errNobody
		if d != nil {
			err = ask(ctx, d, filepath.Join(tr.home.RunDir(runID), "socket"), engine.Control{Verb: v})
		}
		switch {
		case err == nil:
			tr.tell("%s was asked for", v)
			return
		case errors.Is(err, errEnded):
			return
		case !errors.Is(err, errNobody):
			tr.tell("%s: %v", v, err)
		}
		if sleep(ctx, 7*time.Second) != nil {
			return
		}
	}
}

// tell adds to the story.
func (tr *trial) tell(format string, a ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.story = append(tr.story, time.Now().Format(time.DateTime)+": "+fmt.Sprintf(format, a...))
}

// stopped holds the end of a run that was stopped against that of one that was not: nothing else was installed, nobody
// restarted more often, and who was not taken is as before.
func (tr *trial) stopped(want, got outcome) {
	tr.t.Helper()
	for i, n := range got.Nodes {
		w := want.Nodes[i]
		if n.Boots > w.Boots || len(n.Installs) > len(w.Installs) {
			tr.fatalf("%s: %+v, without a stop %+v", n.Name, n, w)
		}
		for j, in := range n.Installs {
			if in != w.Installs[j] {
				tr.fatalf("%s: %+v, without a stop %+v", n.Name, n, w)
			}
		}
	}
}
