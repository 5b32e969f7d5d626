package winnode_test

import (
	"errors"
	"testing"

	"cau/internal/winnode"
	"cau/plugins"
)

func TestLabR18_ANodeIsNotRestartedUnderAnInstaller(t *testing.T) {
	info, f := labFleet(t, "")
	ctx := t.Context()
	n := f.Node("NODE2")
	msu := labFile(t, "u1", `CAUHotfix_All\Update1.msu`)
	if _, err := n.RunJob(ctx, stageJob(t, info.Root, "s", msu), nil); err != nil {
		t.Fatal(err)
	}
	boot, err := n.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	_, err = n.RunJob(ctx, plugins.Job{ID: "u1", Kind: plugins.JobInstaller, Input: raw(t, plugins.InstallerJob{
		Run: "r1", Update: "u1", Target: msu.Target, Files: []plugins.StageFile{msu},
		Command: plugins.Command{Program: `%SystemRoot%\System32\wusa.exe`, Parameters: `"%CAU_UPDATE%\Update1.msu" /quiet /norestart`},
	})}, func(e plugins.JobEvent) {
		if e.Kind != "started" {
			return
		}
		asked++
		var refused *winnode.OperationError
		if err := f.Node("NODE2").Restart(ctx, boot.Identity, "too early"); !errors.As(err, &refused) || refused.Kind != "refused" {
			t.Errorf("restarted: %v", err)
		}
	})
	if err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if err := n.Restart(ctx, boot.Identity, "now"); err != nil {
		t.Errorf("when it has ended: %v", err)
	}
}

func TestLabR19_AJobThatDiesIsLostAndAttachingFindsItSo(t *testing.T) {
	info, f := labFleet(t, "installer-lost")
	ctx := t.Context()
	n := f.Node("NODE2")
	msi := labFile(t, "u2", `CAUHotfix_All\Update2.msi`)
	if _, err := n.RunJob(ctx, stageJob(t, info.Root, "s", msi), nil); err != nil {
		t.Fatal(err)
	}
	job := plugins.Job{ID: "u2", Kind: plugins.JobInstaller, Input: raw(t, plugins.InstallerJob{
		Run: "r1", Update: "u2", Target: msi.Target, Files: []plugins.StageFile{msi},
		Command: plugins.Command{Program: `%SystemRoot%\System32\msiexec.exe`, Parameters: `/i "%CAU_UPDATE%\Update2.msi" /qn /norestart REBOOT=ReallySuppress`},
	})}
	if _, err := n.AttachJob(ctx, job, nil); !errors.Is(err, winnode.ErrNoJob) || !errors.Is(err, plugins.ErrJobLost) {
		t.Errorf("before it was started: %v", err)
	}
	if _, err := n.RunJob(ctx, job, nil); !errors.Is(err, plugins.ErrJobLost) {
		t.Errorf("%v", err)
	}
	if _, err := n.AttachJob(ctx, job, nil); !errors.Is(err, plugins.ErrJobLost) || errors.Is(err, winnode.ErrNoJob) {
		t.Errorf("afterwards: %v", err)
	}
}
