package engine

import (
	"fmt"
	"slices"
	"strings"

	"cau/internal/check"
)

// Checks of what is on a node before it is drained (R14): whether its roles have somewhere to go, and what stays and goes
// down with its restart.

// maxNamed bounds how many roles, machines or files one check names.
const maxNamed = 8

// beforeDrain answers them for a preview.
func beforeDrain(node string, o Observation, opts Options) []check.Result {
	seen := o.Nodes[node]
	return []check.Result{rolesMayMove(node, o.Cluster, seen.Roles, opts), nothingIsLocked(node, o.Cluster, false), residentsStay(node, seen.Residents)}
}

// active tells whether a group's state is one that a drain moves: online, partly online, or on its way.
func (g GroupView) active() bool {
	const online, partlyOnline, pending = 0, 3, 4
	return g.State == online || g.State == partlyOnline || g.State == pending
}

// rolesMayMove looks for a possible owner of each active role among the other nodes. That they are in service is
// another check's, and the gate before a node asks both.
func rolesMayMove(node string, cluster Answer[ClusterView], roles Answer[[]RoleView], opts Options) check.Result {
	if err := cluster.problem(); err != nil {
		return unverified(checkPlacement, node, err)
	}
	if err := roles.problem(); err != nil {
		return unverified(checkPlacement, node, err)
	}
	v := cluster.Value
	var nowhere, unknown, together []string
	active := 0
	for _, role := range roles.Value {
		i := slices.IndexFunc(v.Groups, func(g GroupView) bool { return strings.EqualFold(g.Name, role.Name) })
		if i < 0 || !v.Groups[i].active() || !strings.EqualFold(v.Groups[i].Owner, node) {
			continue // it went elsewhere meanwhile, or does nothing here
		}
		active++
		if !role.OwnersKnown {
			unknown = append(unknown, role.Name)
			continue
		}
		var targets []string
		for _, m := range v.Nodes {
			if !strings.EqualFold(m.Name, node) && names(role.Owners, m.Name) {
				targets = append(targets, m.Name)
			}
		}
		beside := v.besideWhom(v.Groups[i], targets)
		switch {
		case len(targets) == 0 && len(role.Owners) == 0:
			nowhere = append(nowhere, role.Name+" (no node may own all of its resources)")
		case len(targets) == 0:
			nowhere = append(nowhere, role.Name+" (possible owners: "+strings.Join(role.Owners, ", ")+")")
		case beside != "":
			together = append(together, role.Name+" beside "+beside)
		}
	}
	r := check.Result{ID: checkPlacement, Subject: node, Outcome: check.Pass, Evidence: fmt.Sprintf("Each of the %s on %s may go to another node.", plural(active, "role", "roles"), node)}
	var seen []string
	if len(nowhere) > 0 {
		r.Outcome, r.Remedy = check.Fail, "Let another node own them: Set-ClusterOwnerNode; or take them offline for the run."
		seen = append(seen, "nowhere to go from "+node+": "+few(nowhere))
	}
	if len(together) > 0 && v.ApartEnforced {
		r.Outcome, r.Remedy = check.Fail, orElse(r.Remedy, "Free a node for them, or turn ClusterEnforcedAntiAffinity off for the run.")
		seen = append(seen, "these would stay offline, because anti-affinity is enforced: "+few(together))
	} else if len(together) > 0 {
		r.Outcome, r.Remedy = worse(r.Outcome, check.Warn), orElse(r.Remedy, "They share a node until they fail back. Free a node for them if they must not.")
		seen = append(seen, "anti-affinity leaves no free node, so these would run together: "+few(together))
	}
	if len(unknown) > 0 {
		r.Outcome, r.Remedy = worse(r.Outcome, check.Warn), orElse(r.Remedy, "Look at their possible owners: Get-ClusterResource | Get-ClusterOwnerNode.")
		seen = append(seen, "the cluster does not say who may own "+few(unknown))
	}
	if len(seen) > 0 {
		r.Evidence = capital(strings.Join(seen, "; ")) + "."
	}
	if r.Outcome == check.Fail && opts.forced() { // the outage was named, and confirmed with the cluster's name (R15)
		r.Outcome = check.Warn
	}
	return r
}

// besideWhom names a role that the group is kept apart from and would share its node with, on whichever of targets it
// went to; empty where one of them has none.
func (v *ClusterView) besideWhom(g GroupView, targets []string) string {
	beside := ""
	for _, target := range targets {
		i := slices.IndexFunc(v.Groups, func(other GroupView) bool {
			return strings.EqualFold(other.Owner, target) && other.active() && slices.ContainsFunc(g.Apart, func(class string) bool { return names(other.Apart, class) })
		})
		if i < 0 {
			return ""
		}
		if beside == "" {
			beside = v.Groups[i].Name
		}
	}
	return beside
}

// nothingIsLocked looks for roles that something holds where they are. It passes: the gate waits for it, and a preview
// only says so.
func nothingIsLocked(node string, cluster Answer[ClusterView], gate bool) check.Result {
	if err := cluster.problem(); err != nil {
		return unverified(checkLocked, node, err)
	}
	var locked []string
	for _, g := range cluster.Value.Groups {
		if g.Locked && g.active() && strings.EqualFold(g.Owner, node) {
			locked = append(locked, g.Name)
		}
	}
	if len(locked) == 0 {
		return check.Result{ID: checkLocked, Subject: node, Outcome: check.Pass, Evidence: "No role on " + node + " is locked."}
	}
	r := check.Result{ID: checkLocked, Subject: node, Outcome: check.Fail, Evidence: "Locked on " + node + ", so that no drain moves it: " + few(locked) + ".", Remedy: "Let the backup, export or migration that locks it end."}
	if !gate {
		r.Outcome, r.Remedy = check.Warn, "The run waits for it before it drains the node. "+r.Remedy
	}
	return r
}

// residentsStay lists what goes down with the node's restart because no drain moves it.
func residentsStay(node string, a Answer[ResidentsView]) check.Result {
	if err := a.problem(); err != nil {
		return unverified(checkResidents, node, err)
	}
	v := a.Value
	var seen, remedies []string
	if len(v.Machines) > 0 {
		seen = append(seen, "virtual machines that are not clustered go down when "+node+" restarts: "+few(v.Machines))
		remedies = append(remedies, "Move them away, shut them down, or make them roles of the cluster.")
	}
	if len(v.OpenFiles) > 0 {
		seen = append(seen, "files are open through shares of "+node+" itself, and their users lose them when it restarts: "+few(v.OpenFiles))
		remedies = append(remedies, "Tell their users.")
	}
	switch {
	case len(seen) > 0:
		return check.Result{ID: checkResidents, Subject: node, Outcome: check.Warn, Evidence: capital(strings.Join(seen, "; ")) + ".", Remedy: strings.Join(remedies, " ")}
	case v.MoreOpenFiles:
		return check.Result{ID: checkResidents, Subject: node, Outcome: check.Warn, Evidence: "So many files are open over SMB on " + node + " that not all were looked at.", Remedy: "Look at Get-SmbOpenFile there."}
	}
	return check.Result{ID: checkResidents, Subject: node, Outcome: check.Pass, Evidence: "No virtual machine on " + node + " is outside the cluster, and no file is open through its own shares. Other services of the node are not looked at."}
}

// few are the first of names, and how many there are beyond them.
func few(list []string) string {
	if len(list) <= maxNamed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxNamed], ", "), len(list)-maxNamed)
}

// worse keeps a failure from becoming a warning.
func worse(have, found check.Outcome) check.Outcome {
	if have == check.Fail {
		return have
	}
	return found
}
