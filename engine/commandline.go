package engine

import (
	"fmt"
	"strconv"
	"strings"

	"cau/internal/shellword"
)

// CommandLines are the two equivalents of a plan: cau's own for a POSIX shell, and Invoke-CauRun's for
// PowerShell with the options that it has: CAU has no drain, script and staging limits, no script account, signature
// policy or delivery. Neither holds a secret, because the plan holds none (R04).
func CommandLines(p *Plan) (cau, invoke string) {
	return cauLine(p), invokeLine(p)
}

func cauLine(p *Plan) string {
	words := []string{"cau", "apply"}
	add := func(name, value string) { words = append(words, name, shellword.POSIX(value)) }
	if p.Lab != "" {
		words = append(words, "--lab")
	} else {
		add("--cluster", p.Address)
	}
	for i := 0; i+1 < len(p.Reach); i += 2 {
		if p.Reach[i+1] == "" {
			words = append(words, p.Reach[i])
			continue
		}
		add(p.Reach[i], p.Reach[i+1])
	}
	add("--plugin", p.Plugin)
	for _, name := range sortedKeys(p.Arguments) {
		add("--arg", name+"="+p.Arguments[name])
	}
	def, o := DefaultOptions(), p.Options
	if o.MaxFailedNodes != nil {
		add("--max-failed-nodes", strconv.Itoa(*o.MaxFailedNodes))
	}
	if len(o.NodeOrder) > 0 {
		add("--node-order", strings.Join(o.NodeOrder, ","))
	}
	if o.RequireAllNodesOnline {
		words = append(words, "--require-all-nodes-online")
	}
	minutes := func(name string, v, usual int) {
		if v != usual {
			add(name, strconv.Itoa(v))
		}
	}
	minutes("--reboot-timeout-minutes", o.RebootTimeoutMinutes, def.RebootTimeoutMinutes)
	minutes("--drain-timeout-minutes", o.DrainTimeoutMinutes, def.DrainTimeoutMinutes)
	minutes("--stage-nodes-at-once", o.StageNodesAtOnce, def.StageNodesAtOnce)
	if o.FailbackMode != def.FailbackMode {
		add("--failback-mode", string(o.FailbackMode))
	}
	text := func(name, v, usual string) {
		if v != usual && v != "" {
			add(name, v)
		}
	}
	text("--pre-update-script", o.PreUpdateScript, "")
	text("--post-update-script", o.PostUpdateScript, "")
	if o.PreUpdateScript != "" || o.PostUpdateScript != "" { // without a script the command line refuses them
		text("--script-as", string(o.ScriptAs), string(def.ScriptAs))
		minutes("--script-timeout-minutes", o.ScriptTimeoutMinutes, def.ScriptTimeoutMinutes)
	}
	text("--signature-policy", string(o.SignaturePolicy), string(def.SignaturePolicy))
	text("--delivery", string(o.Delivery), string(def.Delivery))
	for _, id := range p.Accepted {
		add("--accept", id)
	}
	return strings.Join(append(words, "--yes"), " ")
}

func invokeLine(p *Plan) string {
	words := []string{"Invoke-CauRun", "-ClusterName", shellword.PowerShell(p.Cluster), "-CauPluginName", shellword.PowerShell(p.Plugin)}
	pairs := make([]string, 0, len(p.Arguments))
	for _, name := range sortedKeys(p.Arguments) {
		pairs = append(pairs, shellword.PowerShell(name)+"="+shellword.PowerShell(p.Arguments[name]))
	}
	if len(pairs) > 0 {
		words = append(words, "-CauPluginArguments", "@{ "+strings.Join(pairs, "; ")+" }")
	}
	words = append(words, "-MaxFailedNodes", strconv.Itoa(p.FailureBudget))
	o := p.Options
	if len(o.NodeOrder) > 0 {
		quoted := make([]string, 0, len(o.NodeOrder))
		for _, n := range o.NodeOrder {
			quoted = append(quoted, shellword.PowerShell(n))
		}
		words = append(words, "-NodeOrder", strings.Join(quoted, ","))
	}
	if o.RequireAllNodesOnline {
		words = append(words, "-RequireAllNodesOnline")
	}
	words = append(words, "-RebootTimeoutMinutes", strconv.Itoa(o.RebootTimeoutMinutes), "-FailbackMode", shellword.PowerShell(string(o.FailbackMode)))
	for _, s := range []struct{ parameter, path string }{{"-PreUpdateScript", o.PreUpdateScript}, {"-PostUpdateScript", o.PostUpdateScript}} {
		if s.path != "" {
			words = append(words, s.parameter, shellword.PowerShell(s.path))
		}
	}
	return strings.Join(append(words, "-Force"), " ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}
