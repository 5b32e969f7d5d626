package tuitest

import (
	"time"

	"cau/engine"
	"cau/plugins"
)

// Plan is what State is in the middle of.
func Plan() *engine.Plan {
	p := &engine.Plan{Version: engine.PlanVersion, Run: "7f3c0001", Cluster: "LAB-FC1", Speed: 30, Options: engine.DefaultOptions()}
	st := State()
	for i := range st.Nodes {
		np := engine.NodePlan{Name: st.Nodes[i].Name}
		for _, u := range st.Nodes[i].Updates {
			np.Updates = append(np.Updates, plugins.Update{ID: u.ID, Name: u.Name, Rule: u.Rule, MayRestart: u.ID == "a"})
		}
		p.Nodes = append(p.Nodes, np)
	}
	return p
}

// State is a run in the middle: NODE2 done, NODE1 restarting, NODE3 and NODE4 waiting.
func State() engine.State {
	code, restart := int64(0), int64(3010)
	return engine.State{
		Run: "7f3c0001", Cluster: "LAB-FC1", Status: engine.RunRunning, Plugin: "Microsoft.HotfixPlugin", Simulated: true, Started: Start0(),
		Nodes: []engine.NodeRun{
			{
				Name: "NODE2", Status: engine.NodeSucceeded, Phase: engine.PhaseDone, Started: Start0(), Ended: Start0().Add(12*time.Minute + 40*time.Second), Restarts: 1, Staged: true, Drained: true, Resumed: true,
				Updates: []engine.UpdateRun{
					{ID: "a", Name: "Update1.msu", Rule: "MSU", Outcome: plugins.Installed, ExitCode: &restart, RestartRequired: true, Started: Start0().Add(time.Minute), Ended: Start0().Add(4 * time.Minute)},
					{ID: "b", Name: "Update2.msi", Rule: "MSI", Outcome: plugins.Installed, ExitCode: &code, Started: Start0().Add(4 * time.Minute), Ended: Start0().Add(7 * time.Minute)},
				},
				Phases: []engine.PhaseTime{
					{Phase: engine.PhaseDraining, Millis: 60_000},
					{Phase: engine.PhaseInstalling, Millis: 370_000},
					{Phase: engine.PhaseRestarting, Millis: 240_000},
					{Phase: engine.PhaseRescanning, Millis: 30_000},
					{Phase: engine.PhaseResuming, Millis: 30_000},
					{Phase: engine.PhaseSettling, Millis: 30_000},
				},
			},
			{
				Name: "NODE1", Status: engine.NodeUpdating, Phase: engine.PhaseRestarting, Started: Start0().Add(13 * time.Minute), PhaseStarted: Start0().Add(20 * time.Minute), Staged: true, Drained: true, PausedByUs: true,
				Updates: []engine.UpdateRun{{ID: "a", Name: "Update1.msu", Rule: "MSU", Outcome: plugins.Installed, ExitCode: &restart, RestartRequired: true}, {ID: "b", Name: "Update2.msi", Rule: "MSI", Outcome: plugins.Installed, ExitCode: &code}},
			},
			{Name: "NODE3", Status: engine.NodeWaiting, Phase: engine.PhaseWaiting, Staged: true, Updates: []engine.UpdateRun{{ID: "a", Name: "Update1.msu", Rule: "MSU"}}},
			{Name: "NODE4", Status: engine.NodeWaiting, Phase: engine.PhaseWaiting, Staged: true, Updates: []engine.UpdateRun{{ID: "a", Name: "Update1.msu", Rule: "MSU"}}},
		},
	}
}
