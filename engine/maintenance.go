package engine

import (
	"context"
	"slices"
	"strings"
	"time"
)

// maintenancePatience bounds entering and leaving storage maintenance mode.
const maintenancePatience = 10 * time.Minute

// enterMaintenance puts the node's disks of a Storage Spaces Direct cluster into maintenance mode, unless
// the pause did (R16). It is looked at once per call of Run: after a crash the storage itself is asked.
func (r *run) enterMaintenance(ctx context.Context, np NodePlan, nr NodeRun) error {
	known := nr.Maintenance // since an earlier life of the program
	done, byPause := false, true
	err := r.persist(ctx, contactPoll, maintenancePatience, func() error {
		on, s2d, err := r.inMaintenance(ctx, np.Name)
		switch {
		case err != nil:
			return err
		case !s2d:
			return nil
		case on:
			done = true
			return nil
		}
		byPause = false
		if !nr.Maintenance {
			nr.Maintenance = true
			if err := r.record(Fact{Kind: FactMaintenanceIntent, Node: np.Name, Data: FactData{On: true}}); err != nil {
				return &finalError{err}
			}
			r.checkpoint(ctx, np.Name)
		}
		if err := r.Cluster.StorageMaintenance(ctx, np.Name, true); err != nil {
			return err
		}
		return &notYetError{"its disks are not in maintenance mode"}
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.brokenErr() != nil:
		return r.brokenErr()
	case err != nil && nr.begun():
		return r.leavePaused(np, NodeHeld, causeOf("enter storage maintenance", np.Name, err))
	case err != nil:
		return r.fail(np, LeaveUndone, causeOf("enter storage maintenance", np.Name, err))
	}
	r.maintained[np.Name] = true
	if !done || (byPause && known) {
		return nil
	}
	message := ""
	if byPause {
		message = "The pause had set it."
	}
	return r.record(Fact{Kind: FactMaintenanceDone, Node: np.Name, Data: FactData{On: true, Message: message}})
}

// leaveMaintenance takes the node's disks out of maintenance mode before the node is resumed, also when a
// crash hides who set it (R16). It returns false when it could not; the node is then ended, paused.
func (r *run) leaveMaintenance(ctx context.Context, np NodePlan) (bool, error) {
	asked := false
	err := r.persist(ctx, contactPoll, maintenancePatience, func() error {
		on, _, err := r.inMaintenance(ctx, np.Name)
		switch {
		case err != nil:
			return err
		case !on:
			return nil
		}
		if !asked {
			asked = true
			if err := r.record(Fact{Kind: FactMaintenanceIntent, Node: np.Name}); err != nil {
				return &finalError{err}
			}
		}
		if err := r.Cluster.StorageMaintenance(ctx, np.Name, false); err != nil {
			return err
		}
		return &notYetError{"its disks are still in maintenance mode"}
	})
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case r.brokenErr() != nil:
		return false, r.brokenErr()
	case err != nil:
		return false, r.leavePaused(np, NodeFailed, causeOf("leave storage maintenance", np.Name, err))
	case !r.node(np.Name).Maintenance:
		return true, nil
	}
	return true, r.record(Fact{Kind: FactMaintenanceDone, Node: np.Name})
}

// inMaintenance asks whether the cluster is one of Storage Spaces Direct and the node's disks are in
// maintenance mode.
func (r *run) inMaintenance(ctx context.Context, node string) (on, s2d bool, err error) {
	v, err := r.Cluster.Describe(ctx, node)
	if err != nil || !v.S2D {
		return false, false, err
	}
	s, err := r.Cluster.Storage(ctx, node)
	if err != nil {
		return false, true, err
	}
	on = slices.ContainsFunc(s.InMaintenance, func(name string) bool { return strings.EqualFold(name, node) })
	return on, true, nil
}
