package hotfix

import (
	"context"
	"slices"

	"cau/plugins"
)

var _ plugins.FollowUper = (*Plugin)(nil)

// FollowUps offers an update once more that was not applicable when it was tried, as soon as another one was installed on
// the node since: it may have needed that one first. Nothing else can become applicable, because root and configuration
// are pinned (R09). It asks the node nothing: whether an update applies is what its installer says.
func (p *Plugin) FollowUps(_ context.Context, _ plugins.Node, req plugins.FollowUpRequest) ([]plugins.Update, error) {
	var out []plugins.Update
	for _, u := range req.Updates {
		if again(u.ID, req.Done) {
			out = append(out, u)
		}
	}
	return out, nil
}

// again tells whether the update's last end is not-applicable and another update was installed after that.
func again(id string, done []plugins.Done) bool {
	installed := false
	for _, d := range slices.Backward(done) {
		if d.Update == id {
			return installed && d.Outcome == plugins.NotApplicable
		}
		installed = installed || d.Outcome == plugins.Installed
	}
	return false
}
