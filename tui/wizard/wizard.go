package wizard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/page"
)

// The pages, in order.
const (
	GettingStarted    page.ID = "getting-started"
	Plugin            page.ID = "plugin"
	AdvancedOptions   page.ID = "advanced-options"
	AdditionalOptions page.ID = "additional-options"
	Checks            page.ID = "checks"
	Preview           page.ID = "preview"
	Confirmation      page.ID = "confirmation"
)

func order() []page.ID {
	return []page.ID{GettingStarted, Plugin, AdvancedOptions, AdditionalOptions, Checks, Preview, Confirmation}
}

// Wizard collects a request page by page and holds the plan that the checks and the preview are about. What
// is filled in stays when going back.
type Wizard struct {
	services backend.Services
	texts    message.Texts
	overview backend.Overview

	at      int
	plugin  string
	further []string                     // the plug-ins behind it
	values  map[string]map[string]string // plug-in and place -> argument -> value as typed
	options map[string]string            // run option -> value as typed
	accept  map[string]bool

	// asking: the plug-ins are to be asked about their arguments; asked is what they were asked about last, and found what
	// they said of it, by field.
	asking bool
	asked  string
	found  map[string]string

	// writes: the missing configuration file is to be written; writing: that is the page's work now; wrote says what was.
	writes, writing bool
	wrote           string

	// plan is for exactly what is filled in; nil when there is none yet, or something changed since.
	plan *engine.Plan
}

// New makes a wizard for a cluster; the default plug-in is chosen, where there is none the first, and everything else
// stands at its default.
func New(services backend.Services, texts message.Texts, overview backend.Overview) *Wizard {
	w := &Wizard{services: services, texts: texts, overview: overview, values: map[string]map[string]string{}, accept: map[string]bool{}, options: defaultOptions(len(overview.Nodes))}
	for i, info := range services.Plugins() {
		if i == 0 || info.Name == plugins.Default {
			w.plugin = info.Name
		}
	}
	return w
}

// Rail lists the pages for the left edge.
func (w *Wizard) Rail() []page.Entry {
	var rail []page.Entry
	for i, id := range order() {
		rail = append(rail, page.Entry{ID: id, Title: w.texts.T(message.PageTitle(string(id))), Current: i == w.at, Done: i < w.at})
	}
	return rail
}

// Page is the current page.
func (w *Wizard) Page() page.Page {
	id := order()[w.at]
	p := page.Page{ID: id, Title: w.texts.T(message.PageTitle(string(id))), Intro: w.texts.T(message.PageIntro(string(id))), Next: w.texts.T(message.WizardNext)}
	switch id {
	case GettingStarted:
		w.gettingStarted(&p)
	case Plugin:
		w.pluginPage(&p)
	case AdvancedOptions:
		p.Fields = w.optionFields()
	case AdditionalOptions:
		w.argumentsPage(&p)
	case Checks:
		w.checksPage(&p)
	case Preview:
		w.previewPage(&p)
	case Confirmation:
		w.confirmationPage(&p)
	}
	for _, f := range p.Fields {
		if f.Problem != "" && p.Blocked == "" {
			p.Blocked = w.texts.T(message.WizardFieldProblem, f.Caption, f.Problem)
		}
	}
	return p
}

// Set fills in a field of the current page. The page says what is wrong with it, if anything. What changes
// the request makes the plan void: it is made again before it is shown or run (R08).
func (w *Wizard) Set(key, value string) {
	switch order()[w.at] {
	case Plugin:
		w.choose(key, value)
	case AdvancedOptions:
		w.changeIn(w.options, key, value)
	case AdditionalOptions:
		w.setArgument(key, value)
	case Checks:
		if key == writeKey {
			w.writes = value == "True"
			return
		}
		id := strings.TrimPrefix(key, acceptKey)
		if _, known := check.Lookup(id); known && w.plan != nil {
			w.accept[id] = value == "True"
			w.plan.Accepted = w.accepted()
		}
	}
}

func (w *Wizard) change(at *string, value string) {
	if *at != value {
		*at, w.plan = value, nil
		clear(w.accept)
	}
}

func (w *Wizard) changeIn(in map[string]string, key, value string) {
	if _, known := in[key]; known && in[key] != value {
		in[key], w.plan = value, nil
		clear(w.accept)
	}
}

// Next goes to the next page, unless the current one is blocked. It does nothing on the last page: Start
// ends the wizard.
func (w *Wizard) Next() error {
	p := w.Page()
	if p.Blocked != "" {
		return errors.New(p.Blocked)
	}
	if p.Work != nil {
		return errors.New(w.texts.T(message.WizardStillWorking))
	}
	switch {
	case p.ID == AdditionalOptions && w.toAsk():
		w.asking = true
	case p.ID == Checks && w.writes:
		w.writing = true
	case w.at < len(order())-1:
		w.at++
	}
	return nil
}

// Back goes to the page before; false on the first one.
func (w *Wizard) Back() bool {
	w.asked = ""
	if w.asking || w.writing { // the fields are shown again
		w.asking, w.writing = false, false
		return true
	}
	w.writes, w.wrote = false, ""
	if w.at == 0 {
		return false
	}
	w.at--
	return true
}

// Last tells whether the current page is the confirmation.
func (w *Wizard) Last() bool { return order()[w.at] == Confirmation }

// Rescan makes the plan void, so that the checks are done again.
func (w *Wizard) Rescan() {
	w.plan, w.writes, w.wrote = nil, false, ""
	clear(w.accept)
}

// Start starts the run exactly as it was shown (R08).
func (w *Wizard) Start(ctx context.Context) (backend.Started, error) {
	if w.plan == nil || !w.Last() {
		return backend.Started{}, errors.New(w.texts.T(message.WizardNotConfirmed))
	}
	if blocking := w.plan.Blocking(); len(blocking) > 0 {
		return backend.Started{}, fmt.Errorf("%s: %s", blocking[0].ID, blocking[0].Evidence)
	}
	return w.services.Start(ctx, w.plan)
}

// request is what is filled in; problems are on the pages.
func (w *Wizard) request() (backend.Request, error) {
	options, problems := w.parsedOptions()
	for name, problem := range problems {
		return backend.Request{}, fmt.Errorf("%s %s", name, problem)
	}
	req := backend.Request{Plugin: w.plugin, Options: options, Accepted: w.accepted()}
	for place, name := range w.chosen() {
		args, err := w.argumentsOf(place)
		if err != nil {
			return backend.Request{}, err
		}
		if place == 0 {
			req.Arguments = args
			continue
		}
		req.Further = append(req.Further, backend.FurtherPlugin{Plugin: name, Arguments: args})
	}
	return req, nil
}

// accepted are the accepted ids in the catalogue's order.
func (w *Wizard) accepted() []string {
	var ids []string
	for _, c := range check.Catalogue() {
		if w.accept[c.ID] {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
