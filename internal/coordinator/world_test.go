//go:build unix

package coordinator

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// world is a cluster as files, so that it outlives the coordinators that work on it: which nodes are paused, what
// was installed, and a file "go" without which no installation ends.
type world struct {
	dir string
	mu  sync.Mutex
	// credential is what a coordinator in this process is given.
	credential engine.Credential
	signIn     func(ctx context.Context, secret []byte) error
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) paused(node string) bool {
	_, err := os.Stat(w.path("paused-" + node))
	return err == nil
}

func (w *world) Describe(context.Context, string) (engine.ClusterView, error) {
	v := engine.ClusterView{Name: "TESTCLUSTER", AnsweredByNode: "N1"}
	for _, n := range []string{"N1", "N2", "N3"} {
		m := engine.MemberView{Name: n, DynamicWeight: 1}
		if w.paused(n) {
			m.State, m.DrainStatus = engine.NodePaused, engine.DrainCompleted
		}
		v.Nodes = append(v.Nodes, m)
	}
	return v, nil
}

func (w *world) LosesQuorum(context.Context, string) (bool, error) { return false, nil }

func (w *world) Storage(context.Context, string) (engine.StorageView, error) {
	return engine.StorageView{}, nil
}

func (w *world) ForeignRuns(context.Context, string) ([]engine.ForeignRun, error) { return nil, nil }

func (w *world) Backups(context.Context, string) ([]string, error) { return nil, nil }

func (w *world) Pause(_ context.Context, node string, _ engine.DrainMode) error {
	return os.WriteFile(w.path("paused-"+node), nil, 0o600)
}

func (w *world) Resume(_ context.Context, node string, _ engine.FailbackMode) error {
	return removeIfThere(w.path("paused-" + node))
}

func (w *world) StorageMaintenance(context.Context, string, bool) error { return nil }

// node is one node of the world.
type node struct{ name string }

func (n node) Name() string { return n.name }

func (n node) RunJob(context.Context, plugins.Job, func(plugins.JobEvent)) (json.RawMessage, error) {
	return nil, errors.New("the test's plug-in needs no jobs")
}

func (n node) Describe(context.Context) (engine.NodeView, error) {
	return engine.NodeView{Computer: n.name, Admin: true}, nil
}

func (n node) Boot(context.Context) (engine.BootView, error) {
	return engine.BootView{Identity: "1", Uptime: time.Hour, LogonReady: true, ClusterService: true}, nil
}

func (n node) Updaters(context.Context) (engine.UpdatersView, error) {
	return engine.UpdatersView{}, nil
}

func (n node) BitLocker(context.Context) (engine.BitLockerView, error) {
	return engine.BitLockerView{Known: true}, nil
}

func (n node) Roles(context.Context) ([]engine.RoleView, error) { return nil, nil }

func (n node) Residents(context.Context) (engine.ResidentsView, error) {
	return engine.ResidentsView{}, nil
}

func (n node) PendingRestart(context.Context) (engine.PendingView, error) {
	return engine.PendingView{}, nil
}

func (n node) Installed(context.Context) (engine.InstalledView, error) {
	return engine.InstalledView{Build: "10.0.1"}, nil
}
func (n node) Restart(context.Context, string, string) error { return errors.New("not asked for") }
func (n node) Reconnect()                                    {}
func (n node) Clean(context.Context, string) error           { return nil }

// plugin installs by writing a line; a job that is done already is not done again.
type plugin struct{ *world }

func (p plugin) Name() string                                       { return "Test.Plugin" }
func (p plugin) Description() string                                { return "Writes lines." }
func (p plugin) Options() []plugins.OptionSpec                      { return nil }
func (p plugin) Validate(plugins.Arguments) []plugins.ArgumentError { return nil }
func (p plugin) Scan(context.Context, []string, plugins.Arguments) (plugins.Scan, error) {
	return plugins.Scan{}, nil
}

func (p plugin) Stage(_ context.Context, n plugins.Node, _ plugins.StageRequest, report func(plugins.Progress)) (plugins.StageResult, error) {
	report(plugins.Progress{Message: "staging \x1b[2J" + n.Name(), Percent: -1})
	return plugins.StageResult{}, nil
}

func (p plugin) Install(ctx context.Context, n plugins.Node, req plugins.InstallRequest, report func(plugins.Progress)) (plugins.Result, error) {
	for {
		if _, err := os.Stat(p.path("go")); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return plugins.Result{}, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	report(plugins.Progress{Update: req.Update.ID, Message: "installing " + req.Update.Name, Percent: 100})
	p.mu.Lock()
	defer p.mu.Unlock()
	done := p.path("job-" + req.JobID)
	if _, err := os.Stat(done); err != nil {
		if err := appendLine(p.path("installed"), n.Name()+" "+req.Update.ID); err != nil {
			return plugins.Result{}, err
		}
		if err := os.WriteFile(done, nil, 0o600); err != nil {
			return plugins.Result{}, err
		}
	}
	code := fault.Code(0)
	return plugins.Result{Outcome: plugins.Installed, ExitCode: &code}, nil
}

func (p plugin) Remaining(planned []plugins.Update, results map[string]plugins.Result) []plugins.Update {
	var out []plugins.Update
	for _, u := range planned {
		if _, ok := results[u.ID]; !ok {
			out = append(out, u)
		}
	}
	return out
}

func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// fastClock runs a thousand times faster than real time.
type fastClock struct{ began time.Time }

func (c fastClock) Now() time.Time { return c.began.Add(1000 * time.Since(c.began)) }

func (c fastClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(max(d/1000, time.Millisecond)):
		return nil
	}
}

func (w *world) serve(home *Home, run string, child *Child) ServeInput {
	return ServeInput{
		Home: home, Run: run, Plugin: plugin{w}, Cluster: w, Child: child, Clock: fastClock{time.Now()}, Credential: w.credential, SignIn: w.signIn,
		Nodes: func(name string) engine.Node { return node{name} },
	}
}

func testPlan(run, cluster string) *engine.Plan {
	update := func(id string) []plugins.Update {
		return []plugins.Update{{ID: id, Name: id + ".msu", Plugin: "Test.Plugin"}}
	}
	return &engine.Plan{
		Version: engine.PlanVersion, Run: run, Created: time.Now().UTC(), Program: "test", Cluster: cluster, Address: "lab", Lab: "t1", Speed: 1000,
		Plugin: "Test.Plugin", Options: engine.DefaultOptions(),
		Nodes: []engine.NodePlan{{Name: "N1", Updates: update("u1")}, {Name: "N2", Updates: update("u2")}, {Name: "N3"}},
	}
}

func newHome(t *testing.T) *Home {
	t.Helper()
	h, err := OpenHome(filepath.Join(shortTemp(t), "home"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}
