package lines

import (
	"context"
	"errors"
	"strings"

	"cau/internal/message"
	"cau/tui/page"
	"cau/tui/wizard"
)

// wizard goes through the pages. previewOnly ends after the preview.
func (s *session) wizard(ctx context.Context, w *wizard.Wizard, previewOnly bool) error {
	for shown := page.ID(""); ; {
		p := w.Page()
		if p.ID != shown || p.Work != nil { // asked again, a page is not read out again
			var err error
			if p, err = s.show(ctx, w); err != nil {
				return err
			}
		}
		shown = p.ID
		err := s.fill(ctx, w, p)
		if err == nil {
			err = s.forward(ctx, w, previewOnly)
		}
		switch {
		case errors.Is(err, errBack):
			if !w.Back() {
				return errBack
			}
			shown = ""
		case errors.Is(err, errDone):
			return nil
		case err != nil:
			return err
		}
	}
}

// errDone ends the wizard.
var errDone = errors.New("done")

// show prints the current page, after doing the work that its content needs.
func (s *session) show(ctx context.Context, w *wizard.Wizard) (page.Page, error) {
	p := w.Page()
	s.print("")
	s.print(s.Texts.T(message.LinesPage, p.Title, position(w), len(w.Rail())))
	s.print(p.Intro)
	if p.Work != nil {
		if err := p.Work(ctx, func(note string) { s.print("  " + message.Clean(note)) }); err != nil {
			return p, err
		}
		was := p.ID
		if p = w.Page(); p.ID != was { // its work was all that was left to do there
			return s.show(ctx, w)
		}
	}
	for _, l := range p.Lines {
		s.print(strings.Repeat("  ", l.Indent) + l.Text)
	}
	return p, nil
}

func position(w *wizard.Wizard) int {
	for i, e := range w.Rail() {
		if e.Current {
			return i + 1
		}
	}
	return 0
}

// askedOneByOne is how many fields of a page are asked for one after the other; of more only those that are named.
const askedOneByOne = 10

// fill asks for every field of the page; Enter keeps what is there.
func (s *session) fill(ctx context.Context, w *wizard.Wizard, p page.Page) error {
	if len(p.Fields) > askedOneByOne && p.ID != wizard.Checks {
		return s.fillNamed(ctx, w, p)
	}
	for i := range p.Fields {
		if err := s.fillOne(ctx, w, i); err != nil {
			return err
		}
	}
	return nil
}

// fillNamed reads the fields out and asks which of them to change, until the answer is Enter.
func (s *session) fillNamed(ctx context.Context, w *wizard.Wizard, p page.Page) error {
	for _, f := range p.Fields {
		s.print("  " + s.prompt(f))
	}
	for {
		answer, err := s.ask(ctx, s.Texts.T(message.LinesChange))
		name := strings.TrimSpace(answer)
		if err != nil || name == "" {
			return err
		}
		i := named(w.Page().Fields, name)
		if i < 0 {
			s.print(s.Texts.T(message.LinesNoSuchField, message.Clean(name)))
			continue
		}
		if err := s.fillOne(ctx, w, i); err != nil {
			return err
		}
	}
}

// named is the field that is called so, or the only one that begins so; -1 when there is none.
func named(fields []page.Field, name string) int {
	found := -1
	for i, f := range fields {
		caption := strings.ToLower(f.Caption)
		switch {
		case caption == strings.ToLower(name):
			return i
		case strings.HasPrefix(caption, strings.ToLower(name)) && found < 0:
			found = i
		case strings.HasPrefix(caption, strings.ToLower(name)):
			found = len(fields)
		}
	}
	if found == len(fields) {
		return -1
	}
	return found
}

// fillOne asks for one field until it is right; Enter keeps what is there.
func (s *session) fillOne(ctx context.Context, w *wizard.Wizard, i int) error {
	for {
		p := w.Page()
		if i >= len(p.Fields) {
			return nil
		}
		f := p.Fields[i]
		if f.Help != "" {
			s.print("  " + f.Help)
		}
		answer, err := s.ask(ctx, s.prompt(f))
		if err != nil {
			return err
		}
		if answer != "" {
			value, ok := value(f, strings.TrimSpace(answer))
			if !ok {
				s.print(s.Texts.T(message.LinesChoiceProblem, strings.Join(choices(f), ", ")))
				continue
			}
			w.Set(f.Key, value)
		}
		p = w.Page()
		if i >= len(p.Fields) || p.Fields[i].Problem == "" {
			return nil
		}
		s.print(s.Texts.T(message.WizardFieldProblem, f.Caption, p.Fields[i].Problem))
	}
}

func (s *session) prompt(f page.Field) string {
	shown := f.Value
	switch f.Kind {
	case page.Secret:
		shown = strings.Repeat("*", len(f.Value))
	case page.Bool:
		shown = s.Texts.T(message.LinesNo)
		if f.Value == "True" {
			shown = s.Texts.T(message.LinesYes)
		}
	case page.Choice, page.Text:
	}
	if c := choices(f); len(c) > 0 {
		return f.Caption + " (" + strings.Join(c, ", ") + ") [" + shown + "]:"
	}
	return f.Caption + " [" + shown + "]:"
}

// choices are what may be answered, where that is limited.
func choices(f page.Field) []string {
	var c []string
	switch f.Kind {
	case page.Bool:
		return []string{"yes", "no"}
	case page.Choice:
		for _, o := range f.Choices {
			c = append(c, o.Value)
		}
	case page.Text, page.Secret:
	}
	return c
}

// value is the field's value for an answer: a choice by name or by its beginning.
func value(f page.Field, answer string) (string, bool) {
	switch f.Kind {
	case page.Bool:
		switch strings.ToLower(answer) {
		case "y", "yes", "true":
			return "True", true
		case "n", "no", "false":
			return "False", true
		}
		return "", false
	case page.Choice:
		for _, o := range f.Choices {
			if strings.EqualFold(o.Value, answer) {
				return o.Value, true
			}
		}
		return "", false
	case page.Text, page.Secret:
	}
	return answer, true
}

// forward asks what to do at the end of a page and does it.
func (s *session) forward(ctx context.Context, w *wizard.Wizard, previewOnly bool) error {
	p := w.Page()
	if p.Blocked != "" {
		s.print(p.Blocked)
		if _, err := s.ask(ctx, s.Texts.T(message.LinesBlocked)); err != nil {
			return err
		}
		if p.ID == wizard.Checks {
			return nil // the fields are asked again
		}
		return errBack
	}
	if previewOnly && p.ID == wizard.Preview {
		return errDone
	}
	if !w.Last() {
		if len(p.Fields) == 0 {
			if _, err := s.ask(ctx, s.Texts.T(message.LinesContinue, p.Next)); err != nil {
				return err
			}
		}
		return w.Next()
	}
	answer, err := s.ask(ctx, s.Texts.T(message.LinesConfirm))
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(answer), "yes") {
		return errBack
	}
	started, err := w.Start(ctx)
	if err != nil {
		return err
	}
	s.print(s.Texts.T(message.CLIStarted, started.Run, started.Where))
	if err := s.watch(ctx, started.Run); err != nil {
		return err
	}
	return errDone
}
