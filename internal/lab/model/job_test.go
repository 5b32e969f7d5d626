package model

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

const root = `\\FS1\Hotfixes\Root`

func TestAStageJobCopiesWhatWasPlanned(t *testing.T) {
	s := &shelf{
		files:      map[string]string{`CAUHotfix_All\a.msu`: "content", `NODE1\b.msi`: "more"},
		connection: agent.Connection{Dialect: "3.1.1", Signed: true},
	}
	b := newBench(t, Config{Shares: s})
	in := agent.StageInput{Run: "run1", Root: root, Files: []agent.StageFile{
		planned("u1", `CAUHotfix_All\a.msu`, "a.msu", "content"), planned("u2", `NODE1\b.msi`, "b.msi", "more"),
	}}
	if r := b.startJob("NODE1", "stage", agent.JobStage, in); r.Existed || r.TaskState != taskQueued {
		t.Errorf("start: %+v", r)
	}
	if r := b.startJob("NODE1", "stage", agent.JobStage, in); !r.Existed {
		t.Errorf("the same job again: %+v", r)
	}
	if code := refused(b, "NODE1", agent.OpJobStart, agent.JobStartArgs{ID: "stage", Run: "run1", Kind: agent.JobStage, Input: "{}"}); code != 0 {
		t.Errorf("another job under the same id: %d", code)
	}
	r := b.result("NODE1", "stage")
	var out agent.StageOutput
	if err := json.Unmarshal(r.Data, &out); err != nil || !r.OK {
		t.Fatalf("%+v %v", r, err)
	}
	want := agent.StageOutput{Connection: agent.Connection{Dialect: "3.1.1", Signed: true, Account: `LAB\NODE1$`}, Bytes: 11}
	if out != want {
		t.Errorf("got %+v, want %+v", out, want)
	}
	state := b.State().Nodes[0]
	if len(state.Staged) != 2 || state.Staged[0] != `C:\Program Files\cau\runs\run1\u1\a.msu` {
		t.Errorf("on the disk: %q", state.Staged)
	}
	if len(s.asked) != 1 || s.asked[0] != "NODE1 "+root {
		t.Errorf("the share was opened by %q", s.asked)
	}
	if free := ask[agent.Hello](b, "NODE1", agent.OpHello, nil).FreeBytes; free != freeBytes-11 {
		t.Errorf("free: %d", free)
	}
	ask[agent.Clean](b, "NODE1", agent.OpNodeClean, agent.CleanArgs{Run: "run1"})
	if p := b.poll("NODE1", "stage", 0); p.Exists || len(b.State().Nodes[0].Staged) != 0 {
		t.Errorf("clean leaves %+v", p)
	}
}

func TestAStageJobFailsWithTheNodesReason(t *testing.T) {
	good := planned("u1", "a.msu", "a.msu", "content")
	for _, tc := range []struct {
		name  string
		shelf *shelf
		in    agent.StageInput
		kind  string
		code  int64
		text  string
	}{
		{"access denied", &shelf{err: &Win32Error{Code: 5, Text: "Access is denied."}}, agent.StageInput{Files: []agent.StageFile{good}}, "win32", 5, "Access is denied"},
		{"missing file", &shelf{}, agent.StageInput{Files: []agent.StageFile{good}}, "win32", 2, "a.msu"},
		{"other content", &shelf{files: map[string]string{"a.msu": "CONTENT"}}, agent.StageInput{Files: []agent.StageFile{good}}, "refused", 0, "not the file of the plan"},
		{"grown", &shelf{files: map[string]string{"a.msu": "content and more"}}, agent.StageInput{Files: []agent.StageFile{good}}, "refused", 0, "not the file of the plan"},
		{"no room", &shelf{files: map[string]string{"a.msu": "content"}}, agent.StageInput{ReserveBytes: freeBytes, Files: []agent.StageFile{good}}, "win32", 112, "free"},
		{"way up", &shelf{}, agent.StageInput{Files: []agent.StageFile{planned("u1", "a.msu", `..\a.msu`, "content")}}, "refused", 0, "plain path"},
		{"device", &shelf{}, agent.StageInput{Files: []agent.StageFile{planned("u1", "a.msu", `con.msu`, "content")}}, "refused", 0, "plain path"},
		{"stream", &shelf{}, agent.StageInput{Files: []agent.StageFile{planned("u1", "a.msu:x", `a.msu`, "content")}}, "refused", 0, "plain path"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, Config{Shares: tc.shelf})
			tc.in.Run, tc.in.Root = "run1", root
			b.startJob("NODE1", "stage", agent.JobStage, tc.in)
			r := b.result("NODE1", "stage")
			if r.OK || r.Err.Kind != tc.kind || r.Err.Code != tc.code || !strings.Contains(r.Err.Message, tc.text) {
				t.Errorf("%+v", r.Err)
			}
			if staged := b.State().Nodes[0].Staged; len(staged) != 0 {
				t.Errorf("staged nevertheless: %q", staged)
			}
		})
	}
}

func TestR13_RequiredEncryptionIsDecidedBeforeTheFirstByte(t *testing.T) {
	s := &shelf{files: map[string]string{"a.msu": "content"}, connection: agent.Connection{Dialect: "3.1.1", Signed: true}}
	b := newBench(t, Config{Shares: s})
	in := agent.StageInput{Run: "run1", Root: root, RequireEncryption: true, Files: []agent.StageFile{planned("u1", "a.msu", "a.msu", "content")}}
	b.startJob("NODE1", "stage", agent.JobStage, in)
	if r := b.result("NODE1", "stage"); r.OK || r.Err.Kind != "refused" {
		t.Errorf("%+v", r)
	}
	if s.opened != 0 {
		t.Error("a file was opened over a readable connection")
	}
	s.connection.Encrypted = true
	b.startJob("NODE1", "stage2", agent.JobStage, in)
	if r := b.result("NODE1", "stage2"); !r.OK {
		t.Errorf("over an encrypted one: %+v", r.Err)
	}
}

func TestAJobThatARestartEndsHasNoResultAndIsNotStartedAgain(t *testing.T) {
	s := &shelf{hold: make(chan struct{})}
	b := newBench(t, Config{Shares: s})
	in := agent.StageInput{Run: "run1", Root: root}
	b.startJob("NODE1", "stage", agent.JobStage, in)
	b.clock.advance(5 * time.Second)
	if p := b.poll("NODE1", "stage", 0); !p.ProcessAlive || p.TaskState != taskRunning || p.HeartbeatUTC == "" {
		t.Errorf("at work: %+v", p)
	}
	if r := try(b, "NODE1", agent.OpNodeClean, agent.CleanArgs{}); r.OK {
		t.Error("a working job is cleaned away")
	}
	b.restart("NODE1")
	b.clock.advance(5 * time.Minute)
	_ = b.Now()
	b.working.Wait()
	p := b.poll("NODE1", "stage", 0)
	if !p.Exists || p.ProcessAlive || p.Result != "" || p.TaskState != taskReady || len(p.Events) == 0 {
		t.Errorf("lost: %+v", p)
	}
	if r := b.startJob("NODE1", "stage", agent.JobStage, in); !r.Existed {
		t.Error("a lost job starts again by itself")
	}
}

func TestEventsAreReadFromAnOffsetInWholeLines(t *testing.T) {
	files := map[string]string{}
	var list []agent.StageFile
	for i := range 2000 {
		name := fmt.Sprintf("file%04d.msu", i)
		files[name] = name
		list = append(list, planned("u1", name, name, name))
	}
	b := newBench(t, Config{Shares: &shelf{files: files}})
	b.startJob("NODE1", "stage", agent.JobStage, agent.StageInput{Run: "run1", Root: root, Files: list})
	b.result("NODE1", "stage")
	var offset int64
	seq, polls := 0, 0
	for {
		p := b.poll("NODE1", "stage", offset)
		if len(p.Events) == 0 {
			break
		}
		polls++
		for _, line := range p.Events {
			var e agent.JobEvent
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Seq != seq+1 {
				t.Fatalf("after %d: %q %v", seq, line, err)
			}
			seq = e.Seq
			offset += int64(len(line)) + 1
		}
		if p.NextOffset != offset {
			t.Fatalf("next offset %d, read up to %d", p.NextOffset, offset)
		}
	}
	if polls < 2 || seq != 2003 {
		t.Errorf("%d events in %d polls", seq, polls)
	}
	if r := try(b, "NODE1", agent.OpJobPoll, agent.JobPollArgs{ID: "stage", Run: "run1", Offset: offset + 1}); r.OK {
		t.Error("an offset behind the end is taken")
	}
}

func TestNamesThatCouldLeaveTheirFolderAreRefused(t *testing.T) {
	b := newBench(t, Config{})
	for _, name := range []string{"", "..", `a\b`, "A", "con", "x.y", strings.Repeat("a", 101)} {
		if r := try(b, "NODE1", agent.OpJobPoll, agent.JobPollArgs{ID: name, Run: "run1"}); r.OK {
			t.Errorf("job id %q is taken", name)
		}
		if name != "" {
			if r := try(b, "NODE1", agent.OpNodeClean, agent.CleanArgs{Run: name}); r.OK {
				t.Errorf("clean of run %q", name)
			}
		}
	}
}

// install runs one installer job to its end.
func (b *bench) install(id string, f agent.StageFile, program, parameters string) (agent.JobResult, int64) {
	b.t.Helper()
	return b.installOn("NODE1", id, f, program, parameters)
}

func (b *bench) installOn(on, id string, f agent.StageFile, program, parameters string) (agent.JobResult, int64) {
	b.t.Helper()
	path := `%CAU_UPDATE%\` + f.Target[strings.LastIndex(f.Target, `\`)+1:]
	program = strings.ReplaceAll(program, "$update$", path)
	parameters = strings.ReplaceAll(parameters, "$update$", `"`+path+`"`)
	b.startJob(on, id, agent.JobInstaller, agent.InstallerInput{
		Run: "run1", Update: f.Update, Target: f.Target, Files: []agent.StageFile{f}, Program: program, Parameters: parameters,
	})
	b.clock.advance(time.Minute)
	r := b.result(on, id)
	var out agent.InstallerOutput
	if r.OK {
		if err := json.Unmarshal(r.Data, &out); err != nil {
			b.t.Fatal(err)
		}
	}
	return r, out.ExitCode
}

func header(lines ...string) string { return updateMark + "\n" + strings.Join(lines, "\n") + "\n" }

func TestInstallersEndAsTheirCommandLinesAndFilesSay(t *testing.T) {
	const wusa, msiexec = `%SystemRoot%\System32\wusa.exe`, `%windir%\system32\msiexec.exe`
	for _, tc := range []struct {
		name, file, content, program, parameters string
		code                                     int64
	}{
		{"msu", "a.msu", "MSCF", wusa, "$update$ /quiet /norestart", 3010},
		{"msu with its own code", "a.msu", header("id=KB1", "exit=2359301"), wusa, "$update$ /quiet /norestart", 2359301},
		{"msu not applicable", "a.msu", header("requires=KB0"), wusa, "$update$ /quiet /norestart", -2145124329},
		{"msu not quoted", "a.msu", "MSCF", wusa, `C:\Program Files\cau\runs\run1\u\a.msu /quiet /norestart`, 2},
		{"msu unknown switch", "a.msu", "MSCF", wusa, "$update$ /quiet /silent", 87},
		{"msi given to wusa", "a.msi", "MSI", wusa, "$update$ /quiet /norestart", 87},
		{"msi", "a.msi", "MSI", msiexec, "/i $update$ /qn /norestart REBOOT=ReallySuppress", 0},
		{"msi with a log", "a.msi", "MSI", msiexec, `/i $update$ /qn /norestart /L*V "C:\x y.log"`, 0},
		{"msi that fails", "a.msi", header("exit=1603"), msiexec, "/i $update$ /qn /norestart", 1603},
		{"msi as a patch", "a.msi", "MSI", msiexec, "/p $update$ /qn", 1636},
		{"msi missing", "a.msi", "MSI", msiexec, `/i C:\nowhere.msi /qn`, 1619},
		{"msi without a verb", "a.msi", "MSI", msiexec, "$update$ /qn", 1639},
		{"msp", "a.msp", "MSP", msiexec, "/update $update$ /qn /norestart", 0},
		{"msp without its product", "a.msp", header("requires=product"), msiexec, "/p $update$ /qn /norestart", 1642},
		{"exe", "a.exe", "MZ", "$update$", "/quiet", 0},
		{"exe with a hex code", "a.exe", header("exit=0x80070005"), "$update$", "", 0x80070005},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &shelf{}
			b := newBench(t, Config{Shares: s})
			f := b.stageFile(s, "NODE1", "u", tc.file, tc.content)
			r, code := b.install("install", f, tc.program, tc.parameters)
			if !r.OK || code != tc.code {
				t.Errorf("exit code %d, want %d (%+v)", code, tc.code, r.Err)
			}
			log := b.State().Nodes[0].Installs
			if len(log) != 1 || log[0].Code != tc.code || !log[0].End.After(log[0].Start) {
				t.Errorf("log: %+v", log)
			}
		})
	}
}

func TestAProgramThatDoesNotExistIsTheJobsFailure(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.exe", "MZ")
	if r, _ := b.install("install", f, `C:\tools\setup.exe`, "$update$"); r.OK || r.Err.Kind != "win32" || r.Err.Code != 2 {
		t.Errorf("%+v", r)
	}
	for _, program := range []string{"setup.exe", `..\setup.exe`, `\\server\share\setup.exe`, `"C:\tools\setup.exe"`, `%NOTHING%\setup.exe`} {
		if r, _ := b.install("bare", f, program, ""); r.OK || r.Err.Kind != "refused" {
			t.Errorf("%s: %+v", program, r.Err)
		}
		ask[agent.JobDelete](b, "NODE1", agent.OpJobDelete, agent.JobArgs{ID: "bare", Run: "run1"})
	}
	changed := f
	changed.SHA256 = strings.Repeat("0", 64)
	if r, _ := b.install("changed", changed, "$update$", ""); r.OK || r.Err.Kind != "refused" {
		t.Errorf("a file that is not the planned one runs: %+v", r)
	}
	if n := len(b.State().Nodes[0].Installs); n != 0 {
		t.Errorf("%d installers were started", n)
	}
}

func TestWhatIsInstalledIsNotInstalledAgain(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	msu := b.stageFile(s, "NODE1", "u1", "a.msu", header("id=KB1", "exit=3010"))
	b.install("first", msu, `%SystemRoot%\System32\wusa.exe`, "$update$ /quiet /norestart")
	if p := ask[agent.Pending](b, "NODE1", agent.OpPendingGet, nil); !p.CBSRebootPending || !p.WURebootRequired {
		t.Errorf("after 3010: %+v", p)
	}
	if _, code := b.install("second", msu, `%SystemRoot%\System32\wusa.exe`, "$update$ /quiet /norestart"); code != wusaAlreadyInstalled {
		t.Errorf("wusa: %d", code)
	}
	msi := b.stageFile(s, "NODE1", "u2", "b.msi", header("id=P1"))
	b.install("third", msi, `%SystemRoot%\System32\msiexec.exe`, "/i $update$ /qn /norestart")
	if _, code := b.install("fourth", msi, `%SystemRoot%\System32\msiexec.exe`, "/i $update$ /qn /norestart"); code != msiVersionInstalled {
		t.Errorf("msiexec: %d", code)
	}
	needs := b.stageFile(s, "NODE1", "u3", "c.msu", header("id=KB2", "requires=KB1, P1"))
	if _, code := b.install("fifth", needs, `%SystemRoot%\System32\wusa.exe`, "$update$ /quiet /norestart"); code != 3010 {
		t.Errorf("with its prerequisites: %d", code)
	}
	installed := 0
	for _, i := range b.State().Nodes[0].Installs {
		if i.Installed {
			installed++
		}
	}
	if got := b.State().Nodes[0].Installed; installed != 3 || strings.Join(got, " ") != "kb1 kb2 p1" {
		t.Errorf("%d successful entries, installed: %v", installed, got)
	}
}

func TestSeveralPackagesInOneFolderAreABadPathname(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.msu", "MSCF")
	beside := b.stageFile(s, "NODE1", "u", "b.msu", "MSCF")
	const wusa = `%SystemRoot%\System32\wusa.exe`
	b.startJob("NODE1", "both", agent.JobInstaller, agent.InstallerInput{
		Run: "run1", Update: "u", Target: "a.msu", Files: []agent.StageFile{f, beside}, Program: wusa, Parameters: `"%CAU_UPDATE%\a.msu" /quiet /norestart`,
	})
	b.clock.advance(time.Minute)
	if out := data[agent.InstallerOutput](t, b.result("NODE1", "both")); out.ExitCode != badPathname {
		t.Errorf("%+v", out)
	}
	if r, _ := b.install("beside", f, wusa, "$update$ /quiet /norestart"); r.OK || r.Err.Kind != "refused" || !strings.Contains(r.Err.Message, "b.msu") {
		t.Errorf("a file that is in no plan lies beside the update: %+v", r)
	}
}

func TestTwoInstallersAtOnceAreRecorded(t *testing.T) {
	for _, tc := range []struct {
		file, program, parameters string
		code                      int64
	}{
		{"b.msi", `%SystemRoot%\System32\msiexec.exe`, "/i $update$ /qn /norestart", msiBusy},
		{"b.msu", `%SystemRoot%\System32\wusa.exe`, "$update$ /quiet /norestart", wusaBusy},
		{"b.exe", "$update$", "", msiBusy},
	} {
		s := &shelf{}
		b := newBench(t, Config{Shares: s})
		a := b.stageFile(s, "NODE1", "u1", "a.exe", header("seconds=600"))
		f := b.stageFile(s, "NODE1", "u2", tc.file, "x")
		b.startJob("NODE1", "long", agent.JobInstaller, agent.InstallerInput{Run: "run1", Update: "u1", Target: "a.exe", Files: []agent.StageFile{a}, Program: `%CAU_UPDATE%\a.exe`})
		b.clock.advance(10 * time.Second)
		if _, code := b.install("short", f, tc.program, tc.parameters); code != tc.code {
			t.Errorf("%s: %d", tc.file, code)
		}
		state := b.State()
		if len(state.Incidents) != 1 || state.Incidents[0].Kind != "overlap" || !state.Nodes[0].Installs[1].Overlap {
			t.Errorf("%s: %+v", tc.file, state.Incidents)
		}
	}
}

func TestWithoutNorestartTheInstallerRestartsTheNode(t *testing.T) {
	for _, tc := range []struct{ file, content, program, parameters string }{
		{"a.msu", "MSCF", `%SystemRoot%\System32\wusa.exe`, "$update$ /quiet"},
		{"a.msi", header("exit=3010"), `%SystemRoot%\System32\msiexec.exe`, "/i $update$ /qn"},
	} {
		s := &shelf{}
		b := newBench(t, Config{Shares: s})
		f := b.stageFile(s, "NODE1", "u", tc.file, tc.content)
		b.install("install", f, tc.program, tc.parameters)
		b.clock.advance(5 * time.Minute)
		state := b.State()
		if state.Nodes[0].Boots != 2 || len(state.Incidents) == 0 || state.Incidents[0].Kind != "self-restart" {
			t.Errorf("%s: boots %d, %+v", tc.file, state.Nodes[0].Boots, state.Incidents)
		}
	}
}

func TestWithoutQuietAnInstallerWaitsForNobody(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.msu", "MSCF")
	b.startJob("NODE1", "install", agent.JobInstaller, agent.InstallerInput{
		Run: "run1", Update: "u", Target: "a.msu", Files: []agent.StageFile{f}, Program: `%SystemRoot%\System32\wusa.exe`, Parameters: "$update$ /norestart",
	})
	b.clock.advance(24 * time.Hour)
	if p := b.poll("NODE1", "install", 0); !p.ProcessAlive || p.Result != "" {
		t.Errorf("after a day: %+v", p)
	}
}

func TestTheScenarioDecidesAnExitCode(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s, Scenario: Scenario{Exits: []Exit{{Node: "NODE1", File: "a.msi", Code: 1603}}}})
	f := b.stageFile(s, "NODE1", "u", "A.msi", "MSI")
	if _, code := b.install("install", f, `%SystemRoot%\System32\msiexec.exe`, "/i $update$ /qn /norestart"); code != 1603 || len(b.State().Nodes[0].Installed) != 0 {
		t.Errorf("%d", code)
	}
}

func FuzzReadUpdate(f *testing.F) {
	f.Add([]byte(header("id=x", "exit=-1", "seconds=1e9", "requires=,,a")))
	f.Fuzz(func(t *testing.T, head []byte) {
		u := readUpdate(file{path: `C:\a.msu`, head: head})
		if u.id == "" || u.takes < 0 || u.takes > maxInstallTime || u.exit < -1<<31 || u.exit > 1<<32-1 {
			t.Errorf("%+v", u)
		}
	})
}
