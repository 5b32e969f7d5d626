package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cau/internal/winnode/agent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// manual is a clock that a test moves.
type manual struct {
	mu  sync.Mutex
	now time.Time
}

func (c *manual) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manual) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }

func (c *manual) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a world in a test's hands.
type bench struct {
	*World
	t     *testing.T
	clock *manual
	power map[string]bool
}

func newBench(t *testing.T, c Config) *bench {
	t.Helper()
	b := &bench{t: t, clock: &manual{now: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}, power: map[string]bool{}}
	c.Clock = b.clock
	c.Power = func(node string, up bool) { b.power[node] = up }
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	b.World = w
	t.Cleanup(w.Close)
	return b
}

func (b *bench) node(name string) *Node {
	b.t.Helper()
	n, err := b.member(name)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// ask performs an operation on a node and decodes its data into a D.
func ask[D any](b *bench, on, op string, args any) D {
	b.t.Helper()
	r := try(b, on, op, args)
	if !r.OK {
		b.t.Fatalf("%s on %s: %+v", op, on, r.Err)
	}
	var d D
	if err := json.Unmarshal(r.Data, &d); err != nil {
		b.t.Fatalf("%s on %s: %v", op, on, err)
	}
	return d
}

func try(b *bench, on, op string, args any) agent.Response {
	b.t.Helper()
	if args == nil {
		args = struct{}{}
	}
	text, err := json.Marshal(args)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.node(on).Operate(agent.Request{V: agent.Version, Op: op, Args: text})
}

// refused performs an operation that must fail, and gives its number.
func refused(b *bench, on, op string, args any) int64 {
	b.t.Helper()
	r := try(b, on, op, args)
	if r.OK || r.Err == nil {
		b.t.Fatalf("%s on %s was not refused: %s", op, on, r.Data)
	}
	return r.Err.Code
}

func (b *bench) cluster() agent.Cluster {
	return ask[agent.Cluster](b, "NODE2", agent.OpClusterGet, nil)
}

func (b *bench) memberView(name string) agent.Member {
	b.t.Helper()
	for _, m := range b.cluster().Nodes {
		if m.Name == name {
			return m
		}
	}
	b.t.Fatalf("%s is no member", name)
	return agent.Member{}
}

func (b *bench) owned(name string) (groups []string) {
	c := b.cluster()
	for _, g := range append(c.Groups, c.SharedVolumes...) {
		if g.Owner == name {
			groups = append(groups, g.Name)
		}
	}
	return groups
}

func (b *bench) drain(name string) {
	b.t.Helper()
	ask[done](b, "NODE2", agent.OpNodePause, agent.PauseArgs{Node: name, DrainType: 1})
	b.clock.advance(2 * time.Minute)
	if m := b.memberView(name); m.DrainStatus != drainCompleted {
		b.t.Fatalf("drain of %s: %+v", name, m)
	}
}

func (b *bench) restart(name string) {
	b.t.Helper()
	n := b.node(name)
	defer n.world.lock()()
	n.restartIn(n.world.atLeast(5*time.Second, answerTime))
}

// shelf is a file share in memory; it implements Shares.
type shelf struct {
	files      map[string]string
	connection agent.Connection
	err        error
	// entries are how many the root has.
	entries int
	// hold lets nobody in until it is closed.
	hold chan struct{}

	mu     sync.Mutex
	asked  []string
	opened int
}

func (s *shelf) Open(ctx context.Context, node, root string) (Share, agent.Connection, error) {
	s.mu.Lock()
	s.asked = append(s.asked, node+" "+root)
	s.mu.Unlock()
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return nil, agent.Connection{}, ctx.Err()
		}
	}
	if s.err != nil {
		return nil, agent.Connection{}, s.err
	}
	return opened{s}, s.connection, nil
}

type opened struct{ shelf *shelf }

func (o opened) Open(path string) (io.ReadCloser, error) {
	o.shelf.mu.Lock()
	defer o.shelf.mu.Unlock()
	o.shelf.opened++
	text, ok := o.shelf.files[path]
	if !ok {
		return nil, &Win32Error{Code: 2, Text: "The system cannot find the file specified."}
	}
	return io.NopCloser(bytes.NewReader([]byte(text))), nil
}

func (o opened) Close() {}

func (o opened) Entries(limit int) (int, error) { return min(o.shelf.entries, limit), nil }

func planned(update, path, target, content string) agent.StageFile {
	sum := sha256.Sum256([]byte(content))
	return agent.StageFile{Update: update, Path: path, Target: target, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

func input(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (b *bench) startJob(on, id, kind string, in any) agent.JobStart {
	b.t.Helper()
	return ask[agent.JobStart](b, on, agent.OpJobStart, agent.JobStartArgs{ID: id, Run: "run1", Kind: kind, Input: input(b.t, in)})
}

func (b *bench) poll(on, id string, offset int64) agent.JobPoll {
	b.t.Helper()
	return ask[agent.JobPoll](b, on, agent.OpJobPoll, agent.JobPollArgs{ID: id, Run: "run1", Offset: offset})
}

// result waits for a job's real work and gives its result.
func (b *bench) result(on, id string) agent.JobResult {
	b.t.Helper()
	b.clock.advance(5 * time.Second)
	_ = b.Now()
	b.working.Wait()
	p := b.poll(on, id, 0)
	if p.Result == "" {
		b.t.Fatalf("job %s on %s has no result: %+v", id, on, p)
	}
	var r agent.JobResult
	if err := json.Unmarshal([]byte(p.Result), &r); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// stageFile puts one file on a node's disk by a stage job.
func (b *bench) stageFile(s *shelf, on, update, target, content string) agent.StageFile {
	b.t.Helper()
	if s.files == nil {
		s.files = map[string]string{}
	}
	s.files[target] = content
	f := planned(update, target, target, content)
	b.startJob(on, fmt.Sprintf("stage-%s-%d", update, len(s.files)), agent.JobStage, agent.StageInput{Run: "run1", Root: `\\FS1\Hotfixes\Root`, Files: []agent.StageFile{f}})
	if r := b.result(on, fmt.Sprintf("stage-%s-%d", update, len(s.files))); !r.OK {
		b.t.Fatalf("staging %s: %+v", target, r.Err)
	}
	return f
}
