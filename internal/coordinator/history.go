package coordinator

import (
	"slices"

	"cau/engine"
)

const (
	// historyRuns is how many earlier runs are a basis for estimates, historyLooks how many are looked at for them: a host
	// that has seen thousands must not read them all.
	historyRuns  = 10
	historyLooks = 30
)

// History is what earlier runs of the plan's cluster on this host took: of the last ten that ended. A simulated cluster
// is the same only within its lab. A run that cannot be read is passed over: an estimate is not worth an error.
func (h *Home) History(plan *engine.Plan) engine.History {
	var history engine.History
	ids, err := h.ids()
	if err != nil {
		return history
	}
	var earlier []*engine.Plan
	for _, run := range ids {
		if p, err := h.Plan(run); err == nil && run != plan.Run && p.Cluster == plan.Cluster && p.Lab == plan.Lab && !p.Created.After(plan.Created) {
			earlier = append(earlier, p)
		}
	}
	slices.SortFunc(earlier, func(a, b *engine.Plan) int { return b.Created.Compare(a.Created) })
	for _, p := range earlier[:min(len(earlier), historyLooks)] {
		if history.Runs == historyRuns {
			break
		}
		if state, _, err := h.fold(p); err == nil && state.Status.Ended() {
			history.Add(p, &state)
		}
	}
	return history
}
