package engine_test

import (
	"errors"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// A control that cannot be obeyed is refused with the reason and what to do instead; one that asks for what is so already is
// obeyed, and so is everything else.
func TestWhatIsAskedOfANodeIsObeyedOrRefusedWithTheReason(t *testing.T) {
	node := func(status engine.NodeStatus, change ...func(*engine.NodeRun)) engine.State {
		n := engine.NodeRun{Name: "NODE1", Status: status, Phase: engine.PhaseDone, Attempt: 1, Updates: []engine.UpdateRun{{ID: "u1", Name: "A.msu", Outcome: plugins.Installed}}}
		for _, c := range change {
			c(&n)
		}
		return engine.State{Run: "7f3c0001", Cluster: "FC1", Status: engine.RunRunning, Nodes: []engine.NodeRun{n, {Name: "NODE2", Status: engine.NodeWaiting}}}
	}
	set := func(change func(*engine.NodeRun)) func(*engine.NodeRun) { return change }
	unknown := set(func(n *engine.NodeRun) { n.Updates[0].Outcome = plugins.Unknown })
	runsOn := set(func(n *engine.NodeRun) {
		n.Updates[0].RunsOn, n.Updates[0].Outcome, n.Watched = true, plugins.UpdateFailed, true
	})
	away := set(func(n *engine.NodeRun) { n.MayReturn, n.PausedByUs, n.RestartFrom, n.Watched = true, true, "12", true })
	back := set(func(n *engine.NodeRun) { n.Returned, n.Phase = true, engine.PhaseResuming })
	run := func(s engine.State, change func(*engine.State)) engine.State {
		change(&s)
		return s
	}
	mark := func(update string, o plugins.Outcome) engine.Control {
		return engine.Control{Verb: engine.VerbMark, Node: "node1", Update: update, Outcome: o}
	}
	stopping := func(s *engine.State) { s.StopAsked = true }
	for name, c := range map[string]struct {
		state   engine.State
		version int
		ask     engine.Control
		// refused is a part of the reason and of the advice; empty where it is obeyed.
		refused, advice string
	}{
		"hold one that waits":                 {state: node(engine.NodeWaiting), ask: to(engine.VerbHold, "node1")},
		"hold one that is under way":          {state: node(engine.NodeUpdating), ask: to(engine.VerbHold, "NODE1"), refused: "under way", advice: "cau take 7f3c0001 NODE1"},
		"hold one that is done":               {state: node(engine.NodeSucceeded), ask: to(engine.VerbHold, "NODE1"), refused: "done with NODE1"},
		"hold twice":                          {state: node(engine.NodeUpdating, set(func(n *engine.NodeRun) { n.HeldBackBy = "ann" })), ask: to(engine.VerbHold, "NODE1")},
		"skip one that is under way":          {state: node(engine.NodeUpdating), ask: to(engine.VerbSkip, "NODE1"), refused: "under way"},
		"skip twice":                          {state: node(engine.NodeCanceled, set(func(n *engine.NodeRun) { n.SkippedBy = "ann" })), ask: to(engine.VerbSkip, "NODE1")},
		"no such node":                        {state: node(engine.NodeWaiting), ask: to(engine.VerbSkip, "NODE9"), refused: "not a node", advice: "NODE1, NODE2"},
		"no such verb":                        {state: node(engine.NodeWaiting), ask: to("dance", "NODE1"), refused: "not a verb"},
		"a plan from before":                  {state: node(engine.NodeWaiting), version: 2, ask: to(engine.VerbHold, "NODE1"), refused: "older version", advice: "cau pause"},
		"pause a run from before":             {state: node(engine.NodeWaiting), version: 2, ask: engine.Control{Verb: engine.VerbPause}},
		"hold while it stops":                 {state: run(node(engine.NodeWaiting), stopping), ask: to(engine.VerbHold, "NODE1"), refused: "stopping"},
		"retry while it stops":                {state: run(node(engine.NodeFailed), stopping), ask: to(engine.VerbRetry, "NODE1"), refused: "stopping"},
		"take while it stops":                 {state: run(node(engine.NodeUpdating), stopping), ask: to(engine.VerbTake, "NODE1")},
		"retry one that failed":               {state: node(engine.NodeFailed), ask: to(engine.VerbRetry, "NODE1")},
		"retry one that was skipped":          {state: node(engine.NodeCanceled), ask: to(engine.VerbRetry, "NODE1")},
		"retry one that succeeded":            {state: node(engine.NodeSucceeded), ask: to(engine.VerbRetry, "NODE1"), refused: "nothing to try again"},
		"retry one that needed nothing":       {state: node(engine.NodeUpToDate), ask: to(engine.VerbRetry, "NODE1"), refused: "nothing to try again"},
		"retry one that is under way":         {state: node(engine.NodeUpdating), ask: to(engine.VerbRetry, "NODE1"), refused: "has not ended"},
		"retry twice":                         {state: node(engine.NodeUpdating, set(func(n *engine.NodeRun) { n.Attempt = 2 })), ask: to(engine.VerbRetry, "NODE1")},
		"retry one that the plan leaves out":  {state: node(engine.NodeCanceled, set(func(n *engine.NodeRun) { n.NotTaken = "It is not chosen." })), ask: to(engine.VerbRetry, "NODE1"), refused: "not chosen", advice: "new plan"},
		"retry after the last begin":          {state: run(node(engine.NodeFailed), func(s *engine.State) { s.NoMoreNodes = &fault.Cause{Message: "It is after 04:00."} }), ask: to(engine.VerbRetry, "NODE1"), refused: "after 04:00"},
		"retry while its installer runs":      {state: node(engine.NodeHeld, runsOn), ask: to(engine.VerbRetry, "NODE1"), refused: "still runs", advice: "cau job list"},
		"retry while its script may run":      {state: node(engine.NodeFailed, set(func(n *engine.NodeRun) { n.PreScript = &engine.ScriptRun{RunsOn: true} })), ask: to(engine.VerbRetry, "NODE1"), refused: "A script may still run"},
		"retry while it may come back":        {state: node(engine.NodeFailed, away), ask: to(engine.VerbRetry, "NODE1"), refused: "may still come back"},
		"retry while it is brought back":      {state: node(engine.NodeFailed, back), ask: to(engine.VerbRetry, "NODE1"), refused: "returned late"},
		"retry while nobody knows":            {state: node(engine.NodeHeld, unknown), ask: to(engine.VerbRetry, "NODE1"), refused: "Nobody knows", advice: "cau mark 7f3c0001 NODE1 u1"},
		"take one that is brought back":       {state: node(engine.NodeFailed, back), ask: to(engine.VerbTake, "NODE1"), refused: "returned late"},
		"take one that is done":               {state: node(engine.NodeFailed), ask: to(engine.VerbTake, "NODE1"), refused: "done with NODE1"},
		"give back what is not taken":         {state: node(engine.NodeWaiting), ask: to(engine.VerbGiveBack, "NODE1")},
		"mark by name":                        {state: node(engine.NodeHeld, unknown), ask: mark("a.MSU", plugins.NotApplicable)},
		"mark what is known":                  {state: node(engine.NodeHeld), ask: mark("u1", plugins.UpdateFailed), refused: "is known"},
		"mark twice":                          {state: node(engine.NodeUpdating, set(func(n *engine.NodeRun) { n.Updates[0].MarkedBy = "ann" })), ask: mark("u1", plugins.Installed)},
		"mark as unknown":                     {state: node(engine.NodeHeld, unknown), ask: mark("u1", plugins.Unknown), refused: "no outcome", advice: "installed, not-applicable or failed"},
		"mark no update":                      {state: node(engine.NodeHeld, unknown), ask: mark("B.msu", plugins.Installed), refused: "not an update"},
		"mark one of two of the name":         {state: node(engine.NodeHeld, unknown, set(func(n *engine.NodeRun) { n.Updates = append(n.Updates, engine.UpdateRun{ID: "u2", Name: "A.msu"}) })), ask: mark("A.msu", plugins.Installed), refused: "several updates", advice: "u1 or u2"},
		"mark before it is held":              {state: node(engine.NodeUpdating, unknown), ask: mark("u1", plugins.Installed), refused: "not held yet"},
		"mark while the installer is watched": {state: node(engine.NodeHeld, runsOn), ask: mark("u1", plugins.Installed), refused: "is watched"},
		"an answer that nobody waits for":     {state: node(engine.NodeSucceeded), ask: to(engine.VerbFollowUps, "NODE1"), refused: "Nothing beyond the plan"},
		"stop now with the name":              {state: node(engine.NodeUpdating), ask: engine.Control{Verb: engine.VerbStopNow, Typed: " fc1 "}},
		"stop now with another":               {state: node(engine.NodeUpdating), ask: engine.Control{Verb: engine.VerbStopNow, Typed: "FC2"}, refused: "not the name of the cluster", advice: "FC1"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.version == 0 {
				c.version = engine.PlanVersion
			}
			asked := c.ask
			err := c.state.Judge(c.version, &asked)
			var r *engine.RefusedError
			switch {
			case c.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refused == "":
				if asked.Node != "" && asked.Node != "NODE1" || asked.Verb == engine.VerbMark && asked.Update != "u1" {
					t.Errorf("it is recorded as %+v", asked)
				}
			case !errors.As(err, &r) || !strings.Contains(r.Why, c.refused) || !strings.Contains(r.Advice, c.advice):
				t.Errorf("%v", err)
			}
		})
	}
}
