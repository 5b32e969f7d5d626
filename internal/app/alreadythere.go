package app

import (
	"context"
	"slices"
	"strings"
	"sync"

	"cau/engine"
	"cau/plugins"
)

// markInstalled marks the updates whose article their node lists as installed. It decides nothing: the installer is started all the
// same and says itself. A node that does not answer marks none.
func (s *session) markInstalled(ctx context.Context, list []chosen) {
	var asked sync.WaitGroup
	room := make(chan struct{}, doctorsAtOnce)
	var mu sync.Mutex
	lists := map[string]engine.InstalledView{}
	for _, name := range withArticles(list) {
		asked.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			view, err := s.fleet.Node(name).Installed(ctx)
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			lists[name] = view
		})
	}
	asked.Wait()
	for _, c := range list {
		for name, updates := range c.scan.Updates {
			c.scan.Updates[name] = marked(updates, lists[name].Updates)
		}
	}
}

// marked are the updates of one node with what it lists.
func marked(updates []plugins.Update, installed []string) []plugins.Update {
	out := slices.Clone(updates)
	for i := range out {
		if a := out[i].About; a != nil && a.KB != "" && slices.ContainsFunc(installed, func(id string) bool { return strings.EqualFold(id, a.KB) }) {
			out[i].ListedAs = a.KB
		}
	}
	return out
}

// withArticles are the nodes that get an update whose article is known, in order.
func withArticles(list []chosen) []string {
	var out []string
	for _, c := range list {
		for name, updates := range c.scan.Updates {
			if slices.ContainsFunc(updates, func(u plugins.Update) bool { return u.About != nil && u.About.KB != "" }) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}
