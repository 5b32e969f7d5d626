package wizard

import (
	"strconv"

	"cau/engine"
	"cau/internal/message"
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
