package model

import (
	"context"
	"io"

	"cau/internal/winnode/agent"
)

// begin sets off what a scenario lets happen at moments of its own.
func (w *World) beginScenario() {
	s := &w.scenario
	for _, p := range s.AdminPauses {
		if p.WhenPaused == "" {
			w.after(seconds(p.AfterSeconds), func() { _ = w.pause(agent.PauseArgs{Node: p.Node, DrainType: agent.DrainRoles}) })
		}
	}
	for _, j := range s.ClockJumps {
		if n, err := w.member(j.Node); err == nil && !j.AfterRestart {
			w.after(seconds(j.AfterSeconds), func() { n.ahead += minutes(j.Minutes) })
		}
	}
	for i := range s.Backups {
		if s.Backups[i].WhenPaused == "" {
			s.Backups[i].began = w.now
		}
	}
	for _, n := range w.nodes {
		for _, d := range s.DiskFree {
			if is(d.Node, n.name) {
				n.free = d.Bytes
			}
		}
		for _, share := range s.NodeShares {
			if is(share.Node, n.name) {
				n.files.shares[key(share.Name)] = &share
			}
		}
	}
	if u := s.SelfUpdating; u != nil {
		w.cluster.groups = append(w.cluster.groups, &group{name: u.Name, owner: w.nodes[len(w.nodes)-1], priority: 2000, moving: seconds(2)})
		if u.DueMinutes > 0 {
			w.after(minutes(u.DueMinutes), func() { w.foreignRun(u.Run) })
		}
	}
	if len(s.ShareGone)+len(s.FilesChanged) > 0 && w.shares != nil {
		w.shares = faultyShares{world: w, inner: w.shares}
	}
}

// pauseAsked pauses a node, and lets happen what the scenario has for that moment.
func (w *World) pauseAsked(a agent.PauseArgs) error {
	if err := w.pause(a); err != nil {
		return err
	}
	for i := range w.scenario.ForeignRuns {
		if f := &w.scenario.ForeignRuns[i]; is(f.Node, a.Node) {
			w.foreignRun(f.Run)
			f.Run = ""
		}
	}
	w.lockWhen(a.Node)
	for i := range w.scenario.Backups {
		if b := &w.scenario.Backups[i]; is(b.WhenPaused, a.Node) && b.began.IsZero() {
			b.began = w.now
		}
	}
	for i := range w.scenario.AdminPauses {
		if p := &w.scenario.AdminPauses[i]; is(p.WhenPaused, a.Node) {
			p.WhenPaused = "-"
			w.after(seconds(p.AfterSeconds), func() { _ = w.pause(agent.PauseArgs{Node: p.Node, DrainType: agent.DrainRoles}) })
		}
	}
	return nil
}

// refusesTask tells whether the task scheduler refuses to start a task, and counts it.
func (n *Node) refusesTask() bool {
	for _, r := range n.world.scenario.TasksRefused {
		if is(r.Node, n.name) && (r.Times == 0 || n.tasksRefused < r.Times) {
			n.tasksRefused++
			return true
		}
	}
	return false
}

// jumps sets the clock as the scenario says for the time after a restart.
func (n *Node) jumps() {
	for _, j := range n.world.scenario.ClockJumps {
		if is(j.Node, n.name) && j.AfterRestart && n.boots == 2 {
			n.ahead += minutes(j.Minutes)
		}
	}
}

// faultyShares are shares that a scenario makes disappear or change.
type faultyShares struct {
	world *World
	inner Shares
}

const errNetNameDeleted = 64 // ERROR_NETNAME_DELETED

// Open implements Shares.
func (f faultyShares) Open(ctx context.Context, node, root string) (Share, agent.Connection, error) {
	if f.gone(node, 0) {
		return nil, agent.Connection{}, win32(errBadNetworkPath, "The network path was not found.")
	}
	share, connection, err := f.inner.Open(ctx, node, root)
	if err != nil {
		return nil, connection, err
	}
	return faultyShare{Share: share, shares: f, node: node}, connection, nil
}

// gone tells whether the share has disappeared for a node that opens so many files more.
func (f faultyShares) gone(node string, files int) bool {
	defer f.world.lock()()
	n, err := f.world.member(node)
	if err != nil {
		return false
	}
	n.opened += files
	for _, g := range f.world.scenario.ShareGone {
		if (g.Node == "" || is(g.Node, node)) && n.opened+1-files > g.AfterFiles {
			return true
		}
	}
	return false
}

type faultyShare struct {
	Share
	shares faultyShares
	node   string
}

// Open implements Share.
func (s faultyShare) Open(path string) (io.ReadCloser, error) {
	if s.shares.gone(s.node, 1) {
		return nil, win32(errNetNameDeleted, "The specified network name is no longer available.")
	}
	r, err := s.Share.Open(path)
	if err != nil {
		return nil, err
	}
	for _, c := range s.shares.world.scenario.FilesChanged {
		if (c.Node == "" || is(c.Node, s.node)) && is(c.File, baseName(path)) {
			return &changedFile{ReadCloser: r}, nil
		}
	}
	return r, nil
}

// Entries implements Lister where the share does.
func (s faultyShare) Entries(limit int) (int, error) {
	if list, ok := s.Share.(Lister); ok {
		return list.Entries(limit)
	}
	return 0, errNoListing()
}

// changedFile is a file whose first byte is another one.
type changedFile struct {
	io.ReadCloser
	begun bool
}

func (c *changedFile) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if n > 0 && !c.begun {
		p[0] ^= 1
		c.begun = true
	}
	return n, err
}
