package wizard

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"cau/internal/message"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/page"
)

const (
	// thenKey starts the keys of the fields that choose a plug-in behind the first.
	thenKey = "then:"
	// nothingMore is the choice of none.
	nothingMore = "none"
	// maxFurther is how many plug-ins can be chosen behind the first; Invoke-CauRun takes any number.
	maxFurther = 4
)

func (w *Wizard) pluginPage(p *page.Page) {
	p.Fields = []page.Field{w.pluginField("plugin", message.WizardPlugin, w.plugin)}
	for i, name := range w.further {
		p.Fields = append(p.Fields, w.furtherField(i, name))
	}
	if len(w.services.Plugins()) > 1 && len(w.further) < maxFurther {
		p.Fields = append(p.Fields, w.furtherField(len(w.further), nothingMore))
	}
	for _, name := range w.chosen() {
		if info := w.infoOf(name); info.Refused != "" {
			p.Blocked = message.Clean(info.Refused)
		}
	}
}

// pluginField chooses one plug-in.
func (w *Wizard) pluginField(key string, caption message.Key, value string) page.Field {
	f := page.Field{Key: key, Kind: page.Choice, Caption: w.texts.T(caption), Value: value}
	for _, info := range w.services.Plugins() {
		f.Choices = append(f.Choices, page.Option{Value: info.Name, Caption: info.Name, Help: info.Description})
		if info.Name == value {
			f.Help = info.Description
		}
	}
	return f
}

// furtherField chooses a plug-in behind the first, or none.
func (w *Wizard) furtherField(i int, value string) page.Field {
	f := w.pluginField(thenKey+strconv.Itoa(i), message.WizardThen, value)
	f.Choices = append([]page.Option{{Value: nothingMore, Caption: w.texts.T(message.WizardNothingMore)}}, f.Choices...)
	if f.Help == "" {
		f.Help = w.texts.T(message.WizardThenHelp)
	}
	return f
}

// choose fills in the page of plug-ins; what was typed for another plug-in stays.
func (w *Wizard) choose(key, value string) {
	at, further := strings.CutPrefix(key, thenKey)
	i, err := strconv.Atoi(at)
	switch {
	case !further:
		w.change(&w.plugin, value)
		return
	case err != nil || i < 0 || i > len(w.further) || i >= maxFurther:
		return
	case value == nothingMore && i < len(w.further):
		w.further = append(w.further[:i:i], w.further[i+1:]...)
	case value == nothingMore || i < len(w.further) && w.further[i] == value:
		return
	case i == len(w.further):
		w.further = append(w.further, value)
	default:
		w.further[i] = value
	}
	w.Rescan()
}

// chosen are the plug-ins in their order.
func (w *Wizard) chosen() []string { return append([]string{w.plugin}, w.further...) }

// valuesOf is what was typed for the plug-in at that place, beginning with its defaults.
func (w *Wizard) valuesOf(place int) map[string]string {
	name := w.chosen()[place]
	key := name
	if place > 0 {
		key = strconv.Itoa(place) + ":" + name
	}
	if w.values[key] == nil {
		info := w.infoOf(name)
		v := map[string]string{}
		for _, o := range info.Options {
			v[o.Name] = o.Default
		}
		maps.Copy(v, info.Defaults)
		w.values[key] = v
	}
	return w.values[key]
}

func (w *Wizard) infoOf(name string) backend.PluginInfo {
	for _, p := range w.services.Plugins() {
		if p.Name == name {
			return p
		}
	}
	return backend.PluginInfo{}
}

// setArgument fills in an argument of the first plug-in by its name, or of another one by "PLACE:name".
func (w *Wizard) setArgument(key, value string) {
	place := 0
	if at, name, ok := strings.Cut(key, ":"); ok {
		n, err := strconv.Atoi(at)
		if err != nil || n < 1 || n > len(w.further) {
			return
		}
		place, key = n, name
	}
	w.changeIn(w.valuesOf(place), key, value)
}

// argumentFields are generated from the plug-ins' option specs.
func (w *Wizard) argumentFields() []page.Field {
	var all []page.Field
	for place, name := range w.chosen() {
		fields := w.fieldsOf(w.infoOf(name), w.valuesOf(place))
		for i := range fields {
			if place > 0 {
				fields[i].Key = strconv.Itoa(place) + ":" + fields[i].Key
			}
			if len(w.further) > 0 {
				fields[i].Caption = fmt.Sprintf("%d. %s", place+1, fields[i].Caption)
			}
		}
		all = append(all, fields...)
	}
	return all
}

// fieldsOf are one plug-in's.
func (w *Wizard) fieldsOf(info backend.PluginInfo, values map[string]string) []page.Field {
	var fields []page.Field
	for _, o := range info.Options {
		f := page.Field{Key: o.Name, Kind: page.Text, Caption: o.Caption, Help: o.Help, Value: values[o.Name]}
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
	crossCheck(info, fields)
	return fields
}

// crossCheck adds the plug-in's own view of the arguments to fields that look right by themselves.
func crossCheck(info backend.PluginInfo, fields []page.Field) {
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

// argumentsOf are the arguments of the plug-in at that place, resolved.
func (w *Wizard) argumentsOf(place int) (plugins.Arguments, error) {
	info := w.infoOf(w.chosen()[place])
	values := w.valuesOf(place)
	var given []plugins.Argument
	for _, o := range info.Options {
		if v := values[o.Name]; v != "" {
			given = append(given, plugins.Argument{Name: o.Name, Value: v})
		}
	}
	args, problems := plugins.Resolve(info.Options, given)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	return args, nil
}
