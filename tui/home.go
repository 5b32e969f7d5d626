package tui

import (
	"context"
	"strconv"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/frame"
	"cau/tui/live"
)

// homeWide is from how many cells on the actions stand beside the nodes and not below them.
const homeWide = 110

// spinning is how often a picture of something going on turns.
const spinning = 250 * time.Millisecond

// home is the main window.
type home struct {
	*app
	overview *backend.Overview
	err      error
	loading  task
	at       int
	// onNodes: the arrow keys move through the nodes, not the actions.
	onNodes bool
	node    int
	top     int
}

// action is one line of the actions pane.
type action struct {
	caption string
	run     func() tea.Cmd
}

func newHome(a *app) *home { return &home{app: a} }

// shown reads the cluster again: what was opened above may have changed it.
func (h *home) shown() tea.Cmd {
	h.loading.end()
	var cmd tea.Cmd
	h.loading, cmd = h.work.start(func(ctx context.Context, _ int) (any, error) { return h.services.Overview(ctx) })
	return cmd
}

func (h *home) left() { h.loading.end() }

func (h *home) take(msg tea.Msg) tea.Cmd {
	got, ok := msg.(answer)
	if !ok || got.task != h.loading.id {
		return nil
	}
	h.loading.end()
	h.err = got.err
	if o, ok := got.value.(backend.Overview); ok && got.err == nil {
		h.overview = &o
	}
	if h.err != nil && h.overview != nil {
		h.say(h.err.Error(), h.theme.Bad)
	}
	h.at = min(h.at, len(h.actions())-1)
	return nil
}

// actions are what can be done now; what does not exist is not offered.
func (h *home) actions() []action {
	runs := action{h.texts.T(message.ActionRuns), func() tea.Cmd { return h.push(newRuns(h.app)) }}
	if h.overview == nil {
		if h.err == nil {
			return []action{runs}
		}
		return []action{{h.texts.T(message.ScreenTryAgain), h.shown}, runs}
	}
	var actions []action
	if run := h.overview.ActiveRun; run != "" {
		actions = append(actions, action{h.texts.T(message.ScreenAttach), func() tea.Cmd { return h.push(newWatch(h.app, run, "")) }})
	}
	open := func(previewOnly bool) func() tea.Cmd {
		return func() tea.Cmd { return h.push(newForm(h.app, *h.overview, previewOnly)) }
	}
	return append(actions,
		action{h.texts.T(message.ActionApply), open(false)}, action{h.texts.T(message.ActionPreview), open(true)}, runs)
}

func (h *home) press(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(k, h.app.keys.quit):
		return tea.Quit
	case key.Matches(k, h.app.keys.reload):
		return h.shown()
	case key.Matches(k, h.app.keys.pane) && h.overview != nil:
		h.onNodes = !h.onNodes
	case key.Matches(k, h.app.keys.up):
		h.move(-1)
	case key.Matches(k, h.app.keys.down):
		h.move(1)
	case key.Matches(k, h.app.keys.open) && !h.onNodes && (h.overview != nil || h.err != nil):
		return h.actions()[h.at].run()
	}
	return nil
}

func (h *home) move(by int) {
	if h.onNodes {
		h.node = max(0, min(len(h.overview.Nodes)-1, h.node+by))
		return
	}
	n := len(h.actions())
	h.at = (h.at + by + n) % n
}

func (h *home) typing() bool         { return false }
func (h *home) leaving() message.Key { return "" }

func (h *home) pulse() time.Duration {
	if h.loading.id != 0 {
		return spinning
	}
	return 0
}

func (h *home) keys() []key.Binding {
	k := h.app.keys
	if h.overview == nil && h.err == nil {
		return []key.Binding{k.quit}
	}
	keys := []key.Binding{k.choose, k.open, k.quit, k.reload}
	if h.overview != nil {
		keys = []key.Binding{k.choose, k.open, k.pane, k.quit, k.reload}
	}
	return keys
}

func (h *home) view(w, rows int) []string {
	lines := []string{h.header(w)}
	rows--
	switch {
	case h.overview == nil && h.err == nil:
		return append(lines, frame.Center([]string{h.spinner() + " " + h.texts.T(message.ScreenConnecting)}, w, rows, h.glyphs.Cut)...)
	case h.overview == nil:
		return append(lines, h.failed(w, rows)...)
	case w >= homeWide:
		right := 42
		left := w - right
		nodes := min(len(h.overview.Nodes)+3, max(5, rows-8))
		panes := append(h.nodes(left, nodes), h.summary(left, rows-nodes)...)
		return append(lines, frame.Beside(panes, h.menu(right, rows))...)
	}
	lower := max(len(h.actions())+2, 8)
	nodes := min(len(h.overview.Nodes)+3, max(5, rows-lower))
	lower = rows - nodes
	half := 40
	lines = append(lines, h.nodes(w, nodes)...)
	return append(lines, frame.Beside(h.menu(half, lower), h.summary(w-half, lower))...)
}

func (h *home) header(w int) string {
	th := h.theme
	title := th.Strong.Render(h.texts.T(message.ScreenTitle))
	state := ""
	if o := h.overview; o != nil {
		state = h.spinner() + " " + th.Muted.Render(h.texts.T(message.ScreenConnecting))
		title = th.Title.Render(message.Clean(o.Cluster)) + th.Muted.Render(" "+h.glyphs.Dot+" ") + title
		if h.loading.id == 0 {
			state = th.Good.Render(h.glyphs.Up + " " + h.texts.T(message.ScreenConnected))
		}
		if o.Simulated {
			state = th.Warn.Render(h.texts.T(message.Simulated)) + "   " + state
		}
	}
	if h.err != nil && h.loading.id == 0 {
		state = th.Bad.Render(h.glyphs.Failed + " " + h.texts.T(message.ScreenNotConnected))
	}
	return frame.Between(" "+title, state+" ", w, h.glyphs.Cut)
}

func (h *home) box(title string, focused bool) frame.Box {
	edge := h.theme.Edge
	if focused {
		edge = h.theme.EdgeFocus
	}
	return frame.Box{Glyphs: h.glyphs, Title: h.theme.Title.Render(title), Edge: edge}
}

// failed is the window while the cluster cannot be reached: why, what to do, and what works without it.
func (h *home) failed(w, rows int) []string {
	inner := w - 4
	lines := []string{""}
	lines = append(lines, frame.Styled(frame.Wrap(message.Line(h.err.Error()), inner), h.theme.Bad)...)
	if hint := fault.Hint(h.err); hint != "" {
		lines = append(lines, "")
		lines = append(lines, frame.Wrap(message.Clean(hint), inner)...)
	}
	lower := len(h.actions()) + 2
	upper := min(rows-lower, max(8, len(lines)+3))
	return append(h.box(h.texts.T(message.ScreenNoCluster), false).Draw(lines, w, upper), h.menu(w, lower)...)
}

func (h *home) menu(w, rows int) []string {
	var lines []string
	for i, a := range h.actions() {
		line := "  " + a.caption
		if i == h.at {
			line = h.glyphs.Cursor + " " + a.caption
			if !h.onNodes {
				line = h.theme.Focus.Render(frame.Fit(line, w-4, h.glyphs.Cut))
			}
		}
		lines = append(lines, line)
	}
	return h.box(h.texts.T(message.ScreenActions), !h.onNodes).Draw(lines, w, rows)
}

// nodes is the table of the cluster's nodes.
func (h *home) nodes(w, rows int) []string {
	t, th, cut := h.texts.T, h.theme, h.glyphs.Cut
	inner, shown := w-4, rows-3
	name := frame.Width(t(message.ScreenColNode))
	for _, n := range h.overview.Nodes {
		name = max(name, min(15, frame.Width(message.Clean(n.Name))))
	}
	cells := func(node, state, roles, last, when string) string {
		return frame.Fit(node, name, cut) + "  " + frame.Fit(state, 8, cut) + " " + frame.Right(roles, 5, cut) + "   " + frame.Fit(last, 19, cut) + "  " + frame.Fit(when, 16, cut)
	}
	lines := []string{th.Muted.Render(frame.Cut("  "+cells(t(message.ScreenColNode), t(message.ScreenColState), t(message.ScreenColRoles), t(message.ScreenColLast), t(message.ScreenColTime)), inner, cut))}
	h.top = frame.Scroll(h.top, h.node, shown, len(h.overview.Nodes))
	for i := h.top; i < min(len(h.overview.Nodes), h.top+shown); i++ {
		n := h.overview.Nodes[i]
		mark := h.stateMark(n.State)
		last := h.glyphs.Dash
		var lastMark live.Mark
		if n.LastStatus != "" {
			lastMark = h.look().NodeMark(n.LastStatus)
			last = lastMark.Glyph + " " + t(message.Status(string(n.LastStatus)))
		}
		state := t(message.NodeStateWord(n.State.String()))
		if h.onNodes && i == h.node {
			lines = append(lines, th.Focus.Render(frame.Fit(mark.Glyph+" "+cells(message.Clean(n.Name), state, strconv.Itoa(n.Roles), last, h.when(n.LastTime)), inner, cut)))
			continue
		}
		lines = append(lines, mark.Style.Render(mark.Glyph)+" "+cells(th.Strong.Render(message.Clean(n.Name)), mark.Style.Render(state), strconv.Itoa(n.Roles), lastMark.Style.Render(last), h.when(n.LastTime)))
	}
	box := h.box(t(message.ScreenNodes), h.onNodes)
	if len(h.overview.Nodes) > shown {
		box.Note = th.Muted.Render(strconv.Itoa(h.top+1) + "-" + strconv.Itoa(min(len(h.overview.Nodes), h.top+shown)) + "/" + strconv.Itoa(len(h.overview.Nodes)))
	}
	return box.Draw(lines, w, rows)
}

func (h *home) stateMark(s engine.NodeState) live.Mark {
	switch s {
	case engine.NodeUp:
		return live.Mark{Glyph: h.glyphs.Up, Style: h.theme.Good}
	case engine.NodePaused, engine.NodeJoining:
		return live.Mark{Glyph: h.glyphs.Paused, Style: h.theme.Warn}
	case engine.NodeDown:
		return live.Mark{Glyph: h.glyphs.Down, Style: h.theme.Bad}
	case engine.NodeUnknown:
	}
	return live.Mark{Glyph: h.glyphs.Unknown, Style: h.theme.Warn}
}

// summary is how the last run of this cluster ended, and where cau is connected.
func (h *home) summary(w, rows int) []string {
	t, inner := h.texts.T, w-4
	var lines []string
	if run := h.overview.ActiveRun; run != "" {
		lines = append(lines, h.theme.Busy.Render(h.glyphs.Busy+" "+t(message.ScreenRunGoesOn, run)), "")
	}
	if run := h.overview.LostRun; run != "" {
		lines = append(lines, frame.Styled(frame.Wrap(t(message.ScreenLostRun, run), inner), h.theme.Bad)...)
		lines = append(lines, h.theme.Code.Render(t(message.ScreenResumeRun, run)), "")
	}
	switch r := h.overview.LastRun; {
	case r != nil:
		mark := h.look().RunMark(r.Status)
		lines = append(lines,
			t(message.ScreenLastRun, message.Clean(r.Run), mark.Style.Render(mark.Glyph+" "+t(message.Status(string(r.Status))))),
			message.Clean(r.Plugin), t(message.ScreenLastStarted, h.when(r.Started)))
		if r.Ended.After(r.Started) {
			lines = append(lines, t(message.ScreenLastTook, took(r.Ended.Sub(r.Started))))
		}
	case len(lines) == 0:
		lines = frame.Styled(frame.Wrap(t(message.ScreenNoRunYet), inner), h.theme.Muted)
	}
	if reached := message.Clean(h.overview.Reached); reached != "" && len(lines) < rows-4 {
		lines = append(lines, "")
		lines = append(lines, frame.Styled(frame.Wrap(t(message.ScreenReached, reached), inner), h.theme.Muted)...)
	}
	return h.box(t(message.ScreenSummary), false).Draw(lines, w, rows)
}
