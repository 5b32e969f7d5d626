package winnode

import (
	"context"
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/winnode/agent"
)

// Numbers of groups and rules (clusapi.h).
const (
	groupLocked          = 1 // CLUSGRP_STATUS_LOCKED_MODE
	ruleDifferentDomain  = 3
	ruleDifferentNode    = 4
	maxOwners            = 64 // the largest cluster
	machineOff           = 3
	machineSaved         = 6
	machineSuspended     = 32769
	clientsOfTheNode     = 0 // SmbInstance
	scopeOfTheNodeItself = "*"
)

// roleView is a group with what keeps it where it is.
func roleView(g agent.Group, rules []agent.AffinityRule) engine.GroupView {
	v := engine.GroupView{
		Name: agent.Printable(g.Name, maxName), Owner: agent.Printable(g.Owner, maxName), State: signed(g.State), Core: g.Core,
		Locked: g.Locked != 0 || g.StatusInformation&groupLocked != 0,
	}
	apart := slices.Clone(g.AntiAffinity)
	for _, r := range rules {
		differs := r.Type == ruleDifferentNode || r.Type == ruleDifferentDomain
		if differs && slices.ContainsFunc(r.Groups, func(name string) bool { return strings.EqualFold(name, g.Name) }) {
			apart = append(apart, r.Name)
		}
	}
	if len(apart) > 0 {
		v.Apart = texts(apart, maxName)
	}
	return v
}

// Roles reads where the roles that this node owns may go. A role is possible where all of its resources are.
func (n *Node) Roles(ctx context.Context) ([]engine.RoleView, error) {
	var r struct {
		Roles *[]agent.NodeRole `json:"roles"`
	}
	if _, err := n.link.call(ctx, agent.OpNodeRoles, struct{}{}, &r); err != nil {
		return nil, err
	}
	if r.Roles == nil {
		return nil, missing(agent.OpNodeRoles, n.Name(), "list of roles")
	}
	out := make([]engine.RoleView, 0, len(*r.Roles))
	for _, role := range *r.Roles {
		v := engine.RoleView{Name: agent.Printable(role.Name, maxName), OwnersKnown: len(role.Resources) > 0}
		for i, res := range role.Resources {
			owners := texts(res.Owners[:min(len(res.Owners), maxOwners)], maxName)
			switch {
			case len(owners) == 0: // by default that means all, and nothing here says that it is the default
				v.OwnersKnown = false
			case i == 0:
				v.Owners = owners
			default:
				v.Owners = slices.DeleteFunc(v.Owners, func(have string) bool {
					return !slices.ContainsFunc(owners, func(o string) bool { return strings.EqualFold(o, have) })
				})
			}
		}
		if !v.OwnersKnown {
			v.Owners = nil
		}
		out = append(out, v)
	}
	return out, nil
}

// Residents reads what runs on the node and is no role of the cluster.
func (n *Node) Residents(ctx context.Context) (engine.ResidentsView, error) {
	var r struct {
		HyperV    *bool                  `json:"hyper_v"`
		Machines  []agent.VirtualMachine `json:"machines"`
		Clustered []string               `json:"clustered"`
		OpenFiles []agent.OpenFile       `json:"open_files"`
		OpenCount *int                   `json:"open_count"`
	}
	if _, err := n.link.call(ctx, agent.OpNodeResidents, struct{}{}, &r); err != nil {
		return engine.ResidentsView{}, err
	}
	if r.HyperV == nil || r.OpenCount == nil {
		return engine.ResidentsView{}, missing(agent.OpNodeResidents, n.Name(), "word about virtual machines or open files")
	}
	v := engine.ResidentsView{Machines: lonelyMachines(r.Machines, r.Clustered)}
	for _, f := range r.OpenFiles[:min(len(r.OpenFiles), maxFacts)] {
		if ownShare(n.Name(), f) {
			v.OpenFiles = append(v.OpenFiles, agent.Printable(f.Path, maxName)+" from "+agent.Printable(f.Client, maxName))
		}
	}
	v.MoreOpenFiles = *r.OpenCount > len(r.OpenFiles)
	return v, nil
}

// lonelyMachines are the virtual machines that use the node's memory now and that the cluster does not know.
func lonelyMachines(machines []agent.VirtualMachine, clustered []string) []string {
	known := map[string]bool{}
	for _, id := range clustered {
		known[guid(id)] = true
	}
	var out []string
	for _, m := range machines[:min(len(machines), maxFacts)] {
		off := m.State == machineOff || m.State == machineSaved || m.State == machineSuspended
		if id := guid(m.ID); guidShape.MatchString(id) && !known[id] && !off { // the host's own name is no GUID
			out = append(out, agent.Printable(m.Name, maxName))
		}
	}
	slices.Sort(out)
	return out
}

func guid(text string) string { return strings.ToLower(strings.Trim(text, "{} ")) }

// ownShare tells whether a file is open through a share of the node itself: clients' instance, the node's own scope, and a
// file on a drive. Named pipes have no drive.
func ownShare(node string, f agent.OpenFile) bool {
	own := f.Scope == "" || f.Scope == scopeOfTheNodeItself || strings.EqualFold(f.Scope, node)
	return own && f.Instance == clientsOfTheNode && len(f.Path) > 2 && f.Path[1] == ':'
}
