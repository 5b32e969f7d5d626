package model

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"cau/internal/winnode/agent"
)

// Names of the simulated cluster.
const (
	Domain      = "LAB"
	DNSDomain   = "lab.example"
	ClusterName = "LAB-FC1"
)

// MaxNodes is the largest cluster that Windows allows.
const MaxNodes = 64

// Shares reads file shares over the network as a node's computer account.
type Shares interface {
	// Open connects to the share of root, a UNC path, as node's computer account, and says how the
	// connection is protected. Errors that Windows has numbers for wrap a *Win32Error.
	Open(ctx context.Context, node, root string) (Share, agent.Connection, error)
}

// Share is one connection to a share, below the root that was opened.
type Share interface {
	// Open reads a file; path is relative to the root with backslashes.
	Open(path string) (io.ReadCloser, error)
	Close()
}

// Win32Error is a failure with its Windows number, as the node saw it.
type Win32Error struct {
	Code int64
	Text string
}

func (e *Win32Error) Error() string { return fmt.Sprintf("%s (%d)", e.Text, e.Code) }

// Config says which world to make.
type Config struct {
	// Nodes is the number of nodes, 1 to MaxNodes; 0 means 4.
	Nodes    int
	Scenario Scenario
	Clock    Clock
	Shares   Shares
	// Power is told when a node's network comes (true) and goes. It is called with the world locked: it
	// must not call back into it, and must not wait. All nodes are up at the beginning without a call.
	Power func(node string, up bool)
}

// World is the cluster and its nodes. Its methods may be called by many goroutines.
type World struct {
	clock    Clock
	shares   Shares
	power    func(string, bool)
	scenario Scenario
	// life ends with Close; working counts the jobs that do real work meanwhile.
	life    context.Context //nolint:containedctx // the world's lifetime
	end     context.CancelFunc
	working sync.WaitGroup
	poke    chan struct{}

	mu        sync.Mutex
	began     time.Time
	now       time.Time
	seq       int
	queue     eventQueue
	nodes     []*Node
	cluster   cluster
	incidents []Incident
	catalogue []Update
}

// Incident is something that should not happen in a well-made run, or that a test wants to know of.
type Incident struct {
	UTC  time.Time `json:"utc"`
	Node string    `json:"node"`
	// Kind is one of: outage, overlap, self-restart, quorum-lost, killed.
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// New makes a world. Run must be called for its time to pass by itself; Close ends it.
func New(c Config) (*World, error) {
	if c.Nodes == 0 {
		c.Nodes = 4
	}
	if c.Nodes < 1 || c.Nodes > MaxNodes {
		return nil, fmt.Errorf("a cluster of %d nodes: 1 to %d are possible", c.Nodes, MaxNodes)
	}
	if c.Power == nil {
		c.Power = func(string, bool) {}
	}
	// What happens once is struck off.
	c.Scenario.ForeignRuns = slices.Clone(c.Scenario.ForeignRuns)
	c.Scenario.AdminPauses = slices.Clone(c.Scenario.AdminPauses)
	w := &World{clock: c.Clock, shares: c.Shares, power: c.Power, scenario: c.Scenario, poke: make(chan struct{}, 1)}
	w.life, w.end = context.WithCancel(context.Background())
	w.now = c.Clock.Now()
	w.began = w.now
	for i := range c.Nodes {
		w.nodes = append(w.nodes, newNode(w, fmt.Sprintf("NODE%d", i+1)))
	}
	if w.catalogue = c.Scenario.Updates; w.catalogue == nil {
		var err error
		if w.catalogue, err = readCatalogue(); err != nil {
			return nil, err
		}
	}
	w.form()
	w.beginScenario()
	return w, nil
}

// Run lets time pass until ctx ends.
func (w *World) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		unlock := w.lock()
		wait := time.Hour
		if len(w.queue) > 0 {
			wait = w.clock.Until(w.queue[0].at)
		}
		unlock()
		timer.Reset(max(wait, 0))
		select {
		case <-timer.C:
		case <-w.poke:
		case <-ctx.Done():
			return
		}
	}
}

// Close ends what runs on the nodes and waits for it.
func (w *World) Close() {
	w.end()
	w.working.Wait()
}

// Nodes are all nodes in their order.
func (w *World) Nodes() []*Node { return w.nodes }

// Now is the model time.
func (w *World) Now() time.Time {
	defer w.lock()()
	return w.now
}

func (w *World) incident(node, kind, text string) {
	w.incidents = append(w.incidents, Incident{UTC: w.now.UTC(), Node: node, Kind: kind, Text: text})
}
