package cli

import (
	"time"

	"cau/engine"
	"cau/internal/message"
)

// eta is an estimate as JSON.
type eta struct {
	// At is by the run's clock.
	At        time.Time       `json:"at"`
	Remaining engine.TimeSpan `json:"remaining"`
	Basis     string          `json:"basis,omitempty"`
}

// nodeETA is a node's: eta is null where it is not known, and then there is the reason.
type nodeETA struct {
	ETA     *eta   `json:"eta"`
	Unknown string `json:"eta_unknown,omitempty"`
}

// status is a run as `cau status --json` prints it.
type status struct {
	engine.State
	Alive bool `json:"alive"`
	nodeETA
	NodeETAs map[string]nodeETA `json:"node_etas,omitempty"`
	// Notifications is missing where nobody was to be told.
	Notifications *Notifications `json:"notifications,omitempty"`
}

func statusOf(s engine.State, alive bool, e engine.ETA, told *Notifications) status {
	out := status{State: s, Alive: alive, Notifications: told, nodeETA: etaOf(e.At, e.Remaining, e.Basis, e.Unknown)}
	for name, n := range e.Nodes {
		if out.NodeETAs == nil {
			out.NodeETAs = map[string]nodeETA{}
		}
		out.NodeETAs[name] = etaOf(n.At, n.Remaining, "", n.Unknown)
	}
	return out
}

func etaOf(at time.Time, remaining time.Duration, basis, unknown string) nodeETA {
	if at.IsZero() {
		return nodeETA{Unknown: unknown}
	}
	return nodeETA{ETA: &eta{At: at.UTC().Truncate(time.Second), Remaining: engine.TimeSpan(remaining.Truncate(time.Second)), Basis: basis}}
}

// etaLine is an estimate for people; empty for a run that has ended.
func (p *program) etaLine(s engine.State, e engine.ETA) string {
	switch {
	case s.Status.Ended():
		return ""
	case e.Known():
		return p.texts.T(message.ETALong, message.HoursMinutes(e.Remaining), e.At.Local().Format("15:04"), e.Basis)
	case e.Unknown != "":
		return p.texts.T(message.ETAUnknownWhy, message.Clean(e.Unknown))
	}
	return ""
}

// etaTeller says the estimate when it is first known and with every node that ends.
type etaTeller struct{ ended int }

// news is the line to print now, or empty.
func (t *etaTeller) news(p *program, e Event) string {
	ended := 0
	for _, n := range e.State.Nodes {
		if n.Status.Ended() {
			ended++
		}
	}
	if ended == t.ended || !e.ETA.Known() || len(e.Facts) == 0 {
		return ""
	}
	t.ended = ended
	return p.etaLine(e.State, e.ETA)
}
