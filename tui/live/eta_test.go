package live_test

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"cau/engine"
	"cau/tui/tuitest"
)

func TestTheEstimateStandsInTheHeaderAndOnTheSmallestScreenBesideTheBar(t *testing.T) {
	b, now := board()
	batch := news(tuitest.State(), 30)
	batch.Snapshot.Plan = tuitest.Plan()
	b.Take(batch)
	first := view(b, 120, 30)
	if !strings.Contains(strings.SplitN(first, "\n", 2)[0], "ETA 00:2") || !strings.Contains(first, "NODE3") {
		t.Errorf("\n%s", first)
	}
	small := strings.Split(view(b, 80, 24), "\n")
	if !strings.Contains(small[1], "ETA 00:2") || !strings.Contains(small[0], "simulated") || !strings.Contains(small[1], "the run stops at 1") {
		t.Errorf("\n%s", strings.Join(small, "\n"))
	}
	for _, line := range small {
		if strings.Contains(line, "NODE4") && !strings.Contains(line, "ETA 00:2") {
			t.Errorf("a node that waits does not say when it is done: %s", line)
		}
	}
	*now = now.Add(6 * time.Second) // three minutes of the simulated cluster
	if later := view(b, 120, 30); strings.SplitN(later, "\n", 2)[0] == strings.SplitN(first, "\n", 2)[0] || !strings.Contains(later, "ETA 00:1") && !strings.Contains(later, "ETA 00:2") {
		t.Errorf("it does not pass\n%s", later)
	}
	if details := ansi.Strip(strings.Join(b.Details("NODE4", 76), "\n")); !strings.Contains(details, "measured on 1 node of this run") {
		t.Errorf("\n%s", details)
	}
}

func TestAnUnknownEndIsSaidWithItsReason(t *testing.T) {
	b, _ := board()
	batch := news(tuitest.State(), 30)
	batch.Snapshot.State.Nodes[0].Status = engine.NodeFailed
	batch.Snapshot.Plan = tuitest.Plan()
	b.Take(batch)
	if v := view(b, 120, 30); !strings.Contains(v, "ETA unknown") {
		t.Errorf("\n%s", v)
	}
	if details := ansi.Strip(strings.Join(b.Details("NODE4", 100), "\n")); !strings.Contains(details, "ETA unknown: no node has been updated yet") {
		t.Errorf("\n%s", details)
	}
	batch.Snapshot.Alive = false
	b.Take(batch)
	if v := view(b, 120, 30); strings.Contains(v, "ETA") {
		t.Errorf("a run that nobody carries on has an estimate\n%s", v)
	}
}
