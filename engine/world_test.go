package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// world is a failover cluster that obeys virtual time: it runs inside a synctest bubble. Every call first
// lets happen what is due by now, then looks for what must never be.
type world struct {
	mu     sync.Mutex
	order  []*machine
	groups []*role
	s2d    bool
	// witness is online with one vote.
	witness bool
	foreign []engine.ForeignRun
	// repair is how long storage jobs run after a node was resumed; repairUntil when the running one ends.
	repair, repairUntil time.Duration
	storageJobs         []string
	losesQuorum         bool
	// static turns dynamic quorum off: every node has a vote, present or not.
	static        bool
	backups       []string
	drainTakes    time.Duration
	restartTakes  time.Duration
	failbackTakes time.Duration
	// failbackLag is how long a failback takes to show at all; volumeLag how long a shared volume stays behind a drain.
	failbackLag, volumeLag time.Duration
	shutdownTakes          time.Duration
	// boots changes what a node says about its boot, joins when its peers see it again, so long after the boot.
	boots func(b *engine.BootView)
	joins time.Duration
	began time.Time
	// fail answers a call instead of the world; act is "pause", "resume", "describe", "boot", ...
	fail func(act, node string) error
	// noSignIn is when no sign-in works; a zero end is for ever.
	noSignIn struct{ from, to time.Time }
	// after is called after an act was done.
	after func(act, node string)
	acts  []string
	// broken lists what must never happen.
	broken []string
	// mayGoDown: the run was told that roles may go down; outages are those that did.
	mayGoDown bool
	// installsFirst: updates are installed on machines that are in service.
	installsFirst bool
	outages       []string
	// mayBePaused are machines that someone else took out of service.
	mayBePaused map[string]bool
	// scripts is how pre- and post-update scripts behave, by "NODE/pre"; without one they say a line and end well.
	scripts map[string]scripted
	// shares is what a machine's look at a root ends with, pushes what a push to it ends with; nil is well.
	shares, pushes map[string]error
	// attachable machines can be waited on without starting anything.
	attachable       bool
	probing, probers int
	jobsAsked        []plugins.Job
}

type machine struct {
	name  string
	state engine.NodeState
	drain engine.DrainStatus
	// drained is when the drain is over; drainFails makes it fail then, drainHangs keeps it going for ever.
	drained                time.Time
	drainFails, drainHangs bool
	// byItself: an installer restarts it, with what runs there; returns is the state in which it comes back.
	byItself bool
	returns  engine.NodeState
	// build is Windows' build; silent: it never says what is installed.
	build  string
	silent bool
	// forced: the drain stops what does not move; sticks are roles that do not.
	forced   bool
	sticks   []string
	boot     int
	bootAt   time.Time
	down, up time.Time
	// again are further restarts, each so long after the boot before; neverUp keeps the machine down.
	again       []time.Duration
	neverUp     bool
	maintenance bool
	// pausesDisks: the pause itself sets storage maintenance, as newer hosts do.
	pausesDisks bool
	pending     []string
	// pendingStays is how many restarts leave a restart pending.
	pendingStays int
	restarts     int
	jobs         map[string]*installerJob
	files        bool
	clockSet     bool
	// scriptRuns are the scripts' jobs by id; a second start of one is broken.
	scriptRuns map[string]*scriptJob
	updaters   engine.UpdatersView
	bitLocker  engine.BitLockerView
	residents  engine.ResidentsView
}

type role struct {
	name, owner, home string
	core              bool
	state             int
	moves, settles    time.Time
	// owners are the machines that may own it, nil is all; a locked role does not move away.
	owners []string
	locked bool
	apart  []string
}

func newWorld(names ...string) *world {
	w := &world{
		witness: true, drainTakes: 40 * time.Second, restartTakes: 4 * time.Minute, failbackTakes: 20 * time.Second,
		shutdownTakes: 5 * time.Second, began: time.Now(), mayBePaused: map[string]bool{}, scripts: map[string]scripted{}, shares: map[string]error{}, pushes: map[string]error{},
		attachable: true,
	}
	for i, n := range names {
		w.order = append(w.order, &machine{name: n, build: "10.0.20348.2700", boot: 100 * (i + 1), bootAt: time.Now().Add(-time.Hour), jobs: map[string]*installerJob{}, scriptRuns: map[string]*scriptJob{}, updaters: engine.UpdatersView{Setting: "turned off by policy"}, bitLocker: engine.BitLockerView{Known: true}})
		w.groups = append(w.groups, &role{name: "ROLE-" + n, owner: n, home: n})
	}
	w.groups = append(w.groups, &role{name: "Cluster Group", owner: names[0], home: names[0], core: true})
	return w
}

func (w *world) machine(name string) *machine {
	i := slices.IndexFunc(w.order, func(m *machine) bool { return m.name == name })
	return w.order[i]
}

// enter begins a call: time passes, an injected fault answers first.
func (w *world) enter(ctx context.Context, act, node string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.pass()
	if w.refused() {
		return expired(act, node)
	}
	if w.fail != nil {
		return w.fail(act, node)
	}
	return nil
}

func (w *world) refused() bool {
	from, to := w.noSignIn.from, w.noSignIn.to
	return !from.IsZero() && !time.Now().Before(from) && (to.IsZero() || time.Now().Before(to))
}

func (w *world) did(act, node string) {
	w.acts = append(w.acts, act+" "+node)
	if w.after != nil {
		w.after(act, node)
	}
	w.pass()
}

// pass lets happen what is due.
func (w *world) pass() {
	now := time.Now()
	away := 0
	for _, m := range w.order {
		was := m.state
		m.pass(now)
		if m.state == engine.NodeDown && was != engine.NodeDown {
			w.lost(m)
		}
		if m.state == engine.NodePaused && m.drain == engine.DrainInProgress && !m.drainHangs && !now.Before(m.drained) {
			w.endDrain(m)
		}
		if m.state != engine.NodeUp && !w.mayBePaused[m.name] {
			away++
		}
	}
	for _, g := range w.groups {
		if !g.moves.IsZero() && !now.Before(g.moves) {
			g.state, g.moves = 4, time.Time{}
		}
		if g.state == 4 && !now.Before(g.settles) {
			g.state, g.owner = 0, g.home
		}
	}
	if w.static && !w.quorum("") {
		w.broken = append(w.broken, fmt.Sprintf("%s: quorum is lost", now.Sub(w.began)))
	}
	if away > 1 {
		w.broken = append(w.broken, fmt.Sprintf("%s: %d machines are out of service", now.Sub(w.began), away))
	}
}

// lost is a machine that is gone: what was on it was down until it is elsewhere.
func (w *world) lost(m *machine) {
	for _, g := range w.groups {
		if g.owner != m.name || g.state == 2 {
			continue
		}
		w.outages = append(w.outages, g.name)
		if !w.mayGoDown && !m.byItself {
			w.broken = append(w.broken, g.name+" went down with "+m.name)
		}
	}
	m.byItself = false
	w.leave(m)
}

func (m *machine) pass(now time.Time) {
	if m.down.IsZero() || now.Before(m.down) {
		return
	}
	if m.state != engine.NodeDown {
		m.returns = m.state
	}
	if m.neverUp || now.Before(m.up) {
		m.state = engine.NodeDown
		return
	}
	// It is up again, paused if it was.
	m.state, m.boot, m.bootAt = m.returns, m.boot+1, m.up
	m.restarts++
	took := m.up.Sub(m.down)
	m.down = time.Time{}
	if m.pendingStays > 0 {
		m.pendingStays--
	} else {
		m.pending = nil
	}
	if len(m.again) > 0 {
		m.down = m.bootAt.Add(m.again[0])
		m.up = m.down.Add(took)
		m.again = m.again[1:]
		m.pass(now)
	}
}

func (w *world) endDrain(m *machine) {
	if m.drainFails || (len(m.sticks) > 0 && !m.forced) {
		m.drain = engine.DrainFailed
		return
	}
	m.drain = engine.DrainCompleted
	w.leave(m)
}

// leave moves what is on a machine elsewhere; what sticks there fails.
func (w *world) leave(m *machine) {
	for _, g := range w.groups {
		if g.owner != m.name {
			continue
		}
		if slices.Contains(m.sticks, g.name) {
			g.state = 2
			w.outages = append(w.outages, g.name)
		}
		for _, to := range w.order {
			if to != m && to.state == engine.NodeUp && (g.owners == nil || slices.Contains(g.owners, to.name)) {
				g.owner = to.name
				break
			}
		}
	}
}

func (w *world) reachable(m *machine) error {
	if m.state == engine.NodeDown || (!m.down.IsZero() && !time.Now().Before(m.down)) {
		return errors.New("connection refused")
	}
	return nil
}

func (w *world) Describe(ctx context.Context, about string) (engine.ClusterView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "describe", about); err != nil {
		return engine.ClusterView{}, err
	}
	return w.view(), nil
}

func (w *world) view() engine.ClusterView {
	v := engine.ClusterView{Name: "CONTOSO-FC1", DynamicQuorum: !w.static, S2D: w.s2d, WitnessOnline: w.witness}
	if w.witness {
		v.WitnessWeight = 1
	}
	for _, m := range w.order {
		state := m.state
		if time.Since(m.bootAt) < w.joins {
			state = engine.NodeJoining
		}
		v.Nodes = append(v.Nodes, engine.MemberView{Name: m.name, State: state, DrainStatus: m.drain, DynamicWeight: 1})
	}
	for _, m := range w.order {
		if m.state == engine.NodePaused && time.Since(m.drained) < w.volumeLag {
			v.SharedVolumes = append(v.SharedVolumes, engine.GroupView{Name: "Volume1", Owner: m.name})
		}
	}
	for _, g := range w.groups {
		v.Groups = append(v.Groups, engine.GroupView{Name: g.name, Owner: g.owner, State: g.state, Core: g.core, Locked: g.locked, Apart: g.apart})
	}
	return v
}

func (w *world) LosesQuorum(ctx context.Context, node string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "quorum", node); err != nil {
		return false, err
	}
	return w.losesQuorum || w.static && !w.quorum(node), nil
}

func (w *world) Storage(ctx context.Context, about string) (engine.StorageView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "storage", about); err != nil {
		return engine.StorageView{}, err
	}
	v := engine.StorageView{Jobs: slices.Clone(w.storageJobs)}
	if time.Since(w.began) < w.repairUntil {
		v.Jobs = append(v.Jobs, "Repair")
	}
	for _, m := range w.order {
		if m.maintenance {
			v.InMaintenance = append(v.InMaintenance, m.name)
		}
	}
	return v, nil
}

func (w *world) ForeignRuns(ctx context.Context, about string) ([]engine.ForeignRun, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "foreign", about); err != nil {
		return nil, err
	}
	return slices.Clone(w.foreign), nil
}

func (w *world) Backups(ctx context.Context, about string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "backups", about); err != nil {
		return nil, err
	}
	return slices.Clone(w.backups), nil
}

func (w *world) Pause(ctx context.Context, node string, mode engine.DrainMode) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "pause", node); err != nil {
		return err
	}
	m := w.machine(node)
	if m.state == engine.NodePaused && (m.drain != engine.DrainNotInitiated || mode == engine.DrainNone) {
		return &fault.Error{Op: "pause", Node: node, Code: 5070, Err: errors.New("the node is paused")}
	}
	m.state, m.drain, m.drained, m.forced = engine.NodePaused, engine.DrainInProgress, time.Now().Add(w.drainTakes), mode == engine.DrainForced
	switch {
	case mode == engine.DrainNone:
		m.drain = engine.DrainNotInitiated
	case mode != engine.DrainRoles && mode != engine.DrainForced:
		w.broken = append(w.broken, fmt.Sprintf("%s was paused with the mode %q", node, mode))
	}
	if mode != engine.DrainRoles && !w.mayGoDown {
		w.broken = append(w.broken, node+" was paused in a way that takes roles down")
	}
	m.maintenance = m.maintenance || m.pausesDisks
	w.did("pause", node)
	return nil
}

func (w *world) Resume(ctx context.Context, node string, mode engine.FailbackMode) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "resume", node); err != nil {
		return err
	}
	m := w.machine(node)
	if m.state != engine.NodePaused {
		return nil
	}
	if m.maintenance {
		w.broken = append(w.broken, node+" was resumed while its disks are in maintenance mode")
	}
	m.state, m.drain = engine.NodeUp, engine.DrainNotInitiated
	w.repairUntil = time.Since(w.began) + w.repair
	if mode == engine.FailbackImmediate {
		for _, g := range w.groups {
			if g.home == node && g.owner != node && g.state != 2 {
				g.moves = time.Now().Add(w.failbackLag)
				g.settles = g.moves.Add(w.failbackTakes)
			}
		}
	}
	w.did("resume-"+string(mode), node)
	return nil
}

func (w *world) StorageMaintenance(ctx context.Context, node string, on bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.enter(ctx, "maintenance", node); err != nil {
		return err
	}
	m := w.machine(node)
	if m.maintenance == on {
		return nil
	}
	m.maintenance = on
	if on && m.drain != engine.DrainCompleted && !w.mayGoDown {
		w.broken = append(w.broken, node+" entered storage maintenance before its drain was done")
	}
	w.did("maintenance-"+strconv.FormatBool(on), node)
	return nil
}

// count tells how often an act was done.
func (w *world) count(act string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, a := range w.acts {
		if a == act {
			n++
		}
	}
	return n
}

// bubbleClock is the time of the bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time { return time.Now() }

func (bubbleClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
