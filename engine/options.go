package engine

import (
	"fmt"
	"slices"
	"strings"
)

// FailbackMode is how roles return when a node is resumed.
type FailbackMode string

// The failback modes, in CAU's words.
const (
	FailbackImmediate FailbackMode = "Immediate"
	FailbackNone      FailbackMode = "NoFailback"
	FailbackPolicy    FailbackMode = "Policy"
)

// Options are the run options that are obeyed. What CAU has beyond them is absent, never ignored.
type Options struct {
	// MaxFailedNodes is how many nodes may fail; the run stops at one more. 0..n-1; nil means the default
	// for the cluster's size, see DefaultMaxFailedNodes.
	MaxFailedNodes *int `json:"max_failed_nodes,omitempty"`
	// NodeOrder names nodes to take first, in this order; the rest follow by fewest roles.
	NodeOrder []string `json:"node_order,omitempty"`
	// RequireAllNodesOnline refuses the run unless every node is up.
	RequireAllNodesOnline bool `json:"require_all_nodes_online"`
	// RebootTimeoutMinutes bounds a restart until the node is ready; 1..1440, 15 by default.
	RebootTimeoutMinutes int `json:"reboot_timeout_minutes"`
	// DrainTimeoutMinutes bounds a drain; 1..1440, 60 by default. (Ours: CAU documents none.)
	DrainTimeoutMinutes int `json:"drain_timeout_minutes"`
	// FailbackMode is how roles return; Immediate by default.
	FailbackMode FailbackMode `json:"failback_mode"`
	// StageNodesAtOnce bounds how many nodes read the share at once; 1..64, 4 by default (R23).
	StageNodesAtOnce int `json:"stage_nodes_at_once"`
}

// DefaultOptions are CAU's defaults for the options that are obeyed.
func DefaultOptions() Options {
	return Options{RebootTimeoutMinutes: 15, DrainTimeoutMinutes: 60, FailbackMode: FailbackImmediate, StageNodesAtOnce: 4}
}

// DefaultMaxFailedNodes is the default for n nodes: floor(n/3)-1, at least 0. Invoke-CauRun documents its own as
// approximately one third.
func DefaultMaxFailedNodes(n int) int { return max(0, n/3-1) }

// FailureBudget is the number of failed nodes the run accepts; it stops at one more.
func (o Options) FailureBudget(nodes int) int {
	if o.MaxFailedNodes == nil {
		return DefaultMaxFailedNodes(nodes)
	}
	return *o.MaxFailedNodes
}

// OptionError is a problem with one option.
type OptionError struct{ Name, Problem string }

// Error is "Name problem".
func (e OptionError) Error() string { return e.Name + " " + e.Problem }

// Validate lists every problem; nodes are the cluster's, or nil while they are not known yet.
func (o Options) Validate(nodes []string) []OptionError {
	var p []OptionError
	bound := func(name string, v, lo, hi int) {
		if v < lo || v > hi {
			p = append(p, OptionError{name, fmt.Sprintf("is %d; it takes %d to %d", v, lo, hi)})
		}
	}
	bound("RebootTimeoutMinutes", o.RebootTimeoutMinutes, 1, 1440)
	bound("DrainTimeoutMinutes", o.DrainTimeoutMinutes, 1, 1440)
	bound("StageNodesAtOnce", o.StageNodesAtOnce, 1, 64)
	if !slices.Contains([]FailbackMode{FailbackImmediate, FailbackNone, FailbackPolicy}, o.FailbackMode) {
		p = append(p, OptionError{"FailbackMode", fmt.Sprintf("is %q; it takes Immediate, NoFailback or Policy", o.FailbackMode)})
	}
	if o.MaxFailedNodes != nil {
		hi := 63
		if nodes != nil {
			hi = len(nodes) - 1
		}
		bound("MaxFailedNodes", *o.MaxFailedNodes, 0, hi)
	}
	seen := map[string]bool{}
	for _, n := range o.NodeOrder {
		key := strings.ToLower(n)
		known := nodes == nil || slices.ContainsFunc(nodes, func(have string) bool { return strings.EqualFold(have, n) })
		switch {
		case seen[key]:
			p = append(p, OptionError{"NodeOrder", "names " + n + " twice"})
		case !known:
			p = append(p, OptionError{"NodeOrder", "names " + n + ", which is not a node of the cluster"})
		}
		seen[key] = true
	}
	return p
}
