package engine_test

import (
	"fmt"
	"strings"

	"cau/engine"
)

// quorum tells whether more than half of all votes are there when without is not. Paused nodes vote.
func (w *world) quorum(without string) bool {
	all, there := 0, 0
	if w.witness {
		all, there = 1, 1
	}
	for _, m := range w.order {
		all++
		if m.state != engine.NodeDown && m.name != without {
			there++
		}
	}
	return there > all/2
}

// leftWrong are nodes that are not left as R22 says: only one that is held, or whose restart or resume was not proven, stays
// paused, and it says how it is resumed; one that succeeded is back with nothing due.
func leftWrong(w *world, s engine.State) []string {
	var out []string
	for _, n := range s.Nodes {
		say := func(format string, a ...any) {
			out = append(out, n.Name+" ended as "+string(n.Status)+": "+fmt.Sprintf(format, a...))
		}
		m := w.machine(n.Name)
		switch n.Status {
		case engine.NodeSucceeded:
			if n.PausedByUs || n.Drained && !n.Resumed || n.RestartDue || n.RestartFrom != "" {
				say("paused %t, resumed %t, restart due %t, unproven %q", n.PausedByUs, n.Resumed, n.RestartDue, n.RestartFrom)
			}
		case engine.NodeHeld, engine.NodeFailed, engine.NodePartiallyFailed:
			if n.PausedByUs && (n.Cause == nil || !strings.Contains(n.Cause.Hint, "Resume-ClusterNode")) {
				say("it stays paused, and its advice is %v", n.Cause)
			}
			if n.PausedByUs && m.state == engine.NodeUp {
				say("it is said to be paused and is up")
			}
		default:
			if n.PausedByUs {
				say("it stays paused")
			}
		}
		if !n.PausedByUs && m.maintenance {
			say("its disks are left in maintenance mode")
		}
	}
	return out
}
