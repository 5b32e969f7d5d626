package lab_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cau/internal/lab"
	"cau/internal/sambatest"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a lab and waits until it is up; ended gives what Serve returned.
func serve(t *testing.T, c lab.Config) (info lab.Info, ended <-chan error) {
	t.Helper()
	if c.Dir == "" {
		c.Dir = filepath.Join(t.TempDir(), "labs", "l1")
	}
	if c.ID == "" {
		c.ID = "l1"
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	var working sync.WaitGroup
	working.Go(func() { done <- lab.Serve(ctx, c) })
	t.Cleanup(func() { cancel(); working.Wait() })
	for {
		info, err := lab.Load(c.Dir)
		if err == nil && info.Alive {
			return info, done
		}
		select {
		case err := <-done:
			t.Fatalf("the lab ended: %v", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// node is one node over the wire, by our own transport.
type node struct {
	*wsman.Node
	t *testing.T
}

func connect(t *testing.T, info lab.Info, name string) node {
	t.Helper()
	i := slices.IndexFunc(info.Nodes, func(n lab.Node) bool { return n.Name == name })
	if i < 0 {
		t.Fatalf("no %s in %+v", name, info.Nodes)
	}
	domain, user, _ := strings.Cut(info.User, `\`)
	n := wsman.NewNode(wsman.Config{Addr: info.Nodes[i].Address, Auth: wsman.NTLM(user, domain, info.Password)})
	t.Cleanup(func() { _ = n.Close(context.WithoutCancel(t.Context())) })
	return node{n, t}
}

func (n node) upload() {
	n.t.Helper()
	up := agent.Upload()
	res, err := n.Run(n.t.Context(), up.Command, up.Stdin)
	if err != nil || res.Exit != 0 {
		n.t.Fatalf("upload: %v %+v", err, res)
	}
}

func (n node) try(op string, args any) (agent.Response, error) {
	n.t.Helper()
	if args == nil {
		args = struct{}{}
	}
	text, err := json.Marshal(args)
	if err != nil {
		n.t.Fatal(err)
	}
	in, err := agent.RunCommand(agent.Request{Op: op, Args: text})
	if err != nil {
		n.t.Fatal(err)
	}
	res, err := n.Run(n.t.Context(), in.Command, in.Stdin)
	if err != nil {
		return agent.Response{}, err
	}
	return agent.ParseFrame(res.Stdout)
}

func ask[D any](n node, op string, args any) D {
	n.t.Helper()
	r, err := n.try(op, args)
	if err != nil || !r.OK {
		n.t.Fatalf("%s: %v %+v", op, err, r.Err)
	}
	var d D
	if err := json.Unmarshal(r.Data, &d); err != nil {
		n.t.Fatal(err)
	}
	return d
}

// await asks until ok says so, which must last. The model's time is fast, so this takes no real time to
// speak of.
func await[D any](n node, op string, args any, ok func(D) bool) D {
	n.t.Helper()
	for range 30_000 {
		if d := ask[D](n, op, args); ok(d) {
			return d
		}
		time.Sleep(2 * time.Millisecond)
	}
	n.t.Fatalf("%s does not become what it should", op)
	panic("unreachable")
}

func (n node) job(kind, id string, in any) agent.JobResult {
	n.t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		n.t.Fatal(err)
	}
	ask[agent.JobStart](n, agent.OpJobStart, agent.JobStartArgs{ID: id, Run: "run1", Kind: kind, Input: string(text)})
	p := await(n, agent.OpJobPoll, agent.JobPollArgs{ID: id, Run: "run1"}, func(p agent.JobPoll) bool { return p.Result != "" })
	var r agent.JobResult
	if err := json.Unmarshal([]byte(p.Result), &r); err != nil {
		n.t.Fatal(err)
	}
	return r
}

// sample reads a file of the lab's share as the administrator, as the checks do.
func sample(t *testing.T, info lab.Info, path string) []byte {
	t.Helper()
	m, err := administrator(t, info, 0)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func planned(update, path string, content []byte) agent.StageFile {
	sum := sha256.Sum256(content)
	return agent.StageFile{
		Update: update, Path: path, Target: path[strings.LastIndex(path, `\`)+1:], Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
	}
}

func TestOneNodeGoesThroughTheMainJobOverTheWire(t *testing.T) {
	info, _ := serve(t, lab.Config{Speed: 1000, Linger: -1})
	if len(info.Nodes) != 4 || !info.Simulated || info.Cluster != "LAB-FC1" || info.Root != `\\FS1\Hotfixes\Root` {
		t.Errorf("%+v", info)
	}
	one, two := connect(t, info, "NODE1"), connect(t, info, "NODE2")
	if _, err := one.try(agent.OpHello, nil); err == nil {
		t.Error("an operation before the upload")
	}
	one.upload()
	two.upload()
	if h := ask[agent.Hello](one, agent.OpHello, nil); h.Computer != "NODE1" || !h.Admin {
		t.Errorf("%+v", h)
	}
	content := sample(t, info, `Root\CAUHotfix_All\Update1.msu`)
	f := planned("u1", `CAUHotfix_All\Update1.msu`, content)
	r := one.job(agent.JobStage, "stage", agent.StageInput{Run: "run1", Root: info.Root, Files: []agent.StageFile{f}})
	var staged agent.StageOutput
	if err := json.Unmarshal(r.Data, &staged); err != nil || !r.OK {
		t.Fatalf("stage: %+v %v", r.Err, err)
	}
	if c := staged.Connection; c.Dialect != "3.1.1" || !c.Signed || c.Account != `LAB\NODE1$` {
		t.Errorf("stage: %+v", staged)
	}
	ask[struct{}](two, agent.OpNodePause, agent.PauseArgs{Node: "NODE1", DrainType: 1})
	await(two, agent.OpClusterGet, nil, func(c agent.Cluster) bool { return c.Nodes[0].DrainStatus == 2 })
	r = one.job(agent.JobInstaller, "install", agent.InstallerInput{
		Run: "run1", Update: "u1", Target: f.Target, Files: []agent.StageFile{f},
		Program: `%SystemRoot%\System32\wusa.exe`, Parameters: `"%CAU_UPDATE%\Update1.msu" /quiet /norestart`,
	})
	var installed agent.InstallerOutput
	if err := json.Unmarshal(r.Data, &installed); err != nil || installed.ExitCode != 3010 {
		t.Fatalf("install: %+v %v", r, err)
	}
	before := ask[agent.BootInfo](one, agent.OpBootInfo, nil)
	ask[agent.Restart](one, agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 5, ExpectBoot: before.BootFileTime})
	for restarted := false; !restarted; {
		report, err := lab.Inspect(t.Context(), info)
		if err != nil {
			t.Fatal(err)
		}
		restarted = report.State.Nodes[0].Boots == 2
	}
	await(two, agent.OpClusterGet, nil, func(c agent.Cluster) bool { return c.Nodes[0].State == 2 })
	// The connection of before the restart is dead, and so is the shell: a new one.
	again := connect(t, info, "NODE1")
	after := await(again, agent.OpBootInfo, nil, func(b agent.BootInfo) bool { return b.AutoLogonChecked && b.CBSServicing == 0 })
	if after.BootFileTime == before.BootFileTime {
		t.Error("the boot identity is the same")
	}
	ask[struct{}](two, agent.OpNodeResume, agent.ResumeArgs{Node: "NODE1", FailbackType: 1})
	await(two, agent.OpClusterGet, nil, func(c agent.Cluster) bool {
		return c.Nodes[0].State == 0 && slices.ContainsFunc(c.Groups, func(g agent.Group) bool { return g.Owner == "NODE1" })
	})
	report, err := lab.Inspect(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	first := report.State.Nodes[0]
	if len(report.State.Incidents) != 0 || first.Boots != 2 || len(first.Installs) != 1 || first.Installs[0].Code != 3010 || !slices.Contains(first.Installed, "update1") {
		t.Errorf("%+v", report.State)
	}
	if h := report.WinRM["NODE1"]; h.Readable != 0 || h.Refused != 0 || h.Logons < 2 {
		t.Errorf("%+v", h)
	}
}

func TestAJobSurvivesACutConnection(t *testing.T) {
	info, _ := serve(t, lab.Config{Speed: 100, Linger: -1})
	n := connect(t, info, "NODE2")
	n.upload()
	content := sample(t, info, `Root\NODE2\FolderRule1\SpecialHotfix1.exe`)
	f := planned("u1", `NODE2\FolderRule1\SpecialHotfix1.exe`, content)
	if r := n.job(agent.JobStage, "stage", agent.StageInput{Run: "run1", Root: info.Root, Files: []agent.StageFile{f}}); !r.OK {
		t.Fatalf("%+v", r.Err)
	}
	in, err := json.Marshal(agent.InstallerInput{
		Run: "run1", Update: "u1", Target: f.Target, Files: []agent.StageFile{f}, Program: `%CAU_UPDATE%\SpecialHotfix1.exe`, Parameters: "/quiet",
	})
	if err != nil {
		t.Fatal(err)
	}
	ask[agent.JobStart](n, agent.OpJobStart, agent.JobStartArgs{ID: "install", Run: "run1", Kind: agent.JobInstaller, Input: string(in)})
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := connect(t, info, "NODE2")
	p := await(again, agent.OpJobPoll, agent.JobPollArgs{ID: "install", Run: "run1"}, func(p agent.JobPoll) bool { return p.Result != "" })
	if !strings.Contains(p.Result, `"exit_code":0`) {
		t.Errorf("%+v", p)
	}
	if s := ask[agent.JobStart](again, agent.OpJobStart, agent.JobStartArgs{ID: "install", Run: "run1", Kind: agent.JobInstaller, Input: string(in)}); !s.Existed {
		t.Error("it was started a second time")
	}
}

func TestANodeThatRestartsCannotBeReached(t *testing.T) {
	info, _ := serve(t, lab.Config{Nodes: 2, Scenario: "restart-never", Speed: 1000, Linger: -1})
	n := connect(t, info, "NODE2")
	n.upload()
	boot := ask[agent.BootInfo](n, agent.OpBootInfo, nil)
	ask[agent.Restart](n, agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 2, ExpectBoot: boot.BootFileTime})
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", info.Nodes[1].Address)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	if _, err := n.try(agent.OpHello, nil); err == nil {
		t.Error("the old connection still answers")
	}
	report, err := lab.Inspect(t.Context(), info)
	if err != nil || report.State.Nodes[1].Up {
		t.Errorf("%v %+v", err, report.State.Nodes)
	}
}

func TestAMappedShareIsReadAsTheMappedAccount(t *testing.T) {
	s := sambatest.Start(t)
	path := filepath.Join(s.Dir("plain"), "a.exe")
	if err := os.WriteFile(path, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte(sambatest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	share, err := lab.ParseShare(`\\files\Updates=` + s.Addr + "," + sambatest.Member + "," + secret)
	if err != nil {
		t.Fatal(err)
	}
	share.UNC = `\\files\plain`
	info, _ := serve(t, lab.Config{Speed: 1000, Linger: -1, Shares: []lab.Share{share}})
	if len(info.Shares) != 2 || info.Shares[1] != (lab.Served{UNC: `\\files\plain`, Address: s.Addr}) {
		t.Errorf("%+v", info.Shares)
	}
	n := connect(t, info, "NODE3")
	n.upload()
	in := agent.StageInput{Run: "run1", Root: `\\FILES\Plain`, Files: []agent.StageFile{planned("u1", "a.exe", []byte("content"))}}
	r := n.job(agent.JobStage, "stage", in)
	if !r.OK || !strings.Contains(string(r.Data), `"account":"`+sambatest.Member+`"`) {
		t.Errorf("%+v %s", r.Err, r.Data)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	in.Files[0].Update = "u2"
	if r := n.job(agent.JobStage, "stage2", in); r.OK || r.Err.Code != 5 || !strings.Contains(r.Err.Message, "Access is denied") {
		t.Errorf("without read access: %+v", r)
	}
	in.Root = `\\elsewhere\plain`
	if r := n.job(agent.JobStage, "stage3", in); r.OK || r.Err.Code != 53 {
		t.Errorf("an unknown server: %+v", r)
	}
}

func TestALabEndsWithItsLastUser(t *testing.T) {
	info, ended := serve(t, lab.Config{Nodes: 1, Linger: 0})
	first, err := lab.Attach(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	second, err := lab.Attach(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	for {
		if r, err := lab.Inspect(t.Context(), info); err != nil || r.Attached == 1 {
			break
		}
	}
	if i, err := lab.Load(info.Dir); err != nil || !i.Alive {
		t.Errorf("it ended with its first user: %v", err)
	}
	_ = second.Close()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	after, err := lab.Load(info.Dir)
	if err != nil || after.Alive || after.Ended.IsZero() {
		t.Errorf("%+v %v", after, err)
	}
	if _, err := os.Stat(info.Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if _, err := lab.Attach(t.Context(), info); !errors.Is(err, lab.ErrGone) {
		t.Errorf("attach afterwards: %v", err)
	}
	if err := lab.Down(t.Context(), info); err != nil {
		t.Errorf("down of a lab that is gone: %v", err)
	}
}

func TestDownEndsALabAndListKnowsIt(t *testing.T) {
	home := t.TempDir()
	info, ended := serve(t, lab.Config{Dir: filepath.Join(home, "labs", "a"), ID: "a", Nodes: 2, Linger: -1})
	if err := lab.Serve(t.Context(), lab.Config{Dir: info.Dir, ID: "b"}); err == nil {
		t.Error("two labs in one folder")
	}
	stat, err := os.Stat(filepath.Join(info.Dir, "lab.json"))
	if err != nil || runtime.GOOS != "windows" && stat.Mode().Perm() != 0o600 {
		t.Errorf("lab.json: %v %v", stat.Mode(), err)
	}
	if all, err := lab.List(home); err != nil || len(all) != 1 || !all[0].Alive || all[0].Password == "" {
		t.Errorf("%+v %v", all, err)
	}
	if err := lab.Down(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if all, err := lab.List(home); err != nil || len(all) != 1 || all[0].Alive {
		t.Errorf("%+v %v", all, err)
	}
	if all, err := lab.List(t.TempDir()); err != nil || len(all) != 0 {
		t.Errorf("an empty home: %+v %v", all, err)
	}
}

func TestALabThatWasKilledIsDead(t *testing.T) {
	dir := t.TempDir()
	for name, pid := range map[string]int{"a number nobody has": 1 << 30, "somebody else's": os.Getpid()} {
		text, err := json.Marshal(lab.Info{ID: "x", Dir: dir, PID: pid, Socket: filepath.Join(dir, "socket")})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "lab.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := lab.Load(dir)
		if err != nil || info.Alive {
			t.Errorf("%s: %+v %v", name, info, err)
		}
		if _, err := lab.Inspect(t.Context(), info); !errors.Is(err, lab.ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALongFolderGetsItsSocketElsewhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	info, ended := serve(t, lab.Config{Dir: dir, Nodes: 1, Linger: -1})
	if len(info.Socket) > 100 || strings.HasPrefix(info.Socket, dir) {
		t.Errorf("socket: %s", info.Socket)
	}
	if err := lab.Down(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(info.Socket)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is left: %v", err)
	}
}
