package live

import (
	"cau/engine"
	"cau/internal/message"
)

// estimate brings the estimate up to the moment that is drawn.
func (b *Board) estimate() {
	b.eta = engine.ETA{}
	if b.Running() && b.plan != nil {
		b.eta = engine.Estimate(&b.state, b.plan, b.history, b.clock.now(b.look.Now()))
	}
}

// etaText is how long the run is likely to take from now on; where that is not known it says so with unknown, else nothing.
func (b *Board) etaText(unknown bool) string {
	switch {
	case b.eta.Known():
		return b.look.Texts.T(message.ETA, message.HoursMinutes(b.eta.Remaining))
	case b.eta.Unknown != "" && unknown:
		return b.look.Texts.T(message.ETAUnknown)
	}
	return ""
}

// nodeETA is when a node that has not begun is likely to be done, for its row.
func (b *Board) nodeETA(name string) string {
	if e := b.eta.Nodes[name]; e.Known() {
		return b.look.Texts.T(message.ETA, message.HoursMinutes(e.Remaining))
	}
	return ""
}

// etaOfNode is the same in a sentence, with the time of day, or why nobody knows.
func (b *Board) etaOfNode(name string) string {
	b.estimate()
	e, ok := b.eta.Nodes[name]
	switch {
	case !ok:
		return ""
	case e.Known():
		return b.look.Texts.T(message.ETALong, message.HoursMinutes(e.Remaining), e.At.In(b.look.Now().Location()).Format("15:04"), b.eta.Basis)
	}
	return b.look.Texts.T(message.ETAUnknownWhy, e.Unknown)
}
