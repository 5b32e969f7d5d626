package winnode

import (
	"context"
	"sync/atomic"
)

// gate keeps R02 for whatever transport a fleet uses: the credential is used on one node first while the
// others wait, and after a rejected logon nothing is tried any more, anywhere. That also later only one proof is under
// way at a time is the transport's doing, which alone sees logons (wsman.Credential).
type gate struct {
	turn    chan struct{}
	proven  atomic.Bool
	refused atomic.Pointer[error]
}

func newGate() *gate { return &gate{turn: make(chan struct{}, 1)} }

// admit waits until the credential may be used. The caller calls settle once with the outcome.
func (g *gate) admit(ctx context.Context) (settle func(error), err error) {
	if err := g.rejection(); err != nil {
		return nil, err
	}
	if g.proven.Load() {
		return g.record, nil
	}
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := g.rejection(); err != nil {
		<-g.turn
		return nil, err
	}
	if g.proven.Load() {
		<-g.turn
		return g.record, nil
	}
	return func(outcome error) {
		g.record(outcome)
		<-g.turn
	}, nil
}

func (g *gate) record(outcome error) {
	switch {
	case outcome == nil:
		g.proven.Store(true)
	case rejected(outcome):
		g.refused.CompareAndSwap(nil, &outcome)
	}
}

func (g *gate) rejection() error {
	if e := g.refused.Load(); e != nil {
		return *e
	}
	return nil
}
