package model

import (
	"encoding/json"
	"slices"

	"cau/internal/winnode/agent"
)

// CauProvider says how CAU's provider on Node differs from what we take it for.
type CauProvider struct {
	Node string `json:"node"`
	// Kind is absent (the node has no such provider), ignores-recommended (it takes no notice of
	// IncludeRecommendedUpdates) or all-optional (it counts every optional update as recommended).
	Kind string `json:"kind"`
}

const (
	providerAbsent   = "absent"
	providerIgnores  = "ignores-recommended"
	providerOptional = "all-optional"
)

// errInvalidClass is WBEM_E_INVALID_CLASS.
const errInvalidClass = 0x80041010

func (n *Node) cauProvider() string {
	for _, p := range n.world.scenario.CauProviders {
		if is(p.Node, n.name) {
			return p.Kind
		}
	}
	return ""
}

func (n *Node) namespaces() []string {
	all := []string{"mscluster", "storage", "clusterupdate"}
	if n.cauProvider() == providerAbsent {
		return all[:2]
	}
	return all
}

// cauRuns looks for the class first, as the script does.
func (n *Node) cauRuns() agent.CauRuns {
	if n.cauProvider() == providerAbsent {
		return agent.CauRuns{Runs: []string{}, Nodes: []string{}}
	}
	return n.world.cauRunsView()
}

// provided is an operation on the provider's classes.
func provided(n *Node, do func(json.RawMessage) (any, error)) func(json.RawMessage) (any, error) {
	return func(args json.RawMessage) (any, error) {
		if n.cauProvider() == providerAbsent {
			return nil, &hresult{errInvalidClass, "Invalid class"}
		}
		return do(args)
	}
}

// cauScan is MSFT_CAUNode.ScanUpdates. It asks the update agent by the query and gives recommended updates the same way as
// important ones, as the CAU UI has it.
func (n *Node) cauScan(j *job, in agent.CauScanInput) error {
	kind := n.cauProvider()
	switch {
	case kind == providerAbsent:
		j.finish(agent.CauScanOutput{Updates: []agent.CauFound{}}, nil)
		return nil
	case in.Criteria == "" || len(in.Criteria) > maxCriteria:
		return &refusal{"refused", "the criteria of the search are empty or too long"}
	}
	j.event("searching", in.Criteria, 0, 0)
	n.later(j, searchTime, func() {
		c, err := readCriteria(in.Criteria)
		if err != nil {
			j.finish(nil, err)
			return
		}
		out := agent.CauScanOutput{Available: true, Updates: []agent.CauFound{}}
		found := slices.DeleteFunc(n.offered(agent.UpdatesQuery{}), func(u *Update) bool {
			seen := *u
			if in.Recommended && kind != providerIgnores && (u.AutoSelect || kind == providerOptional) {
				seen.BrowseOnly = false
			}
			return !c.matches(n, &seen)
		})
		for _, u := range found {
			out.Updates = append(out.Updates, agent.CauFound{ID: u.ID, Title: u.Title})
		}
		j.event("found", "by CAU", int64(len(found)), int64(len(found)))
		j.finish(out, nil)
	})
	return nil
}
