package tui

import (
	"errors"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/page"
)

// verb is something that is asked of the run about the chosen node, or about the whole run at once (R29).
type verb struct {
	key *key.Binding
	// help replaces the key's own words where it means something else now.
	help message.Key
	// about is what would be asked. no is why it is not asked, nil where it is; ask opens its dialog.
	about engine.Control
	no    *engine.RefusedError
	ask   func(engine.Control)
}

// verbs are what the keys of k mean for the chosen node now.
func (w *watch) verbs(k *keymap) []verb {
	n := w.board.State().Node(w.board.Chosen())
	if n == nil {
		return nil
	}
	hold, take := verb{key: &k.hold, about: engine.Control{Verb: engine.VerbHold}}, verb{key: &k.takeOver, about: engine.Control{Verb: engine.VerbTake}}
	if n.HeldBackBy != "" {
		hold.about.Verb, hold.help = engine.VerbRelease, message.KeyRelease
	}
	if n.TakenBy != "" {
		take.about.Verb, take.help = engine.VerbGiveBack, message.KeyGiveBack
	}
	verbs := []verb{
		hold, take,
		{key: &k.skip, about: engine.Control{Verb: engine.VerbSkip}},
		{key: &k.retry, about: engine.Control{Verb: engine.VerbRetry}},
	}
	for i := range verbs {
		verbs[i].about.Node, verbs[i].ask = n.Name, w.askAboutNode
		verbs[i].no = w.judged(n, verbs[i].about)
	}
	return append(verbs, w.marking(k, n), w.answering(k, n), w.stoppingNow(k))
}

// judged is why the run would not obey, by the judge that it has itself, or why nothing would change.
func (w *watch) judged(n *engine.NodeRun, c engine.Control) *engine.RefusedError {
	t := w.texts.T
	switch {
	case c.Verb == engine.VerbSkip && n.SkippedBy != "":
		return &engine.RefusedError{Verb: c.Verb, Why: t(message.AskSkipped, n.Name, n.SkippedBy)}
	case c.Verb == engine.VerbRetry && !n.Status.Ended() && n.Attempt > 1:
		return &engine.RefusedError{Verb: c.Verb, Why: t(message.AskTriedAgain, n.Name, t(message.CLIStateAttempt, n.Attempt, max(n.Attempt, w.board.State().Attempts)))}
	case w.board.Plan() == nil:
		return nil // the run judges
	}
	var refused *engine.RefusedError
	errors.As(w.board.State().Judge(w.board.Plan().Version, &c), &refused)
	return refused
}

// offer switches the keys on that mean something for the chosen node, and names them.
func (w *watch) offer(k *keymap) {
	for _, b := range []*key.Binding{&k.hold, &k.takeOver, &k.skip, &k.retry, &k.mark, &k.followUps, &k.stopNow} {
		b.SetEnabled(false)
	}
	if !w.board.Running() {
		return
	}
	for _, v := range w.verbs(k) {
		v.key.SetEnabled(v.no == nil)
		if v.help != "" {
			v.key.SetHelp(v.key.Help().Key, w.texts.T(v.help))
		}
	}
}

// pressVerb opens the dialog of a verb, or says why it is not asked.
func (w *watch) pressVerb(pressed tea.KeyPressMsg) {
	k := w.app.keys
	for _, v := range w.verbs(&k) {
		if !key.Matches(pressed, *v.key) {
			continue
		}
		w.board.Stay() // what is decided about a node is not followed by the choice of another
		switch {
		case w.board.Ended():
			w.say(w.texts.T(message.AskEnded), w.theme.Warn)
		case !w.board.Running():
			w.say(w.texts.T(message.AskLost, w.run), w.theme.Warn)
		case v.no != nil:
			w.ask(w.no(v.no.Why, v.no.Advice))
		default:
			v.ask(v.about)
		}
		return
	}
}

// askAboutNode says what will happen, and asks for it; the first answer is the harmless one.
func (w *watch) askAboutNode(c engine.Control) {
	t, name, asked := w.texts.T, message.Clean(c.Node), string(c.Verb)
	w.ask(&dialog{title: t(message.AskTitle(asked), name), plain: []string{t(message.AskText(asked), name)}, buttons: []button{
		{caption: t(message.ScreenCancel)}, w.asks(t(message.AskYes(asked)), c),
	}})
}

// asks is a button that asks the run.
func (w *watch) asks(caption string, c engine.Control) button {
	return button{caption: caption, act: func() tea.Cmd { return w.control(c) }}
}

// marking is for updates whose end nobody knows (R19).
func (w *watch) marking(k *keymap, n *engine.NodeRun) verb {
	v := verb{key: &k.mark, about: engine.Control{Verb: engine.VerbMark, Node: n.Name, Outcome: plugins.Installed}}
	var open []engine.UpdateRun
	for i := range n.Updates {
		if !n.Updates[i].Unknown() {
			continue
		}
		v.about.Update = n.Updates[i].ID
		if no := w.judged(n, v.about); no != nil {
			v.no = no
			continue
		}
		open = append(open, n.Updates[i])
	}
	switch {
	case len(open) > 0:
		v.no = nil
	case v.no == nil:
		v.no = &engine.RefusedError{Verb: engine.VerbMark, Why: w.texts.T(message.AskAllKnown, n.Name)}
	}
	v.ask = func(engine.Control) { w.askWhich(n.Name, open) }
	return v
}

// askWhich asks which update is marked, where there are several.
func (w *watch) askWhich(node string, open []engine.UpdateRun) {
	if len(open) == 1 {
		w.askOutcome(node, open[0])
		return
	}
	t, name := w.texts.T, message.Clean(node)
	d := &dialog{title: t(message.AskWhichTitle, name), plain: []string{t(message.AskWhich, name)}, buttons: []button{{caption: t(message.ScreenCancel)}}, stacked: true}
	for _, u := range open {
		d.buttons = append(d.buttons, button{caption: message.Clean(u.Name), act: func() tea.Cmd { w.askOutcome(node, u); return nil }})
	}
	w.ask(d)
}

func (w *watch) askOutcome(node string, u engine.UpdateRun) {
	t, name := w.texts.T, message.Clean(node)
	d := &dialog{
		title: t(message.AskTitle(string(engine.VerbMark)), message.Clean(u.Name), name), plain: []string{t(message.AskText(string(engine.VerbMark)), name)},
		buttons: []button{{caption: t(message.ScreenCancel)}}, stacked: true,
	}
	for _, o := range []plugins.Outcome{plugins.Installed, plugins.NotApplicable, plugins.UpdateFailed} {
		d.buttons = append(d.buttons, w.asks(t(message.MarkAs(string(o))), engine.Control{Verb: engine.VerbMark, Node: node, Update: u.ID, Outcome: o}))
	}
	w.ask(d)
}

// answering is for what the run asks about updates beyond its plan (R08): of the chosen node, else of the first that is
// asked about.
func (w *watch) answering(k *keymap, n *engine.NodeRun) verb {
	if nodes := w.board.State().Nodes; len(n.Asked) == 0 {
		for i := range nodes {
			if len(nodes[i].Asked) > 0 {
				n = &nodes[i]
				break
			}
		}
	}
	v := verb{key: &k.followUps, about: engine.Control{Verb: engine.VerbFollowUps, Node: n.Name}}
	v.no = w.judged(n, v.about)
	var names []string
	for i := range n.Asked {
		names = append(names, message.Clean(n.Asked[i].Name))
	}
	v.ask = func(c engine.Control) {
		t, name := w.texts.T, message.Clean(c.Node)
		install := c
		install.Install = true
		w.ask(&dialog{title: t(message.AskTitle(string(c.Verb)), name), plain: []string{t(message.AskFollowUps, strings.Join(names, ", "), name)}, buttons: []button{
			{caption: t(message.AskNotNow)}, w.asks(t(message.AskLeave), c), w.asks(t(message.AskInstall), install),
		}})
	}
	return v
}

// stoppingNow ends the run at once. The typed name is what guards it, so that enter means the button that it is for.
func (w *watch) stoppingNow(k *keymap) verb {
	s := w.board.State()
	v := verb{key: &k.stopNow, about: engine.Control{Verb: engine.VerbStopNow, Typed: s.Cluster}}
	if s.StopNowBy != "" {
		v.no = &engine.RefusedError{Verb: engine.VerbStopNow, Why: w.texts.T(message.CLIStopNowAsked, s.StopNowBy)}
	}
	v.ask = func(engine.Control) { w.ask(w.stopNowDialog(s.Cluster)) }
	return v
}

func (w *watch) stopNowDialog(cluster string) *dialog {
	t := w.texts.T
	field := newInput(page.Field{Kind: page.Text})
	field.model.Focus()
	d := &dialog{title: t(message.AskTitle(string(engine.VerbStopNow))), plain: []string{t(message.AskText(string(engine.VerbStopNow)), message.Clean(cluster))}, field: &field}
	asked := func() engine.Control { return engine.Control{Verb: engine.VerbStopNow, Typed: d.typed()} }
	d.buttons = []button{
		{caption: t(message.ScreenStopNo)},
		{
			caption: t(message.AskYes(string(engine.VerbStopNow))), act: func() tea.Cmd { return w.control(asked()) },
			wrong: func() string {
				c, state := asked(), engine.State{Cluster: cluster}
				var refused *engine.RefusedError
				if errors.As(state.Judge(engine.PlanVersion, &c), &refused) {
					return message.Clean(refused.Why)
				}
				return ""
			},
		},
	}
	d.at = 1
	return d
}
