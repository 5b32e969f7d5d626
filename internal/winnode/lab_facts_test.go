package winnode_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/plugins"
)

func TestLabEveryFactOfANodeIsUnderstood(t *testing.T) {
	_, f := labFleet(t, "")
	ctx, n := t.Context(), f.Node("NODE1")
	if v, err := n.Updaters(ctx); err != nil || v.Setting == "" {
		t.Errorf("%+v %v", v, err)
	}
	if v, err := n.BitLocker(ctx); err != nil || !v.Known {
		t.Errorf("%+v %v", v, err)
	}
	if b, err := f.Backups(ctx, "NODE1"); err != nil || len(b) != 0 {
		t.Errorf("%v %v", b, err)
	}
	if p, err := n.CauPlugins(ctx); err != nil || !p.Module || len(p.Plugins) != 2 {
		t.Errorf("%+v %v", p, err)
	}
	if c, err := n.HotfixConfig(ctx, 1<<20); err != nil || !c.Found || !bytes.Contains(c.Content, []byte("Made up by the lab")) {
		t.Errorf("%+v %v", c, err)
	}
	if q, err := n.Quotas(ctx); err != nil || q.MaxShellsPerUser <= 0 || q.AllowUnencrypted {
		t.Errorf("%+v %v", q, err)
	}
	if _, err := n.Hotfixes(ctx, 10); err != nil {
		t.Error(err)
	}
	if v, err := n.Installed(ctx); err != nil || v.Build == "" {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := n.EventLog(ctx, "System", time.Time{}, 10); err != nil {
		t.Error(err)
	}
	if s, err := n.StartService(ctx, "ClusSvc"); err != nil || s != winnode.ServiceRunning {
		t.Errorf("%v %v", s, err)
	}
	v, err := f.Describe(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(v.Groups, func(g engine.GroupView) bool { return !g.Core })
	if i < 0 {
		t.Fatal("the lab has no roles")
	}
	to := "NODE2"
	if v.Groups[i].Owner == to {
		to = "NODE3"
	}
	if err := f.MoveGroup(ctx, v.Groups[i].Name, to); err != nil {
		t.Error(err)
	}
	if jobs, err := n.Jobs(ctx, ""); err != nil || len(jobs) != 0 {
		t.Errorf("%+v %v", jobs, err)
	}
	if err := n.CancelJob(ctx, "r1", "nothing"); !errors.Is(err, winnode.ErrNoJob) {
		t.Error(err)
	}
}

func TestLabR27_OneCoordinatorOfTwoHoldsTheCluster(t *testing.T) {
	info, f := labFleet(t, "")
	ctx := t.Context()
	other, err := winnode.New(labConfig(t, info, info.Password))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	mine, err := f.TakeLease(ctx, 0, "r1", "host-1")
	if err != nil || !mine.Taken {
		t.Fatalf("%+v %v", mine, err)
	}
	f.Fence(mine.Epoch)
	if l, err := other.TakeLease(ctx, 0, "r1", "host-2"); err != nil || l.Taken || l.Holder != "host-1" || l.Age() < 0 {
		t.Fatalf("%+v %v", l, err)
	}
	if err := f.Pause(ctx, "NODE1", engine.DrainRoles); err != nil {
		t.Fatal(err)
	}
	if _, err := f.RenewLease(ctx, mine.Epoch, "r1", "host-1"); err != nil {
		t.Fatal(err)
	}
	theirs, err := other.TakeLease(ctx, mine.Epoch, "r1", "host-2") // somebody decided to take the run over
	if err != nil || !theirs.Taken || theirs.Epoch <= mine.Epoch {
		t.Fatalf("%+v %v", theirs, err)
	}
	other.Fence(theirs.Epoch)
	if err := f.Resume(ctx, "NODE1", engine.FailbackNone); !errors.Is(err, winnode.ErrFenced) {
		t.Errorf("the first coordinator still acts: %v", err)
	}
	if _, err := f.RenewLease(ctx, mine.Epoch, "r1", "host-1"); !errors.Is(err, winnode.ErrFenced) {
		t.Errorf("the first coordinator still renews: %v", err)
	}
	if err := other.Resume(ctx, "NODE1", engine.FailbackNone); err != nil {
		t.Error(err)
	}
	if err := other.DropLease(ctx, theirs.Epoch, "r1", "host-2"); err != nil {
		t.Error(err)
	}
	if l, err := f.ReadLease(ctx); err != nil || l.Epoch != 0 {
		t.Errorf("%+v %v", l, err)
	}
	if l, err := f.TakeLease(ctx, 0, "r2", "host-1"); err != nil || !l.Taken || l.Epoch <= theirs.Epoch {
		t.Errorf("%+v %v", l, err)
	}
}

func TestLabR27_ACheckpointIsFoundByAnotherHost(t *testing.T) {
	info, f := labFleet(t, "")
	ctx := t.Context()
	if err := f.Pause(ctx, "NODE1", engine.DrainRoles); err != nil {
		t.Fatal(err)
	}
	for sequence, text := range []string{"first", "second"} {
		on, err := f.PutCheckpoint(ctx, winnode.Checkpoint{Run: "r1", Sequence: int64(sequence + 1), Text: []byte(text)})
		if err != nil || !slices.Equal(on, []string{"NODE2", "NODE3"}) {
			t.Fatal(on, err)
		}
	}
	if _, err := f.PutCheckpoint(ctx, winnode.Checkpoint{Run: "r1", Sequence: 1, Text: []byte("late")}); !errors.Is(err, winnode.ErrNewerCheckpoint) {
		t.Error(err)
	}
	other, err := winnode.New(labConfig(t, info, info.Password))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	found, err := other.FindCheckpoints(ctx)
	if err != nil || len(found) != 1 || string(found[0].Text) != "second" || found[0].Sequence != 2 || found[0].Written.IsZero() {
		t.Errorf("%+v %v", found, err)
	}
}

func TestLabR12_OurLockIsSeenAndIsNotForeign(t *testing.T) {
	_, f := labFleet(t, "")
	ctx := t.Context()
	const id = "0a345678-1234-1234-1234-123456789abc"
	for _, do := range []func() error{
		func() error { return f.TakeCauLock(ctx, id) },
		func() error { return f.RenewCauLock(ctx, id) },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if runs, err := f.ForeignRuns(ctx, "NODE1"); err != nil || len(runs) != 0 {
			t.Error(runs, err)
		}
	}
	if err := f.DropCauLock(ctx, id); err != nil {
		t.Error(err)
	}
}

func TestLabScriptsRunAsSystemAndAsTheCaller(t *testing.T) {
	_, f := labFleet(t, "")
	for _, asCaller := range []bool{false, true} {
		job := scriptJob(t, "exit 0\n")
		job.AsCaller = asCaller
		if asCaller {
			job.ID = "pre-2"
		}
		var out plugins.ScriptJobResult
		text, err := f.Node("NODE1").RunJob(t.Context(), job, nil)
		if err != nil || json.Unmarshal(text, &out) != nil || strings.Contains(strings.ToUpper(out.Account), "SYSTEM") == asCaller {
			t.Errorf("as caller %v: %s %v", asCaller, text, err)
		}
		again, err := f.Node("NODE1").RunJob(t.Context(), job, nil)
		if err != nil || string(again) != string(text) {
			t.Errorf("the same id is another job: %s %v", again, err)
		}
	}
}

func TestLabR19_TheUpdateAgentIsAskedThroughJobs(t *testing.T) {
	_, f := labFleet(t, "")
	n := f.Node("NODE1")
	text, err := n.RunJob(t.Context(), plugins.Job{ID: "scan", Kind: plugins.JobUpdatesScan, Input: raw(t, plugins.UpdatesQuery{
		Run: "r1", Criteria: "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1",
	})}, nil)
	var scan plugins.UpdatesScanResult
	if err != nil || json.Unmarshal(text, &scan) != nil || scan.ResultCode != 2 {
		t.Fatalf("%s %v", text, err)
	}
	text, err = n.RunJob(t.Context(), plugins.Job{ID: "restart", Kind: plugins.JobUpdatesRestart, Input: raw(t, plugins.UpdatesQuery{Run: "r1"})}, nil)
	var restart plugins.UpdatesRestartResult
	if err != nil || json.Unmarshal(text, &restart) != nil || restart.Required {
		t.Fatalf("%s %v", text, err)
	}
	if len(scan.Updates) == 0 {
		t.Fatal("the lab offers no updates")
	}
	work := plugins.UpdatesJob{UpdatesQuery: plugins.UpdatesQuery{Run: "r1", Criteria: "IsInstalled=0"}, Updates: []plugins.UpdateID{scan.Updates[0].UpdateID}}
	for _, kind := range []plugins.JobKind{plugins.JobUpdatesDownload, plugins.JobUpdatesInstall} {
		text, err := n.RunJob(t.Context(), plugins.Job{ID: "work-" + strings.ReplaceAll(string(kind), ".", "-"), Kind: kind, Input: raw(t, work)}, nil)
		var out plugins.UpdatesJobResult
		if err != nil || json.Unmarshal(text, &out) != nil || len(out.Results) != 1 || out.Results[0].ResultCode != 2 {
			t.Errorf("%s: %s %v", kind, text, err)
		}
	}
}

func TestLabR24_TheShareIsProbedAsTheComputerAccount(t *testing.T) {
	info, f := labFleet(t, "")
	probe := func(id, root string) (plugins.ShareProbeJobResult, error) {
		text, err := f.Node("NODE1").RunJob(t.Context(), plugins.Job{ID: id, Kind: plugins.JobShareProbe, Input: raw(t, plugins.ShareProbeJob{Run: "r1", Root: root, File: `CAUHotfix_All\Update1.msu`})}, nil)
		var out plugins.ShareProbeJobResult
		if err == nil {
			err = json.Unmarshal(text, &out)
		}
		return out, err
	}
	if out, err := probe("p1", info.Root); err != nil || !strings.Contains(out.Connection.Account, "NODE1$") {
		t.Errorf("%+v %v", out, err)
	}
	if _, err := probe("p2", `\\NOWHERE\share`); !errors.Is(err, plugins.ErrJobFailed) {
		t.Error(err)
	}
}

func TestLabSharesAreDescribedAndChanged(t *testing.T) {
	_, f := labFleet(t, "")
	n := f.Node("NODE1")
	if s, err := n.ShareDescribe(t.Context(), "Nothing"); err != nil || s.Exists {
		t.Errorf("%+v %v", s, err)
	}
	yes := true
	want := agent.ShareApplyArgs{
		Share: "Hotfixes", Path: `C:\Hotfixes`, EncryptData: &yes, ShareSDDL: "O:BAG:BAD:(A;;FA;;;BA)(A;;0x1200a9;;;AU)",
		FolderSDDL: "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)",
	}
	s, err := n.ShareApply(t.Context(), want)
	if err != nil || !s.Exists || !s.EncryptData || len(s.Changed) == 0 {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = n.ShareApply(t.Context(), want); err != nil || len(s.Changed) != 0 {
		t.Errorf("what is so already is changed again: %+v %v", s, err)
	}
	if _, err := n.FirewallRule(t.Context(), "FileServer-ServerManager-SMB-TCP-In", nil); err != nil {
		t.Error(err)
	}
}
