package engine

import (
	"context"
	"errors"
	"time"
)

// ErrFenced says that a node refused a change because another coordinator holds a later lease (R27).
var ErrFenced = errors.New("another coordinator has taken over the cluster's lease")

// LeaseKeeper is the cluster's lease (R27): what keeps a coordinator on another host from working on the same nodes. It is
// taken by an act that the cluster itself makes exclusive. Its epoch grows with every taking, and never comes twice.
type LeaseKeeper interface {
	// ReadLease reads the newest lease there is.
	ReadLease(ctx context.Context) (Lease, error)
	// TakeLease makes a new epoch if expect is still the newest one, 0 when nobody holds the lease. Whoever loses the race
	// gets the winner's lease with Taken false, and no error. holder is unique to the process that asks.
	TakeLease(ctx context.Context, expect int64, run, holder string) (Lease, error)
	// RenewLease and DropLease are about an epoch that must still be the newest one and ours: else they fail with ErrFenced.
	RenewLease(ctx context.Context, epoch int64, run, holder string) (Lease, error)
	DropLease(ctx context.Context, epoch int64, run, holder string) error
	// Fence makes every request that changes something carry the epoch from now on; a node that knows of a later one
	// refuses it.
	Fence(epoch int64)
	// Fenced is closed once anything was refused with ErrFenced, before the call that was refused returns.
	Fenced() <-chan struct{}
}

// Lease is the cluster's lease as a member sees it (R27): the newest epoch there is.
type Lease struct {
	// Epoch is 0 when nobody holds the lease.
	Epoch int64
	// Run and Holder are whose it is; empty where whoever took it has not said so yet, or never will.
	Run, Holder string
	// Renewed is when it was last taken or renewed, by the clock of whichever member was asked then. Zero where that
	// cannot be read, which is no proof of age.
	Renewed time.Time
	// Now is the clock of AnsweredBy when it answered: Renewed is compared with it and not with ours.
	Now        time.Time
	AnsweredBy string
	// LastEpoch, LastRun and LastHolder are those of the newest epoch that there was, one that was dropped too; zero where
	// there was none.
	LastEpoch           int64
	LastRun, LastHolder string
	// Taken: TakeLease made this epoch, and it is ours.
	Taken bool
}

// Age is how long ago the lease was renewed, by the cluster's clocks; negative when that is not known.
func (l Lease) Age() time.Duration {
	if l.Epoch == 0 || l.Renewed.IsZero() || l.Now.IsZero() {
		return -1
	}
	return max(l.Now.Sub(l.Renewed), 0)
}
