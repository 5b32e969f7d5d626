package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cau/plugins"
)

// OptionError is a problem with one option.
type OptionError struct{ Name, Problem string }

// Error is "Name problem".
func (e OptionError) Error() string { return e.Name + " " + e.Problem }

// Validate lists every problem; nodes are the cluster's, or nil while they are not known yet.
func (o Options) Validate(nodes []string) []OptionError {
	p := slices.Concat(o.bounds(nodes), o.words(), o.nodeNames(nodes), o.together(), o.moments())
	p = append(p, scriptPath("PreUpdateScript", o.PreUpdateScript)...)
	return append(p, scriptPath("PostUpdateScript", o.PostUpdateScript)...)
}

func (o Options) bounds(nodes []string) []OptionError {
	var p []OptionError
	bound := func(name string, v, lo, hi int) {
		if v < lo || v > hi {
			p = append(p, OptionError{name, fmt.Sprintf("is %d; it takes %d to %d", v, lo, hi)})
		}
	}
	bound("MaxRetriesPerNode", o.MaxRetriesPerNode, 0, 64)
	bound("RebootTimeoutMinutes", o.RebootTimeoutMinutes, 1, 1440)
	bound("DrainTimeoutMinutes", o.DrainTimeoutMinutes, 1, 1440)
	bound("SuspendClusterNodeTimeoutMinutes", o.SuspendClusterNodeTimeoutMinutes, 1, 1440)
	bound("SuspendRetriesPerNode", o.SuspendRetriesPerNode, 0, 64)
	bound("WaitForStorageRepairTimeoutMinutes", o.WaitForStorageRepairTimeoutMinutes, 1, 10080)
	bound("StageNodesAtOnce", o.StageNodesAtOnce, 1, 64)
	bound("ScriptTimeoutMinutes", o.ScriptTimeoutMinutes, 1, 1440)
	bound("GateStatus", o.GateStatus, 100, 599)
	for _, s := range []struct {
		name string
		span TimeSpan
	}{{"StopAfter", o.StopAfter}, {"WarnAfter", o.WarnAfter}, {"Soak", o.Soak}} {
		if s.span < 0 || s.span > maxSpan {
			p = append(p, OptionError{s.name, fmt.Sprintf("is %s; it takes 0 to %s", s.span, maxSpan)})
		}
	}
	if o.MaxFailedNodes != nil {
		hi := 63
		if nodes != nil {
			hi = len(nodes) - 1
		}
		bound("MaxFailedNodes", *o.MaxFailedNodes, 0, hi)
	}
	return p
}

func (o Options) words() []OptionError {
	return slices.Concat(
		oneOf("FailbackMode", o.FailbackMode, FailbackModes()), o.RebootMode.problem(),
		oneOf("InstallOrder", o.InstallOrder, InstallOrders()), oneOf("FollowUps", o.FollowUps, FollowUpAnswers()),
		oneOf("ScriptAs", o.ScriptAs, ScriptAccounts()), oneOf("SignaturePolicy", o.SignaturePolicy, SignaturePolicies()),
		oneOf("Delivery", o.Delivery, Deliveries()), oneOf("HashAt", o.HashAt, HashPlaces()), o.notifyWords(),
	)
}

// nodeNames looks at the options that name nodes and sites.
func (o Options) nodeNames(nodes []string) []OptionError {
	var p []OptionError
	for _, list := range []struct {
		option string
		names  []string
	}{{"NodeOrder", o.NodeOrder}, {"OnlyNodes", o.OnlyNodes}, {"SkipNodes", o.SkipNodes}} {
		for i, n := range list.names {
			switch {
			case names(list.names[:i], n):
				p = append(p, OptionError{list.option, "names " + n + " twice"})
			case nodes != nil && !names(nodes, n):
				p = append(p, OptionError{list.option, "names " + n + ", which is not a node of the cluster"})
			}
		}
	}
	for i, site := range o.SiteAwareUpdatingOrder {
		if names(o.SiteAwareUpdatingOrder[:i], site) {
			p = append(p, OptionError{"SiteAwareUpdatingOrder", "names " + site + " twice"})
		}
	}
	for _, n := range o.SkipNodes {
		if names(o.OnlyNodes, n) {
			p = append(p, OptionError{"SkipNodes", "names " + n + ", which OnlyNodes names too"})
		}
	}
	return p
}

// names tells whether list holds name, whatever its case.
func names(list []string, name string) bool {
	return slices.ContainsFunc(list, func(have string) bool { return strings.EqualFold(have, name) })
}

// together finds options that exclude or need each other.
func (o Options) together() []OptionError {
	var p []OptionError
	var forced []string
	for _, f := range []struct {
		name string
		set  bool
	}{{"ForcePauseAndDrain", o.ForcePauseAndDrain}, {"ForcePauseNoDrain", o.ForcePauseNoDrain}, {"ForcePauseDrainAndReboot", o.ForcePauseDrainAndReboot}} {
		if f.set {
			forced = append(forced, f.name)
		}
	}
	if len(forced) > 1 {
		p = append(p, OptionError{forced[1], "cannot be given together with " + forced[0]})
	}
	if len(forced) > 0 && o.InstallOrder == InstallFirst {
		p = append(p, OptionError{forced[0], "pauses before anything is installed, and InstallOrder is " + string(InstallFirst)})
	}
	if o.WarnAfter > 0 && o.StopAfter > 0 && o.WarnAfter >= o.StopAfter {
		p = append(p, OptionError{"WarnAfter", fmt.Sprintf("is %s; it must be less than StopAfter, which is %s", o.WarnAfter, o.StopAfter)})
	}
	if len(o.NodeOrder) > 0 && len(o.SiteAwareUpdatingOrder) > 0 {
		p = append(p, OptionError{"SiteAwareUpdatingOrder", "cannot be given together with NodeOrder"})
	}
	return p
}

// moments looks at the options that are about when nodes may be begun.
func (o Options) moments() []OptionError {
	var p []OptionError
	if o.Window != "" {
		if _, err := ParseWindow(o.Window); err != nil {
			p = append(p, OptionError{"Window", "is " + strconv.Quote(o.Window) + ": " + err.Error()})
		}
	}
	if o.StartNoNodeAfter != "" {
		if _, err := ParseLastBegin(o.StartNoNodeAfter); err != nil {
			p = append(p, OptionError{"StartNoNodeAfter", "is " + strconv.Quote(o.StartNoNodeAfter) + ": " + err.Error()})
		}
	}
	if o.Gate != "" {
		if _, err := ParseGate(o.Gate); err != nil {
			p = append(p, OptionError{"Gate", err.Error()})
		}
	}
	return p
}

// InstallOrders are the values that InstallOrder takes.
func InstallOrders() []InstallOrder { return []InstallOrder{DrainFirst, InstallFirst} }

// FollowUpAnswers are the values that FollowUps takes.
func FollowUpAnswers() []FollowUps {
	return []FollowUps{FollowUpsSameRun, FollowUpsPlannedOnly, FollowUpsAsk}
}

// RebootModes are the values that RebootMode takes.
func RebootModes() []RebootMode { return []RebootMode{RebootDefault, RebootFull} }

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

// HashPlaces are the values that HashAt takes.
func HashPlaces() []HashAt { return []HashAt{HashAtHost, HashAtNode} }

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
