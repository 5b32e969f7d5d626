package chaos_test

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"cau/internal/coordinator"
	"cau/internal/winnode"
)

// shelf keeps a run's checkpoints on the world's nodes.
type shelf struct{ fleet *winnode.Fleet }

// PutCheckpoint implements coordinator.CheckpointStore.
func (s shelf) PutCheckpoint(ctx context.Context, run string, sequence int64, text []byte, prefer []string) ([]string, error) {
	return s.fleet.PutCheckpoint(ctx, winnode.Checkpoint{Run: run, Sequence: sequence, Text: text}, prefer...)
}

// DropCheckpoint implements coordinator.CheckpointStore.
func (s shelf) DropCheckpoint(ctx context.Context, run string) error {
	return s.fleet.DropCheckpoint(ctx, run)
}

// newHost is the home of a host that knows no run.
func (tr *trial) newHost() *coordinator.Home {
	tr.t.Helper()
	tr.hosts++
	h, err := coordinator.OpenHome(filepath.Join(tr.dir, fmt.Sprint("h", tr.hosts)))
	if err != nil {
		tr.t.Fatal(err)
	}
	return h
}

// move makes h the home of the host that has the run from now on.
func (tr *trial) move(h *coordinator.Home) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.here = h
}

// home is that of the host that has the run.
func (tr *trial) home() *coordinator.Home {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.here
}

// takeOver moves the run to another host, with nothing but what lies on the nodes. Where nothing does, or not every node can
// be read for an hour, the host that died comes back instead.
func (tr *trial) takeOver() {
	tr.t.Helper()
	fleet := tr.fleet(&life{})
	defer fleet.Close()
	ctx := context.Background()
	for range 60 {
		if _, err := fleet.Describe(ctx, ""); err != nil {
			time.Sleep(time.Minute)
			continue
		}
		under, err := fleet.ReadLease(ctx)
		found, unread := fleet.FindCheckpoints(ctx)
		if err != nil || unread != nil {
			time.Sleep(time.Minute)
			continue
		}
		if under.Epoch == 0 || len(found) == 0 {
			return // not begun, or ended
		}
		c, err := coordinator.ReadCheckpoint(runID, found[0].Text)
		if err != nil {
			tr.fatalf("%v", err)
		}
		other := tr.newHost()
		if err := other.Restore(c, under, time.Now()); err != nil {
			tr.fatalf("%v", err)
		}
		tr.move(other)
		tr.tell("another host has taken the run over, epoch %d, state of fact %d", under.Epoch, c.State.Facts)
		return
	}
}
