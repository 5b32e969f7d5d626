package tui

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/frame"
)

// runs lists the runs of this host; any of them can be opened, live or finished.
type runs struct {
	*app
	list    []backend.RunInfo
	loaded  bool
	err     error
	loading task
	at, top int
}

func newRuns(a *app) *runs { return &runs{app: a} }

func (r *runs) shown() tea.Cmd {
	r.loading.end()
	var cmd tea.Cmd
	r.loading, cmd = r.work.start(func(ctx context.Context, _ int) (any, error) { return r.services.Runs(ctx) })
	return cmd
}

func (r *runs) left() { r.loading.end() }

func (r *runs) take(msg tea.Msg) tea.Cmd {
	got, ok := msg.(answer)
	if !ok || got.task != r.loading.id {
		return nil
	}
	r.loading.end()
	r.loaded, r.err = true, got.err
	if list, ok := got.value.([]backend.RunInfo); ok && got.err == nil {
		r.list = list
	}
	r.at = max(0, min(r.at, len(r.list)-1))
	return nil
}

func (r *runs) press(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case key.Matches(k, r.app.keys.back):
		return r.pop()
	case key.Matches(k, r.app.keys.quit):
		return tea.Quit
	case key.Matches(k, r.app.keys.reload):
		return r.shown()
	case key.Matches(k, r.app.keys.up):
		r.at = max(0, r.at-1)
	case key.Matches(k, r.app.keys.down):
		r.at = max(0, min(len(r.list)-1, r.at+1))
	case key.Matches(k, r.app.keys.open) && r.at < len(r.list):
		return r.push(newWatch(r.app, r.list[r.at].Run, ""))
	}
	return nil
}

func (r *runs) typing() bool         { return false }
func (r *runs) leaving() message.Key { return "" }

func (r *runs) pulse() time.Duration {
	if r.loading.id != 0 && !r.loaded {
		return spinning
	}
	return 0
}

func (r *runs) keys() []key.Binding {
	k := r.app.keys
	if len(r.list) == 0 {
		return []key.Binding{k.back, k.reload, k.quit}
	}
	return []key.Binding{k.choose, k.open, k.back, k.reload, k.quit}
}

func (r *runs) view(w, rows int) []string {
	t, th := r.texts.T, r.theme
	head := " " + th.Strong.Render(t(message.ScreenTitle))
	var lines []string
	switch {
	case r.err != nil:
		lines = frame.Styled(frame.Wrap(message.Line(r.err.Error()), w-4), th.Bad)
		lines = append(lines, frame.Wrap(message.Clean(fault.Hint(r.err)), w-4)...)
	case !r.loaded:
		lines = []string{r.spinner() + " " + t(message.ScreenLoading)}
	case len(r.list) == 0:
		lines = []string{th.Muted.Render(t(message.CLINoRuns))}
	default:
		lines = r.table(w-4, rows-3)
	}
	box := frame.Box{Glyphs: r.glyphs, Title: th.Title.Render(t(message.ActionRuns)), Edge: th.EdgeFocus}
	return append([]string{frame.Fit(head, w, r.glyphs.Cut)}, box.Draw(lines, w, rows-1)...)
}

// table is the list in at most rows lines of w cells.
func (r *runs) table(w, rows int) []string {
	t, th, cut := r.texts.T, r.theme, r.glyphs.Cut
	cluster, state := frame.Width(t(message.ScreenColCluster)), 16
	for _, i := range r.list {
		cluster = max(cluster, min(15, frame.Width(message.Clean(i.Cluster))))
	}
	cells := func(run, name, status, started, ended, plugin string) string {
		row := frame.Fit(run, 8, cut) + "  " + frame.Fit(name, cluster, cut) + "  " + frame.Fit(status, state, cut) + "  " +
			frame.Fit(started, 16, cut) + "  " + frame.Fit(ended, 16, cut)
		if w-frame.Width(row) > 12 {
			row += "  " + plugin
		}
		return row
	}
	lines := []string{th.Muted.Render(frame.Cut("  "+cells(t(message.ScreenColRun), t(message.ScreenColCluster), t(message.ScreenColState), t(message.ScreenColStarted), t(message.ScreenColEnded), t(message.ScreenColPlugin)), w, cut))}
	r.top = frame.Scroll(r.top, r.at, rows-1, len(r.list))
	for i := r.top; i < min(len(r.list), r.top+rows-1); i++ {
		info := r.list[i]
		mark, word := r.look().RunMark(info.Status), t(message.Status(string(info.Status)))
		if !info.Status.Ended() && !info.Alive {
			mark.Glyph, mark.Style, word = r.glyphs.Warn, th.Warn, t(message.ScreenLost)
		}
		row := cells(message.Clean(info.Run), message.Clean(info.Cluster), word, r.when(info.Started), r.when(info.Ended), message.Clean(info.Plugin))
		if i == r.at {
			lines = append(lines, th.Focus.Render(frame.Fit(mark.Glyph+" "+row, w, cut)))
			continue
		}
		lines = append(lines, frame.Cut(mark.Style.Render(mark.Glyph)+" "+row, w, cut))
	}
	return lines
}
