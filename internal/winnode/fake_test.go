package winnode_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// operation is a fake node's answer to one request.
type operation func(args json.RawMessage) (any, *agent.OpError)

// machine is a fake Windows computer: it takes only our own commands, and only after the upload.
type machine struct {
	t *testing.T

	mu       sync.Mutex
	name     string
	uploaded bool
	ops      map[string]operation
	fail     []error // what the next runs fail with, before they are looked at
	lose     []error // what the next runs fail with, after they were done
	seen     []string
	epochs   map[string]int64 // of the lease, as the last request of each operation carried it
	hosts    []string         // the names that shells were made for
	shells   int
	closed   int
	busy     int
	hold     chan struct{} // when set, runs wait here
	exit     int32
	stderr   string
	mangle   func([]byte) []byte
}

func (m *machine) Run(ctx context.Context, command string, stdin []byte) ([]byte, []byte, int32, error) {
	m.mu.Lock()
	m.busy++
	hold := m.hold
	m.mu.Unlock()
	defer func() { m.mu.Lock(); m.busy--; m.mu.Unlock() }()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, nil, 0, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.fail) > 0 {
		err := m.fail[0]
		m.fail = m.fail[1:]
		if err != nil {
			m.seen = append(m.seen, "failed")
			return nil, nil, 0, err
		}
	}
	p, err := agent.ParseCommand(command)
	if err != nil {
		m.t.Errorf("%s was sent a command that is not ours: %v", m.name, err)
		return nil, nil, 1, nil
	}
	if p.FromStdin != (stdin != nil) {
		m.t.Errorf("%s: standard input %v, announced %v", m.name, stdin != nil, p.FromStdin)
	}
	if p.Upload {
		m.seen = append(m.seen, "upload")
		if err := p.CheckUpload(stdin); err != nil {
			m.t.Error(err)
		}
		m.uploaded = true
		return m.answer(agent.Installed{Path: "x"}, nil), nil, 0, nil
	}
	if !m.uploaded {
		m.seen = append(m.seen, "no bundle")
		return nil, nil, agent.ExitNoBundle, nil
	}
	if m.exit != 0 {
		return nil, []byte(m.stderr), m.exit, nil
	}
	req, err := p.Request(stdin)
	if err != nil {
		m.t.Error(err)
	}
	m.seen = append(m.seen, req.Op)
	if m.epochs == nil {
		m.epochs = map[string]int64{}
	}
	m.epochs[req.Op] = req.Epoch
	op := m.ops[req.Op]
	if op == nil {
		return m.answer(nil, &agent.OpError{Kind: "missing", Message: "there is no such operation"}), nil, 0, nil
	}
	out := m.answer(op(req.Args))
	if m.mangle != nil {
		out = m.mangle(out)
	}
	if len(m.lose) > 0 {
		err := m.lose[0]
		m.lose = m.lose[1:]
		if err != nil {
			return nil, nil, 0, err
		}
	}
	return out, nil, 0, nil
}

func (m *machine) answer(data any, e *agent.OpError) []byte {
	r := agent.Response{V: 1, OK: e == nil, Err: e, Host: m.name, UTC: "2026-11-20T10:00:00.0000000Z"}
	if e == nil {
		r.Data, _ = json.Marshal(data)
	}
	return append([]byte("noise\r\n"), agent.EncodeFrame(r)...)
}

func (m *machine) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed++
	return nil
}

func (m *machine) calls() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.seen)
}

func (m *machine) atWork() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.busy
}

func (m *machine) count(what string) int {
	n := 0
	for _, s := range m.calls() {
		if s == what {
			n++
		}
	}
	return n
}

// site is a set of machines by address.
type site struct {
	t        *testing.T
	machines map[string]*machine
	clock    *clock
	counting bool // shells count their requests
}

// counted is a shell that can say what crossed the wire: one request for a run, two for being closed.
type counted struct {
	*machine
	stats struct {
		sync.Mutex
		wsman.Stats
	}
}

func (c *counted) add(requests int64) {
	c.stats.Lock()
	defer c.stats.Unlock()
	c.stats.Requests += requests
}

func (c *counted) Run(ctx context.Context, command string, stdin []byte) ([]byte, []byte, int32, error) {
	c.add(1)
	return c.machine.Run(ctx, command, stdin)
}

func (c *counted) Close(ctx context.Context) error {
	c.add(2)
	return c.machine.Close(ctx)
}

func (c *counted) Negotiated() (wsman.Negotiated, bool) { return wsman.Negotiated{Sealed: true}, true }

func (c *counted) Stats() wsman.Stats {
	c.stats.Lock()
	defer c.stats.Unlock()
	return c.stats.Stats
}

func (s *site) Shell(address, host string) (winnode.Shell, error) {
	m := s.machines[address]
	if m == nil {
		return nil, errors.New("no such address")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shells++
	m.hosts = append(m.hosts, host)
	if s.counting {
		return &counted{machine: m}, nil
	}
	return m, nil
}

// clock is a run's time that nobody has to wait for.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return nil
}

// newSite makes a fleet of named machines at addresses "at-NAME".
func newSite(t *testing.T, names ...string) (*site, *winnode.Fleet) {
	t.Helper()
	s := &site{t: t, machines: map[string]*machine{}, clock: &clock{now: time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)}}
	cfg := winnode.Config{Dialer: s, Clock: s.clock}
	for _, n := range names {
		s.machines["at-"+n] = &machine{t: t, name: n, ops: map[string]operation{}}
		cfg.Nodes = append(cfg.Nodes, winnode.NodeAddress{Name: n, Address: "at-" + n})
	}
	if len(names) == 0 {
		return s, nil
	}
	f, err := winnode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return s, f
}

func (s *site) at(name string) *machine { return s.machines["at-"+name] }

// on gives every machine the operation.
func (s *site) on(op string, do operation) {
	for _, m := range s.machines {
		m.ops[op] = do
	}
}

func give(data any) operation {
	return func(json.RawMessage) (any, *agent.OpError) { return data, nil }
}

func refuse(kind string, code int64) operation {
	return func(json.RawMessage) (any, *agent.OpError) {
		return nil, &agent.OpError{Kind: kind, Code: code, Message: "Windows says no\x1b[31m"}
	}
}

var (
	errAway     = &wsman.ConnError{Op: "connect", Stage: wsman.NotSent, Err: errors.New("connection refused")}
	errRejected = &wsman.AuthError{Reason: wsman.Rejected}
)

func threeUp() agent.Cluster {
	return agent.Cluster{
		Name: "FC1", Nodes: []agent.Member{{Name: "N1"}, {Name: "N2"}, {Name: "N3"}},
		Groups: []agent.Group{}, SharedVolumes: []agent.Group{},
	}
}

var _ engine.Clock = (*clock)(nil)
