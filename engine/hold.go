package engine

import (
	"context"

	"cau/internal/check"
	"cau/internal/fault"
)

// hold stops the whole run between nodes until somebody decides (R12, R14). After it returns nil, the run
// was resumed and the gate must be looked at again, or stop was asked.
func (r *run) hold(ctx context.Context, node string, blocking []check.Result) error {
	if r.beginsNothing() {
		return nil
	}
	first := blocking[0]
	cause := &fault.Cause{Op: "gate " + first.ID, Node: node, Message: first.Evidence, Hint: first.Remedy}
	message := "Held: " + first.Evidence
	if node != "" {
		message = "Held before " + node + ": " + first.Evidence
	}
	if err := r.record(Fact{Kind: FactRunHeld, Data: FactData{Message: message, Cause: cause, Checks: blocking}}); err != nil {
		return err
	}
	return r.standStill(ctx)
}

// standStill returns when the run is neither held nor asked to pause, or when nothing more is begun.
func (r *run) standStill(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.mu.Lock()
		still := !r.state.beginsNothing() && (r.state.Status == RunHeld || r.state.PauseAsked)
		renewable := r.state.heldForCredential()
		var err error
		if still && r.state.Status == RunRunning {
			err = r.recordLocked(Fact{Kind: FactRunPaused, Data: FactData{Message: "Paused between nodes."}})
		}
		if err == nil {
			err = r.broken
		}
		r.mu.Unlock()
		if err != nil || !still {
			return err
		}
		if renewable {
			if err := r.sleepOrWake(ctx, credentialPoll); err != nil {
				return err
			}
			if err := r.lookAtCredential(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.woken:
		}
	}
}
