package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"cau/internal/lab/console"
	"cau/internal/lab/model"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// travel is how long a message is on its way in one direction; deadHost is how long a machine that is off is waited for.
const (
	travel   = 40 * time.Millisecond
	deadHost = 10 * time.Second
)

var (
	errRefused = errors.New("connection refused")
	errReset   = errors.New("connection reset by peer")
)

// network is which nodes can be reached, and when they cannot. Power is the model's word, outages are drawn.
type network struct {
	mu  sync.Mutex
	off map[string]bool
	// outages are by node, in the order in which they begin.
	outages map[string][]outage
	// lost is one in how many answers that gets lost on the way, 0 for none; drawn draws which.
	lost  int
	drawn *rand.Rand
}

// outage is a time in which a node's WinRM fails; answersLost lets what is asked be done and loses the answer.
type outage struct {
	from, to    time.Time
	answersLost bool
}

func newNetwork() *network {
	return &network{off: map[string]bool{}, outages: map[string][]outage{}}
}

// power is told by the model, which must not be kept waiting.
func (n *network) power(node string, up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.off[node] = !up
}

func (n *network) up(node string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.off[node]
}

// loses tells whether the answer that is on its way gets lost.
func (n *network) loses() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost > 0 && n.drawn.IntN(n.lost) == 0
}

// out is the outage that a node has now.
func (n *network) out(node string) (o outage, is bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for _, o := range n.outages[node] {
		if !now.Before(o.from) && now.Before(o.to) {
			return o, true
		}
	}
	return outage{}, false
}

// wire is a life's way to the nodes. It implements winnode.Dialer.
type wire struct {
	life    *life
	network *network
	nodes   map[string]*model.Node
}

// Shell implements winnode.Dialer; an address is the node's name in small letters with a port.
func (w *wire) Shell(address, _ string) (winnode.Shell, error) {
	name, _, _ := strings.Cut(strings.ToUpper(address), ":")
	n := w.nodes[name]
	if n == nil {
		return nil, fmt.Errorf("no node at %s", address)
	}
	return &shell{wire: w, node: n}, nil
}

// shell is a WinRS shell on a node.
type shell struct {
	*wire
	node *model.Node
}

// Run implements winnode.Shell: the command travels there, is performed at one moment, and its answer travels back.
func (s *shell) Run(ctx context.Context, command string, stdin []byte) (stdout, stderr []byte, exit int32, err error) {
	name := s.node.Name() + " " + operation(command, stdin)
	if err := s.life.point(name + " before it is sent"); err != nil {
		return nil, nil, 0, err
	}
	if err := sleep(ctx, travel); err != nil {
		return nil, nil, 0, &wsman.ConnError{Op: "Command", Stage: wsman.NotSent, Err: err}
	}
	o, out := s.network.out(s.node.Name())
	if !s.network.up(s.node.Name()) || out && !o.answersLost {
		if err := sleep(ctx, deadHost); err != nil {
			return nil, nil, 0, &wsman.ConnError{Op: "connect", Stage: wsman.NotSent, Err: err}
		}
		return nil, nil, 0, &wsman.ConnError{Op: "connect", Stage: wsman.NotSent, Err: errRefused}
	}
	if s.life.over() {
		return nil, nil, 0, errDead
	}
	var answer, words bytes.Buffer
	code := console.Console{Machine: s.node}.Run(ctx, model.Domain+`\admin`, command, bytes.NewReader(stdin), &answer, &words)
	if err := s.life.point(name + " done, its answer not heard"); err != nil {
		return nil, nil, 0, err
	}
	if err := sleep(ctx, travel); err != nil {
		return nil, nil, 0, &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: err}
	}
	if out || !s.network.up(s.node.Name()) || s.network.loses() {
		return nil, nil, 0, &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: errReset}
	}
	if err := s.life.point(name + " answered"); err != nil {
		return nil, nil, 0, err
	}
	return answer.Bytes(), words.Bytes(), int32(uint32(code)), nil
}

// Close implements winnode.Shell.
func (s *shell) Close(context.Context) error { return nil }

// operation is what a command line asks for, in the agent's words.
func operation(command string, stdin []byte) string {
	p, err := agent.ParseCommand(command)
	if err != nil {
		return "unknown"
	}
	if p.Upload {
		return "upload"
	}
	req, err := p.Request(stdin)
	if err != nil {
		return "unknown"
	}
	return req.Op
}

// clock is the bubble's time.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
