package winnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/wsman"
)

// NodeAddress says where a node is.
type NodeAddress struct {
	// Name is the node's cluster name; Address what ParseAddress takes.
	Name, Address string
}

// Config describes a fleet. Nodes, Dialer and Clock are required.
type Config struct {
	// Nodes are all nodes of the cluster, in the order in which they are asked.
	Nodes  []NodeAddress
	Dialer Dialer
	// Clock is the time of the run; whatever waits for the cluster waits on it.
	Clock engine.Clock
	// OperationLimit bounds one operation in real time; 2 minutes by default. No operation waits longer than
	// 30 s on the node, but a node that is installing updates may be very slow.
	OperationLimit time.Duration
	// PollMin and PollMax are the pauses between two looks at a job, in the run's time: PollMin when there is
	// news, growing to PollMax while there is none; 1 s and 10 s by default.
	PollMin, PollMax time.Duration
	// LostContact is how long a node with a running job may be out of reach, in the run's time, before the
	// job's fate counts as not known; 30 minutes by default.
	LostContact time.Duration
	// ReserveBytes is what staging leaves free on a node's system drive beyond twice what it copies (R23);
	// 2 GiB by default.
	ReserveBytes int64
}

// Fleet is one cluster's nodes, reached with one credential. It implements engine.Cluster. Safe for
// concurrent use.
type Fleet struct {
	cfg     Config
	gate    *gate
	links   []*link
	nodes   map[string]*Node // by upper-case name
	closing sync.WaitGroup

	mu     sync.Mutex
	states map[string]engine.NodeState // by upper-case name, as last described
	answer string                      // who answered last
	past   map[*link]wsman.Stats       // of shells that are gone
}

var _ engine.Cluster = (*Fleet)(nil)

// New makes a fleet without touching the network.
func New(cfg Config) (*Fleet, error) {
	if len(cfg.Nodes) == 0 || cfg.Dialer == nil || cfg.Clock == nil {
		return nil, errors.New("a fleet needs nodes, a dialer and a clock")
	}
	orDefault(&cfg.OperationLimit, 2*time.Minute)
	orDefault(&cfg.PollMin, time.Second)
	orDefault(&cfg.PollMax, 10*time.Second)
	orDefault(&cfg.LostContact, 30*time.Minute)
	orDefault(&cfg.ReserveBytes, 2<<30)
	f := &Fleet{
		cfg: cfg, gate: newGate(), nodes: map[string]*Node{},
		states: map[string]engine.NodeState{}, past: map[*link]wsman.Stats{},
	}
	for _, n := range cfg.Nodes {
		if n.Name == "" {
			return nil, errors.New("a node has no name")
		}
		if f.nodes[strings.ToUpper(n.Name)] != nil {
			return nil, fmt.Errorf("node %s is listed twice", n.Name)
		}
		l := f.link(n.Name, n.Address)
		f.links = append(f.links, l)
		f.nodes[strings.ToUpper(n.Name)] = &Node{fleet: f, link: l}
	}
	return f, nil
}

func orDefault[T ~int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (f *Fleet) link(name, address string) *link {
	l := &link{
		name: name, address: address, dialer: f.cfg.Dialer, gate: f.gate, limit: f.cfg.OperationLimit,
		closing: &f.closing, ready: make(chan struct{}, 1),
	}
	l.retired = func(n Negotiator) { f.retire(l, n.Stats()) }
	return l
}

// Node is the node of that name, always the same one. A name that the fleet does not know gives a node whose
// every method fails with ErrUnknownNode.
func (f *Fleet) Node(name string) *Node {
	if n := f.nodes[strings.ToUpper(name)]; n != nil {
		return n
	}
	l := f.link(name, "")
	l.dialer = unknown{}
	return &Node{fleet: f, link: l}
}

// unknown is the way to a node that nobody told the address of.
type unknown struct{}

// Shell fails.
func (unknown) Shell(string) (Shell, error) { return nil, ErrUnknownNode }

// Close drops every connection and waits for whatever is still sent. Jobs on the nodes go on.
func (f *Fleet) Close() {
	for _, l := range f.links {
		l.close()
	}
	f.closing.Wait()
}

func (f *Fleet) retire(l *link, s wsman.Stats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := f.past[l]
	f.past[l] = wsman.Stats{Requests: sum.Requests + s.Requests, Dials: sum.Dials + s.Dials, Handshakes: sum.Handshakes + s.Handshakes}
}

// eachNode calls do for the nodes, at most eight at once, and joins the errors in the nodes' order.
func (f *Fleet) eachNode(ctx context.Context, links []*link, do func(context.Context, *link) error) error {
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	room := make(chan struct{}, 8)
	for i, l := range links {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			errs[i] = do(ctx, l)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
