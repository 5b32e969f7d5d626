package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/hotfix"
)

// hashAt lets a node in service compute the hashes of hotfix roots, where that is asked for. Nodes that a run of ours has are not
// given a job beside it: its plan is refused anyway.
func (s *session) hashAt(list []chosen, o engine.Options, run string, busy bool, note func(string)) {
	if o.HashAt != engine.HashAtNode {
		return
	}
	for i, c := range list {
		plugin, ok := c.plugin.(*hotfix.Plugin)
		switch {
		case !ok:
		case busy:
			note("A run has the nodes, so this host computes the hashes.")
		default:
			plugin.HashOn = s.hasher(run, fmt.Sprintf("%s-hash-%d", run, i+1), note)
		}
	}
}

// hasher asks the first node that is Up.
func (s *session) hasher(run, job string, note func(string)) hotfix.Hasher {
	return func(ctx context.Context, root string, requireEncryption bool, paths []string) (hotfix.Hashed, error) {
		name := ""
		for _, m := range s.view.Nodes {
			if m.State == engine.NodeUp {
				name = m.Name
				break
			}
		}
		const hint = "Have this host compute the hashes: leave --hash-at out."
		if name == "" {
			return hotfix.Hashed{}, &fault.Error{Op: "hash " + root, Err: errors.New("no node is Up"), Hint: hint}
		}
		fail := func(err error) (hotfix.Hashed, error) {
			return hotfix.Hashed{Node: name}, &fault.Error{Op: "hash " + root, Node: name, Err: err, Hint: orName(fault.Hint(err), hint)}
		}
		input, err := json.Marshal(plugins.ShareHashJob{Run: run, Root: root, RequireEncryption: requireEncryption, Files: paths})
		if err != nil {
			return fail(err)
		}
		note(fmt.Sprintf("%s computes the hashes of %d files.", name, len(paths)))
		node := s.node(name)
		data, err := node.RunJob(ctx, plugins.Job{ID: job, Kind: plugins.JobShareHash, Input: input}, nil)
		s.cleanScans(ctx, []string{name}, run)
		if err != nil {
			return fail(err)
		}
		var out plugins.ShareHashJobResult
		if err := json.Unmarshal(data, &out); err != nil {
			return fail(fmt.Errorf("read the job's result: %w", err))
		}
		return hotfix.Hashed{Node: name, Connection: out.Connection, Files: out.Files}, nil
	}
}
