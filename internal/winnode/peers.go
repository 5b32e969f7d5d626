package winnode

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// candidates are the nodes that may be asked about the node called about, the best first: who answered last,
// then those known to be up, then the others. The node itself is asked only when it is alone.
func (f *Fleet) candidates(about string) []*link {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]*link, 0, len(f.links))
	for _, l := range f.links {
		if !strings.EqualFold(l.name, about) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return slices.Clone(f.links)
	}
	rank := func(l *link) int {
		state, known := f.states[strings.ToUpper(l.name)]
		switch {
		case known && state != engine.NodeUp:
			return 2 // paused ones answer as well, but others first
		case l.name == f.answer:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b *link) int { return rank(a) - rank(b) })
	return out
}

// ask performs a cluster operation on the first candidate that can, and says who that was. A node that does
// not answer, or that is no working member of the cluster itself, is passed over; any other refusal is the
// cluster's own and final.
func (f *Fleet) ask(ctx context.Context, about, op string, args, out any) (string, error) {
	who, _, err := f.askUntil(ctx, about, op, args, out, nil)
	return who, err
}

// askUntil is ask for an answer that good, unless nil, is content with; an answer that it refuses passes the node over.
// maybe tells that a node may have acted before, whose answer is lost.
func (f *Fleet) askUntil(ctx context.Context, about, op string, args, out any, good func(who string, r agent.Response) error) (who string, maybe bool, err error) {
	var first error
	for _, l := range f.candidates(about) {
		r, err := l.call(ctx, op, args, out)
		var unfit error
		if err == nil {
			if good != nil {
				unfit = good(l.name, r)
			}
			if unfit == nil {
				f.mu.Lock()
				f.answer = l.name
				f.mu.Unlock()
				return l.name, maybe, nil
			}
			err = unfit
		}
		if first == nil {
			first = err
		}
		maybe = maybe || isTransport(err)
		another := unfit != nil || isTransport(err) || errors.Is(err, ErrWrongNode) || outside(err)
		if ctx.Err() != nil || rejected(err) || !another {
			return "", maybe, err
		}
	}
	return "", maybe, first
}

// working tells whether the node that gave the view is a working member by that very view. One that is still
// joining, or is cut off from the others, may tell of a cluster that is no more.
func working(v *engine.ClusterView, who string) error {
	const isolated = 1 // StatusInformation (clusapi.h)
	for _, m := range v.Nodes {
		if !sameComputer(m.Name, who) {
			continue
		}
		if (m.State == engine.NodeUp || m.State == engine.NodePaused) && m.StatusInformation&isolated == 0 {
			return nil
		}
		state := m.State.String()
		if m.StatusInformation&isolated != 0 {
			state = "isolated"
		}
		return fmt.Errorf("%s sees itself as %s, so its view of the cluster is not used", who, state)
	}
	return fmt.Errorf("%s does not see itself in the cluster, so its view is not used", who)
}

// outside tells whether a node refused because it is no working member of the cluster at the moment.
func outside(err error) bool {
	var e *fault.Error
	var o *OperationError
	if !errors.As(err, &e) || !errors.As(err, &o) {
		return false
	}
	switch e.Code {
	case 1060, 1062, // the Cluster service does not exist, is not started
		1722, 1753, // RPC server unavailable, no endpoint
		5050, // the node is down: itself, while it joins; or the one in question, and then every peer says so
		5073, // the node is shutting down
		5980: // not an active member
		return true
	case 0:
		return o.Kind == kindMissing // no cluster namespace
	}
	return false
}

// remember keeps the nodes' states for the choice of whom to ask.
func (f *Fleet) remember(v *engine.ClusterView) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range v.Nodes {
		f.states[strings.ToUpper(m.Name)] = m.State
	}
}

// aboutNode puts the node in question into an error that another node gave.
func aboutNode(err error, node string) error {
	var e *fault.Error
	if err == nil || node == "" || !errors.As(err, &e) || strings.EqualFold(e.Node, node) {
		return err
	}
	cause := e.Err
	if e.Node != "" {
		cause = fmt.Errorf("asked %s: %w", e.Node, e.Err)
	}
	return &fault.Error{Op: e.Op, Node: node, Code: e.Code, Err: cause, Hint: e.Hint}
}

// down are the names of the nodes that are known to be down.
func (f *Fleet) down() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, l := range f.links {
		if state, known := f.states[strings.ToUpper(l.name)]; known && state == engine.NodeDown {
			out = append(out, l.name)
		}
	}
	return out
}

// notDown are the nodes that are not known to be down.
func (f *Fleet) notDown() []*link {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.links), func(l *link) bool {
		state, known := f.states[strings.ToUpper(l.name)]
		return known && state == engine.NodeDown
	})
}
