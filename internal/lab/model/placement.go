package model

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"cau/internal/winnode/agent"
)

// Owners lets only Nodes own Group.
type Owners struct {
	Group string   `json:"group"`
	Nodes []string `json:"nodes"`
}

// Apart is an anti-affinity class of Groups.
type Apart struct {
	Class  string   `json:"class"`
	Groups []string `json:"groups"`
}

// Locked holds Group where it is: for Minutes from the beginning, or from the moment when WhenPaused is paused.
type Locked struct {
	Group      string  `json:"group"`
	Minutes    float64 `json:"minutes"`
	WhenPaused string  `json:"when_paused,omitempty"`
}

// Residents are what Node carries and no drain moves: virtual machines that run outside the cluster, and files that are
// open through its own shares.
type Residents struct {
	Node      string   `json:"node"`
	Machines  []string `json:"machines,omitempty"`
	OpenFiles []string `json:"open_files,omitempty"`
}

// errNotGroupOwner is ERROR_HOST_NODE_NOT_GROUP_OWNER.
const errNotGroupOwner = 5016

// bind gives the groups what the scenario says of them.
func (w *World) bind() {
	s := &w.scenario
	for _, g := range w.cluster.groups {
		for _, o := range s.Owners {
			if is(o.Group, g.name) {
				g.owners = o.Nodes
			}
		}
		for _, a := range s.Apart {
			if names(a.Groups, g.name) {
				g.apart = append(g.apart, a.Class)
			}
		}
	}
	w.lockWhen("")
}

// lockWhen locks the groups whose time has come: when the node of that name is paused, or at the beginning.
func (w *World) lockWhen(paused string) {
	for _, l := range w.scenario.Locked {
		if g := w.group(l.Group); g != nil && is(l.WhenPaused, paused) && g.locked.IsZero() {
			g.locked = w.now.Add(minutes(l.Minutes))
		}
	}
}

func (w *World) isLocked(g *group) bool { return w.now.Before(g.locked) }

func (g *group) mayGo(to *Node) bool { return g.owners == nil || names(g.owners, to.name) }

func (g *group) keptApart(other *group) bool {
	return g != other && slices.ContainsFunc(g.apart, func(class string) bool { return slices.Contains(other.apart, class) })
}

// roles are the groups that the node owns, with the owners that are possible.
func (n *Node) roles() agent.NodeRoles {
	out := agent.NodeRoles{Roles: []agent.NodeRole{}}
	for _, g := range n.world.cluster.groups {
		if g.owner != n {
			continue
		}
		res := agent.RoleResource{Name: g.name, Type: "Virtual Machine", Owners: []string{}}
		for _, m := range n.world.nodes {
			if g.mayGo(m) {
				res.Owners = append(res.Owners, m.name)
			}
		}
		out.Roles = append(out.Roles, agent.NodeRole{Name: g.name, Resources: []agent.RoleResource{res}})
	}
	return out
}

// residents are what the scenario lets run on the node, and the host itself, which Hyper-V lists among its machines.
func (n *Node) residents() agent.Residents {
	const runs = 2
	out := agent.Residents{
		HyperV: true, Clustered: []string{}, OpenFiles: []agent.OpenFile{},
		Machines: []agent.VirtualMachine{{ID: n.name, Name: n.name, State: runs}},
	}
	for _, r := range n.world.scenario.Residents {
		if !is(r.Node, n.name) {
			continue
		}
		for _, name := range r.Machines {
			out.Machines = append(out.Machines, agent.VirtualMachine{ID: machineID(name), Name: name, State: runs})
		}
		for _, file := range r.OpenFiles {
			out.OpenFiles = append(out.OpenFiles, agent.OpenFile{Scope: "*", Path: file, Client: "client1." + DNSDomain})
		}
	}
	for _, g := range n.world.cluster.groups {
		if g.owner == n && len(g.name) > 2 && g.name[:2] == "VM" {
			out.Machines = append(out.Machines, agent.VirtualMachine{ID: machineID(g.name), Name: g.name, State: runs})
			out.Clustered = append(out.Clustered, machineID(g.name))
		}
	}
	out.OpenCount = len(out.OpenFiles)
	return out
}

// residentsGoDown is a restart: what no drain moved goes down with the node.
func (n *Node) residentsGoDown() {
	for _, r := range n.world.scenario.Residents {
		if is(r.Node, n.name) {
			for _, name := range r.Machines {
				n.world.incident(n.name, "outage", name+" went down with "+n.name+": it is no role of the cluster")
			}
		}
	}
}

// machineID is the GUID of a virtual machine, the same one for the same name.
func machineID(name string) string {
	h := sha256.Sum256([]byte(key(name)))
	t := hex.EncodeToString(h[:16])
	return strings.ToUpper(t[:8] + "-" + t[8:12] + "-" + t[12:16] + "-" + t[16:20] + "-" + t[20:])
}
