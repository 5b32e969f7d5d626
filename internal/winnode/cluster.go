package winnode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// maxName bounds names that nodes give, in characters; Windows' own limits are lower.
const maxName = 256

// Describe reads the cluster from a member that is not about, and that is a working one by its own view.
func (f *Fleet) Describe(ctx context.Context, about string) (engine.ClusterView, error) {
	var c agent.Cluster
	var v engine.ClusterView
	who, _, err := f.askUntil(ctx, about, agent.OpClusterGet, struct{}{}, &c, func(who string, _ agent.Response) error {
		v, c = clusterView(&c), agent.Cluster{}
		if err := working(&v, who); err != nil {
			return &fault.Error{Op: what(agent.OpClusterGet), Node: who, Err: err}
		}
		return nil
	})
	if err != nil {
		return engine.ClusterView{}, err
	}
	v.AnsweredByNode = who
	f.remember(&v)
	return v, nil
}

func clusterView(c *agent.Cluster) engine.ClusterView {
	v := engine.ClusterView{
		Name: agent.Printable(c.Name, maxName), DynamicQuorum: c.DynamicQuorum, WitnessWeight: c.WitnessWeight,
		WitnessOnline: c.WitnessOnline, S2D: c.S2D, ApartEnforced: c.AntiAffinityEnforced,
		Groups: groupViews(c.Groups, c.AffinityRules), SharedVolumes: groupViews(c.SharedVolumes, nil),
	}
	for _, p := range c.AccessPoints[:min(len(c.AccessPoints), maxFacts)] {
		v.AccessPoints = append(v.AccessPoints, engine.AccessPoint{
			Role: agent.Printable(p.Group, maxName), Name: agent.Printable(p.Name, maxName), Address: agent.Printable(p.Address, maxName),
		})
	}
	for _, m := range c.Nodes {
		v.Nodes = append(v.Nodes, engine.MemberView{
			Name: agent.Printable(m.Name, maxName), State: nodeState(m.State), DrainStatus: engine.DrainStatus(signed(m.DrainStatus)),
			StatusInformation: m.StatusInformation, DynamicWeight: m.DynamicWeight, Site: siteOf(m.FaultDomain),
		})
	}
	return v
}

// siteOf is the site among a node's fault domains, of which each is a kind and a name: Site:Stockholm. The spelling is
// unproven; a kind without a name is no site.
func siteOf(domains []string) string {
	for _, d := range domains[:min(len(domains), maxFacts)] {
		kind, name, ok := strings.Cut(d, ":")
		if name = strings.TrimSpace(name); ok && name != "" && strings.EqualFold(strings.TrimSpace(kind), "site") {
			return agent.Printable(name, maxName)
		}
	}
	return ""
}

func groupViews(groups []agent.Group, rules []agent.AffinityRule) []engine.GroupView {
	out := make([]engine.GroupView, 0, len(groups))
	for _, g := range groups {
		out = append(out, roleView(g, rules))
	}
	return out
}

// signed undoes the unsigned 32 bits in which root/MSCluster gives -1.
func signed(v int) int { return int(int32(uint32(v))) }

// nodeState is the state, with numbers that clusapi.h does not have as unknown.
func nodeState(v int) engine.NodeState {
	s := engine.NodeState(signed(v))
	if s < engine.NodeUp || s > engine.NodeJoining {
		return engine.NodeUnknown
	}
	return s
}

// LosesQuorum asks the cluster itself whether it would lose quorum without the node.
func (f *Fleet) LosesQuorum(ctx context.Context, node string) (bool, error) {
	var c struct {
		LosesQuorum *bool `json:"loses_quorum"`
	}
	if _, err := f.ask(ctx, node, agent.OpClusterOffline, agent.NodeArgs{Node: node}, &c); err != nil {
		return true, aboutNode(err, node)
	}
	if c.LosesQuorum == nil { // no answer is no "no"
		return true, &fault.Error{Op: what(agent.OpClusterOffline), Node: node, Err: errors.New("the cluster gave no answer")}
	}
	return *c.LosesQuorum, nil
}

// Pause pauses the node and starts its drain. Errors keep the cluster's number: 5070, 5962, 5987. "Already
// paused" is told only when no peer was asked before whose answer is lost: else it may be by our own pause.
func (f *Fleet) Pause(ctx context.Context, node string, mode engine.DrainMode) error {
	const paused, draining = 5070, 5962
	var drain int
	switch mode {
	case engine.DrainNone:
		drain = agent.DrainNone
	case engine.DrainRoles:
		drain = agent.DrainRoles
	case engine.DrainForced:
		drain = agent.DrainForced
	default: // an outage is never guessed (R15)
		return &fault.Error{Op: what(agent.OpNodePause), Node: node, Err: fmt.Errorf("drain mode %q is not known", mode)}
	}
	_, maybe, err := f.askUntil(ctx, node, agent.OpNodePause, agent.PauseArgs{Node: node, DrainType: drain}, nil, nil)
	if e := (*fault.Error)(nil); maybe && errors.As(err, &e) && (e.Code == paused || e.Code == draining) {
		return nil
	}
	return aboutNode(err, node)
}

// Resume resumes the node; one that is not paused is fine.
func (f *Fleet) Resume(ctx context.Context, node string, mode engine.FailbackMode) error {
	var failback int
	switch mode {
	case engine.FailbackNone:
		failback = 0
	case engine.FailbackImmediate:
		failback = 1
	case engine.FailbackPolicy:
		failback = 2
	default:
		return &fault.Error{Op: what(agent.OpNodeResume), Node: node, Err: fmt.Errorf("failback mode %q is not known", mode)}
	}
	_, err := f.ask(ctx, node, agent.OpNodeResume, agent.ResumeArgs{Node: node, FailbackType: failback}, nil)
	const notPaused = 5058
	if e := (*fault.Error)(nil); errors.As(err, &e) && e.Code == notPaused {
		return nil
	}
	return aboutNode(err, node)
}

// MoveGroup moves a clustered role to a node; the move goes on after the answer.
func (f *Fleet) MoveGroup(ctx context.Context, group, node string) error {
	_, err := f.ask(ctx, "", agent.OpGroupMove, agent.GroupMoveArgs{Group: group, Node: node}, nil)
	return aboutNode(err, node)
}

// StorageMaintenance enters or leaves storage maintenance mode of the node's disks.
func (f *Fleet) StorageMaintenance(ctx context.Context, node string, on bool) error {
	_, err := f.ask(ctx, node, agent.OpStorageMaintenance, agent.StorageMaintenanceArgs{Node: node, Enable: on}, nil)
	return aboutNode(err, node)
}

// Storage reads disks and storage jobs from a member that is not about.
func (f *Fleet) Storage(ctx context.Context, about string) (engine.StorageView, error) {
	var s agent.Storage
	if _, err := f.ask(ctx, about, agent.OpStorageGet, struct{}{}, &s); err != nil {
		return engine.StorageView{}, err
	}
	return storageView(&s), nil
}

// Numbers of root/Microsoft/Windows/Storage (reference: MSFT_VirtualDisk, MSFT_StorageJob).
const (
	diskHealthy   = 0
	operationalOK = 2
	inMaintenance = 27
	jobCompleted  = 7
	jobTerminated = 8
	jobKilled     = 9
	jobException  = 10
)

func storageView(s *agent.Storage) engine.StorageView {
	var v engine.StorageView
	for _, d := range s.VirtualDisks {
		if d.Health != diskHealthy || !slices.Equal(d.Operational, []int{operationalOK}) {
			v.Unhealthy = append(v.Unhealthy, fmt.Sprintf("%s (health %d, operational %v)", agent.Printable(d.Name, maxName), d.Health, d.Operational))
		}
	}
	for _, j := range s.Jobs {
		switch j.State {
		case jobCompleted, jobTerminated, jobKilled, jobException:
		default: // suspended too: right after a restart that is normal, and not done
			v.Jobs = append(v.Jobs, fmt.Sprintf("%s (%d %%)", agent.Printable(j.Name, maxName), j.Percent))
		}
	}
	for _, d := range s.FaultDomains {
		if slices.Contains(d.Operational, inMaintenance) {
			v.InMaintenance = append(v.InMaintenance, agent.Printable(d.Name, maxName))
		}
	}
	return v
}

// ForeignRuns looks on every node that is not down for the lock objects of Microsoft's CAU: a node's own lock
// is seen only there, so the node in question is asked like the others. A node that cannot be asked is an
// error, because what it holds is not known. The lock that TakeCauLock or RenewCauLock made ours is left out.
func (f *Fleet) ForeignRuns(ctx context.Context, _ string) ([]engine.ForeignRun, error) {
	var mu sync.Mutex
	found := map[engine.ForeignRun]bool{}
	err := f.eachNode(ctx, f.notDown(), func(ctx context.Context, l *link) error {
		var runs agent.CauRuns
		if _, err := l.call(ctx, agent.OpCauRuns, struct{}{}, &runs); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, id := range runs.Runs {
			if f.ownLock(id) {
				continue
			}
			found[engine.ForeignRun{ID: agent.Printable(id, maxName)}] = true
		}
		for _, id := range runs.Nodes {
			if f.ownLock(id) {
				continue
			}
			found[engine.ForeignRun{ID: agent.Printable(id, maxName), Node: l.name}] = true
		}
		return nil
	})
	if len(found) == 0 && err != nil {
		return nil, err
	}
	out := make([]engine.ForeignRun, 0, len(found))
	for r := range found {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b engine.ForeignRun) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}
