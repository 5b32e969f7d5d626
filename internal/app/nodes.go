package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
)

// JobList lists the jobs on the nodes, or on one. A node that cannot be asked is an error: what is at work there is
// not known.
func (p *program) JobList(ctx context.Context, target cli.Target, node, run string, note func(string)) ([]cli.NodeJob, error) {
	s, names, err := p.nodesOf(ctx, target, node, note)
	if err != nil {
		return nil, err
	}
	var out []cli.NodeJob
	for _, name := range names {
		jobs, err := s.fleet.Node(name).Jobs(ctx, run)
		if err != nil {
			return nil, err
		}
		const taskQueued = 2
		for _, j := range jobs {
			out = append(out, cli.NodeJob{Node: name, Run: j.Run, ID: j.ID, Kind: j.Kind, Alive: j.Alive, Finished: j.Finished, Queued: j.TaskState == taskQueued, Heartbeat: j.Heartbeat})
		}
	}
	return out, nil
}

// JobKill ends the process tree of a job. Whoever calls it has had the node's name typed (R18).
func (p *program) JobKill(ctx context.Context, target cli.Target, node, run, id string) ([]int, error) {
	s, names, err := p.nodesOf(ctx, target, node, func(string) {})
	if err != nil {
		return nil, err
	}
	return s.fleet.Node(names[0]).KillJob(ctx, run, id)
}

// NodeClean removes cau's traces from the nodes, or from one, unless a run of this host is on the cluster.
func (p *program) NodeClean(ctx context.Context, target cli.Target, node, run string, note func(string)) ([]string, error) {
	s, names, err := p.nodesOf(ctx, target, node, note)
	if err != nil {
		return nil, err
	}
	busy, err := p.ownRunCheck(s, nil)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(busy, func(r check.Result) bool { return r.Outcome == check.Fail }); i >= 0 {
		return nil, cli.Refused(&fault.Error{Op: "clean " + strings.Join(names, ", "), Err: errors.New(strings.TrimSuffix(busy[i].Evidence, ".")), Hint: busy[i].Remedy})
	}
	var done []string
	var failures []error
	for _, name := range names {
		if err := s.fleet.Node(name).Clean(ctx, run); err != nil {
			failures = append(failures, err)
			continue
		}
		done = append(done, name)
	}
	return done, errors.Join(failures...)
}

// nodesOf connects and finds the node that was named, or all.
func (p *program) nodesOf(ctx context.Context, target cli.Target, node string, note func(string)) (*session, []string, error) {
	s, err := p.signIn(ctx, target)
	if err != nil {
		return nil, nil, err
	}
	if err := s.connect(ctx, note); err != nil {
		return nil, nil, err
	}
	var names []string
	for _, m := range s.view.Nodes {
		if node == "" || s.names(node, m.Name) {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil, cli.Usage(&fault.Error{Op: "choose the node", Err: fmt.Errorf("%s is not a node of %s", node, s.view.Name), Hint: nodesHint(s.view)})
	}
	return s, names, nil
}
