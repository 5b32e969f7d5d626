package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// lease is one epoch: on Windows a clustered role, offline and empty, that only one caller can create. It is
// in no list of roles.
type lease struct {
	epoch       int64
	run, holder string
	renewed     time.Time
	// dropped: its holder gave it up. Its role stays, so that no later epoch has the same number.
	dropped bool
}

// cauRun is an instance of MSFT_CAURun. The provider deletes it when it was not renewed for an hour; somebody
// else's run renews its own.
type cauRun struct {
	id      string
	renewed time.Time
	foreign bool
}

const (
	cauRunLife = time.Hour
	maxHolder  = 256
)

var guidShape = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// newest is the epoch that counts; its epoch is 0 when nobody holds the lease.
func (c *cluster) newest() lease {
	var out lease
	for _, l := range c.leases {
		if l.epoch > out.epoch {
			out = l
		}
	}
	return out
}

func (l lease) answer(taken bool) agent.Lease {
	a := agent.Lease{LastEpoch: l.epoch, LastRun: l.run, LastHolder: l.holder}
	if l.epoch != 0 && !l.dropped {
		a.Epoch, a.Run, a.Holder, a.RenewedUTC, a.Taken = l.epoch, l.run, l.holder, stamp(l.renewed), taken
	}
	return a
}

func checkHolder(run, holder string) error {
	if !validName(run) {
		return errName()
	}
	if holder == "" || len(holder) > maxHolder || strings.IndexFunc(holder, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		return &refusal{"refused", "the holder of a lease is not a short printable text"}
	}
	return nil
}

// takeLease creates the epoch after the expected one. Whoever comes second finds it there, and gets the
// winner's.
func (n *Node) takeLease(a agent.LeaseTakeArgs) (agent.Lease, error) {
	c := &n.world.cluster
	if err := checkHolder(a.Run, a.Holder); err != nil {
		return agent.Lease{}, err
	}
	if a.Expect < 0 {
		return agent.Lease{}, &refusal{"refused", "an epoch is not negative"}
	}
	newest := c.newest()
	if now := newest.answer(false); now.Epoch != a.Expect {
		return now, nil
	}
	l := lease{epoch: newest.epoch + 1, run: a.Run, holder: a.Holder, renewed: n.now()}
	c.leases = []lease{l}
	n.knownEpoch = max(n.knownEpoch, l.epoch)
	return l.answer(true), nil
}

func (n *Node) renewLease(a agent.LeaseArgs) (agent.Lease, error) {
	l, err := n.ownLease(a)
	if err != nil {
		return agent.Lease{}, err
	}
	l.holder, l.renewed = a.Holder, n.now()
	return l.answer(false), nil
}

func (n *Node) readLease() agent.Lease { return n.world.cluster.newest().answer(false) }

// dropLease marks the epoch. To drop it again is no failure.
func (n *Node) dropLease(a agent.LeaseArgs) (agent.Lease, error) {
	if err := checkHolder(a.Run, a.Holder); err != nil {
		return agent.Lease{}, err
	}
	if now := n.world.cluster.newest(); now.dropped && now.epoch == a.Epoch && now.run == a.Run {
		return now.answer(false), nil
	}
	l, err := n.ownLease(a)
	if err != nil {
		return agent.Lease{}, err
	}
	l.holder, l.renewed, l.dropped = a.Holder, n.now(), true
	return l.answer(false), nil
}

// ownLease finds the epoch that must still be the newest one and the run's.
func (n *Node) ownLease(a agent.LeaseArgs) (*lease, error) {
	if err := checkHolder(a.Run, a.Holder); err != nil {
		return nil, err
	}
	c := &n.world.cluster
	if now := c.newest(); now.dropped || now.epoch != a.Epoch || now.run != a.Run || a.Epoch == 0 {
		return nil, &refusal{"fenced", fmt.Sprintf("epoch %d is not this run's lease any more", a.Epoch)}
	}
	i := slices.IndexFunc(c.leases, func(l lease) bool { return l.epoch == a.Epoch })
	return &c.leases[i], nil
}

// fence refuses a changing operation of another epoch than the newest (R27). While the node's Cluster service does not
// run, what the node itself has seen decides; a cluster that runs and gives no answer is an error, no permission.
func (n *Node) fence(op string, epoch int64) error {
	if epoch == 0 {
		return nil
	}
	newest := n.knownEpoch
	if n.clusterService {
		if err := n.world.serves(n); err != nil {
			return err
		}
		if newest = n.world.cluster.newest().answer(false).Epoch; newest == epoch {
			n.knownEpoch = max(n.knownEpoch, epoch)
		}
	} else {
		newest = max(newest, epoch)
		n.knownEpoch = newest
	}
	if newest == epoch {
		return nil
	}
	return &refusal{"fenced", fmt.Sprintf("%s was asked for under epoch %d; the newest is %d. Another coordinator has the run.", op, epoch, newest)}
}

// runs are the instances of MSFT_CAURun that have not expired.
func (w *World) runs() []cauRun {
	c := &w.cluster
	c.cauRuns = slices.DeleteFunc(c.cauRuns, func(r cauRun) bool { return !r.foreign && w.now.Sub(r.renewed) > cauRunLife })
	return c.cauRuns
}

// foreignRun makes Microsoft's own Updating Run appear.
func (w *World) foreignRun(id string) {
	if id != "" {
		w.cluster.cauRuns = append(w.cluster.cauRuns, cauRun{id: id, foreign: true})
	}
}

func (w *World) cauRunsView() agent.CauRuns {
	out := agent.CauRuns{Available: true, Runs: []string{}, Nodes: []string{}}
	for _, r := range w.runs() {
		out.Runs = append(out.Runs, r.id)
	}
	return out
}

// takeCauLock makes an instance of MSFT_CAURun; there is at most one on a cluster.
func (w *World) takeCauLock(a agent.CauLockArgs) error {
	if !guidShape.MatchString(a.ID) {
		return errGUID()
	}
	for _, r := range w.runs() {
		if r.id != a.ID || r.foreign {
			return &refusal{"refused", "an Updating Run of Cluster-Aware Updating is under way"}
		}
	}
	if w.renewCauLock(a) != nil {
		w.cluster.cauRuns = append(w.cluster.cauRuns, cauRun{id: a.ID, renewed: w.now})
	}
	return nil
}

func (w *World) renewCauLock(a agent.CauLockArgs) error {
	if !guidShape.MatchString(a.ID) {
		return errGUID()
	}
	for i, r := range w.runs() {
		if r.id == a.ID && !r.foreign {
			w.cluster.cauRuns[i].renewed = w.now
			return nil
		}
	}
	return &refusal{"missing", "the lock is not there any more"}
}

// dropCauLock removes our own instance; that it is gone already is no failure.
func (w *World) dropCauLock(a agent.CauLockArgs) error {
	if !guidShape.MatchString(a.ID) {
		return errGUID()
	}
	w.cluster.cauRuns = slices.DeleteFunc(w.cluster.cauRuns, func(r cauRun) bool { return r.id == a.ID && !r.foreign })
	return nil
}

func errGUID() error { return &refusal{"refused", "a lock's id is not a GUID in lower case"} }
