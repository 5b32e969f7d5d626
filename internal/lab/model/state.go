package model

import (
	"slices"
	"time"

	"cau/internal/winnode/agent"
)

// State is the whole world at one moment, for tests and for whoever looks at the lab.
type State struct {
	UTC     time.Time     `json:"utc"`
	Cluster agent.Cluster `json:"cluster"`
	Storage agent.Storage `json:"storage"`
	// Lease is the newest epoch, CauRuns the instances of MSFT_CAURun.
	Lease     agent.Lease `json:"lease"`
	CauRuns   []string    `json:"cau_runs"`
	Nodes     []NodeState `json:"nodes"`
	Incidents []Incident  `json:"incidents"`
}

// NodeState is one machine.
type NodeState struct {
	Name        string               `json:"name"`
	Up          bool                 `json:"up"`
	Boots       int                  `json:"boots"`
	Maintenance bool                 `json:"maintenance"`
	Boot        agent.BootInfo       `json:"boot"`
	Pending     agent.Pending        `json:"pending"`
	Installed   []string             `json:"installed"`
	Installs    []Install            `json:"installs"`
	History     []agent.HistoryEntry `json:"history"`
	Jobs        int                  `json:"jobs"`
	Staged      []string             `json:"staged"`
	// Checkpoints are the runs that have one here, without texts; Pushes the runs whose push folder is open.
	Checkpoints []agent.Checkpoint `json:"checkpoints"`
	Pushes      []string           `json:"pushes"`
	Agent       bool               `json:"agent"`
}

// State gives the whole world as it is now.
func (w *World) State() State {
	defer w.lock()()
	s := State{
		UTC: w.now.UTC(), Cluster: w.view(), Storage: w.storageView(), Lease: w.cluster.newest().answer(false),
		CauRuns: w.cauRunsView().Runs, Incidents: append([]Incident{}, w.incidents...),
	}
	for _, n := range w.nodes {
		s.Nodes = append(s.Nodes, n.state())
	}
	return s
}

func (n *Node) state() NodeState {
	m := NodeState{
		Name: n.name, Up: n.phase != off, Boots: n.boots, Maintenance: n.maintenance, Boot: n.bootInfo(), Pending: n.pending,
		Jobs: len(n.jobs), Agent: n.agentHash != "", Installs: []Install{}, Installed: sortedKeys(n.installed), Staged: []string{},
		History: append([]agent.HistoryEntry{}, n.updates.history...), Checkpoints: n.listCheckpoints("", false).Checkpoints,
		Pushes: sortedKeys(n.pushes),
	}
	for _, f := range n.disk {
		m.Staged = append(m.Staged, f.path)
	}
	for _, i := range n.installs {
		m.Installs = append(m.Installs, *i)
	}
	slices.Sort(m.Staged)
	return m
}
