package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	settlePoll = 5 * time.Second
	// settledFor is how long nothing may move before the roles count as settled. Failback is asynchronous and
	// older hosts have no NodeFailbackStatus to say when it is over.
	settledFor = 10 * time.Second
	// settlePatience bounds the wait for roles to settle.
	settlePatience = 30 * time.Minute
	// resumeAgain is when a resume that was accepted and has no effect is asked for again. Sooner, a pause that
	// an administrator has just asked for could be taken for ours.
	resumeAgain = 30 * time.Second
)

// resume brings the node back: storage maintenance is left, then the node resumed with failback.
func (r *run) resume(ctx context.Context, np NodePlan, nr NodeRun) error {
	if left, err := r.leaveMaintenance(ctx, np); err != nil || !left {
		return err
	}
	mode := r.Plan.Options.FailbackMode
	if nr.Phase != PhaseResuming {
		if err := r.record(Fact{Kind: FactResumeIntent, Node: np.Name, Data: FactData{Failback: mode}}); err != nil {
			return err
		}
		r.checkpoint(ctx, np.Name)
	}
	if err := r.resumeNode(ctx, np.Name, mode); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return r.leavePaused(np, NodeFailed, causeOf("resume", np.Name, err))
	}
	return r.record(Fact{Kind: FactResumeDone, Node: np.Name})
}

// resumeNode asks for the resume until the peers see the node Up.
func (r *run) resumeNode(ctx context.Context, name string, mode FailbackMode) error {
	var asked time.Time
	return r.persist(ctx, contactPoll, contactPatience, func() error {
		if now := r.Clock.Now(); asked.IsZero() || now.Sub(asked) >= resumeAgain {
			if err := r.Cluster.Resume(ctx, name, mode); err != nil {
				return err
			}
			asked = now
		}
		v, err := r.Cluster.Describe(ctx, name)
		if err != nil {
			return err
		}
		m := v.Member(name)
		switch {
		case m == nil:
			return &finalError{fmt.Errorf("%s is not a node of the cluster any more", name)}
		case m.State == NodeUp:
			return nil
		}
		return &notYetError{"its peers see it " + m.State.String()}
	})
}

// settle waits until roles have stopped moving, so that the next drain does not overlap with this failback.
func (r *run) settle(ctx context.Context, np NodePlan) error {
	var owners []string
	var still unbroken
	err := r.persist(ctx, settlePoll, settlePatience, func() error {
		v, err := r.Cluster.Describe(ctx, np.Name)
		if err != nil {
			return err
		}
		if m := v.Member(np.Name); m == nil || m.State != NodeUp {
			still.broken()
			return &notYetError{"its peers do not see it Up"}
		}
		if moving := v.moving(); len(moving) > 0 {
			still.broken()
			return &notYetError{"roles are still moving: " + strings.Join(moving, ", ")}
		}
		if now := v.owners(); !slices.Equal(now, owners) {
			owners = now
			still.broken()
		}
		if still.seen(r.Clock.Now()) < settledFor {
			return &notYetError{"roles have just moved"}
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		// R22: it stays resumed, so that the cluster can repair itself; the gate keeps other nodes from following.
		// Another attempt would only move the roles again.
		if err := r.failForGood(np, LeaveResumed, "its roles did not come to rest, and another drain would move them again", causeOf("settle", np.Name, err)); err != nil {
			return err
		}
	}
	return r.record(Fact{Kind: FactSettleDone, Node: np.Name, Data: FactData{Roles: r.rolesDown(ctx, np.Name)}})
}

// rolesDown says which of the roles that the node's pause put at risk do not run again. It is a remark on the node: that
// nobody can be asked for it changes nothing.
func (r *run) rolesDown(ctx context.Context, node string) []string {
	outage := r.node(node).Outage
	if len(outage) == 0 {
		return nil
	}
	v, err := r.Cluster.Describe(ctx, node)
	if err != nil {
		return nil
	}
	return v.notOnline(outage)
}

// moving names the groups that are going online, offline or elsewhere.
func (v *ClusterView) moving() []string {
	var out []string
	for _, g := range v.Groups {
		if g.State == groupPending {
			out = append(out, g.Name)
		}
	}
	return out
}

func (v *ClusterView) owners() []string {
	out := make([]string, 0, len(v.Groups)+len(v.SharedVolumes))
	for _, g := range slices.Concat(v.Groups, v.SharedVolumes) {
		out = append(out, g.Name+"\x00"+g.Owner)
	}
	slices.Sort(out)
	return out
}
