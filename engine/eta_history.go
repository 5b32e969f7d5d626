package engine

import (
	"slices"
	"time"

	"cau/plugins"
)

// History is what earlier runs of the same cluster took, for Estimate. The zero value knows nothing.
type History struct {
	// Runs is how many runs it is made of.
	Runs int
	seen samples
}

// Add puts in a run that has ended. Only what went well is a measure of what is to come.
func (h *History) Add(p *Plan, s *State) {
	if before := h.seen.nodes; h.seen.add(p, s) > before {
		h.Runs++
	}
}

// samples are measured durations: of phases, each one node's whole time in it; of updates by their id; of the way from
// one node to the next without the soak; and of what installing took beyond its updates.
type samples struct {
	nodes    int
	phases   map[Phase][]time.Duration
	updates  map[string][]time.Duration
	between  []time.Duration
	overhead []time.Duration
	// restarting are the ids of updates that were seen to need a restart.
	restarting map[string]bool
}

// nodePhases are the phases whose length does not depend on which updates a node gets.
func nodePhases() []Phase {
	return []Phase{PhasePreScript, PhaseWaiting, PhaseDraining, PhaseRestarting, PhaseRescanning, PhaseResuming, PhaseSettling, PhasePostScript}
}

// add takes what a run has measured so far and returns how many nodes that are now.
func (m *samples) add(p *Plan, s *State) int {
	if m.phases == nil {
		m.phases, m.updates, m.restarting = map[Phase][]time.Duration{}, map[string][]time.Duration{}, map[string]bool{}
	}
	for i := range s.Nodes {
		for _, u := range s.Nodes[i].Updates {
			if u.RestartRequired {
				m.restarting[u.ID] = true
			}
		}
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if t, was := n.was(PhaseStaging); was && n.Staged {
			m.phases[PhaseStaging] = append(m.phases[PhaseStaging], t)
		}
		if np := p.node(n.Name); np != nil && n.Status == NodeSucceeded && !n.Started.IsZero() && len(n.Earlier) == 0 {
			m.addNode(p, np, n)
		}
	}
	m.addBetween(p, s)
	return m.nodes
}

func (m *samples) addNode(p *Plan, np *NodePlan, n *NodeRun) {
	m.nodes++
	for _, phase := range nodePhases() {
		// Where a restart was to be expected, that there was none is a measure too.
		if took, was := n.was(phase); was || phase == PhaseRestarting && m.restarts(p, np) {
			m.phases[phase] = append(m.phases[phase], took)
		}
	}
	var updates time.Duration
	for _, u := range n.Updates {
		if u.Outcome != plugins.Installed || u.Started.IsZero() || u.Ended.IsZero() {
			continue
		}
		took := max(0, u.Ended.Sub(u.Started))
		updates += took
		m.updates[u.ID] = append(m.updates[u.ID], took)
	}
	m.overhead = append(m.overhead, max(0, n.took(PhaseInstalling)-updates))
}

// addBetween measures from the end of one node to the beginning of the next. Where the run stood still in between for
// somebody's sake that is in it: the median forgets it.
func (m *samples) addBetween(p *Plan, s *State) {
	var ended time.Time
	var soak time.Duration
	for _, np := range p.Nodes {
		n := s.Node(np.Name)
		if n == nil || n.Started.IsZero() {
			continue
		}
		if !ended.IsZero() && n.Started.After(ended) {
			m.between = append(m.between, max(0, n.Started.Sub(ended)-soak))
		}
		if ended = n.Ended; ended.IsZero() {
			return
		}
		soak = soakAfter(p, n.took(PhaseSettling)+n.took(PhasePostScript))
	}
}

// restarts tells whether a node is expected to restart: what it gets may need it, or was seen to.
func (m *samples) restarts(p *Plan, np *NodePlan) bool {
	return p.Options.ForcePauseDrainAndReboot || slices.ContainsFunc(np.Updates, func(u plugins.Update) bool { return u.MayRestart || m.restarting[u.ID] })
}

// anyUpdate are the durations of all updates.
func (m *samples) anyUpdate() []time.Duration {
	var all []time.Duration
	for _, d := range m.updates {
		all = append(all, d...)
	}
	return all
}

// median is the middle of what was measured; false where nothing was.
func median(all []time.Duration) (time.Duration, bool) {
	if len(all) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(all))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid], true
	}
	return (sorted[mid-1] + sorted[mid]) / 2, true
}

// typical is the median of this run's, drawn towards that of earlier runs as if those were one node more: what happens now
// weighs more with every node.
func typical(now, before []time.Duration) (time.Duration, bool) {
	n, isNow := median(now)
	b, wasBefore := median(before)
	switch {
	case !isNow:
		return b, wasBefore
	case !wasBefore:
		return n, true
	}
	nodes := int64(len(now))
	return time.Duration((int64(n)*nodes + int64(b)) / (nodes + 1)), true
}
