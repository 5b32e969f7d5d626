package engine

import (
	"fmt"
	"strconv"
	"strings"

	"cau/internal/shellword"
)

// CommandLines are the two equivalents of a plan: cau's own for a POSIX shell, and Invoke-CauRun's for
// PowerShell with the options that it has: those that are ours are not in it. Neither holds a secret, because the plan
// holds none (R04).
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
	for _, pp := range p.Instances() {
		add("--plugin", pp.Name)
		for _, name := range sortedKeys(pp.Arguments) { // an argument is the plug-in's that was named before it
			add("--arg", name+"="+pp.Arguments[name])
		}
	}
	o := p.Options
	for _, spec := range OptionSpecs() {
		switch {
		case spec.Value(o) == "", spec.Usual(o), spec.Needs != nil && !spec.Needs(o): // without what it needs the command line refuses it
		case spec.Kind == OptionSwitch:
			words = append(words, "--"+spec.Flag())
		default:
			add("--"+spec.Flag(), spec.Value(o))
		}
	}
	for _, id := range p.Accepted {
		add("--accept", id)
	}
	return strings.Join(append(words, "--yes"), " ")
}

func invokeLine(p *Plan) string {
	words := []string{"Invoke-CauRun", "-ClusterName", shellword.PowerShell(p.Cluster), "-CauPluginName"}
	var names, tables []string
	given := false
	for _, pp := range p.Instances() {
		pairs := make([]string, 0, len(pp.Arguments))
		for _, name := range sortedKeys(pp.Arguments) {
			pairs = append(pairs, shellword.PowerShell(name)+"="+shellword.PowerShell(pp.Arguments[name]))
		}
		table := "@{}" // one for each plug-in, in the same order (Invoke-CauRun, CauPluginArguments)
		if len(pairs) > 0 {
			table, given = "@{ "+strings.Join(pairs, "; ")+" }", true
		}
		names, tables = append(names, shellword.PowerShell(pp.Name)), append(tables, table)
	}
	words = append(words, strings.Join(names, ", "))
	if given {
		words = append(words, "-CauPluginArguments", strings.Join(tables, ", "))
	}
	words = append(words, "-MaxFailedNodes", strconv.Itoa(p.FailureBudget))
	for _, spec := range OptionSpecs() {
		// What CAU's documentation gives another default, or none, is always written.
		always := spec.Name == "MaxRetriesPerNode" || spec.Name == "RebootTimeoutMinutes" || spec.Name == "FailbackMode"
		if spec.Ours || spec.Name == "MaxFailedNodes" || (spec.Usual(p.Options) && !always) {
			continue
		}
		words = append(words, "-"+spec.Name)
		switch value := spec.Value(p.Options); spec.Kind {
		case OptionSwitch:
		case OptionNumber:
			words = append(words, value)
		case OptionNames:
			var quoted []string
			for _, n := range strings.Split(value, ",") {
				quoted = append(quoted, shellword.PowerShell(n))
			}
			words = append(words, strings.Join(quoted, ","))
		case OptionSpan, OptionWord, OptionText:
			words = append(words, shellword.PowerShell(value))
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
