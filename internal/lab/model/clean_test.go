package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

// littered is a node with everything that two runs may leave there.
func littered(t *testing.T) *bench {
	t.Helper()
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	text := []byte("state")
	sum := sha256.Sum256(text)
	for _, run := range []string{"run1", "run2"} {
		ask[agent.Push](b, "NODE1", agent.OpPushOpen, agent.PushArgs{Run: run})
		ask[agent.Checkpoints](b, "NODE1", agent.OpCheckpointPut, agent.CheckpointPutArgs{
			Run: run, Sequence: 1, SHA256: hex.EncodeToString(sum[:]), Text: base64.StdEncoding.EncodeToString(text),
		})
	}
	b.stageFile(s, "NODE1", "u", "a.msu", "MSCF") // of run1
	return b
}

func TestR23_CleaningARunRemovesWhatTheScriptRemovesAndNothingOfAnother(t *testing.T) {
	b := littered(t)
	got := ask[agent.Clean](b, "NODE1", agent.OpNodeClean, agent.CleanArgs{Run: "run1"}).Removed
	want := []string{
		`C:\Program Files\cau\checkpoints\run1.json`, `C:\Program Files\cau\jobs\run1`, `C:\Program Files\cau\runs\run1`, `C:\Windows\cau-push\run1`,
	}
	if tasks := slices.DeleteFunc(slices.Clone(got), func(p string) bool { return slices.Contains(want, p) }); len(got) != len(want)+len(tasks) || len(tasks) == 0 {
		t.Errorf("removed %q", got)
	}
	if !b.node("NODE1").PushOpen("run2") || len(b.State().Nodes[0].Checkpoints) != 1 {
		t.Error("another run's traces are gone")
	}
	got = ask[agent.Clean](b, "NODE1", agent.OpNodeClean, agent.CleanArgs{Run: "run2"}).Removed
	if want := []string{`C:\Program Files\cau\checkpoints\run2.json`, `C:\Windows\cau-push`, `C:\Windows\cau-push\run2`}; !slices.Equal(got, want) {
		t.Errorf("of a run without jobs: %q", got)
	}
}

func TestR23_CleaningEverythingRemovesTheRoots(t *testing.T) {
	b := littered(t)
	got := ask[agent.Clean](b, "NODE1", agent.OpNodeClean, agent.CleanArgs{}).Removed
	for _, root := range []string{`C:\Program Files\cau`, `C:\Windows\cau-push`, `\cau`} {
		if !slices.Contains(got, root) {
			t.Errorf("%s stays: %q", root, got)
		}
	}
	if b.node("NODE1").HasAgent(agent.BundleSHA256()) || len(b.State().Nodes[0].Checkpoints)+len(b.State().Nodes[0].Staged) != 0 {
		t.Errorf("%+v", b.State().Nodes[0])
	}
}

func TestR18_AJobThatIsAboutToBeginIsNotCleanedAway(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	ask[agent.JobStart](b, "NODE1", agent.OpJobStart, agent.JobStartArgs{ID: "a", Run: "run1", Kind: agent.JobStage, Input: input(t, agent.StageInput{Run: "run1", Root: root})})
	for op, args := range map[string]any{agent.OpNodeClean: agent.CleanArgs{Run: "run1"}, agent.OpJobDelete: agent.JobArgs{ID: "a", Run: "run1"}} {
		if r := try(b, "NODE1", op, args); r.OK || r.Err.Kind != "refused" {
			t.Errorf("%s: %+v", op, r)
		}
	}
	b.clock.advance(time.Minute)
	if r := b.result("NODE1", "a"); !r.OK {
		t.Errorf("%+v", r.Err)
	}
	ask[agent.Clean](b, "NODE1", agent.OpNodeClean, agent.CleanArgs{Run: "run1"})
}

func TestR18_ANodeIsNotRestartedUnderAJob(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.msi", header("seconds=3600"))
	b.startJob("NODE1", "long", agent.JobInstaller, agent.InstallerInput{
		Run: "run1", Update: "u", Target: "a.msi", Files: []agent.StageFile{f}, Program: `%SystemRoot%\System32\msiexec.exe`, Parameters: `/i "%CAU_UPDATE%\a.msi" /qn`,
	})
	b.clock.advance(time.Minute)
	boot := agent.RestartArgs{DelaySeconds: 5, ExpectBoot: ask[agent.BootInfo](b, "NODE1", agent.OpBootInfo, nil).BootFileTime}
	if r := try(b, "NODE1", agent.OpNodeRestart, boot); r.OK || r.Err.Kind != "refused" {
		t.Errorf("%+v", r)
	}
	b.clock.advance(2 * time.Hour)
	if r := ask[agent.Restart](b, "NODE1", agent.OpNodeRestart, boot); r.Code != 0 || r.AlreadyRestarted {
		t.Errorf("when it has ended: %+v", r)
	}
}
