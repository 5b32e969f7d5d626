package wizard

import (
	"fmt"
	"strconv"
	"strings"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/page"
)

// optionNames are the run options that are obeyed, in the order of the page.
func optionNames() []string {
	return []string{
		"MaxFailedNodes", "NodeOrder", "RequireAllNodesOnline", "RebootTimeoutMinutes", "DrainTimeoutMinutes", "FailbackMode", "StageNodesAtOnce",
		"PreUpdateScript", "PostUpdateScript", "ScriptAs", "ScriptTimeoutMinutes", "SignaturePolicy", "Delivery",
	}
}

func defaultOptions(nodes int) map[string]string {
	d := engine.DefaultOptions()
	return map[string]string{
		"MaxFailedNodes": strconv.Itoa(engine.DefaultMaxFailedNodes(nodes)), "NodeOrder": "", "RequireAllNodesOnline": "False",
		"RebootTimeoutMinutes": strconv.Itoa(d.RebootTimeoutMinutes), "DrainTimeoutMinutes": strconv.Itoa(d.DrainTimeoutMinutes),
		"FailbackMode": string(d.FailbackMode), "StageNodesAtOnce": strconv.Itoa(d.StageNodesAtOnce),
		"PreUpdateScript": "", "PostUpdateScript": "", "ScriptAs": string(d.ScriptAs), "ScriptTimeoutMinutes": strconv.Itoa(d.ScriptTimeoutMinutes),
		"SignaturePolicy": string(d.SignaturePolicy), "Delivery": string(d.Delivery),
	}
}

// parsedOptions turns what was typed into options; problems are by option name.
func (w *Wizard) parsedOptions() (engine.Options, map[string]string) {
	o := engine.DefaultOptions()
	problems := map[string]string{}
	number := func(name string) int {
		n, err := strconv.Atoi(strings.TrimSpace(w.options[name]))
		if err != nil {
			problems[name] = w.texts.T(message.WizardNotANumber)
		}
		return n
	}
	failed := number("MaxFailedNodes")
	o.MaxFailedNodes = &failed
	o.RebootTimeoutMinutes, o.DrainTimeoutMinutes, o.StageNodesAtOnce = number("RebootTimeoutMinutes"), number("DrainTimeoutMinutes"), number("StageNodesAtOnce")
	o.RequireAllNodesOnline = w.options["RequireAllNodesOnline"] == "True"
	o.FailbackMode = engine.FailbackMode(w.options["FailbackMode"])
	o.PreUpdateScript, o.PostUpdateScript = strings.TrimSpace(w.options["PreUpdateScript"]), strings.TrimSpace(w.options["PostUpdateScript"])
	o.ScriptAs, o.ScriptTimeoutMinutes = engine.ScriptAs(w.options["ScriptAs"]), number("ScriptTimeoutMinutes")
	o.SignaturePolicy, o.Delivery = plugins.SignaturePolicy(w.options["SignaturePolicy"]), plugins.Delivery(w.options["Delivery"])
	o.NodeOrder = strings.FieldsFunc(w.options["NodeOrder"], func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
	var names []string
	for _, n := range w.overview.Nodes {
		names = append(names, n.Name)
	}
	for _, p := range o.Validate(names) {
		if problems[p.Name] == "" {
			problems[p.Name] = p.Problem
		}
	}
	return o, problems
}

func (w *Wizard) optionFields() []page.Field {
	_, problems := w.parsedOptions()
	var fields []page.Field
	for _, name := range optionNames() {
		f := page.Field{Key: name, Kind: page.Text, Caption: name, Help: w.texts.T(message.OptionHelp(name)), Value: w.options[name], Problem: problems[name]}
		switch name {
		case "RequireAllNodesOnline":
			f.Kind = page.Bool
		case "FailbackMode":
			choose(&f, engine.FailbackModes())
		case "ScriptAs":
			choose(&f, engine.ScriptAccounts())
		case "SignaturePolicy":
			choose(&f, engine.SignaturePolicies())
		case "Delivery":
			choose(&f, engine.Deliveries())
		case "MaxFailedNodes":
			if n, err := strconv.Atoi(f.Value); err == nil && f.Problem == "" {
				f.Help = w.texts.T(message.WizardStopsAt, n+1)
			}
		}
		fields = append(fields, f)
	}
	return fields
}

func choose[T ~string](f *page.Field, values []T) {
	f.Kind = page.Choice
	for _, v := range values {
		f.Choices = append(f.Choices, page.Option{Value: string(v), Caption: string(v)})
	}
}

// argumentFields are generated from the plug-in's option specs.
func (w *Wizard) argumentFields() []page.Field {
	info := w.info()
	var fields []page.Field
	for _, o := range info.Options {
		f := page.Field{Key: o.Name, Kind: page.Text, Caption: o.Caption, Help: o.Help, Value: w.values[w.plugin][o.Name]}
		switch o.Kind {
		case plugins.KindBool:
			f.Kind = page.Bool
		case plugins.KindSecret:
			f.Kind = page.Secret
		case plugins.KindText, plugins.KindPath, plugins.KindMinutes:
		}
		if f.Caption == "" {
			f.Caption = o.Name
		}
		if o.Kind == plugins.KindMinutes {
			f.Help = fmt.Sprintf("%s (%d-%d)", o.Help, o.Min, o.Max)
		}
		f.Problem = o.CheckValue(f.Value)
		fields = append(fields, f)
	}
	w.crossCheck(fields)
	return fields
}

// crossCheck adds the plug-in's own view of the arguments to fields that look right by themselves.
func (w *Wizard) crossCheck(fields []page.Field) {
	info := w.info()
	if info.Validate == nil {
		return
	}
	args := plugins.Arguments{}
	for _, f := range fields {
		if f.Problem != "" {
			return
		}
		args[f.Key] = f.Value
	}
	for _, problem := range info.Validate(args) {
		for i := range fields {
			if fields[i].Key == problem.Name {
				fields[i].Problem = problem.Problem
			}
		}
	}
}
