package engine

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cau/plugins"
)

// FailbackMode is how roles return when a node is resumed.
type FailbackMode string

// The failback modes, in CAU's words.
const (
	FailbackImmediate FailbackMode = "Immediate"
	FailbackNone      FailbackMode = "NoFailback"
	FailbackPolicy    FailbackMode = "Policy"
)

// ScriptAs is as whom pre- and post-update scripts run on a node.
type ScriptAs string

// The two ways. A script that runs as the caller has that logon's limits: no share, and its process ends with WinRM's.
const (
	ScriptAsSystem ScriptAs = "system"
	ScriptAsCaller ScriptAs = "caller"
)

// maxScriptPath is CAU's limit for a script's path and name (Set-CauClusterRole, PreUpdateScript).
const maxScriptPath = 260

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
	// PreUpdateScript and PostUpdateScript are paths of PowerShell scripts on this host (.ps1, at most 260 characters),
	// read when the plan is made. The first runs on each node that has work before it is paused, the second after it
	// is back in service.
	PreUpdateScript  string `json:"pre_update_script,omitempty"`
	PostUpdateScript string `json:"post_update_script,omitempty"`
	// ScriptAs is as whom they run; ScriptAsSystem by default. (Ours: CAU's run in the remote session.)
	ScriptAs ScriptAs `json:"script_as,omitempty"`
	// ScriptTimeoutMinutes bounds one script on one node; 1..1440, 30 by default. (Ours.)
	ScriptTimeoutMinutes int `json:"script_timeout_minutes,omitempty"`
	// SignaturePolicy says what is done about an update whose Authenticode signature is not valid; warn by default. (Ours.)
	SignaturePolicy plugins.SignaturePolicy `json:"signature_policy,omitempty"`
	// Delivery is how files come to the nodes; auto by default: each node is asked before the plan is made (R24). (Ours.)
	Delivery plugins.Delivery `json:"delivery,omitempty"`
}

// DefaultOptions are CAU's defaults for the options that are obeyed.
func DefaultOptions() Options {
	return Options{
		RebootTimeoutMinutes: 15, DrainTimeoutMinutes: 60, FailbackMode: FailbackImmediate, StageNodesAtOnce: 4,
		ScriptAs: ScriptAsSystem, ScriptTimeoutMinutes: 30, SignaturePolicy: plugins.SignatureWarn, Delivery: plugins.DeliveryAuto,
	}
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
	bound("ScriptTimeoutMinutes", o.ScriptTimeoutMinutes, 1, 1440)
	p = append(p, oneOf("FailbackMode", o.FailbackMode, FailbackModes())...)
	p = append(p, oneOf("ScriptAs", o.ScriptAs, ScriptAccounts())...)
	p = append(p, oneOf("SignaturePolicy", o.SignaturePolicy, SignaturePolicies())...)
	p = append(p, oneOf("Delivery", o.Delivery, Deliveries())...)
	p = append(p, scriptPath("PreUpdateScript", o.PreUpdateScript)...)
	p = append(p, scriptPath("PostUpdateScript", o.PostUpdateScript)...)
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

// FailbackModes are the values that FailbackMode takes.
func FailbackModes() []FailbackMode {
	return []FailbackMode{FailbackImmediate, FailbackNone, FailbackPolicy}
}

// ScriptAccounts are the values that ScriptAs takes.
func ScriptAccounts() []ScriptAs { return []ScriptAs{ScriptAsSystem, ScriptAsCaller} }

// SignaturePolicies are the values that SignaturePolicy takes.
func SignaturePolicies() []plugins.SignaturePolicy {
	return []plugins.SignaturePolicy{plugins.SignatureWarn, plugins.SignatureRequire, plugins.SignatureIgnore}
}

// Deliveries are the values that Delivery takes.
func Deliveries() []plugins.Delivery {
	return []plugins.Delivery{plugins.DeliveryAuto, plugins.DeliveryPull, plugins.DeliveryPush}
}

func oneOf[T ~string](name string, value T, takes []T) []OptionError {
	if slices.Contains(takes, value) {
		return nil
	}
	words := make([]string, 0, len(takes))
	for _, t := range takes {
		words = append(words, string(t))
	}
	last := len(words) - 1
	return []OptionError{{name, fmt.Sprintf("is %q; it takes %s or %s", string(value), strings.Join(words[:last], ", "), words[last])}}
}

func scriptPath(name, path string) []OptionError {
	switch {
	case path == "":
		return nil
	case strings.ContainsFunc(path, invisible):
		return []OptionError{{name, "holds a control character"}}
	case !strings.HasSuffix(strings.ToLower(path), ".ps1"):
		return []OptionError{{name, "is not the path of a PowerShell script (.ps1)"}}
	case utf8.RuneCountInString(path) > maxScriptPath:
		return []OptionError{{name, fmt.Sprintf("is longer than %d characters", maxScriptPath)}}
	}
	return nil
}
