package model

import (
	"slices"
	"time"

	"cau/internal/winnode/agent"
)

// stuckTime is how long a drain tries to move a role that does not move.
const stuckTime = 2 * time.Minute

// pause is MSCluster_Node.Pause: the node is paused at once, its roles leave it one by one afterwards.
func (w *World) pause(a agent.PauseArgs) error {
	n, err := w.member(a.Node)
	if err != nil {
		return err
	}
	switch {
	case a.DrainType < agent.DrainNone || a.DrainType > agent.DrainForced:
		return &refusal{"refused", "the drain type is not one of 0, 1 and 2"}
	case !n.member:
		return win32(errNodeDown, "The cluster node is down.")
	case n.drain == drainRunning:
		return win32(errDrainInProgress, "The operation cannot be performed because the cluster node is being drained.")
	case n.paused:
		return win32(errNodePaused, "The cluster node is paused.")
	case w.losesQuorum(n):
		return win32(errNoQuorum, "The operation failed because the cluster would lose quorum.")
	case a.DrainType != agent.DrainNone && w.degraded():
		return win32(errSpaceDegraded, "The operation cannot be performed because the cluster's storage space is degraded.")
	}
	n.paused = true
	n.drainEpoch++
	n.drained, n.tried = nil, nil
	if a.DrainType != agent.DrainNone {
		n.drain = drainRunning
		w.drainNext(n, n.drainEpoch, a.DrainType == agent.DrainForced)
	}
	return nil
}

// drainNext moves the next role of n, those of high priority first, or ends the drain.
func (w *World) drainNext(n *Node, epoch int, forced bool) {
	if n.drainEpoch != epoch {
		return
	}
	mine := slices.DeleteFunc(w.cluster.all(), func(g *group) bool {
		return g.owner != n || g.state == groupOffline || g.state == groupFailed
	})
	slices.SortStableFunc(mine, func(a, b *group) int { return b.priority - a.priority })
	movable := slices.DeleteFunc(slices.Clone(mine), func(g *group) bool {
		return g.stuck || w.isLocked(g) || w.target(g, n) == nil || g.state == groupPending || g.blocked && slices.Contains(n.tried, g)
	})
	switch {
	case len(mine) == 0:
		n.drain = drainCompleted
	case len(movable) > 0:
		g := movable[0]
		to := w.target(g, n)
		if g.blocked {
			w.fails(n, g, func() { w.drainNext(n, epoch, forced) })
			return
		}
		n.drained = append(n.drained, g)
		w.move(g, to, w.moving(g), func() { w.drainNext(n, epoch, forced) })
	case forced && slices.ContainsFunc(mine, func(g *group) bool { return g.state == groupPending }):
		w.after(time.Second, func() { w.drainNext(n, epoch, forced) })
	case forced:
		w.stopAndMove(n, mine)
		n.drain = drainCompleted
	case len(n.tried) > 0:
		n.drain = drainFailed
	case slices.ContainsFunc(mine, func(g *group) bool { return g.state != groupPending && w.target(g, n) == nil }):
		n.drain = drainFailed
	case slices.ContainsFunc(mine, func(g *group) bool { return g.stuck || w.isLocked(g) }):
		w.after(stuckTime, func() {
			if n.drainEpoch == epoch {
				n.drain = drainFailed
			}
		})
	default: // somebody else moves the rest
		w.after(time.Second, func() { w.drainNext(n, epoch, forced) })
	}
}

// stopAndMove is what a forced drain does with roles that do not move: they are stopped, and moved as failed.
func (w *World) stopAndMove(n *Node, groups []*group) {
	for _, g := range groups {
		w.incident(n.name, "outage", g.name+" was stopped by a forced drain")
		g.state = groupFailed
		if to := w.target(g, n); to != nil {
			g.owner = to
		}
	}
}

// fails is a live migration that the target refuses: the role stays where it is.
func (w *World) fails(n *Node, g *group, then func()) {
	n.tried = append(n.tried, g)
	g.state = groupPending
	w.after(w.moving(g), func() {
		if g.state == groupPending {
			g.state = groupOnline
		}
		then()
	})
}

// Failback types of MSCluster_Node.Resume.
const (
	failbackNone      = 0
	failbackImmediate = 1
	failbackPolicy    = 2
)

// resume is MSCluster_Node.Resume: the node takes roles again at once; those that the drain took away come
// back one by one, as far as the failback type says.
func (w *World) resume(a agent.ResumeArgs) error {
	n, err := w.member(a.Node)
	if err != nil {
		return err
	}
	switch {
	case !n.member:
		return win32(errNodeDown, "The cluster node is down.")
	case !n.paused:
		return win32(errNodeNotPaused, "The cluster node is not paused.")
	}
	n.paused = false
	n.drain = drainNone
	n.drainEpoch++
	back := n.drained
	n.drained = nil
	if a.FailbackType == failbackPolicy {
		back = slices.DeleteFunc(back, func(g *group) bool { return !g.perPolicy })
	}
	if a.FailbackType != failbackNone {
		w.failBack(n, n.drainEpoch, back)
	}
	return nil
}

// failBack moves the first of the groups to n, then the others.
func (w *World) failBack(n *Node, epoch int, groups []*group) {
	if n.drainEpoch != epoch || len(groups) == 0 {
		return
	}
	g, rest := groups[0], groups[1:]
	if g.owner == n || g.state != groupOnline {
		w.failBack(n, epoch, rest)
		return
	}
	w.move(g, n, g.moving, func() { w.failBack(n, epoch, rest) })
}
