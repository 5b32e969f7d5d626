package model

import (
	"slices"
	"time"

	"cau/internal/winnode/agent"
)

// State is the whole world at one moment, for tests and for whoever looks at the lab.
type State struct {
	UTC       time.Time     `json:"utc"`
	Cluster   agent.Cluster `json:"cluster"`
	Storage   agent.Storage `json:"storage"`
	Nodes     []NodeState   `json:"nodes"`
	Incidents []Incident    `json:"incidents"`
}

// NodeState is one machine.
type NodeState struct {
	Name        string         `json:"name"`
	Up          bool           `json:"up"`
	Boots       int            `json:"boots"`
	Maintenance bool           `json:"maintenance"`
	Boot        agent.BootInfo `json:"boot"`
	Pending     agent.Pending  `json:"pending"`
	Installed   []string       `json:"installed"`
	Installs    []Install      `json:"installs"`
	Jobs        int            `json:"jobs"`
	Staged      []string       `json:"staged"`
	Agent       bool           `json:"agent"`
}

// State gives the whole world as it is now.
func (w *World) State() State {
	defer w.lock()()
	s := State{UTC: w.now.UTC(), Cluster: w.view(), Storage: w.storageView(), Incidents: append([]Incident{}, w.incidents...)}
	for _, n := range w.nodes {
		m := NodeState{
			Name: n.name, Up: n.phase != off, Boots: n.boots, Maintenance: n.maintenance, Boot: n.bootInfo(), Pending: n.pending,
			Jobs: len(n.jobs), Agent: n.agentHash != "", Installs: []Install{}, Installed: []string{}, Staged: []string{},
		}
		for id := range n.installed {
			m.Installed = append(m.Installed, id)
		}
		for _, f := range n.disk {
			m.Staged = append(m.Staged, f.path)
		}
		for _, i := range n.installs {
			m.Installs = append(m.Installs, *i)
		}
		slices.Sort(m.Installed)
		slices.Sort(m.Staged)
		s.Nodes = append(s.Nodes, m)
	}
	return s
}
