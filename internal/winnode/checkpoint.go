package winnode

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// checkpointCopies is how many nodes hold a run's checkpoint (R27).
const checkpointCopies = 2

// ErrNewerCheckpoint says that a node holds a later checkpoint of the run than the one that was to be written.
var ErrNewerCheckpoint = errors.New("a later checkpoint of this run exists")

// Checkpoint is the plan and the folded state of a run, without secrets, as it lies on nodes.
type Checkpoint struct {
	Run string
	// Sequence grows with every checkpoint of a run.
	Sequence int64
	// Text is whatever the coordinator wrote, at most agent.MaxCheckpoint bytes; its SHA-256 is checked.
	Text []byte
	// Written is when, by the clock of Node; Node is where it was read.
	Written time.Time
	Node    string
}

// PutCheckpoint writes the checkpoint to two nodes that are neither paused nor down, preferring those that are named,
// and returns which hold it now. The cluster is asked for the nodes' states before; a node that fails is passed over.
// Fewer than two are an error, unless no further node may be used; on then holds those that were written.
func (f *Fleet) PutCheckpoint(ctx context.Context, c Checkpoint, nodes ...string) (on []string, err error) {
	if !idShape.MatchString(c.Run) || c.Sequence < 0 || len(c.Text) == 0 || len(c.Text) > agent.MaxCheckpoint {
		return nil, &fault.Error{Op: what(agent.OpCheckpointPut), Err: fmt.Errorf("run %q, sequence %d, %d bytes: out of bounds", agent.Printable(c.Run, 100), c.Sequence, len(c.Text))}
	}
	if _, err := f.Describe(ctx, ""); err != nil && (rejected(err) || ctx.Err() != nil) {
		return nil, err
	}
	sum := sha256.Sum256(c.Text)
	args := agent.CheckpointPutArgs{Run: c.Run, Sequence: c.Sequence, SHA256: hex.EncodeToString(sum[:]), Text: base64.StdEncoding.EncodeToString(c.Text)}
	var errs []error
	for _, l := range f.keepers(nodes) {
		if len(on) == checkpointCopies {
			return on, nil
		}
		err := putCheckpoint(ctx, l, args)
		switch {
		case err == nil:
			on = append(on, l.name)
		case ctx.Err() != nil, rejected(err), errors.Is(err, ErrFenced), errors.Is(err, ErrNewerCheckpoint):
			return on, err
		default:
			errs = append(errs, err)
		}
	}
	if len(on) == 0 && len(errs) == 0 {
		errs = append(errs, &fault.Error{Op: what(agent.OpCheckpointPut), Err: errors.New("no node is up and not paused")})
	}
	if len(on) == checkpointCopies {
		return on, nil
	}
	return on, errors.Join(errs...)
}

// putCheckpoint writes it to one node and looks at what lies there now.
func putCheckpoint(ctx context.Context, l *link, args agent.CheckpointPutArgs) error {
	var answer agent.Checkpoints
	if _, err := l.call(ctx, agent.OpCheckpointPut, args, &answer); err != nil {
		return err
	}
	for _, there := range answer.Checkpoints {
		switch {
		case there.Run != args.Run:
		case there.Sequence > args.Sequence:
			return &fault.Error{Op: what(agent.OpCheckpointPut), Node: l.name, Err: fmt.Errorf("%w: %d after %d", ErrNewerCheckpoint, there.Sequence, args.Sequence)}
		case there.Sequence == args.Sequence && strings.EqualFold(there.SHA256, args.SHA256):
			return nil
		}
	}
	return &fault.Error{Op: what(agent.OpCheckpointPut), Node: l.name, Err: errors.New("the node does not confirm what was written")}
}

// keepers are the nodes that a checkpoint may lie on, the named ones first. A node whose state nobody told counts.
func (f *Fleet) keepers(preferred []string) []*link {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.DeleteFunc(slices.Clone(f.links), func(l *link) bool {
		state, known := f.states[strings.ToUpper(l.name)]
		return known && state != engine.NodeUp
	})
	rank := func(l *link) int {
		if i := slices.IndexFunc(preferred, func(n string) bool { return strings.EqualFold(n, l.name) }); i >= 0 {
			return i
		}
		return len(preferred)
	}
	slices.SortStableFunc(out, func(a, b *link) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// FindCheckpoints reads the newest checkpoint of every run from all nodes that can be reached, in the order of the
// runs' names. A text whose SHA-256 is wrong is passed over for another node's, an older one if need be. The error
// names what could not be read, nodes that are down among it: a later one may lie there. What was found is valid beside it.
func (f *Fleet) FindCheckpoints(ctx context.Context) ([]Checkpoint, error) {
	type place struct {
		link *link
		agent.Checkpoint
	}
	var mu sync.Mutex
	var all []place
	err := f.eachNode(ctx, f.notDown(), func(ctx context.Context, l *link) error {
		var answer agent.Checkpoints
		if _, err := l.call(ctx, agent.OpCheckpointGet, agent.CheckpointGetArgs{}, &answer); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, c := range answer.Checkpoints[:min(len(answer.Checkpoints), maxFacts)] {
			if idShape.MatchString(c.Run) {
				all = append(all, place{l, c})
			}
		}
		return nil
	})
	errs := []error{err}
	for _, name := range f.down() {
		errs = append(errs, &fault.Error{Op: what(agent.OpCheckpointGet), Node: name, Err: errors.New("the node is down")})
	}
	slices.SortStableFunc(all, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.Run, b.Run), cmp.Compare(b.Sequence, a.Sequence), cmp.Compare(a.link.name, b.link.name))
	})
	var out []Checkpoint
	for _, p := range all {
		if len(out) > 0 && out[len(out)-1].Run == p.Run {
			continue
		}
		c, err := getCheckpoint(ctx, p.link, p.Run)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, c)
	}
	return out, errors.Join(errs...)
}

// getCheckpoint reads one run's from one node and checks it.
func getCheckpoint(ctx context.Context, l *link, run string) (Checkpoint, error) {
	var answer agent.Checkpoints
	if _, err := l.call(ctx, agent.OpCheckpointGet, agent.CheckpointGetArgs{Run: run}, &answer); err != nil {
		return Checkpoint{}, err
	}
	bad := func(why string) (Checkpoint, error) {
		return Checkpoint{}, &fault.Error{Op: what(agent.OpCheckpointGet), Node: l.name, Err: fmt.Errorf("run %s: %s", run, why)}
	}
	for _, c := range answer.Checkpoints {
		if c.Run != run {
			continue
		}
		if len(c.Text) > base64.StdEncoding.EncodedLen(agent.MaxCheckpoint) {
			return bad("the checkpoint is too large")
		}
		text, err := base64.StdEncoding.DecodeString(c.Text)
		if err != nil {
			return bad("the checkpoint is not base64")
		}
		if sum := sha256.Sum256(text); len(text) == 0 || !strings.EqualFold(hex.EncodeToString(sum[:]), c.SHA256) {
			return bad("the checkpoint's SHA-256 does not match")
		}
		at, _ := time.Parse(time.RFC3339Nano, c.UTC) // zero where it cannot be read; Sequence is what counts
		return Checkpoint{Run: run, Sequence: c.Sequence, Text: text, Written: at, Node: l.name}, nil
	}
	return bad("the checkpoint is gone")
}

// DropCheckpoint removes a run's checkpoint from every node that is not down. The error names where it may still lie.
func (f *Fleet) DropCheckpoint(ctx context.Context, run string) error {
	if !idShape.MatchString(run) {
		return &fault.Error{Op: what(agent.OpCheckpointDrop), Err: errBadID}
	}
	return f.eachNode(ctx, f.notDown(), func(ctx context.Context, l *link) error {
		_, err := l.call(ctx, agent.OpCheckpointDrop, agent.CheckpointDropArgs{Run: run}, nil)
		return err
	})
}
