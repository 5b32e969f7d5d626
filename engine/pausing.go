package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cau/internal/check"
)

// pauseTries is how often a pause is asked for while others refuse it or take it back: SuspendRetriesPerNode times again.
func (d *drainWatch) pauseTries() int { return d.Plan.Options.SuspendRetriesPerNode + 1 }

func (d *drainWatch) pause(ctx context.Context) error {
	first := !d.tried
	err := d.Cluster.Pause(ctx, d.node, d.mode)
	code := win32Code(err)
	if already := code == codePaused || code == codeDrainInProgress; already && first {
		return &finalError{&notOursError{"Somebody else paused the node right before this run did."}}
	} else if already {
		err = nil
	}
	d.tried = true
	switch {
	case err == nil:
		d.pauses++
	case code == codeSpaceDegraded:
		return d.waitDegraded(ctx, err)
	case code != 0:
		if d.refusals++; d.refusals >= d.pauseTries() {
			return &finalError{err}
		}
	}
	return err
}

// waitDegraded waits before the pause is asked for again, because the cluster refused it for degraded storage. That counts
// against SuspendClusterNodeTimeoutMinutes alone: neither as a refusal nor against the drain's own time (Invoke-CauRun,
// SuspendClusterNodeTimeoutMinutes).
func (d *drainWatch) waitDegraded(ctx context.Context, refused error) error {
	if d.degraded == nil {
		d.degraded = d.patience(d.suspendLimit())
	}
	if err := d.spendDegraded(refused); err != nil {
		return err
	}
	if err := d.Clock.Sleep(ctx, gatePoll); err != nil {
		return err
	}
	if err := d.spendDegraded(refused); err != nil {
		return err
	}
	return refused
}

// degradedToo is the same while the gate itself is closed for the storage for which the pause was refused.
func (d *drainWatch) degradedToo(blocking []check.Result) error {
	if d.degraded == nil || !slices.ContainsFunc(blocking, func(b check.Result) bool { return b.ID == checkStorage }) {
		return nil
	}
	return d.spendDegraded(errors.New(blocking[0].Evidence))
}

// spendDegraded fails for good when the storage was waited for long enough.
func (d *drainWatch) spendDegraded(why error) error {
	now := d.Clock.Now()
	if d.degraded.over(now) {
		return &finalError{fmt.Errorf("the storage is still degraded after %s: %w", inMinutes(d.suspendLimit()), why)}
	}
	d.wait.excuse(now, d.suspendLimit())
	return nil
}

func (d *drainWatch) suspendLimit() time.Duration {
	return time.Duration(d.Plan.Options.SuspendClusterNodeTimeoutMinutes) * time.Minute
}
