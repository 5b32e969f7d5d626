package winnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cau/engine"
)

// NodeAddress says where a node is.
type NodeAddress struct {
	// Name is the node's cluster name; Address what ParseAddress takes.
	Name, Address string
	// Host is the node's DNS name, where Address holds something else (an IP address, a port that is forwarded): the
	// certificate, the Host header and Kerberos' service principal name go by it. Empty means Address's own.
	Host string
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
	// AdminShare connects to ADMIN$ of the node that is reached as host; nil means that nothing can be pushed (R24).
	AdminShare func(ctx context.Context, host string) (AdminShare, error)
}

// Fleet is one cluster's nodes, reached with one credential. It implements engine.Cluster. Safe for
// concurrent use.
type Fleet struct {
	cfg   Config
	way   *way
	links []*link
	nodes map[string]*Node // by upper-case name
	fence atomic.Int64     // the lease's epoch that changing requests carry
	// fenced is closed once a node refused a change because another coordinator holds a later lease.
	fenced    chan struct{}
	onceFence sync.Once
	closing   sync.WaitGroup
	// ending is done when the fleet is closed: what runs in a shell of its own ends then.
	ending context.Context //nolint:containedctx // the fleet's life, not a call's
	end    context.CancelFunc

	mu     sync.Mutex
	states map[string]engine.NodeState // by upper-case name, as last described
	answer string                      // who answered last
	cauID  string                      // of our own lock object of Microsoft's CAU
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
		cfg: cfg, way: newWay(cfg.Dialer), nodes: map[string]*Node{},
		states: map[string]engine.NodeState{}, fenced: make(chan struct{}),
	}
	f.ending, f.end = context.WithCancel(context.Background())
	for _, n := range cfg.Nodes {
		if n.Name == "" {
			return nil, errors.New("a node has no name")
		}
		if f.nodes[strings.ToUpper(n.Name)] != nil {
			return nil, fmt.Errorf("node %s is listed twice", n.Name)
		}
		if !plainHost(n.Host) {
			return nil, fmt.Errorf("node %s: %q is no host name", n.Name, n.Host)
		}
		l := f.link(n)
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

func (f *Fleet) link(n NodeAddress) *link {
	return &link{
		name: n.Name, address: n.Address, host: n.Host, way: f.way, clock: f.cfg.Clock, limit: f.cfg.OperationLimit,
		fence: &f.fence, refused: f.sawFence, closing: &f.closing, ready: make(chan struct{}, 1),
	}
}

// Node is the node of that name, always the same one. A name that the fleet does not know gives a node whose
// every method fails with ErrUnknownNode.
func (f *Fleet) Node(name string) *Node {
	if n := f.nodes[strings.ToUpper(name)]; n != nil {
		return n
	}
	l := f.link(NodeAddress{Name: name})
	l.way = newWay(unknown{})
	return &Node{fleet: f, link: l}
}

// unknown is the way to a node that nobody told the address of.
type unknown struct{}

// Shell fails.
func (unknown) Shell(string, string) (Shell, error) { return nil, ErrUnknownNode }

// Fence makes every request that changes something carry the lease's epoch from now on: a node that knows of a later
// one refuses it with ErrFenced (R27). 0 takes that back.
func (f *Fleet) Fence(epoch int64) { f.fence.Store(epoch) }

// Fenced is closed once a node refused anything because another coordinator holds a later lease: it is before the call
// that was refused returns.
func (f *Fleet) Fenced() <-chan struct{} { return f.fenced }

func (f *Fleet) sawFence() { f.onceFence.Do(func() { close(f.fenced) }) }

// Close drops every connection and waits for whatever is still sent. Jobs on the nodes go on, but for those that run
// in our own logon (plugins.Job.AsCaller).
func (f *Fleet) Close() {
	f.end()
	for _, l := range f.links {
		l.close()
	}
	f.closing.Wait()
}

// atOnce is how many nodes are asked at the same time. Each is one connection and one process there; here it bounds
// sockets and memory.
const atOnce = 32

// eachNode calls do for the nodes, at most atOnce at the same time, and joins the errors in the nodes' order.
func (f *Fleet) eachNode(ctx context.Context, links []*link, do func(context.Context, *link) error) error {
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	room := make(chan struct{}, atOnce)
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
