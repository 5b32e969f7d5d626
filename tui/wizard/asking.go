package wizard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cau/internal/message"
	"cau/tui/page"
)

// argumentsPage shows the fields with what the plug-ins said of these very values. Where a plug-in is to be asked, that is the
// page's work, and the next page follows by itself when it finds nothing wrong: no node is contacted before.
func (w *Wizard) argumentsPage(p *page.Page) {
	p.Fields = w.argumentFields()
	if w.asking {
		p.Work = w.ask
		return
	}
	if w.asked != w.typed() {
		return
	}
	for i, f := range p.Fields {
		p.Fields[i].Problem = cmp.Or(f.Problem, w.found[f.Key])
	}
	p.Blocked = w.found[""]
}

// typed is everything that plug-ins are asked about, as one text.
func (w *Wizard) typed() string {
	text := ""
	for place, name := range w.chosen() {
		text += fmt.Sprintf("%q%q", name, w.valuesOf(place))
	}
	return text
}

// toAsk tells whether a plug-in has to be asked about what is filled in.
func (w *Wizard) toAsk() bool {
	return w.asked != w.typed() && slices.ContainsFunc(w.chosen(), func(name string) bool { return w.infoOf(name).Check != nil })
}

// ask lets each plug-in look at its arguments. What it says of an argument stands beside its field.
func (w *Wizard) ask(ctx context.Context, note func(string)) error {
	found := map[string]string{}
	for place, name := range w.chosen() {
		info := w.infoOf(name)
		if info.Check == nil {
			continue
		}
		args, err := w.argumentsOf(place)
		if err != nil {
			return err
		}
		note(w.texts.T(message.WizardAsks, message.Clean(name)))
		problems, err := info.Check(ctx, args)
		if err != nil {
			return err
		}
		for _, problem := range problems {
			text := message.Clean(problem.Problem)
			if problem.Hint != "" {
				text += ". " + message.Clean(problem.Hint)
			}
			key := ""
			for _, o := range info.Options {
				if strings.EqualFold(o.Name, problem.Name) {
					key = o.Name
				}
			}
			switch {
			case key == "":
				text = message.Clean(problem.Name) + ": " + text
			case place > 0:
				key = strconv.Itoa(place) + ":" + key
			}
			found[key] = cmp.Or(found[key], text)
		}
	}
	w.asking, w.asked, w.found = false, w.typed(), found
	if len(found) == 0 {
		w.at++
	}
	return nil
}

// others say which executables of other people take part, and what they may ask for (R31).
func (w *Wizard) others() []page.Line {
	var lines []page.Line
	for _, pp := range w.plan.Instances() {
		if w.infoOf(pp.Name).Others {
			lines = append(lines, page.Line{Tone: page.Ask, Text: w.texts.T(message.WizardOthers, message.Clean(pp.Instance))},
				page.Line{Indent: 1, Text: message.Clean(pp.Source)})
		}
	}
	return lines
}
