package winnode

import (
	"context"
	"errors"
	"sync/atomic"

	"cau/internal/winnode/agent"
)

// signIn is one credential's way to the nodes, with what is known of it (R02).
type signIn struct {
	dialer Dialer
	gate   *gate
}

// way is the signIn that new shells are made with; a shell keeps the one that it was made with.
type way = atomic.Pointer[signIn]

func newWay(d Dialer) *way {
	w := &way{}
	w.Store(&signIn{dialer: d, gate: newGate()})
	return w
}

// SignInAs makes every further connection sign in with dialer's credential, once that is proven on one node: the first
// that gives a verdict. A refusal, or no verdict at all, is the answer, and everything stays as it was. What is under way in
// the old shells ends or fails there, and may be asked for again.
func (f *Fleet) SignInAs(ctx context.Context, dialer Dialer) error {
	fresh := &signIn{dialer: dialer, gate: newGate()}
	err := f.proveSignIn(ctx, fresh)
	if err != nil {
		return err
	}
	f.way.Store(fresh)
	for _, l := range f.links {
		l.reset()
	}
	return nil
}

// proveSignIn asks one node after the other who it is, until one has taken or refused the credential.
func (f *Fleet) proveSignIn(ctx context.Context, fresh *signIn) error {
	var errs []error
	for _, l := range f.notDown() {
		probe := l.twin()
		probe.way = &way{}
		probe.way.Store(fresh)
		_, err := probe.call(ctx, agent.OpHello, struct{}{}, nil)
		probe.close()
		switch {
		case err == nil:
			return nil
		case rejected(err), ctx.Err() != nil:
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// twin is another link to the same node, with nothing of the first one's shells.
func (l *link) twin() *link {
	return &link{
		name: l.name, address: l.address, host: l.host, way: l.way, clock: l.clock, limit: l.limit, fence: l.fence,
		refused: l.refused, closing: l.closing, ready: make(chan struct{}, 1),
	}
}
