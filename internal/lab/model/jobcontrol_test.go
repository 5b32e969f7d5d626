package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

func scriptInput(text string) agent.ScriptInput {
	sum := sha256.Sum256([]byte(text))
	return agent.ScriptInput{
		Name: "pre.ps1", SHA256: hex.EncodeToString(sum[:]), Cluster: "LAB-FC1", Phase: agent.PhasePre,
		Text: base64.StdEncoding.EncodeToString([]byte(text)),
	}
}

// outputs are the lines that a job printed.
func (b *bench) outputs(on, id string) (lines []string) {
	b.t.Helper()
	for _, line := range b.poll(on, id, 0).Events {
		var e agent.JobEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			b.t.Fatal(err)
		}
		if e.Kind == "output" {
			lines = append(lines, e.Message)
		}
	}
	return lines
}

func data[D any](t *testing.T, r agent.JobResult) (d D) {
	t.Helper()
	if !r.OK {
		t.Fatalf("%+v", r.Err)
	}
	if err := json.Unmarshal(r.Data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAScriptPrintsWaitsAndEnds(t *testing.T) {
	b := newBench(t, Config{})
	text := "\uFEFF# before\r\nWrite-Output 'it''s $env:CAU_RUN on $env:CAU_NODE'\nStart-Sleep -Seconds 30\n" +
		"Write-Output \"$env:CAU_CLUSTER $env:cau_phase $env:CAU_NOTHING.\"\n\nexit -3\nWrite-Output 'never'\n"
	b.startJob("NODE1", "pre", agent.JobScript, scriptInput(text))
	b.clock.advance(20 * time.Second)
	if p := b.poll("NODE1", "pre", 0); !p.ProcessAlive || p.Result != "" || len(b.outputs("NODE1", "pre")) != 1 {
		t.Errorf("while it sleeps: %+v", p)
	}
	b.clock.advance(20 * time.Second)
	out := data[agent.ScriptOutput](t, b.result("NODE1", "pre"))
	want := agent.ScriptOutput{ExitCode: -3, Account: `NT AUTHORITY\SYSTEM`, Log: `C:\Program Files\cau\jobs\run1\pre\output.txt`}
	if out != want {
		t.Errorf("%+v", out)
	}
	if got := b.outputs("NODE1", "pre"); strings.Join(got, "|") != "it's run1 on NODE1|LAB-FC1 pre ." {
		t.Errorf("%q", got)
	}
	b.startJob("NODE1", "throws", agent.JobScript, scriptInput("throw 'no'\nexit 0"))
	if out := data[agent.ScriptOutput](t, b.result("NODE1", "throws")); out.ExitCode != 1 {
		t.Errorf("throw: %+v", out)
	}
}

func TestAScriptThatTheLabDoesNotUnderstandIsRefusedAndNotGuessed(t *testing.T) {
	b := newBench(t, Config{})
	for i, text := range []string{"Get-Process", "Write-Output $x", "exit 99999999999", "Start-Sleep 5", "Write-Output 'a'; exit 1", "throw \"x\""} {
		id := "s" + string(rune('a'+i))
		b.startJob("NODE1", id, agent.JobScript, scriptInput("Write-Output 'first'\n"+text))
		if r := b.result("NODE1", id); r.OK || r.Err.Kind != "refused" || !strings.Contains(r.Err.Message, "runs no PowerShell") || !strings.Contains(r.Err.Message, "line 2") {
			t.Errorf("%s: %+v", text, r.Err)
		}
		if len(b.outputs("NODE1", id)) != 0 {
			t.Errorf("%s: half of it ran", text)
		}
	}
	changed := scriptInput("exit 0")
	changed.SHA256 = strings.Repeat("0", 64)
	b.startJob("NODE1", "changed", agent.JobScript, changed)
	if r := b.result("NODE1", "changed"); r.OK || !strings.Contains(r.Err.Message, "SHA-256") {
		t.Errorf("another script than the planned one runs: %+v", r)
	}
}

func TestMoreThanAMebibyteOfOutputIsCut(t *testing.T) {
	b := newBench(t, Config{})
	line := "Write-Output '" + strings.Repeat("x", 1000) + "'\n"
	steps, err := readScript(strings.Repeat(line, 3), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := b.node("NODE1")
	for printed, truncated := range map[int]bool{0: false, maxOutput - 2004: true} {
		b.startJob("NODE1", "much", agent.JobScript, scriptInput("Start-Sleep -Seconds 600"))
		b.clock.advance(5 * time.Second)
		_ = b.Now()
		n.runSteps(n.jobs[`run1\much`], steps, printed, &agent.ScriptOutput{})
		out := data[agent.ScriptOutput](t, b.result("NODE1", "much"))
		if got := len(b.outputs("NODE1", "much")); out.Truncated != truncated || truncated == (got == 3) {
			t.Errorf("after %d bytes: %+v, %d lines", printed, out, got)
		}
		ask[agent.JobDelete](b, "NODE1", agent.OpJobDelete, agent.JobArgs{ID: "much", Run: "run1"})
	}
}

func TestAScriptRunsInTheCallersOwnLogon(t *testing.T) {
	b := newBench(t, Config{})
	args := agent.JobRunHereArgs{ID: "pre", Run: "run1", Kind: agent.JobScript, Input: input(t, scriptInput("Write-Output 'x'\nexit 7"))}
	for i := range 2 {
		started := ask[agent.JobStart](b, "NODE1", agent.OpJobRunHere, args)
		p := b.poll("NODE1", "pre", 0)
		var r agent.JobResult
		if err := json.Unmarshal([]byte(p.Result), &r); err != nil || p.ProcessAlive || started.Existed != (i == 1) {
			t.Fatalf("%+v %+v %v", started, p, err)
		}
		if out := data[agent.ScriptOutput](t, r); out.Account != `LAB\admin` || out.ExitCode != 7 {
			t.Errorf("%+v", out)
		}
	}
	list := ask[agent.JobList](b, "NODE1", agent.OpJobList, agent.JobListArgs{}).Jobs
	if len(list) != 1 || list[0].TaskState != 0 || !list[0].Finished {
		t.Errorf("%+v", list)
	}
	args.ID, args.Input = "long", input(t, scriptInput("Start-Sleep -Seconds 60"))
	answered := make(chan agent.Response)
	text := input(t, args)
	go func() {
		answered <- b.node("NODE1").Operate(agent.Request{Op: agent.OpJobRunHere, Args: json.RawMessage(text)})
	}()
	for {
		select {
		case r := <-answered:
			if !r.OK {
				t.Errorf("%+v", r.Err)
			}
			return
		default:
			b.clock.advance(time.Second)
			_ = b.Now()
		}
	}
}

func TestR32_ANetworkLogonIsRefusedByTheUpdateAgentWusaAndShares(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.msu", "MSCF")
	one := agent.UpdatesWorkInput{Updates: []agent.UpdateID{{ID: dotNet, Revision: 103}}}
	n := b.node("NODE1")
	for kind, in := range map[string]any{
		agent.JobUpdatesScan: agent.UpdatesQuery{Criteria: cauQuery}, agent.JobUpdatesDownload: one, agent.JobUpdatesInstall: one,
		agent.JobUpdatesRestart: struct{}{}, agent.JobStage: agent.StageInput{Run: "run1", Root: root}, agent.JobShareProbe: agent.ShareProbeInput{Root: root},
	} {
		args := agent.JobStartArgs{ID: strings.ReplaceAll(kind, ".", "-"), Run: "run1", Kind: kind, Input: input(t, in)}
		if r := try(b, "NODE1", agent.OpJobRunHere, args); r.OK || r.Err.Kind != "refused" {
			t.Errorf("%s in the caller's logon: %+v", kind, r)
		}
		// Whatever a script admits, the token decides.
		j, _, err := n.job(args, true)
		if err != nil {
			t.Fatal(err)
		}
		j.started()
		if r := b.result("NODE1", j.id); r.OK || r.Err.Kind != "win32" || r.Err.Code != errAccessDenied {
			t.Errorf("%s: %+v", kind, r.Err)
		}
	}
	j, _, err := n.job(agent.JobStartArgs{ID: "wusa", Run: "run1", Kind: agent.JobInstaller, Input: input(t, agent.InstallerInput{
		Run: "run1", Update: "u", Target: "a.msu", Files: []agent.StageFile{f}, Program: `%SystemRoot%\System32\wusa.exe`, Parameters: `"%CAU_UPDATE%\a.msu" /quiet /norestart`,
	})}, true)
	if err != nil {
		t.Fatal(err)
	}
	j.started()
	if out := data[agent.InstallerOutput](t, b.result("NODE1", "wusa")); out.ExitCode != errAccessDenied || len(b.State().Nodes[0].Installed) != 0 {
		t.Errorf("wusa: %+v", out)
	}
	if h := ask[agent.Hello](b, "NODE1", agent.OpHello, nil); h.Token != "network" || h.Fqdn != "node1.lab.example" {
		t.Errorf("%+v", h)
	}
}

func TestJobsAreListedAndDeletedButNotWhileTheyWork(t *testing.T) {
	b := newBench(t, Config{})
	b.startJob("NODE1", "pre", agent.JobScript, scriptInput("Start-Sleep -Seconds 30"))
	entry := func() agent.JobEntry {
		list := ask[agent.JobList](b, "NODE1", agent.OpJobList, agent.JobListArgs{Run: "run1"}).Jobs
		if len(list) != 1 {
			t.Fatalf("%+v", list)
		}
		return list[0]
	}
	if e := entry(); e.LastResult != resultQueued || e.TaskState != taskQueued || e.ProcessAlive {
		t.Errorf("queued: %+v", e)
	}
	if r := try(b, "NODE1", agent.OpJobDelete, agent.JobArgs{ID: "pre", Run: "run1"}); r.OK {
		t.Error("a queued job is deleted")
	}
	b.clock.advance(10 * time.Second)
	if e := entry(); e.LastResult != resultRunning || !e.ProcessAlive || e.Finished {
		t.Errorf("running: %+v", e)
	}
	if r := try(b, "NODE1", agent.OpJobDelete, agent.JobArgs{ID: "pre", Run: "run1"}); r.OK {
		t.Error("a working job is deleted")
	}
	b.clock.advance(time.Minute)
	if e := entry(); e.LastResult != 0 || !e.Finished || e.TaskState != taskReady {
		t.Errorf("over: %+v", e)
	}
	if list := ask[agent.JobList](b, "NODE1", agent.OpJobList, agent.JobListArgs{Run: "run2"}).Jobs; len(list) != 0 {
		t.Errorf("another run's: %+v", list)
	}
	if d := ask[agent.JobDelete](b, "NODE1", agent.OpJobDelete, agent.JobArgs{ID: "pre", Run: "run1"}); !d.Removed {
		t.Error("not deleted")
	}
	if d := ask[agent.JobDelete](b, "NODE1", agent.OpJobDelete, agent.JobArgs{ID: "pre", Run: "run1"}); d.Removed || b.poll("NODE1", "pre", 0).Exists {
		t.Error("it is still there")
	}
}

func TestR18_CancellingNeverInterruptsAnInstallerAndKillingLeavesNoResult(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.exe", header("seconds=600"))
	in := agent.InstallerInput{Run: "run1", Update: "u", Target: "a.exe", Files: []agent.StageFile{f}, Program: `%CAU_UPDATE%\a.exe`}
	b.startJob("NODE1", "early", agent.JobInstaller, in)
	ask[agent.JobCancel](b, "NODE1", agent.OpJobCancel, agent.JobArgs{ID: "early", Run: "run1"})
	if r := b.result("NODE1", "early"); r.OK || r.Err.Code != errWasCancelled || len(b.State().Nodes[0].Installs) != 0 {
		t.Errorf("cancelled before it began: %+v", r)
	}
	b.startJob("NODE1", "late", agent.JobInstaller, in)
	b.clock.advance(10 * time.Second)
	if c := ask[agent.JobCancel](b, "NODE1", agent.OpJobCancel, agent.JobArgs{ID: "late", Run: "run1"}); !c.Exists {
		t.Error("no such job")
	}
	b.clock.advance(10 * time.Minute)
	if r := b.result("NODE1", "late"); !r.OK {
		t.Errorf("a running installer was interrupted: %+v", r)
	}
	b.startJob("NODE1", "killed", agent.JobInstaller, in)
	b.clock.advance(10 * time.Second)
	k := ask[agent.JobKill](b, "NODE1", agent.OpJobKill, agent.JobArgs{ID: "killed", Run: "run1"})
	p := b.poll("NODE1", "killed", 0)
	if !k.Exists || len(k.Ended) != 2 || p.ProcessAlive || p.Result != "" {
		t.Errorf("%+v %+v", k, p)
	}
	if i := b.State().Incidents; len(i) != 1 || i[0].Kind != "killed" {
		t.Errorf("%+v", i)
	}
	b.clock.advance(time.Hour)
	if r := b.startJob("NODE1", "killed", agent.JobInstaller, in); !r.Existed {
		t.Error("a killed job starts again by itself")
	}
	if k := ask[agent.JobKill](b, "NODE1", agent.OpJobKill, agent.JobArgs{ID: "stage-u-1", Run: "run1"}); !k.Exists || len(k.Ended) != 0 {
		t.Errorf("what is over: %+v", k)
	}
	if k := ask[agent.JobKill](b, "NODE1", agent.OpJobKill, agent.JobArgs{ID: "none", Run: "run1"}); k.Exists {
		t.Errorf("%+v", k)
	}
}

func FuzzReadScript(f *testing.F) {
	f.Add("Write-Output '$env:CAU_RUN'\nexit 1")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := readScript(text, map[string]string{"CAU_RUN": "r"})
		if err != nil && steps != nil {
			t.Errorf("half of a script: %+v", steps)
		}
		for _, s := range steps {
			if s.code != int64(int32(s.code)) || s.sleep < 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
