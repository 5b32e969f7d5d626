package lines

import (
	"cau/engine"
	"cau/internal/message"
	"cau/tui/backend"
)

// estimates says when the run is likely to end: when that is first known, and with every node that ends.
type estimates struct {
	plan    *engine.Plan
	history engine.History
	ended   int
}

// news is the line to print now, or empty. The time is that of the newest line: a simulated cluster has its own.
func (e *estimates) news(t message.Texts, snap backend.Snapshot) string {
	if snap.Plan != nil {
		e.plan, e.history = snap.Plan, snap.History
	}
	ended := 0
	for i := range snap.State.Nodes {
		if snap.State.Nodes[i].Status.Ended() {
			ended++
		}
	}
	if ended == e.ended || e.plan == nil || !snap.Alive || len(snap.Lines) == 0 {
		return ""
	}
	eta := engine.Estimate(&snap.State, e.plan, e.history, snap.Lines[len(snap.Lines)-1].Time)
	if !eta.Known() {
		return ""
	}
	e.ended = ended
	return t.T(message.ETALong, message.HoursMinutes(eta.Remaining), eta.At.Local().Format("15:04"), eta.Basis)
}
