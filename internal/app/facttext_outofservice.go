package app

import (
	"strings"

	"cau/engine"
	"cau/internal/message"
)

// outOfServiceText is a fact about how a node is taken out of service, where it says more than its kind does.
func outOfServiceText(t message.Texts, f engine.Fact) (string, bool) {
	d := f.Data
	roles := orName(strings.Join(d.Roles, ", "), "none")
	switch {
	case f.Kind == engine.FactRunCompared && d.Compared != nil:
		return strings.Join(d.Compared.Lines(), " "), true
	case f.Kind == engine.FactPauseIntent && d.Drain == engine.DrainNone:
		return t.T(message.FactPauseNone, roles), true
	case f.Kind == engine.FactPauseIntent && d.Drain == engine.DrainForced:
		return t.T(message.FactPauseForced, roles), true
	case f.Kind == engine.FactDrainDone && d.Drain == engine.DrainNone:
		return t.T(message.FactDrainNone, roles), true
	case f.Kind == engine.FactDrainDone && d.Drain == engine.DrainForced:
		return t.T(message.FactDrainForced), true
	case f.Kind == engine.FactSettleDone && len(d.Roles) > 0:
		return t.T(message.FactSettleDown, roles), true
	}
	return "", false
}
