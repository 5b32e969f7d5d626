package e2e_test

import (
	"testing"

	"cau/engine"
	"cau/internal/lab"
)

// TestScenario goes through every scenario that `cau lab up --help` offers, and expects what its description promises.
func TestScenario(t *testing.T) {
	all, err := lab.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	promised, others := promises(), special()
	for _, s := range all {
		p, ok := promised[s.Name]
		by, alone := others[s.Name]
		switch {
		case ok == alone:
			t.Errorf("what %s promises is tested %d times", s.Name, map[bool]int{true: 2}[ok])
		case ok:
			t.Run(s.Name, func(t *testing.T) { p.rehearse(t, s.Name) })
		default:
			t.Run(s.Name, by)
		}
		delete(promised, s.Name)
		delete(others, s.Name)
	}
	if len(promised)+len(others) > 0 {
		t.Errorf("there are no such scenarios: %v %v", promised, others)
	}
}

// special are scenarios that take more than one command.
func special() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"account-locked":           accountLocked,
		"cau-plugins-differ":       cauPluginsDiffer,
		"cau-scan-differs":         cauScanDiffers,
		"foreign-run-appears":      foreignRunAppears,
		"installer-hangs":          installerHangs,
		"installer-lost-installed": installerLostInstalled,
		"restart-never":            restartNever,
		"root-hidden":              rootHidden,
		"root-older":               rootOlder,
		"root-open":                rootOpen,
		"self-updating-due":        selfUpdatingDue,
		"tickets-expire":           ticketsExpire,
		"updates-fail":             updatesFail,
		"updates-loop":             updatesLoop,
		"updates-other-source":     updatesOtherSource,
	}
}

func promises() map[string]promise {
	all := map[string]promise{
		"default":            succeeds(),
		"s2d":                succeeds("gate.waiting NODE4 *Storage: not healthy"),
		"role-nowhere-to-go": refused("node.placement fail NODE2", "VM02 (possible owners: NODE2)", "Let another node own them: Set-ClusterOwnerNode"),
		"role-locked":        succeeds("gate.waiting NODE2 *Locked on NODE2*VM02"),
		"roles-kept-apart":   succeeds().saying("node.placement warn NODE1", "VM01 beside VM02"),
		"residents":          witnessed("outage", succeeds().saying("node.residents warn NODE2", "go down when NODE2 restarts: DC01").saying("node.residents warn NODE3", `D:\Scans\today.pdf`)),
		"sites":              succeeds(),
		"drain-slow": succeeds().and(func(t *testing.T, r rehearsed) {
			t.Helper()
			for _, roles := range []string{"VM02, VM06, FS-Data, Volume2", "VM06, FS-Data, Volume2", "FS-Data, Volume2"} {
				if !like(`"node":"NODE2","message":"drains, still there: `+roles+`"`, r.telemetry()) {
					t.Errorf("it does not say that %s are still there", roles)
				}
			}
		}),
		"automatic-updates": succeeds().saying("node.updaters warn NODE3", "Windows Update may install by itself: installs on schedule"),
		"config-mgr":        succeeds().saying("node.updaters warn NODE2", "Configuration Manager client runs").saying("node.updaters pass NODE3", ""),
		"pending-restart":   succeeds().saying("node.pending-restart warn NODE4", "A restart is pending"),
		"self-updating":     succeeds().saying("cluster.self-updating warn", "CAULAB-FC1*WeeksOfMonth=3*03:00:00"),
		"backup-begins":     succeeds("gate.waiting NODE4 *Volume1 is being backed up"),
		"clock-jump":        succeeds(),
		// Whether the first of the two boots is seen depends on when cau looks; that the last one counts does not.
		"restart-twice":       succeeds().leaving("NODE2", left{boots: 3, installed: files("NODE2")}),
		"backup-running":      refused("cluster.backup fail", "Volume1 is being backed up*wbengine runs on NODE1", "Let it end."),
		"bitlocker-pin":       refused("node.bitlocker fail NODE3", "asks for a PIN*would not come back", "Suspend-BitLocker -MountPoint C: -RebootCount 3"),
		"foreign-run":         refused("cluster.foreign-run fail", "5b0a9f3e-3c6d-4a53-9d0f-2f1f7c2f9d11", "Let it end, or end it with Stop-CauRun."),
		"folder-planted":      refused("node.job fail NODE2", `C:\Program Files\cau\jobs is a reparse point`, "Look at it and remove it."),
		"task-refused":        refused("node.job fail NODE2", "4320", "Look at the task's conditions on the node"),
		"task-folder-planted": refused("node.job fail NODE2", `the task folder \cau belongs to somebody else`, "Look at it and remove it."),
		"disk-full":           failsBeforeTheFirstDrain("NODE2", "112", "Free space on the node's system drive"),
		"share-gone-midway":   failsBeforeTheFirstDrain("NODE2", "(64)", "Look at the file server"),
		"drain-stuck":         drainFails(),
		"migration-blocked":   drainFails(),
		"admin-pauses": {
			code: 1, run: engine.RunPartiallyFailed, others: engine.NodeSucceeded, nodes: map[string]engine.NodeStatus{"NODE2": engine.NodeHeld},
			says:  []string{"NODE2: restart: a restart is due, but NODE4 is Paused", "Resume-ClusterNode"},
			facts: []string{"gate.waiting NODE2 *NODE4 is Paused; NODE2 is not restarted meanwhile"},
			left: map[string]left{
				"NODE2": {state: engine.NodePaused, boots: 1, installed: files("NODE2")},
				"NODE4": {state: engine.NodePaused, boots: 2, installed: files("NODE4")},
			},
		},
	}
	for _, kind := range []string{"401", "503", "cut-body", "empty", "hang", "reset", "service-restart"} {
		all["winrm-"+kind] = succeeds().and(once)
	}
	for name, p := range rootPromises() {
		all[name] = p
	}
	for name, p := range installerPromises() {
		all[name] = p
	}
	return all
}

// succeeds promises a run that takes every node.
func succeeds(facts ...string) promise {
	return promise{run: engine.RunSucceeded, others: engine.NodeSucceeded, facts: facts, more: once}
}

// refused promises a check that stands in the way of every run.
func refused(key, evidence, advice string) promise {
	return promise{code: 3, checks: map[string]string{key: evidence}, says: []string{evidence, advice, "nothing was changed"}}
}

// failsBeforeTheFirstDrain promises a node whose staging fails, and that no node is touched.
func failsBeforeTheFirstDrain(node string, says ...string) promise {
	return promise{
		code: 1, run: engine.RunFailed, others: engine.NodeCanceled, nodes: map[string]engine.NodeStatus{node: engine.NodeFailed},
		says: append([]string{node + ": stage: "}, says...), more: noPause,
	}
}

// drainFails promises that the pause of NODE3 is undone and that its role stays.
func drainFails() promise {
	return promise{
		code: 1, run: engine.RunFailed, others: engine.NodeCanceled, nodes: map[string]engine.NodeStatus{"NODE3": engine.NodeFailed},
		says:  []string{"NODE3: drain: the cluster says that the drain failed; still there: VM03", "Move VM03 off NODE3 by hand"},
		facts: []string{"undo.done NODE3"},
		more: func(t *testing.T, r rehearsed) {
			t.Helper()
			for _, g := range r.report.State.Cluster.Groups {
				if g.Name == "VM03" && g.Owner != "NODE3" {
					t.Errorf("VM03 is on %s", g.Owner)
				}
			}
		},
	}
}

func noPause(t *testing.T, r rehearsed) {
	t.Helper()
	for _, f := range r.facts {
		if f.Kind == engine.FactPauseIntent {
			t.Errorf("%s was paused", f.Node)
		}
	}
}

func (p promise) and(more func(*testing.T, rehearsed)) promise {
	p.more = more
	return p
}

func (p promise) saying(key, evidence string) promise {
	checks := map[string]string{key: evidence}
	for k, v := range p.checks {
		checks[k] = v
	}
	p.checks = checks
	return p
}

// witnessed is a promise in whose course the lab sees what should not happen.
func witnessed(incident string, p promise) promise {
	p.incidents = []string{incident}
	return p
}

func (p promise) leaving(node string, how left) promise {
	p.left = map[string]left{node: how}
	return p
}
