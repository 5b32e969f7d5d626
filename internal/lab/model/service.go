package model

import (
	"time"

	"cau/internal/winnode/agent"
)

// serviceRunning is ServiceControllerStatus.Running. Who starts a service waits until it runs.
const serviceRunning = 4

// startService starts one of the few services that may be started from outside.
func (n *Node) startService(a agent.ServiceStartArgs) (agent.ServiceState, error) {
	switch a.Name {
	case "wuauserv", "BITS", "TrustedInstaller":
		return agent.ServiceState{State: serviceRunning}, nil
	case "ClusSvc":
	default:
		return agent.ServiceState{}, &refusal{"refused", "this service is not one that may be started"}
	}
	switch {
	case n.phase != running:
		return agent.ServiceState{}, win32(errShutdownInProgress, "A system shutdown is in progress.")
	case n.clusterService:
		return agent.ServiceState{State: serviceRunning}, nil
	}
	n.clusterService = true
	n.during(joinTime-serviceTime, func() { n.world.join(n) })
	return agent.ServiceState{State: serviceRunning}, nil
}

// Win32 errors of clustered roles (winerror.h).
const (
	errGroupNotFound = 5013
	errGroupMoving   = 5908
	errLockedStatus  = 5960
)

// moveGroup is MSCluster_ResourceGroup.MoveToNewNode.
func (w *World) moveGroup(a agent.GroupMoveArgs) error {
	g := w.group(a.Group)
	if g == nil {
		return &coded{"missing", "the cluster has no role of that name", errGroupNotFound}
	}
	to, err := w.member(a.Node)
	if err != nil {
		return err
	}
	switch {
	case !to.member:
		return win32(errNodeDown, "The cluster node is down.")
	case to.paused:
		return win32(errNodePaused, "The cluster node is paused.")
	case g.state == groupPending:
		return win32(errGroupMoving, "The group is being moved.")
	case g.owner == to:
		return nil
	case !g.mayGo(to):
		return win32(errNotGroupOwner, "The operation failed because either the specified cluster node is not the owner of the group, or the node is not a possible owner of the group.")
	case g.stuck || g.blocked || w.isLocked(g):
		return win32(errLockedStatus, "The operation cannot be performed because the status of a resource locks it.")
	}
	if g.state == groupOffline {
		g.owner = to
		return nil
	}
	w.move(g, to, w.moving(g), nil)
	return nil
}

// group finds a role by its name, in any case.
func (w *World) group(name string) *group {
	for _, g := range w.cluster.groups {
		if is(g.name, name) {
			return g
		}
	}
	return nil
}

// moving is how long a role's move takes from where it is.
func (w *World) moving(g *group) time.Duration {
	for _, s := range w.scenario.SlowDrains {
		if is(s.Node, g.owner.name) {
			return seconds(s.Seconds)
		}
	}
	return g.moving
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
