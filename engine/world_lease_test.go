package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/engine"
)

// fakeLease is the cluster's lease. It refuses what the cluster refuses.
type fakeLease struct {
	mu      sync.Mutex
	epoch   int64
	run     string
	holder  string
	renewed time.Time
	dropped bool
	// fail answers an operation in the cluster's place: "read", "take", "renew" or "drop".
	fail func(op string) error
	// lose does the operation and loses its answer.
	lose func(op string) error
	log  []string
	// coordinators counts those that asked; current is the last one, whose changes the world sees.
	coordinators int
	current      *leaseOf
}

// anotherTakes is what a coordinator on another host does.
func (l *fakeLease) anotherTakes(run, holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch, l.run, l.holder, l.renewed, l.dropped = l.epoch+1, run, holder, time.Now(), false
}

func (l *fakeLease) anotherDrops() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped = true
}

func (l *fakeLease) now() engine.Lease {
	a := engine.Lease{LastEpoch: l.epoch, LastRun: l.run, LastHolder: l.holder, Now: time.Now(), AnsweredBy: "NODE1"}
	if l.epoch > 0 && !l.dropped {
		a.Epoch, a.Run, a.Holder, a.Renewed = l.epoch, l.run, l.holder, l.renewed
	}
	return a
}

// leaseOf is the lease as one coordinator reaches it.
type leaseOf struct {
	*fakeLease
	under  int64
	fenced chan struct{}
	once   sync.Once
}

// keeper is a new coordinator's way to the lease. From now on what it changes in the world is fenced.
func (l *fakeLease) keeper(b *bench) (engine.LeaseKeeper, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.coordinators++
	k := &leaseOf{fakeLease: l, fenced: make(chan struct{})}
	if before := b.w.fail; l.current == nil {
		b.w.fail = func(act, node string) error {
			if err := l.current.fence(act, node); err != nil {
				return err
			}
			if before != nil {
				return before(act, node)
			}
			return nil
		}
	}
	l.current = k
	if b.holder != "" {
		return k, b.holder
	}
	return k, fmt.Sprintf("host1, process %d", l.coordinators)
}

func changes(act string) bool {
	return slices.Contains([]string{"pause", "resume", "restart", "maintenance", "clean", "install", "stage"}, act)
}

func (k *leaseOf) fence(act, node string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !changes(act) {
		return nil
	}
	if k.under != 0 && k.now().Epoch != k.under {
		k.once.Do(func() { close(k.fenced) })
		return engine.ErrFenced
	}
	k.log = append(k.log, strings.TrimSpace(act+" "+node+fmt.Sprintf(" under %d, renewed %s ago", k.under, time.Since(k.renewed))))
	return nil
}

func (k *leaseOf) asked(op string, do func() (engine.Lease, error)) (engine.Lease, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.log = append(k.log, op)
	if k.fail != nil {
		if err := k.fail(op); err != nil {
			return engine.Lease{}, err
		}
	}
	a, err := do()
	if err == nil && k.lose != nil {
		err = k.lose(op)
	}
	return a, err
}

func (k *leaseOf) ReadLease(context.Context) (engine.Lease, error) {
	return k.asked("read", func() (engine.Lease, error) { return k.now(), nil })
}

func (k *leaseOf) TakeLease(_ context.Context, expect int64, run, holder string) (engine.Lease, error) {
	return k.asked("take", func() (engine.Lease, error) {
		if k.now().Epoch != expect {
			return k.now(), nil
		}
		k.epoch, k.run, k.holder, k.renewed, k.dropped = k.epoch+1, run, holder, time.Now(), false
		a := k.now()
		a.Taken = true
		return a, nil
	})
}

func (k *leaseOf) own(epoch int64, run, holder string) error {
	if now := k.now(); now.Epoch != epoch || now.Run != run || now.Holder != holder {
		k.once.Do(func() { close(k.fenced) })
		return fmt.Errorf("%w: epoch %d is held by %s for run %s", engine.ErrFenced, now.Epoch, now.Holder, now.Run)
	}
	return nil
}

func (k *leaseOf) RenewLease(_ context.Context, epoch int64, run, holder string) (engine.Lease, error) {
	return k.asked("renew", func() (engine.Lease, error) {
		if err := k.own(epoch, run, holder); err != nil {
			return engine.Lease{}, err
		}
		k.renewed = time.Now()
		return k.now(), nil
	})
}

func (k *leaseOf) DropLease(_ context.Context, epoch int64, run, holder string) error {
	_, err := k.asked("drop", func() (engine.Lease, error) {
		if err := k.own(epoch, run, holder); err != nil {
			return engine.Lease{}, err
		}
		k.dropped = true
		return k.now(), nil
	})
	return err
}

func (k *leaseOf) Fence(epoch int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.under = epoch
}

func (k *leaseOf) Fenced() <-chan struct{} { return k.fenced }
