package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"cau/engine"
	"cau/plugins"
)

// handle is one machine as the engine reaches it.
type handle struct {
	w *world
	m *machine
}

func (w *world) node(name string) engine.Node {
	h := &handle{w, w.machine(name)}
	if w.attachable {
		return attachable{h}
	}
	return h
}

func (h *handle) Name() string { return h.m.name }

func (h *handle) enter(ctx context.Context, act string) error {
	if err := h.w.enter(ctx, act, h.m.name); err != nil {
		return err
	}
	return h.w.reachable(h.m)
}

func (h *handle) Describe(ctx context.Context) (engine.NodeView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "hello"); err != nil {
		return engine.NodeView{}, err
	}
	return goodNodeView(h.m.name, time.Now()), nil
}

func goodNodeView(name string, now time.Time) engine.NodeView {
	return engine.NodeView{
		Computer: name, LanguageMode: "FullLanguage", Admin: true, FreeBytes: 50 << 30, Time: now, Asked: now,
		Namespaces: []string{"mscluster", "storage"}, MaxEnvelopeKB: 500, MaxShells: 30,
	}
}

func (h *handle) Boot(ctx context.Context) (engine.BootView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "boot"); err != nil {
		return engine.BootView{}, err
	}
	up := time.Since(h.m.bootAt)
	id := strconv.Itoa(h.m.boot)
	if h.m.clockSet {
		id += "-corrected"
	}
	b := engine.BootView{Identity: id, Uptime: up, LogonReady: up > 20*time.Second, ClusterService: up > 10*time.Second}
	if h.w.boots != nil {
		h.w.boots(&b)
	}
	return b, nil
}

func (h *handle) Updaters(ctx context.Context) (engine.UpdatersView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "updaters"); err != nil {
		return engine.UpdatersView{}, err
	}
	return h.m.updaters, nil
}

func (h *handle) BitLocker(ctx context.Context) (engine.BitLockerView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "bitlocker"); err != nil {
		return engine.BitLockerView{}, err
	}
	return h.m.bitLocker, nil
}

func (h *handle) Roles(ctx context.Context) ([]engine.RoleView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "roles"); err != nil {
		return nil, err
	}
	var out []engine.RoleView
	for _, g := range h.w.groups {
		if g.owner != h.m.name {
			continue
		}
		owners := g.owners
		if owners == nil {
			for _, m := range h.w.order {
				owners = append(owners, m.name)
			}
		}
		out = append(out, engine.RoleView{Name: g.name, Owners: owners, OwnersKnown: true})
	}
	return out, nil
}

func (h *handle) Residents(ctx context.Context) (engine.ResidentsView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "residents"); err != nil {
		return engine.ResidentsView{}, err
	}
	return h.m.residents, nil
}

func (h *handle) PendingRestart(ctx context.Context) (engine.PendingView, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "pending"); err != nil {
		return engine.PendingView{}, err
	}
	return engine.PendingView{Reasons: h.m.pending, Remarks: []string{"pending file renames"}}, nil
}

func (h *handle) Restart(ctx context.Context, expect, _ string) error {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "restart"); err != nil {
		return err
	}
	id := strconv.Itoa(h.m.boot)
	if h.m.clockSet {
		id += "-corrected"
	}
	if expect != id || !h.m.down.IsZero() {
		return nil
	}
	if undrained := h.m.drain != engine.DrainCompleted && !h.w.mayGoDown; undrained || h.m.state != engine.NodePaused {
		h.w.broken = append(h.w.broken, h.m.name+" was restarted without a completed drain")
	}
	for id, j := range h.m.jobs {
		if !j.over() {
			h.w.broken = append(h.w.broken, fmt.Sprintf("%s was restarted under %s", h.m.name, id))
		}
	}
	h.m.down = time.Now().Add(h.w.shutdownTakes)
	h.m.up = h.m.down.Add(h.w.restartTakes)
	h.m.clockSet = false
	h.w.did("restart", h.m.name)
	return nil
}

func (h *handle) Installed(ctx context.Context) (engine.InstalledView, error) {
	if h.m.silent { // it never answers
		<-ctx.Done()
		return engine.InstalledView{}, ctx.Err()
	}
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "installed"); err != nil {
		return engine.InstalledView{}, err
	}
	v := engine.InstalledView{Build: h.m.build, Updates: []string{"KB1"}}
	for _, j := range h.m.jobs {
		if j.over() && j.script.result.Outcome == plugins.Installed {
			v.Updates = append(v.Updates, j.kb)
		}
	}
	return v, nil
}

func (h *handle) Reconnect() {}

func (h *handle) Clean(ctx context.Context, run string) error {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "clean"); err != nil {
		return err
	}
	h.m.files = false
	h.w.did("clean-"+run, h.m.name)
	return nil
}

// installerJob is an installer on a machine; it goes on whoever watches it.
type installerJob struct {
	kb     string
	ends   time.Time
	script script
}

// over tells whether nothing of the installer runs any more.
func (j *installerJob) over() bool {
	runsOn := errors.Is(j.script.err, plugins.ErrJobStillRunning)
	return !time.Now().Before(j.ends.Add(j.script.runsOn)) && (!runsOn || j.script.runsOn > 0)
}

// script is how an update behaves on a node.
type script struct {
	result plugins.Result
	// err is what the plug-in says instead of a result.
	err   error
	takes time.Duration
	// runsOn is how long the installer goes on when err is ErrJobStillRunning; late is how it ends then. 0 is for ever.
	runsOn time.Duration
	late   plugins.Result
	// selfRestart: the installer restarts the machine itself.
	selfRestart bool
}

// fakePlugin installs by script. It attaches to a job that exists.
type fakePlugin struct {
	w *world
	// scripts by "NODE/update"; without one the update is installed and asks for nothing.
	scripts map[string]script
	// stageErr by node.
	stageErr   map[string]error
	stageTakes time.Duration
	// unstaged are updates that do not come, by "NODE/update".
	unstaged map[string]error
	// name is its own, empty for Test.Plugin. follows is what it offers beyond the plan; nil is nothing.
	name    string
	follows func(node string, req plugins.FollowUpRequest) ([]plugins.Update, error)
	// asked are the questions for follow-ups, staged what was staged, by "NODE/update#pass".
	asked  []plugins.FollowUpRequest
	staged map[string]bool
	// done are the updates that are there, by "NODE/update".
	done map[string]bool
	// offered are update ids that Remaining offers whatever happened.
	offered []string
	// starts counts the installers that were really started, ends those that ended well, by "NODE/update".
	starts, ends     map[string]int
	staging, stagers int
	stages           []string
	// deliveries are how nodes were staged, signatures the policies that updates were installed with.
	deliveries map[string]plugins.Delivery
	signatures map[string]plugins.SignaturePolicy
}

func newPlugin(w *world) *fakePlugin {
	return &fakePlugin{
		w: w, scripts: map[string]script{}, stageErr: map[string]error{}, stageTakes: 15 * time.Second, starts: map[string]int{}, ends: map[string]int{},
		staged: map[string]bool{}, unstaged: map[string]error{}, done: map[string]bool{}, deliveries: map[string]plugins.Delivery{}, signatures: map[string]plugins.SignaturePolicy{},
	}
}

func (p *fakePlugin) Name() string { return cmp.Or(p.name, "Test.Plugin") }

func (p *fakePlugin) Description() string                                { return "A plug-in for tests." }
func (p *fakePlugin) Options() []plugins.OptionSpec                      { return nil }
func (p *fakePlugin) Validate(plugins.Arguments) []plugins.ArgumentError { return nil }
func (p *fakePlugin) lock() func()                                       { p.w.mu.Lock(); return p.w.mu.Unlock }

func (p *fakePlugin) Scan(context.Context, []string, plugins.Arguments) (plugins.Scan, error) {
	return plugins.Scan{}, nil
}

func (p *fakePlugin) Stage(ctx context.Context, node plugins.Node, req plugins.StageRequest, report func(plugins.Progress)) (plugins.StageResult, error) {
	p.begin(node.Name(), req)
	defer func() {
		defer p.lock()()
		p.staging--
	}()
	report(plugins.Progress{Message: "copying", Percent: -1})
	if err := (bubbleClock{}).Sleep(ctx, p.stageTakes); err != nil {
		return plugins.StageResult{}, err
	}
	defer p.lock()()
	if p.w.refused() {
		return plugins.StageResult{}, expired("stage", node.Name())
	}
	if err := p.stageErr[node.Name()]; err != nil {
		return plugins.StageResult{}, err
	}
	out := plugins.StageResult{Connection: plugins.ShareConnection{Dialect: "3.1.1", Signed: true, Account: node.Name() + "$"}, Bytes: 1000}
	for _, u := range req.Updates {
		if err := p.unstaged[node.Name()+"/"+u.ID]; err != nil {
			delete(p.staged, node.Name()+"/"+u.ID)
			out.Failed = append(out.Failed, plugins.StageFailure{Update: u.ID, Err: err})
		}
	}
	return out, nil
}

func (p *fakePlugin) begin(node string, req plugins.StageRequest) {
	defer p.lock()()
	p.w.machine(node).files = true
	p.staging++
	p.stagers = max(p.stagers, p.staging)
	p.stages = append(p.stages, req.JobID)
	p.deliveries[node] = req.Delivery
	further := passOf(req.JobID) != ""
	for _, u := range req.Updates {
		p.staged[node+"/"+u.ID] = true
		if u.Plugin != "" && !strings.HasPrefix(u.Plugin, p.Name()) {
			p.w.broken = append(p.w.broken, fmt.Sprintf("%s of %s was given to %s", u.ID, u.Plugin, p.Name()))
		}
	}
	for _, m := range p.w.order {
		if further && m.name == node {
			continue // what became applicable is staged where it was found
		}
		if m.state != engine.NodeUp && !p.w.mayBePaused[m.name] {
			p.w.broken = append(p.w.broken, node+" is staged while "+m.name+" is out of service")
		}
	}
}

func (p *fakePlugin) Install(ctx context.Context, node plugins.Node, req plugins.InstallRequest, report func(plugins.Progress)) (plugins.Result, error) {
	if err := ctx.Err(); err != nil {
		return plugins.Result{}, err
	}
	switch _, err := node.RunJob(ctx, plugins.Job{ID: req.JobID, Kind: plugins.JobInstaller, Limit: time.Hour}, nil); {
	case errors.Is(err, errAttached):
		return p.waitLate(ctx, node.Name(), req)
	case err != nil:
		return plugins.Result{}, err
	}
	j, key := p.attach(node.Name(), req)
	report(plugins.Progress{Update: req.Update.ID, Message: "installing", Percent: 10})
	if err := (bubbleClock{}).Sleep(ctx, time.Until(j.ends)); err != nil {
		return plugins.Result{}, err
	}
	defer p.lock()()
	if p.w.refused() {
		return plugins.Result{}, expired("install", node.Name())
	}
	p.signatures[key] = req.Signature
	if j.script.err == nil && j.script.result.Outcome.Final() {
		p.ends[key] = 1
	}
	if o := j.script.result.Outcome; j.script.err == nil && (o == plugins.Installed || o == plugins.AlreadyInstalled) {
		p.done[node.Name()+"/"+req.Update.ID] = true
	}
	return j.script.result, j.script.err
}

func (p *fakePlugin) attach(node string, req plugins.InstallRequest) (*installerJob, string) {
	defer p.lock()()
	p.w.pass()
	key := node + "/" + req.Update.ID + passOf(req.JobID)
	m := p.w.machine(node)
	if j := m.jobs[req.JobID]; j != nil {
		return j, key
	}
	if p.w.installsFirst && m.state == engine.NodeUp {
		for _, other := range p.w.order {
			if other.state != engine.NodeUp {
				p.w.broken = append(p.w.broken, key+" was started in service while "+other.name+" is out of service")
			}
		}
	} else if undrained := m.drain != engine.DrainCompleted && !p.w.mayGoDown; undrained || m.state != engine.NodePaused {
		p.w.broken = append(p.w.broken, key+" was started while the node is in service")
	}
	if p.w.s2d && !m.maintenance && m.state != engine.NodeUp {
		p.w.broken = append(p.w.broken, key+" was started outside of storage maintenance")
	}
	if !p.staged[node+"/"+req.Update.ID] {
		p.w.broken = append(p.w.broken, key+" was started and never staged")
	}
	if p.done[node+"/"+req.Update.ID] {
		p.w.broken = append(p.w.broken, key+" was started again after it succeeded")
	}
	for id, j := range m.jobs {
		if !j.over() {
			p.w.broken = append(p.w.broken, key+" was started while "+id+" runs")
		}
	}
	s, ok := p.scripts[key]
	if !ok {
		s.result.Outcome = plugins.Installed
	}
	if s.takes == 0 {
		s.takes = 3 * time.Minute
	}
	j := &installerJob{kb: "kb-" + req.Update.ID, ends: time.Now().Add(s.takes), script: s}
	m.jobs[req.JobID] = j
	if p.ends[key] > 0 {
		p.w.broken = append(p.w.broken, key+" was started again after it succeeded")
	}
	p.starts[key]++
	if s.result.RestartRequired {
		m.pending = []string{"component servicing"}
	}
	if s.selfRestart {
		m.byItself = true
		m.down = j.ends.Add(-time.Second)
		m.up = m.down.Add(p.w.restartTakes)
	}
	return j, key
}

func (p *fakePlugin) FollowUps(_ context.Context, node plugins.Node, req plugins.FollowUpRequest) ([]plugins.Update, error) {
	defer p.lock()()
	p.asked = append(p.asked, req)
	if m := p.w.machine(node.Name()); len(m.pending) > 0 || (m.state != engine.NodePaused && !p.w.installsFirst) {
		p.w.broken = append(p.w.broken, "follow-ups were looked for on "+m.name+" before its restart was over")
	}
	if p.follows == nil {
		return nil, nil
	}
	return p.follows(node.Name(), req)
}

var ofPass = regexp.MustCompile(`-f(\d)-\d+$`)

// passOf is "#2" for a job of the second pass and so on, "" for one of the plan's own.
func passOf(job string) string {
	if m := ofPass.FindStringSubmatch(job); m != nil {
		return "#" + m[1]
	}
	return ""
}

func (p *fakePlugin) Remaining(planned []plugins.Update, results map[string]plugins.Result) []plugins.Update {
	var out []plugins.Update
	for _, u := range planned {
		offered := false
		for _, id := range p.offered {
			offered = offered || id == u.ID
		}
		if offered || !results[u.ID].Outcome.Final() {
			out = append(out, u)
		}
	}
	return out
}
