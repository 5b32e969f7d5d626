package model

import (
	"fmt"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// cluster is what all members agree on.
type cluster struct {
	groups        []*group
	volumes       []*group
	witnessOnline bool
	witnessWeight int
	// lost: too few votes are present; no member serves.
	lost    bool
	storage storage
	leases  []lease
	cauRuns []cauRun
}

// group is a clustered role, a core group or a cluster shared volume.
type group struct {
	name     string
	owner    *Node
	state    int
	core     bool
	priority int
	moving   time.Duration
	// stuck groups do not move away from the node they began on.
	stuck bool
	// blocked groups cannot be live migrated from the node they began on.
	blocked bool
	// perPolicy groups have a failback policy of their own.
	perPolicy bool
	// owners are the names of the nodes that may own it; nil means all. Groups that share a class of apart are kept on
	// different nodes where that is possible.
	owners []string
	apart  []string
	// locked is until when something holds it where it is; zero means nothing does.
	locked time.Time
}

// Numbers of root/MSCluster (clusapi.h).
const (
	nodeUp      = 0
	nodeDown    = 1
	nodePaused  = 2
	nodeJoining = 3

	drainNone      = 0
	drainRunning   = 1
	drainCompleted = 2
	drainFailed    = 3

	groupOnline  = 0
	groupOffline = 1
	groupFailed  = 2
	groupPending = 4
)

// Win32 errors of the cluster (winerror.h).
const (
	errNodeNotFound    = 5042
	errNodeDown        = 5050
	errNodeNotPaused   = 5058
	errNodePaused      = 5070
	errNoQuorum        = 5925
	errDrainInProgress = 5962
	errSpaceDegraded   = 5987
)

func win32(code int64, text string) *Win32Error { return &Win32Error{Code: code, Text: text} }

// form makes the cluster of all nodes with their roles spread over them.
func (w *World) form() {
	c := &w.cluster
	w.foreignRun(w.scenario.ForeignRun)
	at := func(i int) *Node { return w.nodes[i%len(w.nodes)] }
	add := func(g group) { c.groups = append(c.groups, &g) }
	for i := range len(w.nodes) + (len(w.nodes)+1)/2 {
		add(group{name: fmt.Sprintf("VM%02d", i+1), owner: at(i), priority: 2000, moving: 8 * time.Second})
	}
	add(group{name: "FS-Data", owner: at(1), priority: 2000, moving: 5 * time.Second, perPolicy: true})
	add(group{name: "Cluster Group", owner: at(0), priority: 1, moving: 3 * time.Second, core: true})
	add(group{name: "Available Storage", owner: at(0), moving: 2 * time.Second, core: true})
	for i := range 2 {
		c.volumes = append(c.volumes, &group{name: fmt.Sprintf("Volume%d", i+1), owner: at(i), moving: time.Second})
	}
	w.hinder()
	w.bind()
	c.witnessOnline = !w.scenario.NoWitness
	w.balanceVotes()
	w.formStorage()
}

// hinder makes roles that the scenario keeps from moving.
func (w *World) hinder() {
	for _, n := range w.nodes {
		stuck := names(w.scenario.StuckOn, n.name)
		for _, g := range w.cluster.groups {
			if g.owner != n {
				continue
			}
			g.blocked = strings.HasPrefix(g.name, "VM") && names(w.scenario.MigrationBlocked, n.name)
			if stuck {
				g.stuck, stuck = true, false
			}
		}
	}
}

// all are the groups and the volumes, in the order in which a drain moves them.
func (c *cluster) all() []*group {
	out := make([]*group, 0, len(c.groups)+len(c.volumes))
	out = append(out, c.groups...)
	return append(out, c.volumes...)
}

// member finds a node by its name, in any case.
func (w *World) member(name string) (*Node, error) {
	for _, n := range w.nodes {
		if strings.EqualFold(n.name, name) {
			return n, nil
		}
	}
	return nil, &coded{"missing", "the cluster has no node of that name", errNodeNotFound}
}

// serves is an error when n cannot answer for the cluster.
func (w *World) serves(n *Node) error {
	if !n.clusterService || !n.member || w.cluster.lost {
		return win32(errNodeDown, "The cluster node is down: its Cluster service does not take part in the cluster.")
	}
	return nil
}

func (w *World) state(n *Node) int {
	switch {
	case n.member && w.cluster.lost:
		return nodeJoining
	case n.member && n.paused:
		return nodePaused
	case n.member:
		return nodeUp
	case n.clusterService:
		return nodeJoining
	}
	return nodeDown
}

func (w *World) view() agent.Cluster {
	c := &w.cluster
	v := agent.Cluster{
		Name: ClusterName, Fqdn: strings.ToLower(ClusterName) + "." + DNSDomain, DynamicQuorum: !w.scenario.StaticQuorum,
		WitnessWeight: c.witnessWeight, WitnessOnline: c.witnessOnline, S2D: w.scenario.S2D,
		AccessPoints: []agent.AccessPoint{{Group: "Cluster Group", Name: strings.ToLower(ClusterName)}, {Group: "FS-Data", Name: "fs-data"}},
		Nodes:        []agent.Member{}, Groups: []agent.Group{}, SharedVolumes: []agent.Group{},
	}
	for _, n := range w.nodes {
		information := 0
		switch n.drain {
		case drainRunning:
			information = 4
		case drainCompleted:
			information = 8
		case drainFailed:
			information = 0x10
		}
		v.Nodes = append(v.Nodes, agent.Member{
			Name: n.name, State: w.state(n), DrainStatus: n.drain, StatusInformation: information, DynamicWeight: n.dynamicWeight, FaultDomain: w.faultDomain(n),
		})
	}
	for _, g := range c.groups {
		information := int64(0)
		if w.isLocked(g) {
			information = 1
		}
		v.Groups = append(v.Groups, agent.Group{Name: g.name, Owner: g.owner.name, State: g.state, Core: g.core, StatusInformation: information, AntiAffinity: g.apart})
	}
	for _, g := range c.volumes {
		v.SharedVolumes = append(v.SharedVolumes, agent.Group{Name: g.name, Owner: g.owner.name, State: g.state})
	}
	return v
}

// leave takes a node out of the cluster; what it still had fails over, and somebody noticed.
func (w *World) leave(n *Node) {
	if !n.member {
		return
	}
	n.member = false
	n.drainEpoch++
	if n.drain == drainRunning {
		n.drain = drainFailed
	}
	if w.anyMember() {
		// The last member keeps its vote: only it can form the cluster again.
		w.balanceVotes()
	}
	if w.checkQuorum(n); w.cluster.lost {
		return
	}
	for _, g := range w.cluster.all() {
		if g.owner != n {
			continue
		}
		w.incident(n.name, "outage", g.name+" was still on "+n.name+" when it left the cluster")
		w.move(g, w.target(g, n), g.moving+3*time.Second, nil)
	}
}

// join brings a node back; it stays paused if it was.
func (w *World) join(n *Node) {
	n.member = true
	w.checkQuorum(n)
	w.after(5*time.Second, w.balanceVotes)
}

// target is the node that can take the group from n: a possible owner, without a group that it is kept apart from where
// there is such a one, with the fewest groups.
func (w *World) target(moving *group, n *Node) *Node {
	var best *Node
	fewest := 0
	for _, other := range w.nodes {
		if other == n || w.state(other) != nodeUp || !moving.mayGo(other) {
			continue
		}
		count := 0
		for _, g := range w.cluster.all() {
			if g.owner != other {
				continue
			}
			count++
			if g.state != groupOffline && moving.keptApart(g) {
				count += 1000
			}
		}
		if best == nil || count < fewest {
			best, fewest = other, count
		}
	}
	return best
}

// move takes a group to another node, pending meanwhile; then happens next. Without a target it goes
// offline where it is.
func (w *World) move(g *group, to *Node, d time.Duration, then func()) {
	if to == nil {
		g.state = groupOffline
		if then != nil {
			then()
		}
		return
	}
	g.state = groupPending
	w.after(d, func() {
		g.owner, g.state = to, groupOnline
		if w.state(to) != nodeUp {
			// The target was paused or went away meanwhile.
			if next := w.target(g, to); next != nil {
				g.owner = next
			} else if w.state(to) != nodePaused {
				g.state = groupOffline
			}
		}
		if then != nil {
			then()
		}
	})
}
