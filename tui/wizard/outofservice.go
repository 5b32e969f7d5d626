package wizard

import (
	"strings"

	"cau/engine"
	"cau/internal/message"
	"cau/tui/page"
)

// outageLines say which roles go down with the node (R15).
func (w *Wizard) outageLines(n engine.NodePlan, indent int) []page.Line {
	var lines []page.Line
	key := message.PlanOutageForced
	if w.plan.Options.ForcePauseNoDrain {
		key = message.PlanOutageNone
	}
	if len(n.Outage) > 0 {
		lines = append(lines, page.Line{Tone: page.Warn, Indent: indent, Text: w.texts.T(key, message.Clean(strings.Join(n.Outage, ", ")))})
	}
	if len(n.PendingRestart) > 0 {
		key := message.PlanPendingLeft
		if n.RestartOnly {
			key = message.PlanRestartOnly
		}
		lines = append(lines, page.Line{Tone: page.Warn, Indent: indent, Text: w.texts.T(key, message.Clean(strings.Join(n.PendingRestart, ", ")))})
	}
	if w.plan.Options.ForcePauseDrainAndReboot && len(n.Updates) > 0 {
		lines = append(lines, page.Line{Tone: page.Warn, Indent: indent, Text: w.texts.T(message.PlanRestartAlways)})
	}
	return lines
}

// outages are all nodes' roles that go down, for the page on which that is confirmed.
func (w *Wizard) outages() []page.Line {
	var lines []page.Line
	for _, n := range w.plan.Nodes {
		if said := w.outageLines(n, 1); len(said) > 0 {
			lines = append(lines, page.Line{Tone: page.Strong, Text: message.Clean(n.Name)})
			lines = append(lines, said...)
		}
	}
	return lines
}
