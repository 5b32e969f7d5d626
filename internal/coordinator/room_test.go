//go:build unix

package coordinator

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/journal"
)

// smallDisk has room for so many records, and for the rest once the reserve is gone.
type smallDisk struct {
	journal.Disk
	reserve string
	mu      sync.Mutex
	records int
	// full: not even the reserve makes room.
	full bool
}

func (d *smallDisk) WriteAt(p []byte, at int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := os.Stat(d.reserve); d.records == 0 && (err == nil || d.full) {
		n, err := d.Disk.WriteAt(p[:len(p)/2], at)
		return n, errors.Join(err, &os.PathError{Op: "write", Path: "journal", Err: syscall.ENOSPC})
	}
	d.records = max(d.records-1, 0)
	return d.Disk.WriteAt(p, at)
}

// onSmallDisk lets a run end on a disk that is full after so many records.
func onSmallDisk(t *testing.T, records int, full bool) (*Home, *world, *engine.Plan, engine.State, error) {
	t.Helper()
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000001", "TESTCLUSTER")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	w.release(t)
	in := w.serve(h, plan.Run, nil)
	in.Seams.Disk = func(d journal.Disk) journal.Disk {
		return &smallDisk{Disk: d, reserve: h.in(plan.Run, reserveFile), records: records, full: full}
	}
	s, err := Serve(t.Context(), in)
	return h, w, plan, s, err
}

func TestR25_AFullDiskStopsTheRunInOrderWhereverItFillsUp(t *testing.T) {
	_, _, _, whole, err := onSmallDisk(t, 1<<20, false)
	if err != nil || whole.Status != engine.RunSucceeded {
		t.Fatalf("with room: %s, %v", whole.Status, err)
	}
	for records := range whole.Facts {
		t.Run(fmt.Sprint("after ", records), func(t *testing.T) {
			h, w, plan, s, err := onSmallDisk(t, records, false)
			if err != nil || !s.Status.Ended() {
				t.Fatalf("%s, %v", s.Status, err)
			}
			again, _, err := h.fold(plan)
			if err != nil || asJSON(t, again) != asJSON(t, s) {
				t.Fatalf("%v: the journal says\n%s\nthe run said\n%s", err, asJSON(t, again), asJSON(t, s))
			}
			for i := range s.Nodes {
				n := &s.Nodes[i]
				if n.PausedByUs || w.paused(n.Name) || n.Status == engine.NodeWaiting || n.Status == engine.NodeUpdating {
					t.Errorf("%s is left %s, paused: %v", n.Name, n.Status, w.paused(n.Name))
				}
				if begun := len(n.Updates) > 0 && !n.Updates[0].Started.IsZero(); begun && n.Status != engine.NodeSucceeded {
					t.Errorf("%s was begun and ended %s", n.Name, n.Status)
				}
			}
			if records < whole.Facts-1 && s.DiskFull == nil {
				t.Fatal("nothing is said of the disk")
			}
			if s.Status == engine.RunSucceeded {
				return // it filled up when all was done
			}
			folder := h.RunDir(plan.Run)
			if s.Status != engine.RunCanceled || s.Cause == nil || !strings.Contains(s.Cause.Message, "the disk of "+folder+" is full") || s.Cause.Hint == "" {
				t.Errorf("%s, cause %+v", s.Status, s.Cause)
			}
		})
	}
}

func TestR25_WhereTheReserveDoesNotSufficeTheRunSaysSoAndWaitsToBeResumed(t *testing.T) {
	h, w, plan, s, err := onSmallDisk(t, 6, true)
	if !errors.Is(err, journal.ErrFull) || !strings.Contains(err.Error(), "what was kept in reserve") {
		t.Fatalf("%v", err)
	}
	if s.Status.Ended() || s.Facts != 6 {
		t.Fatalf("%s after %d facts", s.Status, s.Facts)
	}
	// With room again it goes on to the end of an undisturbed run.
	if _, err := Serve(t.Context(), w.serve(h, plan.Run, nil)); err != nil {
		t.Fatal(err)
	}
	wantSucceeded(t, h, w, plan.Run)
}

func TestTheReserveIsReallyAllocatedAndGoneWithTheRun(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000001", "TESTCLUSTER")
	stop := inProcess(t, h, w, plan)
	info, err := os.Stat(h.in(plan.Run, reserveFile))
	if err != nil || info.Size() != reserveSize {
		t.Fatalf("%v, %v", info, err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Blocks*512 < reserveSize {
		t.Errorf("only %d bytes of it are allocated", st.Blocks*512)
	}
	w.release(t)
	until(t, "the run ends", func() bool { return state(t, h, plan.Run).Status.Ended() })
	if _, err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(h.in(plan.Run, reserveFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the reserve of a run that has ended: %v", err)
	}
}

func TestTooLittleRoomIsSaidInNumbersAndWithAdvice(t *testing.T) {
	err := noRoom(&NoRoomError{Folder: "/x", Free: 3 << 20, Need: 17 << 20})
	if !errors.Is(err, ErrNoRoom) || !strings.Contains(err.Error(), "/x has 3.0 MiB free; a run needs 17.0 MiB") || fault.Hint(err) == "" {
		t.Errorf("%v, hint %q", err, fault.Hint(err))
	}
}
