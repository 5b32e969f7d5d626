package winnode_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
	"cau/plugins"
)

// The lab as peer: other code on the far side of real TCP connections, sealed NTLM, WinRS shells and SMB.
// It proves the upload, the requests and the translation, and not the scripts, which only Windows runs (R32).

// clockOf is the lab's time.
func clockOf(t *testing.T, info lab.Info) *lab.Hold {
	t.Helper()
	held, err := lab.Attach(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return held
}

// serveLab runs a lab of three nodes in this process.
func serveLab(t *testing.T, scenario string) lab.Info {
	t.Helper()
	return serveLabOf(t, 3, scenario)
}

func serveLabOf(t *testing.T, nodes int, scenario string) lab.Info {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- lab.Serve(ctx, lab.Config{Dir: dir, ID: "winnode-test", Nodes: nodes, Scenario: scenario, Speed: 200, Linger: -1})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for {
		if info, err := lab.Load(dir); err == nil && info.Alive {
			return info
		}
		select {
		case err := <-done:
			done <- err
			t.Fatalf("the lab ended: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func labConfig(t *testing.T, info lab.Info, password string) winnode.Config {
	t.Helper()
	domain, user, _ := strings.Cut(info.User, `\`)
	cfg := winnode.Config{Dialer: &winnode.WinRM{Credential: wsman.NTLM(user, domain, password)}, Clock: clockOf(t, info)}
	for _, n := range info.Nodes {
		cfg.Nodes = append(cfg.Nodes, winnode.NodeAddress{Name: n.Name, Address: n.Address})
	}
	return cfg
}

func labFleet(t *testing.T, scenario string) (lab.Info, *winnode.Fleet) {
	t.Helper()
	info := serveLab(t, scenario)
	f, err := winnode.New(labConfig(t, info, info.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return info, f
}

// until asks in the lab's time until ok says so; the limit is the lab's time too.
func until(t *testing.T, info lab.Info, limit time.Duration, ok func() bool) {
	t.Helper()
	c := clockOf(t, info)
	for end := c.Now().Add(limit); !ok(); {
		if c.Now().After(end) {
			t.Fatal("not within " + limit.String())
		}
		if err := c.Sleep(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLabDiscoverAndFirstContact(t *testing.T) {
	info, f := labFleet(t, "")
	d, err := winnode.Discover(t.Context(), labConfig(t, info, info.Password), info.Nodes[1].Address)
	if err != nil {
		t.Fatal(err)
	}
	if d.Cluster.Name != info.Cluster || d.Node.Computer != info.Nodes[1].Name || len(d.Cluster.Nodes) != 3 || d.Cluster.Nodes[0].State != engine.NodeUp {
		t.Errorf("%+v", d)
	}
	for _, n := range info.Nodes {
		c, err := f.Contact(t.Context(), n.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Negotiated.Sealed || c.Stats.Requests == 0 || c.Node.Computer != n.Name || !c.Node.Admin || c.Node.LanguageMode != "FullLanguage" || c.Node.FreeBytes <= 0 {
			t.Errorf("%+v", c)
		}
		if skew := c.Node.Time.Sub(c.Node.Asked); skew < -5*time.Minute || skew > 5*time.Minute {
			t.Errorf("clock skew %s", skew)
		}
		p, err := f.Node(n.Name).PendingRestart(t.Context())
		if err != nil || p.Pending() {
			t.Errorf("%+v %v", p, err)
		}
	}
	r, err := lab.Inspect(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range r.WinRM {
		if h.Readable != 0 || h.Refused != 0 {
			t.Errorf("%s heard readable bodies or a wrong password: %+v", name, h)
		}
	}
}

// raced: the race detector watches.
var raced bool

func TestLabSixtyFourNodesAreDescribedAtOnceWithinOneConnectionAndOneShellEach(t *testing.T) {
	nodes := 64
	if raced || testing.Short() { // sealing is slow then; the fake fleet has 64 in every case
		nodes = 12
	}
	info := serveLabOf(t, nodes, "")
	f, err := winnode.New(labConfig(t, info, info.Password))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, d := range f.DescribeAll(t.Context()) {
		if d.Err != nil || d.Node.Computer != d.Name {
			t.Fatalf("%s: %+v %v", d.Name, d.Node, d.Err)
		}
	}
	if runs, err := f.ForeignRuns(t.Context(), ""); err != nil || len(runs) != 0 {
		t.Fatal(runs, err)
	}
	f.Close() // what is tidied up behind a command's back is sent now
	r, err := lab.Inspect(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range r.WinRM {
		sent := f.Stats(name)
		if h.MostConnections != 1 || h.MostShells != 1 || h.Shells != 1 || h.Logons != 1 || h.Refused != 0 || int64(h.Requests) != sent.Requests || sent.Dials != 1 || sent.Handshakes != 1 {
			t.Errorf("%s heard %+v; we count %+v", name, h, sent)
		}
	}
	if len(r.WinRM) != nodes {
		t.Errorf("%d nodes", len(r.WinRM))
	}
}

func TestLabRequestCountsAreThoseOfTheWire(t *testing.T) {
	info, f := labFleet(t, "")
	n := f.Node("NODE1")
	for range 3 {
		if _, err := n.Boot(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.Reconnect()
	}
	f.Close()
	r, err := lab.Inspect(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	if h, sent := r.WinRM["NODE1"], f.Stats("NODE1"); int64(h.Requests) != sent.Requests || int64(h.Logons) != sent.Handshakes || sent.Dials != 3 {
		t.Errorf("the node heard %+v; we count %+v", h, sent)
	}
}

func TestLabR02_AWrongPasswordIsTriedOnce(t *testing.T) {
	info := serveLab(t, "")
	f, err := winnode.New(labConfig(t, info, "wrong"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range info.Nodes {
		_, err := f.Node(n.Name).Boot(t.Context())
		var auth *wsman.AuthError
		if !errors.As(err, &auth) || auth.Reason != wsman.Rejected {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
	if _, err := winnode.Discover(t.Context(), labConfig(t, info, info.Password), info.Nodes[0].Address); err != nil {
		t.Errorf("the right password on the same nodes: %v", err)
	}
	if r, err := lab.Inspect(t.Context(), info); err != nil || r.FailedLogons > 1 {
		t.Errorf("%d failed logons, %v", r.FailedLogons, err)
	}
}

// labFile is a file of the lab's sample root as a plan would pin it.
func labFile(t *testing.T, update, path string) plugins.StageFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "lab", "sample", "Root", filepath.FromSlash(strings.ReplaceAll(path, `\`, "/"))))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return plugins.StageFile{
		Update: update, Target: path[strings.LastIndexByte(path, '\\')+1:],
		File: plugins.File{Path: path, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])},
	}
}

func stageJob(t *testing.T, root, id string, files ...plugins.StageFile) plugins.Job {
	t.Helper()
	return plugins.Job{ID: id, Kind: plugins.JobStage, Input: raw(t, plugins.StageJob{Run: "r1", Root: root, Files: files})}
}

func TestLabANodeIsDrainedUpdatedRestartedAndResumed(t *testing.T) {
	info, f := labFleet(t, "")
	ctx := t.Context()
	n := f.Node("NODE1")

	msu := labFile(t, "u1", `CAUHotfix_All\Update1.msu`)
	job := stageJob(t, info.Root, "r1-node1-stage", msu)
	for _, bytes := range []int64{msu.Size, msu.Size} { // the second time it attaches to the same job
		text, err := n.RunJob(ctx, job, nil)
		var staged plugins.StageJobResult
		if err != nil || json.Unmarshal(text, &staged) != nil || staged.Bytes != bytes || !strings.HasPrefix(staged.Connection.Dialect, "3.") || !strings.Contains(staged.Connection.Account, "NODE1$") {
			t.Fatalf("%s %v", text, err)
		}
	}
	again, err := n.RunJob(ctx, stageJob(t, info.Root, "r1-node1-stage-2", msu), nil)
	if err != nil || !strings.Contains(string(again), `"bytes":0`) {
		t.Fatalf("what is there is copied again: %s %v", again, err)
	}

	if loses, err := f.LosesQuorum(ctx, "NODE1"); err != nil || loses {
		t.Fatal(loses, err)
	}
	if runs, err := f.ForeignRuns(ctx, "NODE1"); err != nil || len(runs) != 0 {
		t.Fatal(runs, err)
	}
	if s, err := f.Storage(ctx, "NODE1"); err != nil || len(s.Unhealthy) != 0 || len(s.Jobs) != 0 {
		t.Fatal(s, err)
	}
	if err := f.Pause(ctx, "NODE1", engine.DrainRoles); err != nil {
		t.Fatal(err)
	}
	until(t, info, 10*time.Minute, func() bool {
		v, err := f.Describe(ctx, "NODE1")
		if err != nil {
			t.Fatal(err)
		}
		m := v.Member("NODE1")
		return v.AnsweredByNode != "NODE1" && m.State == engine.NodePaused && m.DrainStatus == engine.DrainCompleted &&
			!slices.ContainsFunc(v.Groups, func(g engine.GroupView) bool { return g.Owner == "NODE1" && g.State == 0 })
	})

	var events []plugins.JobEvent
	install := plugins.Job{ID: "r1-node1-u1", Kind: plugins.JobInstaller, Limit: 30 * time.Minute, Input: raw(t, plugins.InstallerJob{
		Run: "r1", Update: "u1", Target: msu.Target, Files: []plugins.StageFile{msu},
		Command: plugins.Command{Program: `%SystemRoot%\System32\wusa.exe`, Parameters: `"%CAU_UPDATE%\Update1.msu" /quiet /norestart`},
	})}
	text, err := n.RunJob(ctx, install, func(e plugins.JobEvent) { events = append(events, e) })
	if err != nil || !strings.Contains(string(text), `"exit_code":3010`) || len(events) == 0 {
		t.Fatalf("%s %v %+v", text, err, events)
	}
	if p, err := n.PendingRestart(ctx); err != nil || !p.Pending() {
		t.Errorf("%+v %v", p, err)
	}

	before, err := n.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Restart(ctx, before.Identity, "Updating run r1"); err != nil {
		t.Fatal(err)
	}
	// Asked again it restarts once all the same; this answer may be lost, because the node is going down.
	_ = n.Restart(ctx, before.Identity, "Updating run r1")
	until(t, info, 15*time.Minute, func() bool {
		b, err := n.Boot(ctx)
		if err != nil {
			n.Reconnect()
			return false
		}
		return b.Identity != before.Identity && b.LogonReady && b.ClusterService && !b.ServicingBusy
	})
	after, err := n.Boot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Restart(ctx, before.Identity, "late repetition"); err != nil {
		t.Fatal(err)
	}
	if p, err := n.PendingRestart(ctx); err != nil || p.Pending() {
		t.Errorf("%+v %v", p, err)
	}
	until(t, info, 10*time.Minute, func() bool {
		v, err := f.Describe(ctx, "NODE1")
		return err == nil && v.Member("NODE1").State == engine.NodePaused
	})
	if now, err := n.Boot(ctx); err != nil || now.Identity != after.Identity {
		t.Errorf("it restarted a second time: %+v %v", now, err)
	}

	for range 2 { // resuming twice is no error
		if err := f.Resume(ctx, "NODE1", engine.FailbackImmediate); err != nil {
			t.Fatal(err)
		}
	}
	until(t, info, 10*time.Minute, func() bool {
		v, err := f.Describe(ctx, "NODE1")
		return err == nil && v.Member("NODE1").State == engine.NodeUp
	})
	for _, run := range []string{"r1", ""} {
		if err := n.Clean(ctx, run); err != nil {
			t.Error(err)
		}
	}
	if _, err := n.Boot(ctx); err != nil {
		t.Errorf("after everything was removed: %v", err)
	}
}

func TestLabStagingFailsWithTheNodesOwnReason(t *testing.T) {
	info, f := labFleet(t, "")
	good := labFile(t, "u1", `CAUHotfix_All\Update1.msu`)
	changed, absent := good, good
	changed.SHA256 = strings.Repeat("0", 64)
	absent.Path = `CAUHotfix_All\Nothing.msu`
	encrypted := stageJob(t, info.Root, "e", good)
	encrypted.Input = raw(t, plugins.StageJob{Run: "r1", Root: info.Root, RequireEncryption: true, Files: []plugins.StageFile{good}})
	for name, c := range map[string]struct {
		job  plugins.Job
		code fault.Code
		want string
	}{
		"changed file":   {stageJob(t, info.Root, "a", changed), 0, "Update1.msu"},
		"absent file":    {stageJob(t, info.Root, "b", absent), 2, "Nothing.msu"},
		"unknown server": {stageJob(t, `\\NOWHERE\share`, "c", good), 53, "NOWHERE"},
	} {
		_, err := f.Node("NODE1").RunJob(t.Context(), c.job, nil)
		var e *fault.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Node != "NODE1" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Node("NODE1").RunJob(t.Context(), encrypted, nil); err != nil && !strings.Contains(err.Error(), "encrypt") {
		t.Errorf("with encryption required: %v", err)
	}
}

func TestLabR16_StorageMaintenanceShows(t *testing.T) {
	_, f := labFleet(t, "s2d")
	ctx := t.Context()
	for _, on := range []bool{true, false} {
		if err := f.StorageMaintenance(ctx, "NODE3", on); err != nil {
			t.Fatal(err)
		}
		s, err := f.Storage(ctx, "NODE3")
		if err != nil || (len(s.InMaintenance) > 0) != on {
			t.Errorf("on=%v: %+v %v", on, s, err)
		}
	}
}

func TestLabR12_AForeignRunIsSeen(t *testing.T) {
	_, f := labFleet(t, "foreign-run")
	if runs, err := f.ForeignRuns(t.Context(), "NODE1"); err != nil || len(runs) == 0 {
		t.Error(runs, err)
	}
}

func TestLabR32_AForeignCommandIsRefused(t *testing.T) {
	info, _ := labFleet(t, "")
	shell, err := labConfig(t, info, info.Password).Dialer.Shell(info.Nodes[0].Address, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shell.Close(context.Background()) }()
	up := agent.Upload()
	if _, _, exit, err := shell.Run(t.Context(), up.Command, append(slices.Clone(up.Stdin), '\n')); err != nil || exit != agent.ExitBadBundle {
		t.Errorf("a changed bundle: exit %d, %v", exit, err)
	}
	run, err := agent.RunCommand(agent.Request{Op: agent.OpHello})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, exit, err := shell.Run(t.Context(), run.Command, nil); err != nil || exit != agent.ExitNoBundle {
		t.Errorf("before the upload: exit %d, %v", exit, err)
	}
}
