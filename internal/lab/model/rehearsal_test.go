package model

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

// rehearsal is a cluster in a scenario with a share whose file Update2.msi and others are.
type rehearsal struct {
	*bench
	shelf *shelf
}

// install stages a file on a node and runs its installer for a while.
func (r *rehearsal) install(on, file string, d time.Duration) {
	r.t.Helper()
	f := r.stageFile(r.shelf, on, "u", file, "MZ")
	program, parameters := `%SystemRoot%\System32\msiexec.exe`, `/i "%CAU_UPDATE%\`+file+`" /qn /norestart`
	if strings.HasSuffix(file, ".msu") {
		program, parameters = `%SystemRoot%\System32\wusa.exe`, `"%CAU_UPDATE%\`+file+`" /quiet /norestart`
	}
	r.startJob(on, "install", agent.JobInstaller, agent.InstallerInput{
		Run: "run1", Update: "u", Target: file, Files: []agent.StageFile{f}, Program: program, Parameters: parameters,
	})
	r.clock.advance(d)
	_ = r.Now()
}

// code is the exit code of what install ran.
func (r *rehearsal) code(on string) int64 {
	r.t.Helper()
	return data[agent.InstallerOutput](r.t, r.result(on, "install")).ExitCode
}

// stages tries to stage a file and gives the failure's number, or 0.
func (r *rehearsal) stages(on string, files ...string) int64 {
	r.t.Helper()
	in := agent.StageInput{Run: "run1", Root: root}
	for _, f := range files {
		in.Files = append(in.Files, planned("u", f, f, r.shelf.files[f]))
	}
	r.startJob(on, "stage", agent.JobStage, in)
	if res := r.result(on, "stage"); !res.OK {
		return max(res.Err.Code, 1)
	}
	return 0
}

func (r *rehearsal) pause(node string) {
	r.t.Helper()
	ask[done](r.bench, "NODE1", agent.OpNodePause, agent.PauseArgs{Node: node, DrainType: 1})
}

func drainFails(node string) func(*testing.T, *rehearsal) {
	return func(t *testing.T, r *rehearsal) {
		t.Helper()
		r.pause(node)
		r.clock.advance(10 * time.Minute)
		if m := r.memberView(node); m.DrainStatus != drainFailed || len(r.owned(node)) == 0 {
			t.Errorf("%+v", m)
		}
		ask[done](r.bench, "NODE1", agent.OpNodeResume, agent.ResumeArgs{Node: node})
		if m := r.memberView(node); m.State != nodeUp || len(r.State().Incidents) != 0 {
			t.Errorf("undone: %+v", m)
		}
	}
}

func resultLost(installs bool) func(*testing.T, *rehearsal) {
	return func(t *testing.T, r *rehearsal) {
		t.Helper()
		r.install("NODE2", "Update2.msi", 5*time.Minute)
		if p := r.poll("NODE2", "install", 0); p.ProcessAlive || p.Result != "" || p.TaskState != taskReady {
			t.Errorf("%+v", p)
		}
		if got := slices.Contains(r.State().Nodes[1].Installed, "update2.msi"); got != installs {
			t.Errorf("installed: %t", got)
		}
	}
}

func staysDown(node string) func(*testing.T, *rehearsal) {
	return func(t *testing.T, r *rehearsal) {
		t.Helper()
		r.drain(node)
		r.restart(node)
		r.clock.advance(24 * time.Hour)
		if m := ask[agent.Cluster](r.bench, "NODE1", agent.OpClusterGet, nil); !slices.ContainsFunc(m.Nodes, func(m agent.Member) bool { return m.Name == node && m.State == nodeDown }) {
			t.Errorf("it came back: %+v", m.Nodes)
		}
	}
}

func plants(node string) func(*testing.T, *rehearsal) {
	return func(t *testing.T, r *rehearsal) {
		t.Helper()
		start := agent.JobStartArgs{ID: "stage", Run: "run1", Kind: agent.JobStage, Input: input(t, agent.StageInput{Run: "run1", Root: root})}
		if res := try(r.bench, node, agent.OpJobStart, start); res.OK || res.Err.Kind != "refused" {
			t.Errorf("%+v", res)
		}
		if res := try(r.bench, "NODE1", agent.OpJobStart, start); !res.OK {
			t.Errorf("another node: %+v", res)
		}
	}
}
