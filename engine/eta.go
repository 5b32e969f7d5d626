package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ETA is when a run is likely to have ended. It is an estimate from what was measured; no decision rests on it.
type ETA struct {
	// At is by the run's clock, and Remaining from now until then, never negative. At is zero where nothing can be said; then
	// Unknown is why.
	At        time.Time
	Remaining time.Duration
	Unknown   string
	// Basis says what the estimate is made of, and what is not in it.
	Basis string
	// Nodes are the nodes with something still to come, by name.
	Nodes map[string]NodeETA
}

// NodeETA is when a node is likely to be done, as in ETA.
type NodeETA struct {
	At        time.Time
	Remaining time.Duration
	Unknown   string
}

// Known tells whether there is an estimate.
func (e ETA) Known() bool { return !e.At.IsZero() }

// Known tells whether there is an estimate.
func (e NodeETA) Known() bool { return !e.At.IsZero() }

const notMeasured = "no node has been updated yet that could be measured"

// Estimate says when the run and each of its nodes are likely to be done. now is the run's clock, which on a simulated
// cluster is not this host's. It is pure: the same facts give the same answer, and what was said before does not bind it.
func Estimate(s *State, p *Plan, h History, now time.Time) ETA {
	if s.Status.Ended() {
		return ETA{Unknown: "the run has ended"}
	}
	e := estimator{plan: p, state: s, before: h.seen, now: now}
	e.here.add(p, s)
	e.follows = slices.ContainsFunc(s.Nodes, func(n NodeRun) bool { return !n.Started.IsZero() })
	out := ETA{Nodes: map[string]NodeETA{}, Basis: e.basis(h)}
	left, known := e.staging()
	why := "nothing was measured yet that tells how long the copying takes"
	if known {
		why = ""
	}
	limits := e.limits()
	var late []string
	// Who is under way now is finished first; the others follow in the plan's order.
	for _, going := range []bool{true, false} {
		for _, np := range p.Nodes {
			n := s.Node(np.Name)
			if n == nil || n.Status.Ended() || underWay(n) != going {
				continue
			}
			if !going && s.beginsNothing() {
				continue // it is cancelled
			}
			if why == "" && !going {
				why = e.standsStill()
			}
			way, own, ok := e.node(&np, n, left)
			if !ok && why == "" {
				why = notMeasured
			}
			if why != "" {
				out.Nodes[n.Name] = NodeETA{Unknown: why}
				continue
			}
			if !going {
				way += limits.wait(now, left+way)
				if limits.tooLate(now, left+way) {
					late = append(late, n.Name)
					out.Nodes[n.Name] = NodeETA{Unknown: "it will not be begun: " + limits.why}
					continue
				}
			}
			left += way + own
			e.follows = true
			out.Nodes[n.Name] = NodeETA{At: now.Add(left), Remaining: left}
		}
	}
	if why == "" {
		why = e.standsStill()
	}
	if why == "" {
		why = e.watched()
	}
	if why != "" {
		out.Unknown = why
		return out
	}
	if why := limits.notBegun(late); why != "" {
		out.Basis += "; " + why
	}
	out.At, out.Remaining = now.Add(left), left
	if out.Basis == "" {
		out.Basis = "nothing is left to do"
	}
	return out
}

// estimator is one estimate: what this run has measured, and what earlier ones had.
type estimator struct {
	plan         *Plan
	state        *State
	here, before samples
	now          time.Time
	// follows: a node was taken before the one that is looked at, so that its soak comes first.
	follows bool
}

// underWay tells whether the node has begun: it is away, or its script ran. One that is tried again waits like the others.
func underWay(n *NodeRun) bool {
	return n.Status == NodeUpdating || n.Status == NodeWaiting && n.PreScript != nil
}

// standsStill says why nobody knows when the next node is begun; empty where nothing keeps it.
func (e *estimator) standsStill() string {
	switch s := e.state; {
	case s.Status == RunHeld:
		return "the run is held until somebody decides"
	case s.Status == RunPaused:
		return "the run is paused"
	case s.PauseAsked:
		return "the run pauses after the current node"
	}
	return ""
}

// watched says that the run's end waits for a node that was left; empty where none is.
func (e *estimator) watched() string {
	for i := range e.state.Nodes {
		if n := &e.state.Nodes[i]; n.Watched {
			return n.Name + " is still watched"
		}
	}
	return ""
}

// basis says where the numbers come from.
func (e *estimator) basis(h History) string {
	var from []string
	if e.here.nodes > 0 {
		from = append(from, counted(e.here.nodes, "node")+" of this run")
	}
	if h.Runs > 0 {
		from = append(from, counted(h.Runs, "earlier run")+" of this cluster")
	}
	if len(from) == 0 {
		return ""
	}
	text := "measured on " + strings.Join(from, " and ")
	if e.state.Waiting != "" && e.state.WaitingUntil.IsZero() && e.state.Status == RunRunning {
		text += "; what the run waits for now is not in it"
	}
	return text
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// staging is how long until every node holds its updates: a few nodes copy at once (R23).
func (e *estimator) staging() (time.Duration, bool) {
	one, known := typical(e.here.phases[PhaseStaging], e.before.phases[PhaseStaging])
	var lanes []time.Duration
	var queued int
	for i := range e.state.Nodes {
		n := &e.state.Nodes[i]
		switch {
		case n.Status != NodeWaiting || n.Staged || e.state.StopAsked && n.Phase != PhaseStaging:
		case n.Phase == PhaseStaging:
			lanes = append(lanes, max(0, one-e.now.Sub(n.PhaseStarted)))
		default:
			queued++
		}
	}
	if len(lanes)+queued == 0 {
		return 0, true
	}
	for len(lanes) < max(1, e.plan.Options.StageNodesAtOnce) {
		lanes = append(lanes, 0)
	}
	for range queued {
		slices.Sort(lanes)
		lanes[0] += one
	}
	return slices.Max(lanes), known
}

// node is how long a node still needs, and the way to it where it has not begun; before is what comes before that.
func (e *estimator) node(np *NodePlan, n *NodeRun, before time.Duration) (way, left time.Duration, ok bool) {
	if !underWay(n) {
		way = e.gate(n, before)
	}
	order := e.phases(np, n)
	at := -1
	if underWay(n) {
		at = slices.Index(order, n.Phase)
	}
	for i, phase := range order {
		again := phase == PhaseRestarting && n.RestartDue // a further one, when it is looked at again
		if i < at && !again {
			continue
		}
		var own time.Duration
		var known bool
		if phase == PhaseInstalling {
			own, known = e.installing(n, i == at)
		} else {
			own, known = e.phase(phase, n, i == at, i < at)
		}
		if !known {
			return 0, 0, false
		}
		left += own
	}
	return way, left, true
}

// phase is what a phase still takes on a node that is in it now or comes to it; again is once more, from its beginning.
func (e *estimator) phase(p Phase, n *NodeRun, now, again bool) (time.Duration, bool) {
	left, known := typical(e.here.phases[p], e.before.phases[p])
	if !again {
		left -= n.took(p)
	}
	if now {
		left -= e.now.Sub(n.PhaseStarted)
	}
	return max(0, left), known
}

// phases are what a node goes through, in order. With InstallFirst it is drained only for a restart; one that has failed
// is only brought back.
func (e *estimator) phases(np *NodePlan, n *NodeRun) []Phase {
	restarts := n.RestartDue || n.Phase == PhaseRestarting || n.Leave == "" && (e.here.restarts(e.plan, np) || e.before.restarts(e.plan, np))
	first := e.plan.Options.InstallOrder == InstallFirst
	var out []Phase
	if e.plan.PreScript != nil {
		out = append(out, PhasePreScript, PhaseWaiting)
	}
	if first {
		out = append(out, PhaseInstalling)
	}
	if !first || restarts || n.PausedByUs {
		out = append(out, PhaseDraining)
	}
	if !first {
		out = append(out, PhaseInstalling)
	}
	if restarts {
		out = append(out, PhaseRestarting)
	}
	out = append(out, PhaseRescanning)
	if !first || restarts || n.PausedByUs {
		out = append(out, PhaseResuming, PhaseSettling)
	}
	if e.plan.PostScript != nil {
		out = append(out, PhasePostScript)
	}
	return out
}

// installing is what the node's updates still take, each by itself where it was measured, else like the others.
func (e *estimator) installing(n *NodeRun, now bool) (time.Duration, bool) {
	var left time.Duration
	if n.Leave != "" {
		return 0, true // nothing more is installed there
	}
	for _, u := range n.Updates {
		if u.Outcome != "" || e.state.StopAsked && u.Started.IsZero() {
			continue
		}
		own, known := typical(e.here.updates[u.ID], e.before.updates[u.ID])
		if !known {
			if own, known = typical(e.here.anyUpdate(), e.before.anyUpdate()); !known {
				return 0, false
			}
		}
		if !u.Started.IsZero() {
			own = max(0, own-e.now.Sub(u.Started))
		}
		left += own
	}
	if beyond, known := typical(e.here.overhead, e.before.overhead); known && !now {
		left += beyond
	}
	return left, true
}

// gate is how long until the node is begun once everything before it is done: the polls of the gate, and the soak.
func (e *estimator) gate(n *NodeRun, before time.Duration) time.Duration {
	between, known := typical(e.here.between, e.before.between)
	if !known {
		between = gatePoll // its least: two polls that are both clean
	}
	var idle time.Time
	for i := range e.state.Nodes {
		if o := &e.state.Nodes[i]; !o.Started.IsZero() && o.Ended.After(idle) {
			idle = o.Ended
		}
	}
	if idle.IsZero() {
		idle = n.PhaseStarted
	}
	if e.follows {
		settling, _ := e.phase(PhaseSettling, n, false, true)
		after, _ := e.phase(PhasePostScript, n, false, true)
		between += soakAfter(e.plan, settling+after)
	}
	if before > 0 || idle.IsZero() || slices.ContainsFunc(e.state.Nodes, func(o NodeRun) bool { return underWay(&o) }) {
		return between // it has not begun to wait
	}
	return max(0, between-max(0, e.now.Sub(idle)))
}

// soakAfter is what is left of the soak when a node has ended: it began when the node came back into service, so long before.
func soakAfter(p *Plan, before time.Duration) time.Duration {
	return max(0, time.Duration(p.Options.Soak)-before)
}
