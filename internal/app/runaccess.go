package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// runAccess is how a run signs in, which somebody may change while it goes on (cau credential, R05).
type runAccess struct {
	// simulated is the lab, and held its hold; nil for a real cluster.
	simulated *lab.Info
	held      *lab.Hold
	nodes     []winnode.NodeAddress
	// pushes: the coordinator reads the hotfix root itself.
	pushes bool

	mu      sync.Mutex
	now     *access
	secrets secrets
	// before are the earlier ones: what was begun with them may still use them.
	before []*access
}

func openRunAccess(plan *engine.Plan, sec secrets, simulated *lab.Info, held *lab.Hold) (*runAccess, error) {
	r := &runAccess{simulated: simulated, held: held, nodes: planAddresses(plan), pushes: pushes(plan)}
	a, err := r.open(sec)
	r.now, r.secrets = a, sec
	return r, err
}

// open makes an access; nothing is sent to anyone.
func (r *runAccess) open(sec secrets) (*access, error) {
	a, err := openAccess(sec)
	if err != nil {
		return nil, err
	}
	a.inLab(r.simulated)
	a.reach(r.nodes)
	return a, nil
}

func (r *runAccess) current() (*access, secrets) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now, r.secrets
}

func (r *runAccess) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range append(r.before, r.now) {
		a.close()
	}
}

// Ends implements engine.Credential.
func (r *runAccess) Ends() (time.Time, bool) {
	a, sec := r.current()
	return credentialLife{a, sec, r.held}.Ends()
}

// fleet is the run's nodes; its ADMIN$ shares follow a change of the sign-in, its shells by SignInAs.
func (r *runAccess) fleet(clock engine.Clock) (*winnode.Fleet, error) {
	a, _ := r.current()
	cfg := a.config(clock)
	cfg.Nodes = r.nodes
	cfg.AdminShare = func(ctx context.Context, host string) (winnode.AdminShare, error) {
		a, _ := r.current()
		return a.adminShare(ctx, host)
	}
	return winnode.New(cfg)
}

// root opens the hotfix root for a run that pushes, as whoever reads it now; nil for one that does not.
func (r *runAccess) root() hotfix.Opener {
	if _, sec := r.current(); sec.Share == nil {
		return nil
	}
	return func(ctx context.Context, at smbcheck.Location) (hotfix.Root, error) {
		a, sec := r.current()
		return a.takeOver(sec.Share, r.simulated)(ctx, at)
	}
}

// replaceIn is replace for whoever holds the fleet.
func (r *runAccess) replaceIn(fleet *winnode.Fleet) func(context.Context, []byte) error {
	return func(ctx context.Context, data []byte) error { return r.replace(ctx, fleet, data) }
}

// replace proves another sign-in on one node and goes on with it. Where that is refused everything stays as it was. What
// reads the hotfix root under an account of its own keeps it.
func (r *runAccess) replace(ctx context.Context, fleet *winnode.Fleet, data []byte) error {
	var sec secrets
	if err := json.Unmarshal(data, &sec); err != nil {
		return errors.New("what came is no sign-in of this program")
	}
	_, old := r.current()
	sec.Share, sec.Notify = old.Share, old.Notify
	a, err := r.open(sec)
	if err != nil {
		return err
	}
	if r.pushes && a.share == nil {
		a.close()
		return &fault.Error{Op: "sign in", Err: errors.New("this run pushes files to ADMIN$, and a client certificate does not sign in over SMB"), Hint: "Give a password or a ticket."}
	}
	if err := fleet.SignInAs(ctx, a.config(nil).Dialer); err != nil {
		a.close()
		return fmt.Errorf("%w; the run keeps the sign-in that it has", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = append(r.before, r.now)
	r.now, r.secrets = a, sec
	return nil
}
