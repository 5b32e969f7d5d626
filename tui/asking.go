package tui

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
)

// control asks the run for something; one request at a time, and none is lost without a word.
func (w *watch) control(c engine.Control) tea.Cmd {
	if w.asking.id != 0 {
		w.say(w.texts.T(message.AskPending), w.theme.Warn)
		return nil
	}
	w.asked = c
	var cmd tea.Cmd
	w.asking, cmd = w.work.start(func(ctx context.Context, _ int) (any, error) {
		return nil, w.services.Control(ctx, w.run, c)
	})
	return cmd
}

// answered says whether the run took what was asked.
func (w *watch) answered(err error) {
	var refused *engine.RefusedError
	switch {
	case err == nil:
		w.say(w.done(w.asked), w.theme.Good)
	case errors.As(err, &refused):
		w.tell(w.no(refused.Why, refused.Advice))
	default:
		w.tell(w.saying(message.ScreenControlFail, message.Line(err.Error()), fault.Hint(err)))
	}
}

// done says what the run took. It is one line of the smallest screen.
func (w *watch) done(c engine.Control) string {
	switch {
	case c.Node != "":
		return w.texts.T(message.AskDone(string(c.Verb)), message.Clean(c.Node))
	case c.Verb == engine.VerbStopNow:
		return w.texts.T(message.AskDone(string(c.Verb)))
	}
	return w.texts.T(message.CLIControlDone(string(c.Verb)), w.run)
}

// no is a dialog that says why the run does not do something, and what can be done instead.
func (w *watch) no(why, advice string) *dialog { return w.saying(message.AskRefused, why, advice) }

func (w *watch) saying(title message.Key, texts ...string) *dialog {
	d := &dialog{title: w.texts.T(title), buttons: []button{{caption: w.texts.T(message.ScreenClose)}}}
	for _, text := range texts {
		if text != "" {
			d.plain = append(d.plain, message.Clean(text))
		}
	}
	return d
}
