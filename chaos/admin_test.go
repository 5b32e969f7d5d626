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
		if f.lost[i] {
			tr.takeOver()
		}
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
			back, goesBack := takenBack()[a.verb]
			if tr.insist(ctx, engine.Control{Verb: a.verb, Node: a.node}) && goesBack && sleep(ctx, 40*time.Minute) == nil {
				c := engine.Control{Verb: back, Node: a.node}
				tr.insist(ctx, c)
				tr.mu.Lock()
				tr.back[c] = true
				tr.mu.Unlock()
			}
		})
	}
	all.Wait()
}

// attend looks after the run four times an hour: one that is held is resumed.
func (tr *trial) attend(ctx context.Context) {
	for sleep(ctx, 15*time.Minute) == nil {
		_, s, _, err := tr.home().Load(runID)
		if err == nil && s.Status == engine.RunHeld {
			tr.insist(ctx, engine.Control{Verb: engine.VerbResume})
		}
		// What was asked for in a host's last moment is not known to the one that took over; whoever asked sees that.
		for _, n := range s.Nodes {
			if c := tr.wasTakenBack(n); c.Verb != "" {
				tr.insist(ctx, c)
			}
		}
	}
}

// wasTakenBack is what was asked for already, and is not so by the state.
func (tr *trial) wasTakenBack(n engine.NodeRun) (c engine.Control) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for verb, is := range map[engine.Verb]bool{engine.VerbGiveBack: n.TakenBy != "", engine.VerbRelease: n.HeldBackBy != ""} {
		if c = (engine.Control{Verb: verb, Node: n.Name}); is && tr.back[c] {
			return c
		}
	}
	return engine.Control{}
}

// takenBack is what is asked for after a while, so that the run's end is the same.
func takenBack() map[engine.Verb]engine.Verb {
	return map[engine.Verb]engine.Verb{engine.VerbPause: engine.VerbResume, engine.VerbHold: engine.VerbRelease, engine.VerbTake: engine.VerbGiveBack}
}

// insist asks whoever lives, again and again, until it is written down, refused, or the run has ended. It tells whether it
// was written down.
func (tr *trial) insist(ctx context.Context, c engine.Control) bool {
	for {
		tr.mu.Lock()
		d := tr.door
		tr.mu.Unlock()
		err := errNobody
		if d != nil {
			err = ask(ctx, d, filepath.Join(tr.home().RunDir(runID), "socket"), c)
		}
		switch {
		case err == nil:
			tr.tell("%s %s was asked for", c.Verb, c.Node)
			return true
		case errors.Is(err, errEnded):
			return false
		case errors.Is(err, errNotObeyed):
			tr.tell("%s %s: %v", c.Verb, c.Node, err)
			return false
		case !errors.Is(err, errNobody):
			tr.tell("%s %s: %v", c.Verb, c.Node, err)
		}
		if sleep(ctx, 7*time.Second) != nil {
			return false
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
