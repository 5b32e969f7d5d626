package lines

import (
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/tuitest"
)

func TestTheEstimateIsSaidOnceForEveryNodeThatEnds(t *testing.T) {
	var e estimates
	snap := func(st engine.State) backend.Snapshot {
		return backend.Snapshot{State: st, Plan: tuitest.Plan(), Alive: true, Lines: []backend.LogLine{{Time: tuitest.Start0().Add(22 * time.Minute), Text: "x"}}}
	}
	unknown := tuitest.State()
	unknown.Nodes[0].Status = engine.NodeUpdating
	if got := e.news(message.Texts{}, snap(unknown)); got != "" {
		t.Errorf("nothing was measured: %q", got)
	}
	if got := e.news(message.Texts{}, snap(tuitest.State())); !strings.HasPrefix(got, "ETA 00:24, about ") || !strings.HasSuffix(got, "measured on 1 node of this run") {
		t.Errorf("%q", got)
	}
	if got := e.news(message.Texts{}, snap(tuitest.State())); got != "" {
		t.Errorf("said again: %q", got)
	}
	gone := snap(tuitest.State())
	gone.Alive = false
	if got := (&estimates{}).news(message.Texts{}, gone); got != "" {
		t.Errorf("nobody carries the run on: %q", got)
	}
}
