package winnode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// Lease is the cluster's lease as a member sees it (R27).
type Lease = engine.Lease

var _ engine.LeaseKeeper = (*Fleet)(nil)

// TakeLease makes a new epoch if the lease is as expect says: that epoch is the newest one, or nobody holds the lease (0).
// The new one is later than every epoch that there was, dropped ones too. Whoever loses the race gets the winner's
// lease with Taken false, and no error. holder must be unique to the process that asks: when an answer is lost on its
// way, the next member asked tells by it that the new epoch is ours.
func (f *Fleet) TakeLease(ctx context.Context, expect int64, run, holder string) (Lease, error) {
	if err := leaseNames(agent.OpLeaseTake, expect, run, holder); err != nil {
		return Lease{}, err
	}
	l, err := f.lease(ctx, agent.OpLeaseTake, agent.LeaseTakeArgs{Expect: expect, Run: run, Holder: holder})
	if err != nil {
		return l, err
	}
	ours := l.Epoch > expect && l.Run == run && l.Holder == holder
	if l.Taken && !ours {
		return Lease{}, &fault.Error{Op: what(agent.OpLeaseTake), Node: l.AnsweredBy, Err: errors.New("the answer is another lease than the one that was asked for")}
	}
	l.Taken = ours
	return l, nil
}

// RenewLease renews an epoch that must still be the newest one and ours. Otherwise the error is ErrFenced.
func (f *Fleet) RenewLease(ctx context.Context, epoch int64, run, holder string) (Lease, error) {
	return f.keepLease(ctx, agent.OpLeaseRenew, epoch, run, holder)
}

// DropLease gives an epoch up that must still be the newest one and ours. Otherwise the error is ErrFenced.
func (f *Fleet) DropLease(ctx context.Context, epoch int64, run, holder string) error {
	_, err := f.keepLease(ctx, agent.OpLeaseDrop, epoch, run, holder)
	return err
}

// ReadLease reads the newest lease there is.
func (f *Fleet) ReadLease(ctx context.Context) (Lease, error) {
	return f.lease(ctx, agent.OpLeaseRead, struct{}{})
}

func (f *Fleet) keepLease(ctx context.Context, op string, epoch int64, run, holder string) (Lease, error) {
	if err := leaseNames(op, epoch, run, holder); err != nil {
		return Lease{}, err
	}
	if epoch == 0 {
		return Lease{}, &fault.Error{Op: what(op), Err: errors.New("epoch 0 is no lease")}
	}
	l, err := f.lease(ctx, op, agent.LeaseArgs{Epoch: epoch, Run: run, Holder: holder})
	if err != nil || op == agent.OpLeaseDrop {
		return l, err
	}
	if l.Epoch != epoch || l.Run != run || l.Holder != holder {
		return l, &fault.Error{
			Op: what(op), Node: l.AnsweredBy, Err: fmt.Errorf("%w: epoch %d is held by %s for run %s", ErrFenced, l.Epoch, l.Holder, l.Run),
		}
	}
	return l, nil
}

// leaseNames refuses what a role's description could not hold.
func leaseNames(op string, epoch int64, run, holder string) error {
	switch {
	case epoch < 0:
		return &fault.Error{Op: what(op), Err: fmt.Errorf("epoch %d", epoch)}
	case !idShape.MatchString(run):
		return &fault.Error{Op: what(op), Err: errBadID}
	case holder == "" || holder != agent.Printable(holder, maxName):
		return &fault.Error{Op: what(op), Err: errors.New("the holder's name is empty, too long or not printable")}
	}
	return nil
}

// lease asks a working member for one of the lease operations.
func (f *Fleet) lease(ctx context.Context, op string, args any) (Lease, error) {
	var raw struct {
		agent.Lease
		Epoch *int64 `json:"epoch"`
	}
	var l Lease
	who, _, err := f.askUntil(ctx, "", op, args, &raw, func(who string, r agent.Response) error {
		a := raw
		raw.Lease, raw.Epoch = agent.Lease{}, nil
		if a.Epoch == nil || *a.Epoch < 0 {
			return missing(op, who, "epoch")
		}
		l = Lease{
			Epoch: *a.Epoch, Run: agent.Printable(a.Run, maxName), Holder: agent.Printable(a.Holder, maxName), Taken: a.Taken,
			LastEpoch: a.LastEpoch, LastRun: agent.Printable(a.LastRun, maxName), LastHolder: agent.Printable(a.LastHolder, maxName),
		}
		l.Renewed, _ = time.Parse(time.RFC3339Nano, a.RenewedUTC) // zero where it cannot be read, as documented
		l.Now, _ = time.Parse(time.RFC3339Nano, r.UTC)
		return nil
	})
	if err != nil {
		return Lease{}, err
	}
	l.AnsweredBy = who
	return l, nil
}
