package coordinator

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"cau/internal/fault"
	"cau/internal/journal"
)

// A run whose folder is full could not even write down that it stops. So it keeps a reserve there, which is given up when a
// fact finds no room: with that the node under way is finished and resumed, and the run ends in order.

const (
	reserveFile = "reserve"
	// reserveSize is for the facts that end a run in order: those of one node take a few kilobytes.
	reserveSize = 1 << 20
	// workingRoom is how much must be free beside the reserve before a run is begun or gone on with: its journal, a snapshot
	// of it, its telemetry and log. A run that needs more stops cleanly.
	workingRoom = 16 << 20
)

// ErrNoRoom says that the run's folder has too little room to begin; errors.As gives the *NoRoomError.
var ErrNoRoom = errors.New("too little room for a run")

// NoRoomError says how much is there and how much is needed, in bytes.
type NoRoomError struct {
	Folder     string
	Free, Need int64
}

// Error gives the numbers.
func (e *NoRoomError) Error() string {
	return fmt.Sprintf("%s has %s free; a run needs %s", e.Folder, inMiB(e.Free), inMiB(e.Need))
}

// Is makes errors.Is(err, ErrNoRoom) true.
func (e *NoRoomError) Is(target error) bool { return target == ErrNoRoom }

func inMiB(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// room is what a run's folder still takes.
type room struct {
	folder, path string
	// spent is set once the reserve was given up.
	spent *fault.Cause
}

// checkRoom refuses a folder with too little room for a run; have is what of it the run has already. A file system that does
// not tell is not refused: its end is met as it comes.
func checkRoom(folder string, have int64) error {
	free, err := freeBytes(folder)
	if need := reserveSize + workingRoom - have; err == nil && free < need {
		return noRoom(&NoRoomError{Folder: folder, Free: free, Need: need})
	}
	return nil
}

// checkRoomOf is checkRoom for a run that was begun.
func (h *Home) checkRoomOf(run string) error {
	var have int64
	if info, err := os.Stat(h.in(run, reserveFile)); err == nil {
		have = min(info.Size(), reserveSize)
	}
	return checkRoom(h.RunDir(run), have)
}

func noRoom(e *NoRoomError) error {
	return &fault.Error{Op: "begin", Err: e, Hint: "Make room there, or let $CAU_HOME name a folder with more of it."}
}

// openRoom makes the reserve, or finds it. What it holds is really allocated, also where zeros or repetitions are not stored.
func openRoom(h *Home, run string) (*room, error) {
	r := &room{folder: h.RunDir(run), path: h.in(run, reserveFile)}
	if info, err := os.Stat(r.path); err == nil && info.Size() == reserveSize {
		return r, h.checkRoomOf(run)
	}
	if err := checkRoom(r.folder, 0); err != nil {
		return nil, err
	}
	data := make([]byte, reserveSize)
	_, _ = rand.Read(data) // never fails (crypto/rand)
	if err := replaceSynced(r.path, data, nil); err != nil {
		free, unknown := freeBytes(r.folder)
		if journal.Full(err) && unknown == nil {
			return nil, noRoom(&NoRoomError{Folder: r.folder, Free: free, Need: reserveSize + workingRoom})
		}
		return nil, fmt.Errorf("make the run's reserve: %w", err)
	}
	return r, nil
}

// giveUp gives the reserve to the journal. It tells whether there was one.
func (r *room) giveUp() bool {
	if r.spent != nil {
		return false
	}
	r.spent = &fault.Cause{
		Op: "write the journal", Message: "the disk of " + r.folder + " is full",
		Hint: "Make room there before the next run. This one stopped in order, with room it had kept in reserve; what was not begun is offered again.",
	}
	return os.Remove(r.path) == nil && syncDir(r.folder) == nil
}

// usedUp says of an error of a full disk that the reserve is gone too.
func (r *room) usedUp(err error) error {
	return &fault.Error{
		Op: "write the journal", Err: fmt.Errorf("the disk of %s is full, and so is what was kept in reserve: %w", r.folder, err), Hint: "Make room there.",
	}
}

// drop removes the reserve of a run that has ended.
func (r *room) drop() error { return removeIfThere(r.path) }
