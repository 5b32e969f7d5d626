// Package tuitest drives the screens in tests: a made-up program behind them.
//
//	tests of tui, tui/wizard, tui/lines -> tuitest -> tui/backend, engine, plugins
package tuitest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/tui/backend"
)

// Services is a made-up program: one simulated cluster of four nodes, one plug-in, and a run that tests
// advance by hand. The zero value is ready.
type Services struct {
	mu sync.Mutex
	// Checks are added to the plan's passing ones.
	Checks []check.Result
	// Others are plug-ins beside the hotfix plug-in; their plans have the source OthersSource.
	Others []backend.PluginInfo
	// PreviewErr and OverviewErr, when set, are returned instead.
	PreviewErr  error
	OverviewErr error
	WriteErr    error
	// Previews are the requests previewed so far, Started the plans started, Controls the verbs asked.
	previews []backend.Request
	started  []*engine.Plan
	written  []backend.ConfigFile
	controls []engine.Verb
	asked    []engine.Control
	news     chan backend.Snapshot
}

// OthersSource is where the updates of other people's plug-ins come from, as their registration has it.
const OthersSource = "/opt/example/flash, SHA-256 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9, may: write:stage, program:install"

// Start0 is when everything in the made-up world happens.
func Start0() time.Time { return time.Date(2026, 11, 12, 3, 0, 12, 0, time.UTC) }

// Overview is the made-up cluster.
func (s *Services) Overview(context.Context) (backend.Overview, error) {
	if s.OverviewErr != nil {
		return backend.Overview{}, s.OverviewErr
	}
	return backend.Overview{
		Cluster: "LAB-FC1", Simulated: true, Reached: `NODE1 (127.0.0.1:5985) as LAB\admin, NTLM, sealed`,
		Nodes: []backend.OverviewNode{
			{Name: "NODE1", State: engine.NodeUp, Roles: 3, LastStatus: engine.NodeSucceeded, LastTime: Start0()},
			{Name: "NODE2", State: engine.NodeUp, Roles: 2},
			{Name: "NODE3", State: engine.NodePaused, Roles: 0, LastStatus: engine.NodePartiallyFailed, LastTime: Start0()},
			{Name: "NODE4", State: engine.NodeDown, Roles: 0},
		},
	}, nil
}

// Plugins is the hotfix plug-in by its options.
func (s *Services) Plugins() []backend.PluginInfo {
	return append([]backend.PluginInfo{{
		Name: "Microsoft.HotfixPlugin", Description: "Installs hotfixes from a folder on a file share.",
		Options: []plugins.OptionSpec{
			{Name: "HotfixRootFolderPath", Kind: plugins.KindPath, Required: true, Caption: "Hotfix root folder path", Help: `\\server\share\root`},
			{Name: "RequireSMBEncryption", Kind: plugins.KindBool, Default: "False", Caption: "Require SMB Encryption in accessing the hotfix root folder"},
			{Name: "DisableAclChecks", Kind: plugins.KindBool, Default: "False", Caption: "Disable check for administrator access to the hotfix root folder and configuration file"},
			{Name: "HotfixInstallerTimeoutMinutes", Kind: plugins.KindMinutes, Default: "30", Min: 1, Max: 1440, Help: "Time one installer may take."},
		},
		Defaults: map[string]string{"HotfixRootFolderPath": `\\FS1\Hotfixes\Root`},
	}}, s.Others...)
}

// WriteConfig writes it: the plan then has the checks that remain.
func (s *Services) WriteConfig(_ context.Context, file backend.ConfigFile, _ func(string)) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.WriteErr != nil {
		return "", s.WriteErr
	}
	s.written = append(s.written, file)
	s.Checks = slices.DeleteFunc(s.Checks, func(r check.Result) bool { return strings.HasPrefix(r.ID, "config.") })
	return file.Root + `\` + file.Name + " was written.", nil
}

// Written are the configuration files that were written.
func (s *Services) Written() []backend.ConfigFile {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.written)
}

// Preview makes a plan for the request.
func (s *Services) Preview(_ context.Context, req backend.Request, note func(string)) (*engine.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.previews = append(s.previews, req)
	if s.PreviewErr != nil {
		return nil, s.PreviewErr
	}
	note(`Reading \\FS1\Hotfixes\Root`)
	update := func(path, rule string, restart bool) plugins.Update {
		return plugins.Update{
			ID: "u-" + rule, Name: path, Plugin: req.Plugin, Rule: rule, MayRestart: restart,
			Files:   []plugins.File{{Path: path, Size: 1234, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}},
			Command: plugins.Command{Program: `%systemroot%\System32\wusa.exe`, Parameters: `"%CAU_UPDATE%\Update1.msu" /quiet /norestart`},
		}
	}
	plan := &engine.Plan{
		Version: engine.PlanVersion, Run: "7f3c0001", Created: Start0(), Cluster: "LAB-FC1", Address: "lab", Lab: "lab1", Speed: 30, Plugin: req.Plugin,
		Arguments: req.Arguments, Options: req.Options, FailureBudget: req.Options.FailureBudget(4), Source: req.Arguments["HotfixRootFolderPath"], Accepted: req.Accepted,
		Ignored: []plugins.Ignored{{Path: `CAUHotfix_All\readme.txt`, Reason: "no rule for this file name extension"}},
		Checks:  append([]check.Result{{ID: "config.valid", Outcome: check.Pass, Evidence: "DefaultHotfixConfig.xml: 3 extension rules, 1 folder rule"}}, s.Checks...),
	}
	for _, o := range s.Others {
		if o.Name == req.Plugin {
			plan.Source = OthersSource
		}
	}
	for _, n := range []string{"NODE2", "NODE4", "NODE1", "NODE3"} {
		plan.Nodes = append(plan.Nodes, engine.NodePlan{Name: n, Roles: 2, Delivery: plugins.DeliveryPull, DeliveryReason: `LAB\` + n + "$ reads the root itself over SMB 3.1.1, signed.", Updates: []plugins.Update{update(`CAUHotfix_All\Update1.msu`, "MSU", true), update(`CAUHotfix_All\Update2.msi`, "MSI", false)}})
	}
	if path := req.Options.PreUpdateScript; path != "" {
		plan.PreScript = &engine.Script{Name: path[strings.LastIndexAny(path, `/\`)+1:], SHA256: "5feceb66", Text: []byte("exit 0")}
	}
	if req.Options.Delivery == plugins.DeliveryPush {
		plan.Nodes[0].Delivery, plan.Nodes[0].DeliveryReason = plugins.DeliveryPush, "It cannot read the root."
	}
	return plan, nil
}

// CommandLines are made up but of the right shape.
func (s *Services) CommandLines(*engine.Plan) (cau, invoke string) {
	return `cau apply --lab --plugin Microsoft.HotfixPlugin --arg 'HotfixRootFolderPath=\\FS1\Hotfixes\Root' --yes`,
		`Invoke-CauRun -ClusterName 'LAB-FC1' -CauPluginName 'Microsoft.HotfixPlugin' -CauPluginArguments @{ 'HotfixRootFolderPath' = '\\FS1\Hotfixes\Root' } -Force`
}

// Start remembers the plan.
func (s *Services) Start(_ context.Context, plan *engine.Plan) (backend.Started, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = append(s.started, plan)
	return backend.Started{Run: plan.Run, Where: "It runs in a session of its own on this host."}, nil
}

// Runs is one finished run.
func (s *Services) Runs(context.Context) ([]backend.RunInfo, error) {
	return []backend.RunInfo{{Run: "7f3c0000", Cluster: "LAB-FC1", Plugin: "Microsoft.HotfixPlugin", Status: engine.RunSucceeded, Started: Start0(), Ended: Start0().Add(time.Hour)}}, nil
}

// Watch gives what tests send with News.
func (s *Services) Watch(ctx context.Context, _ string) (<-chan backend.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(chan backend.Snapshot)
	in := s.channel()
	go func() {
		defer close(out)
		for {
			select {
			case snap, open := <-in:
				if !open {
					return
				}
				select {
				case out <- snap:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// Control remembers the verb; it fails for a verb that is not one.
func (s *Services) Control(_ context.Context, run string, asked engine.Control) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.controls, s.asked = append(s.controls, asked.Verb), append(s.asked, asked)
	if asked.Verb == "" {
		return &fault.Error{Op: "ask run " + run, Err: errors.New("nothing was asked")}
	}
	return nil
}

// News sends a snapshot to the watcher; the run is over for watchers after End.
func (s *Services) News(snap backend.Snapshot) {
	s.mu.Lock()
	ch := s.channel()
	s.mu.Unlock()
	ch <- snap
}

// End closes the run's news.
func (s *Services) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.channel())
}

func (s *Services) channel() chan backend.Snapshot {
	if s.news == nil {
		s.news = make(chan backend.Snapshot)
	}
	return s.news
}

// Previews are the requests that were previewed so far.
func (s *Services) Previews() []backend.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]backend.Request{}, s.previews...)
}

// StartedPlans are the plans that were started.
func (s *Services) StartedPlans() []*engine.Plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*engine.Plan{}, s.started...)
}

// Controls are the verbs that were asked.
func (s *Services) Controls() []engine.Verb {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]engine.Verb{}, s.controls...)
}

// Asked are the controls so far, whole.
func (s *Services) Asked() []engine.Control {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]engine.Control{}, s.asked...)
}
