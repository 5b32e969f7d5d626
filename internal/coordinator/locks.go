package coordinator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/journal"
)

// lockPatience is how long a lock is tried for: whoever asks if a lock is held takes it for an instant.
const lockPatience = 500 * time.Millisecond

// holder is what the holder of a cluster's lock writes into it.
type holder struct {
	Run  string `json:"run"`
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

// lock takes the lock of the file at path, until the file is closed; journal.ErrLocked when somebody keeps it.
func lock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	deadline := time.Now().Add(lockPatience)
	for {
		err := journal.TryLock(f)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, journal.ErrLocked) || time.Now().After(deadline) || ctx.Err() != nil {
			return nil, errors.Join(err, f.Close())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// lockRun takes the run's lock; ErrAlive when its coordinator has it.
func (h *Home) lockRun(ctx context.Context, run string) (*os.File, error) {
	f, err := lock(ctx, h.in(run, lockFile))
	if errors.Is(err, journal.ErrLocked) {
		return nil, fmt.Errorf("run %s: %w", run, ErrAlive)
	}
	return f, err
}

// Alive tells whether the run's coordinator lives: its lock is held by a living process.
func (h *Home) Alive(run string) (bool, error) {
	if !validRun(run) {
		return false, fmt.Errorf("run %q: %w", run, ErrNoRun)
	}
	return journal.LockHeld(h.in(run, lockFile))
}

// lockCluster takes the cluster's lock for the plan's run; a *ClusterBusyError when another run has it (R27).
func (h *Home) lockCluster(ctx context.Context, p *engine.Plan) (*os.File, error) {
	path := h.clusterLock(p)
	f, err := lock(ctx, path)
	if errors.Is(err, journal.ErrLocked) {
		return nil, busy(p.Cluster, path)
	}
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // only said to people
	}
	data, err := json.Marshal(holder{Run: p.Run, PID: os.Getpid(), Host: host})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(append(data, '\n'), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the cluster's lock: %w", err), f.Close())
	}
	return f, nil
}

// ClusterBusy returns a *ClusterBusyError when a run on this host works on the plan's cluster, else nil or what
// kept it from being known.
func (h *Home) ClusterBusy(p *engine.Plan) error {
	path := h.clusterLock(p)
	held, err := journal.LockHeld(path)
	if err != nil {
		return err
	}
	if held {
		return busy(p.Cluster, path)
	}
	return nil
}

func busy(cluster, path string) error {
	e := &ClusterBusyError{Cluster: cluster}
	var by holder
	if data, err := readBounded(path, 4096); err == nil && json.Unmarshal(data, &by) == nil {
		e.Run, e.PID, e.Host = by.Run, by.PID, by.Host
	}
	return e
}

// clusterLock is the path of the lock of the plan's cluster. Labs are told apart by their id: two of them may
// simulate clusters of one name.
func (h *Home) clusterLock(p *engine.Plan) string {
	name := strings.ToLower(p.Cluster)
	if p.Lab != "" {
		name += ".lab-" + strings.ToLower(p.Lab)
	}
	return filepath.Join(h.clusters(), fileName(name)+".lock")
}

// fileName makes one file name of any text, different ones for different texts (R33). A plain name stays readable.
func fileName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
	// Three and four letters are short enough to be a device's name on Windows (CON, COM1).
	if plain == name && len(name) > 4 && len(name) <= 64 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return plain[:min(len(plain), 40)] + "-" + hex.EncodeToString(sum[:8])
}
