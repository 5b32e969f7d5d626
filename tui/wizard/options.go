package wizard

import (
	"fmt"
	"strconv"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/page"
)

// defaultOptions are the run options as the page shows them first.
func defaultOptions(nodes int) map[string]string {
	options := map[string]string{}
	for _, spec := range engine.OptionSpecs() {
		options[spec.Name] = spec.Value(engine.DefaultOptions())
	}
	options["MaxFailedNodes"] = strconv.Itoa(engine.DefaultMaxFailedNodes(nodes))
	return options
}

// parsedOptions turns what was typed into options; problems are by option name.
func (w *Wizard) parsedOptions() (engine.Options, map[string]string) {
	o := engine.DefaultOptions()
	problems := map[string]string{}
	for _, spec := range engine.OptionSpecs() {
		if err := spec.Set(&o, w.options[spec.Name]); err != nil {
			problems[spec.Name] = err.Error()
		}
	}
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
	for _, spec := range engine.OptionSpecs() {
		f := page.Field{Key: spec.Name, Kind: page.Text, Caption: spec.Name, Help: w.texts.T(message.OptionHelp(spec.Name)), Value: w.options[spec.Name], Problem: problems[spec.Name]}
		if spec.Ours {
			f.Help = w.texts.T(message.WizardOurOption, f.Help)
		}
		switch spec.Kind {
		case engine.OptionSwitch:
			f.Kind = page.Bool
		case engine.OptionWord:
			f.Kind = page.Choice
			for _, v := range spec.Words {
				f.Choices = append(f.Choices, page.Option{Value: v, Caption: v})
			}
		case engine.OptionNumber, engine.OptionSpan, engine.OptionText, engine.OptionNames:
		}
		if n, err := strconv.Atoi(f.Value); err == nil && f.Problem == "" {
			switch spec.Name {
			case "MaxFailedNodes":
				f.Help = w.texts.T(message.WizardStopsAt, n+1)
			case "MaxRetriesPerNode":
				f.Help = w.texts.T(message.WizardAttempts, n+1)
			}
		}
		fields = append(fields, f)
	}
	return fields
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
