package model

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

// effects are what each scenario must show through operations.
func effects() map[string]func(t *testing.T, r *rehearsal) {
	out := map[string]func(t *testing.T, r *rehearsal){
		"default": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.drain("NODE3")
			restartNode(r.bench, "NODE3")
			if s := r.State(); len(s.Incidents) != 0 || s.Nodes[2].Boots != 2 {
				t.Errorf("%+v", s.Incidents)
			}
		},
		"drain-stuck":       drainFails("NODE3"),
		"migration-blocked": drainFails("NODE3"),
		"drain-slow": func(t *testing.T, r *rehearsal) {
			t.Helper()
			before := len(r.owned("NODE2"))
			r.pause("NODE2")
			r.clock.advance(119 * time.Second)
			if got := len(r.owned("NODE2")); got != before {
				t.Errorf("%d of %d roles left within two minutes", before-got, before)
			}
			r.clock.advance(20 * time.Minute)
			if m := r.memberView("NODE2"); m.DrainStatus != drainCompleted {
				t.Errorf("%+v", m)
			}
		},
		"installer-fails": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.install("NODE2", "Update2.msi", time.Minute)
			if r.code("NODE2") != 1603 {
				t.Error("it does not fail")
			}
		},
		"installer-exit-codes": func(t *testing.T, r *rehearsal) {
			t.Helper()
			for node, want := range map[string]int64{"NODE1": wusaNotApplicable, "NODE2": wusaBusy, "NODE3": successRestartInitiated, "NODE4": 3017} {
				r.install(node, "Update1.msu", 25*time.Second)
				if got := r.code(node); got != want {
					t.Errorf("%s: %d, want %d", node, got, want)
				}
			}
			r.clock.advance(5 * time.Minute)
			if n := r.State().Nodes[2]; n.Boots != 2 {
				t.Error("1641 did not restart NODE3")
			}
		},
		"second-order": func(t *testing.T, r *rehearsal) {
			t.Helper()
			try := func(node, job, file string, want int64) {
				t.Helper()
				staged := r.stageFile(r.shelf, node, job, file, header("id="+file))
				program, parameters := `%SystemRoot%\System32\wusa.exe`, "$update$ /quiet /norestart"
				if strings.HasSuffix(file, ".msi") {
					program, parameters = `%SystemRoot%\System32\msiexec.exe`, "/i $update$ /qn /norestart"
				}
				if _, code := r.installOn(node, job, staged, program, parameters); code != want {
					t.Errorf("%s: %s ended with %d, want %d", node, file, code, want)
				}
			}
			try("NODE2", "a", "Update1.msu", wusaNotApplicable)
			try("NODE2", "b", "Update2.msi", 0)
			try("NODE2", "c", "Update1.msu", successRestart)
			try("NODE1", "a", "Node1_Specific_Update.msu", successRestart)
			try("NODE1", "b", "Update1.msu", wusaNotApplicable)
			r.drain("NODE1")
			restartNode(r.bench, "NODE1")
			try("NODE1", "c", "Update1.msu", successRestart)
		},
		"installer-hangs": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.install("NODE2", "Update2.msi", 48*time.Hour)
			if p := r.poll("NODE2", "install", 0); !p.ProcessAlive || p.Result != "" {
				t.Errorf("%+v", p)
			}
		},
		"installer-late": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.install("NODE2", "Update2.msi", 31*time.Minute)
			if p := r.poll("NODE2", "install", 0); !p.ProcessAlive || p.Result != "" {
				t.Errorf("after its time: %+v", p)
			}
			r.clock.advance(20 * time.Minute)
			if r.code("NODE2") != 0 {
				t.Error("it does not end")
			}
		},
		"installer-lost":           resultLost(false),
		"installer-lost-installed": resultLost(true),
		"pending-restart": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if p := ask[agent.Pending](r.bench, "NODE4", agent.OpPendingGet, nil); !p.CBSRebootPending {
				t.Errorf("%+v", p)
			}
		},
		"restart-never": staysDown("NODE2"),
		"bitlocker-pin": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if b := ask[agent.BitLocker](r.bench, "NODE3", agent.OpBitLockerGet, nil); b.Protection != 1 || !slices.Contains(b.Protectors, 4) {
				t.Errorf("%+v", b)
			}
			staysDown("NODE3")(t, r)
		},
		"restart-twice": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.drain("NODE2")
			restartNode(r.bench, "NODE2")
			if n := r.State().Nodes[1]; n.Boots != 3 || len(r.State().Incidents) != 0 {
				t.Errorf("%d boots", n.Boots)
			}
			r.clock.advance(time.Hour)
			if n := r.State().Nodes[1]; n.Boots != 3 || !n.Boot.ClusterService {
				t.Errorf("later: %d boots", n.Boots)
			}
		},
		"restart-late": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.drain("NODE2")
			r.restart("NODE2")
			r.clock.advance(30 * time.Minute)
			if r.State().Nodes[1].Up {
				t.Error("it is back in time")
			}
			r.clock.advance(15 * time.Minute)
			if n := r.State().Nodes[1]; !n.Up || !n.Boot.AutoLogonChecked {
				t.Error("it is not back at all")
			}
		},
		"clock-jump": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.drain("NODE2")
			restartNode(r.bench, "NODE2")
			mine, theirs := try(r.bench, "NODE2", agent.OpHello, nil).UTC, try(r.bench, "NODE3", agent.OpHello, nil).UTC
			a, err := time.Parse(time.RFC3339, mine)
			b, err2 := time.Parse(time.RFC3339, theirs)
			if err != nil || err2 != nil || a.Sub(b) != time.Hour {
				t.Errorf("NODE2 says %s, NODE3 %s", mine, theirs)
			}
		},
		"disk-full": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.shelf.files["big.msu"] = strings.Repeat("x", 600_000)
			if r.stages("NODE2", "big.msu") != errDiskFull || r.stages("NODE1", "big.msu") != 0 {
				t.Error("the disk is not full on NODE2 alone")
			}
		},
		"task-refused": func(t *testing.T, r *rehearsal) {
			t.Helper()
			start := agent.JobStartArgs{ID: "stage", Run: "run1", Kind: agent.JobStage, Input: input(t, agent.StageInput{Run: "run1", Root: root})}
			for range 2 {
				if code := refused(r.bench, "NODE2", agent.OpJobStart, start); code != errRequestRefused {
					t.Errorf("%d", code)
				}
			}
			r.clock.advance(time.Minute)
			if p := r.poll("NODE2", "stage", 0); !p.Exists || p.TaskState != taskReady || len(p.Events) != 0 {
				t.Errorf("%+v", p)
			}
			list := ask[agent.JobList](r.bench, "NODE2", agent.OpJobList, agent.JobListArgs{}).Jobs
			if len(list) != 1 || list[0].LastResult != resultNotRun || r.stages("NODE1") != 0 {
				t.Errorf("%+v", list)
			}
		},
		"share-gone": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if r.stages("NODE1", "a.msu") != errBadNetworkPath || r.stages("NODE4") != errBadNetworkPath {
				t.Error("the share is there")
			}
		},
		"share-gone-midway": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if r.stages("NODE2", "a.msu", "b.msu", "c.msu") != errNetNameDeleted || r.stages("NODE1", "a.msu", "b.msu", "c.msu") != 0 {
				t.Error("the share stays")
			}
			if got := r.State().Nodes[1].Staged; len(got) != 2 {
				t.Errorf("staged: %v", got)
			}
		},
		"file-changed": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.shelf.files["Update1.msu"] = "content"
			if r.stages("NODE1", "a.msu", "Update1.msu") == 0 || len(r.State().Nodes[0].Staged) != 1 {
				t.Error("the node takes a file that is not the plan's")
			}
		},
		"foreign-run": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if got := r.State().CauRuns; len(got) != 1 {
				t.Errorf("%v", got)
			}
		},
		"foreign-run-appears": func(t *testing.T, r *rehearsal) {
			t.Helper()
			runs := func() int { return len(ask[agent.CauRuns](r.bench, "NODE3", agent.OpCauRuns, nil).Runs) }
			r.drain("NODE1")
			ask[done](r.bench, "NODE2", agent.OpNodeResume, agent.ResumeArgs{Node: "NODE1"})
			if runs() != 0 {
				t.Error("it is there before")
			}
			r.pause("NODE2")
			if runs() != 1 {
				t.Error("it does not appear")
			}
		},
		"backup-running": func(t *testing.T, r *rehearsal) {
			t.Helper()
			get := func(on string) agent.Backups { return ask[agent.Backups](r.bench, on, agent.OpBackupGet, nil) }
			if b := get("NODE1"); len(b.Programs) != 1 || len(b.SharedVolumes) != 1 || b.SharedVolumes[0].BackupState != 1 || len(get("NODE2").Programs) != 0 {
				t.Errorf("%+v", b)
			}
			r.clock.advance(21 * time.Minute)
			if b := get("NODE1"); len(b.Programs)+len(b.SharedVolumes) != 0 {
				t.Errorf("later: %+v", b)
			}
		},
		"backup-begins": func(t *testing.T, r *rehearsal) {
			t.Helper()
			running := func() int {
				return len(ask[agent.Backups](r.bench, "NODE1", agent.OpBackupGet, nil).SharedVolumes)
			}
			r.clock.advance(time.Hour)
			if running() != 0 {
				t.Error("it runs before anything is paused")
			}
			r.pause("NODE3")
			r.clock.advance(19 * time.Minute)
			if running() != 1 {
				t.Error("it does not run")
			}
			r.clock.advance(2 * time.Minute)
			if running() != 0 {
				t.Error("it does not end")
			}
		},
		"admin-pauses": func(t *testing.T, r *rehearsal) {
			t.Helper()
			r.pause("NODE2")
			r.clock.advance(29 * time.Second)
			if m := r.memberView("NODE4"); m.State != nodeUp {
				t.Errorf("too early: %+v", m)
			}
			r.clock.advance(2 * time.Second)
			if m := r.memberView("NODE4"); m.State != nodePaused {
				t.Errorf("%+v", m)
			}
		},
		"folder-planted":      plants("NODE2"),
		"task-folder-planted": plants("NODE2"),
		"account-locked": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if !r.scenario.LockedAccount {
				t.Error("the account is not locked")
			}
		},
		"root-open":          serves(FileServer{Permissions: make([]Permission, 2)}),
		"root-creator-owner": serves(FileServer{Permissions: make([]Permission, 3)}),
		"root-closed":        serves(FileServer{NoReadControl: true}),
		"root-hidden":        serves(FileServer{WithholdPermissions: true}),
		"root-older":         serves(FileServer{NewestDialect: "3.0.2"}),
		"root-encrypted":     serves(FileServer{Encrypt: true}),
		"tickets-expire": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if r.scenario.TicketSeconds != 90 {
				t.Errorf("%d seconds", r.scenario.TicketSeconds)
			}
		},
		"automatic-updates": func(t *testing.T, r *rehearsal) {
			t.Helper()
			for _, n := range r.Nodes() {
				if u := ask[agent.Updaters](r.bench, n.Name(), agent.OpUpdatersGet, nil); u.AutomaticUpdates != 4 || u.NoAutoUpdate {
					t.Errorf("%s: %+v", n.Name(), u)
				}
			}
		},
		"config-mgr": func(t *testing.T, r *rehearsal) {
			t.Helper()
			get := func(on string) bool {
				return ask[agent.Updaters](r.bench, on, agent.OpUpdatersGet, nil).ConfigMgrRunning
			}
			if !get("NODE1") || !get("NODE2") || get("NODE3") {
				t.Error("it runs elsewhere")
			}
		},
		"self-updating": func(t *testing.T, r *rehearsal) {
			t.Helper()
			u := ask[agent.Updaters](r.bench, "NODE1", agent.OpUpdatersGet, nil)
			if len(u.SelfUpdating) != 1 || len(u.SelfUpdating[0].Properties) != 3 || u.SelfUpdating[0].State != groupOnline {
				t.Errorf("%+v", u)
			}
			if !slices.ContainsFunc(r.cluster().Groups, func(g agent.Group) bool { return g.Name == u.SelfUpdating[0].Name }) {
				t.Error("it is no role of the cluster")
			}
		},
		"role-nowhere-to-go": func(t *testing.T, r *rehearsal) {
			t.Helper()
			if got := ask[agent.NodeRoles](r.bench, "NODE2", agent.OpNodeRoles, nil); !slices.Equal(got.Roles[0].Resources[0].Owners, []string{"NODE2"}) || len(got.Roles[1].Resources[0].Owners) != 4 {
				t.Errorf("%+v", got)
			}
			if res := try(r.bench, "NODE1", agent.OpGroupMove, agent.GroupMoveArgs{Group: "VM02", Node: "NODE1"}); res.OK || res.Err.Code != errNotGroupOwner {
				t.Errorf("%+v", res)
			}
			r.pause("NODE2")
			r.clock.advance(10 * time.Minute)
			if m := r.memberView("NODE2"); m.DrainStatus != drainFailed || !slices.Equal(r.owned("NODE2"), []string{"VM02"}) {
				t.Errorf("%+v %v", m, r.owned("NODE2"))
			}
		},
		"role-locked": func(t *testing.T, r *rehearsal) {
			t.Helper()
			locked := func() bool {
				g := r.cluster().Groups
				return g[slices.IndexFunc(g, func(g agent.Group) bool { return g.Name == "VM02" })].StatusInformation == 1
			}
			if locked() {
				t.Error("from the beginning")
			}
			r.pause("NODE1")
			if !locked() {
				t.Error("it is not locked")
			}
			if res := try(r.bench, "NODE3", agent.OpGroupMove, agent.GroupMoveArgs{Group: "VM02", Node: "NODE4"}); res.OK || res.Err.Code != errLockedStatus {
				t.Errorf("%+v", res)
			}
			r.clock.advance(61 * time.Minute)
			if locked() {
				t.Error("for ever")
			}
		},
		"roles-kept-apart": func(t *testing.T, r *rehearsal) {
			t.Helper()
			for _, g := range r.cluster().Groups[:4] {
				if !slices.Equal(g.AntiAffinity, []string{"Domain controllers"}) {
					t.Errorf("%+v", g)
				}
			}
			ask[done](r.bench, "NODE1", agent.OpGroupMove, agent.GroupMoveArgs{Group: "VM04", Node: "NODE3"})
			r.clock.advance(time.Minute)
			r.pause("NODE1")
			r.clock.advance(5 * time.Minute)
			if !slices.Contains(r.owned("NODE4"), "VM01") {
				t.Error("VM01 did not go to the node without one of its class")
			}
		},
		"residents": func(t *testing.T, r *rehearsal) {
			t.Helper()
			got := ask[agent.Residents](r.bench, "NODE2", agent.OpNodeResidents, nil)
			if !slices.ContainsFunc(got.Machines, func(m agent.VirtualMachine) bool { return m.Name == "DC01" && !slices.Contains(got.Clustered, m.ID) }) || len(got.Clustered) != 2 {
				t.Errorf("%+v", got)
			}
			if files := ask[agent.Residents](r.bench, "NODE3", agent.OpNodeResidents, nil).OpenFiles; len(files) != 1 || files[0].Scope != "*" {
				t.Errorf("%+v", files)
			}
			r.drain("NODE2")
			restartNode(r.bench, "NODE2")
			if i := r.State().Incidents; len(i) != 1 || !strings.Contains(i[0].Text, "DC01 went down") {
				t.Errorf("%+v", i)
			}
		},
		"sites": func(t *testing.T, r *rehearsal) {
			t.Helper()
			for i, m := range r.cluster().Nodes {
				if want := []string{"Site:Malmo", "Site:Lund"}[i%2]; !slices.Contains(m.FaultDomain, want) {
					t.Errorf("%s is in %v", m.Name, m.FaultDomain)
				}
			}
		},
		"self-updating-due": func(t *testing.T, r *rehearsal) {
			t.Helper()
			u := ask[agent.Updaters](r.bench, "NODE1", agent.OpUpdatersGet, nil)
			if len(u.SelfUpdating) != 1 || !slices.Contains(u.SelfUpdating[0].Properties, "RunOnce=True") {
				t.Errorf("%+v", u)
			}
			runs := func() int { return len(ask[agent.CauRuns](r.bench, "NODE1", agent.OpCauRuns, nil).Runs) }
			r.clock.advance(99 * time.Minute)
			if runs() != 0 {
				t.Error("it starts early")
			}
			r.clock.advance(2 * time.Minute)
			if runs() != 1 {
				t.Error("it does not start")
			}
		},
		"s2d": func(t *testing.T, r *rehearsal) {
			t.Helper()
			storageOfARestart(t, r.scenario)
		},
		"cau-plugins-differ": func(t *testing.T, r *rehearsal) {
			t.Helper()
			for node, want := range map[string]int{"NODE1": 2, "NODE2": 3, "NODE3": 0, "NODE4": 2} {
				p := ask[agent.CauPlugins](r.bench, node, agent.OpCauPlugins, nil)
				c := ask[agent.CauHotfixConfig](r.bench, node, agent.OpCauHotfixConfig, agent.CauHotfixConfigArgs{Max: 1 << 20})
				if c.Found != (want > 0) || (c.Size < 200) != (want != 2) {
					t.Errorf("%s: %+v", node, c)
				}
				if small := ask[agent.CauHotfixConfig](r.bench, node, agent.OpCauHotfixConfig, agent.CauHotfixConfigArgs{Max: 3}); small.Size != c.Size || small.Text != "" {
					t.Errorf("%s: %+v", node, small)
				}
				if p.Available != (want > 0) || len(p.Plugins) != want || want == 3 && p.Plugins[2].Name != "Contoso.FirmwarePlugin" {
					t.Errorf("%s: %+v", node, p)
				}
			}
		},
		"cau-scan-differs": func(t *testing.T, r *rehearsal) {
			t.Helper()
			const important, recommended, optional = "c3a5d2ef-0001-4e63-8d21-000000000001", "c3a5d2ef-0002-4e63-8d21-000000000002", "c3a5d2ef-0003-4e63-8d21-000000000003"
			for node, want := range map[string][]string{"NODE1": {important, recommended}, "NODE2": {important, recommended, optional}, "NODE3": nil, "NODE4": {important}} {
				plain := data[agent.CauScanOutput](t, updatesJob(r.bench, node, agent.JobCauScan, agent.CauScanInput{Criteria: cauQuery}))
				with := data[agent.CauScanOutput](t, updatesJob(r.bench, node, agent.JobCauScan, agent.CauScanInput{Criteria: cauQuery, Recommended: true}))
				if with.Available != (want != nil) || with.Available && (len(plain.Updates) != 1 || plain.Updates[0].ID != important) {
					t.Errorf("%s: %+v %+v", node, plain, with)
				}
				var got []string
				for _, u := range with.Updates {
					got = append(got, u.ID)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %v", node, got)
				}
			}
			if runs := ask[agent.CauRuns](r.bench, "NODE3", agent.OpCauRuns, nil); runs.Available {
				t.Errorf("%+v", runs)
			}
			lock := agent.CauLockArgs{ID: "5b0a9f3e-3c6d-4a53-9d0f-2f1f7c2f9d11"}
			if res := try(r.bench, "NODE3", agent.OpCauLockTake, lock); res.OK || res.Err.Kind != "hresult" || res.Err.Code != errInvalidClass {
				t.Errorf("%+v", res.Err)
			}
		},
		"updates-fail": func(t *testing.T, r *rehearsal) {
			t.Helper()
			const once, never, works = "b2e4d1cf-0001-4d52-8c11-000000000001", "b2e4d1cf-0002-4d52-8c11-000000000002", "b2e4d1cf-0003-4d52-8c11-000000000003"
			out := r.get("NODE2", once, never, works)
			if len(r.scan("NODE1", cauQuery)) != 3 || out.Results[0].HResult != 0x80070643 || out.Results[1].HResult != wuNotDownloaded || out.Results[2].ResultCode != resultSucceeded {
				t.Errorf("%+v", out)
			}
		},
		"updates-other-source": func(t *testing.T, r *rehearsal) {
			t.Helper()
			for node, want := range map[string][2]string{"NODE1": {"Windows Update", ""}, "NODE2": {"Windows Server Update Service", "http://wsus1.lab.test:8530"}} {
				out := data[agent.UpdatesScanOutput](t, updatesJob(r.bench, node, agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: cauQuery}))
				if out.Source != want[0] || out.Server != want[1] || out.LastScan == "" {
					t.Errorf("%s: %+v", node, out)
				}
			}
		},
		"updates-loop": func(t *testing.T, r *rehearsal) {
			t.Helper()
			id := r.scan("NODE1", cauQuery)
			if out := r.get("NODE1", id...); !out.RestartRequired {
				t.Errorf("%+v", out)
			}
			restartNode(r.bench, "NODE1")
			if again := r.scan("NODE1", cauQuery); !slices.Equal(id, again) {
				t.Errorf("then: %v", again)
			}
		},
	}
	for _, kind := range []string{"reset", "hang", "401", "503", "empty", "cut-body", "service-restart"} {
		out["winrm-"+kind] = func(t *testing.T, r *rehearsal) {
			t.Helper()
			f := r.scenario.WinRM
			// A hang is as long as a node may be silent: once is enough to rehearse with.
			if kind != "hang" && (len(f) != 2 || f[0].Kind != kind || f[0].Trigger != "") {
				t.Errorf("%+v", f)
			}
			if last := f[len(f)-1]; last.Kind != kind || last.Trigger != "after-restart" {
				t.Errorf("%+v", f)
			}
		}
	}
	return out
}

// serves: what the lab makes of it is tested where the file server is, in internal/lab.
func serves(want FileServer) func(t *testing.T, r *rehearsal) {
	return func(t *testing.T, r *rehearsal) {
		t.Helper()
		got := r.scenario.FileServer
		if got == nil || len(got.Permissions) != len(want.Permissions) || got.WithholdPermissions != want.WithholdPermissions ||
			got.NoReadControl != want.NoReadControl || got.NewestDialect != want.NewestDialect || got.Encrypt != want.Encrypt {
			t.Errorf("%+v", got)
		}
	}
}
