package winnode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// link is the way to one node: a shell that is made when it is first needed, and made anew after reset.
type link struct {
	name, address, host string
	clock               engine.Clock  // of the run: what is repeated waits on it
	way                 *way          // how new shells sign in
	limit               time.Duration // of one operation, in real time; 0 for none
	fence               *atomic.Int64
	refused             func() // is told that the fence kept an operation out
	closing             *sync.WaitGroup

	mu      sync.Mutex
	ready   chan struct{} // holds one token while the bundle is brought to the node
	epoch   *epoch
	closed  bool
	leaving []Negotiator // shells that are being closed
	past    wsman.Stats  // of shells that are gone
	sides   []*link      // further ways to the same node, each with a connection of its own
}

// epoch is the life of one shell.
type epoch struct {
	shell Shell
	// as is the sign-in that the shell was made with: its verdict is about that one alone.
	as *signIn
	// installed: in this epoch the node has said who it is and that the bundle is there.
	installed bool
}

// call performs one operation and decodes its data into out. The error is a *fault.Error.
func (l *link) call(ctx context.Context, op string, args, out any) (agent.Response, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return agent.Response{}, &fault.Error{Op: what(op), Node: l.name, Err: err}
	}
	req := agent.Request{V: agent.Version, Op: op, Args: raw}
	if agent.Fenced(op) {
		req.Epoch = l.fence.Load()
	}
	invocation, err := agent.RunCommand(req)
	if err != nil {
		return agent.Response{}, &fault.Error{Op: what(op), Node: l.name, Err: err}
	}
	if l.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, l.limit, fmt.Errorf("no answer within %s", l.limit))
		defer cancel()
	}
	for try := 0; ; try++ {
		e, err := l.prepared(ctx, op)
		if err != nil {
			return agent.Response{}, err
		}
		var r agent.Response
		var exit int32
		once := func() error {
			r, exit, err = l.run(ctx, e, op, invocation)
			return err
		}
		if reads(op) {
			err = l.repeated(ctx, once)
		} else {
			err = once()
		}
		if (exit == agent.ExitNoBundle || exit == agent.ExitBadBundle) && try == 0 {
			l.forget(e) // somebody cleaned the node: once more, with a fresh upload
			continue
		}
		if err != nil {
			return agent.Response{}, err
		}
		if out != nil {
			if err := json.Unmarshal(r.Data, out); err != nil {
				return r, &fault.Error{Op: what(op), Node: l.name, Err: &transportError{fmt.Errorf("the answer's data: %w", err)}}
			}
		}
		return r, nil
	}
}

// prepared gives the epoch to work in: connected, on the right computer, with the bundle in place.
func (l *link) prepared(ctx context.Context, op string) (*epoch, error) {
	select {
	case l.ready <- struct{}{}:
		defer func() { <-l.ready }()
	case <-ctx.Done():
		return nil, unreached(what(op), l.name, context.Cause(ctx))
	}
	e, err := l.current()
	if err != nil {
		return nil, &fault.Error{Op: what(op), Node: l.name, Err: err}
	}
	l.mu.Lock()
	installed := e.installed
	l.mu.Unlock()
	if installed {
		return e, nil
	}
	var r agent.Response
	err = l.repeated(ctx, func() error {
		r, _, err = l.run(ctx, e, op, agent.Upload())
		return err
	})
	if err != nil {
		return nil, err
	}
	if !sameComputer(l.name, r.Host) {
		return nil, &fault.Error{
			Op: what(op), Node: l.name, Err: fmt.Errorf("%w: %s answers at %s", ErrWrongNode, agent.Printable(r.Host, 64), l.address),
			Hint: "Correct the address of this node (--node NAME=ADDRESS), or its name in DNS.",
		}
	}
	l.mu.Lock()
	e.installed = true
	l.mu.Unlock()
	return e, nil
}

// current is the epoch there is, or a new one.
func (l *link) current() (*epoch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed
	}
	if l.epoch == nil {
		as := l.way.Load()
		s, err := as.dialer.Shell(l.address, l.host)
		if err != nil {
			return nil, err
		}
		l.epoch = &epoch{shell: s, as: as}
	}
	return l.epoch, nil
}

// run runs one invocation, once. exit is the command's, for errors too.
func (l *link) run(ctx context.Context, e *epoch, op string, inv agent.Invocation) (agent.Response, int32, error) {
	settle, err := e.as.gate.admit(ctx)
	if err != nil {
		return agent.Response{}, 0, unreached(what(op), l.name, err)
	}
	stdout, stderr, exit, err := e.shell.Run(ctx, inv.Command, inv.Stdin)
	settle(err)
	if err != nil {
		return agent.Response{}, 0, unreached(what(op), l.name, err)
	}
	r, err := agent.ParseFrame(stdout)
	if err != nil {
		return agent.Response{}, exit, unanswered(what(op), l.name, exit, stderr, err)
	}
	if !r.OK {
		err := refusal(what(op), l.name, r.Err)
		if errors.Is(err, ErrFenced) && l.refused != nil {
			l.refused()
		}
		return r, exit, err
	}
	return r, exit, nil
}

// forget makes the next call of this epoch upload the bundle again.
func (l *link) forget(e *epoch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.installed = false
}

// forgetBundle is forget for whatever epoch there is.
func (l *link) forgetBundle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch != nil {
		l.epoch.installed = false
	}
}

// reset drops the shell; the next call makes a new one. The old one is closed behind the caller's back, and
// the fleet's Close waits for that. Its last requests are those of closing it.
func (l *link) reset() {
	l.mu.Lock()
	old := l.epoch
	l.epoch = nil
	if old == nil {
		l.mu.Unlock()
		return
	}
	counts, ok := old.shell.(Negotiator)
	if ok {
		l.leaving = append(l.leaving, counts)
	}
	l.mu.Unlock()
	l.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = old.shell.Close(ctx) // a shell left behind ends by the node's idle time-out
		if ok {
			l.retire(counts)
		}
	})
}

func (l *link) retire(gone Negotiator) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past = sum(l.past, gone.Stats())
	l.leaving = slices.DeleteFunc(l.leaving, func(n Negotiator) bool { return n == gone })
}

// stats counts what crossed the wire to this node so far, through all its shells.
func (l *link) stats() wsman.Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.past
	for _, n := range l.leaving {
		s = sum(s, n.Stats())
	}
	if l.epoch != nil {
		if n, ok := l.epoch.shell.(Negotiator); ok {
			s = sum(s, n.Stats())
		}
	}
	for _, side := range l.sides {
		s = sum(s, side.stats())
	}
	return s
}

// side is another way to the same node: what runs there for long leaves this one free.
func (l *link) side() *link {
	side := l.twin()
	side.limit = 0
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sides = append(l.sides, side)
	return side
}

// negotiator is the shell there is, if it can say how it is connected.
func (l *link) negotiator() Negotiator {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch == nil {
		return nil
	}
	n, _ := l.epoch.shell.(Negotiator)
	return n
}

func sum(a, b wsman.Stats) wsman.Stats {
	return wsman.Stats{Requests: a.Requests + b.Requests, Dials: a.Dials + b.Dials, Handshakes: a.Handshakes + b.Handshakes}
}

// close drops the shell for good.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.reset()
}

var errClosed = errors.New("the connection was closed by us")

// closeTimeout bounds what is sent when a shell is dropped.
const closeTimeout = 10 * time.Second

// computer is the name that other protocols reach the node by: its DNS name, or what its address says.
func (l *link) computer() string {
	if l.host != "" {
		return l.host
	}
	if a, err := ParseAddress(l.address); err == nil {
		return a.Host
	}
	return l.name
}

// sameComputer tells whether host, a computer's own name, is the node called name. NetBIOS names end after
// 15 characters, and a cluster may know a node by its full DNS name. Any host will do for an unnamed link.
func sameComputer(name, host string) bool {
	return name == "" || strings.EqualFold(netbios(name), netbios(host))
}

func netbios(name string) string {
	name, _, _ = strings.Cut(name, ".")
	return name[:min(len(name), 15)]
}
