package e2e_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/lab"
	"cau/internal/winnode/agent"
)

// begin starts a lab and a run in it that goes on by itself.
func begin(t *testing.T, scenario, speed string, limits []string, more ...string) rehearsed {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	r := rehearsed{world: w, info: w.lab("--scenario", scenario, "--speed", speed)}
	w.want(0, applyWithin(limits, r.info, append(more, "--detach")...)...)
	r.state = w.status()
	return r
}

// ends waits for the run's end and reads everything.
func (r *rehearsed) ends(p promise) {
	r.t.Helper()
	r.until("the run's end", func() bool { return r.status().Status.Ended() })
	r.result = r.want(p.code, "attach", r.state.Run, "--json")
	r.facts = facts(r.t, r.result.out)
	r.look(p)
	r.compare(p)
}

func foreignRunAppears(t *testing.T) {
	t.Helper()
	r := begin(t, "foreign-run-appears", speed, patient(), "--node-order", "NODE2")
	r.until("the hold", func() bool { return r.status().Status == engine.RunHeld })
	if s := r.status(); !like("5b0a9f3e-3c6d-4a53-9d0f-2f1f7c2f9d11", s.Waiting) || !like("NODE2", s.Waiting) {
		t.Errorf("it waits for %q", s.Waiting)
	}
	r.want(0, "stop", r.state.Run)
	r.ends(promise{
		code: 4, run: engine.RunCanceled, others: engine.NodeCanceled, facts: []string{"pause.intent NODE2", "undo.done NODE2", "run.held"},
	})
}

// selfUpdatingDue: no node is begun that may not be done before CAU's own run starts, and that run holds this one (R12).
func selfUpdatingDue(t *testing.T) {
	t.Helper()
	r := begin(t, "self-updating-due", speed, patient())
	r.until("the hold", func() bool { return r.status().Status == engine.RunHeld })
	r.want(0, "stop", r.state.Run)
	r.ends(promise{
		code: 4, run: engine.RunCanceled, others: engine.NodeCanceled,
		facts: []string{"gate.waiting NODE3 *CAULAB-FC1 starts an Updating Run of its own at about", "run.held"}, more: noPause,
	})
}

// restartNever is slower than others: a question that the node took with it when it went down is waited for until the
// node is given up, in real time, and that is rare when questions are.
func restartNever(t *testing.T) {
	t.Helper()
	r := begin(t, "restart-never", "60", []string{"--reboot-timeout-minutes", "2", "--drain-timeout-minutes", "1440", "--arg", "HotfixInstallerTimeoutMinutes=1440"}, "--node-order", "NODE2")
	r.until("the watch", func() bool { s := r.status(); n := s.Node("NODE2"); return n != nil && n.Watched })
	doctor := r.want(3, "doctor", "--lab="+r.info.ID, "--no-job")
	if !like("NODE2 is Down", doctor.out) {
		t.Errorf("doctor says %s", doctor.out)
	}
	r.want(0, "stop", r.state.Run)
	r.ends(promise{
		code: 1, run: engine.RunPartiallyFailed, others: engine.NodeCanceled, nodes: map[string]engine.NodeStatus{"NODE2": engine.NodeFailed},
		says:  []string{"NODE2: restart: not proven after 2m0s", "Look at its console"},
		facts: []string{"watch.begun NODE2", "watch.ended NODE2 Stop was asked"},
		left:  map[string]left{"NODE2": {state: engine.NodeDown, boots: 1, installed: files("NODE2")}},
	})
}

// installerHangs: the installer is not killed but by somebody who types the node's name (R18).
func installerHangs(t *testing.T) {
	t.Helper()
	r := begin(t, "installer-hangs", speed, []string{"--reboot-timeout-minutes", "1440", "--drain-timeout-minutes", "1440"}, "--node-order", "NODE2")
	r.until("the watch", func() bool { s := r.status(); n := s.Node("NODE2"); return n != nil && n.Watched })
	job := hanging(t, r)
	clean := r.cau("node", "clean", "NODE2", "--lab="+r.info.ID)
	if clean.code == 0 {
		t.Errorf("the node of a run that goes on is cleaned: %s", clean.out)
	}
	blind := r.want(2, "job", "kill", "--lab="+r.info.ID, "NODE2", r.state.Run, job)
	if !like("terminal", blind.errOut) {
		t.Errorf("without a terminal it says %s", blind.errOut)
	}
	kill := func(typed string) (int, string) {
		return r.terminal(typed, "job", "kill", "--lab="+r.info.ID, "NODE2", r.state.Run, job)
	}
	if code, said := kill("yes"); code != 4 {
		t.Errorf("exit %d: %s", code, said)
	}
	if again := hanging(t, r); again != job {
		t.Errorf("%s is at work, not %s", again, job)
	}
	if code, said := kill("node2"); code != 0 || !like("NODE2", said) {
		t.Fatalf("exit %d: %s", code, said)
	}
	r.ends(promise{
		code: 1, run: engine.RunPartiallyFailed, others: engine.NodeCanceled, nodes: map[string]engine.NodeStatus{"NODE2": engine.NodeHeld},
		says:      []string{"NODE2: Update2.msi failed: install: the job is still running after 30m0s", "NODE2 stays paused"},
		facts:     []string{"watch.begun NODE2 The installer of Update2.msi runs on", "installer.ended-late NODE2"},
		left:      map[string]left{"NODE2": {state: engine.NodePaused, boots: 1, installed: []string{"Update1.msu"}, started: []string{"Update2.msi"}}},
		incidents: []string{"killed"},
	})
	cleaned := r.want(0, "node", "clean", "--lab="+r.info.ID)
	report := r.inspect(r.info)
	for _, n := range report.State.Nodes {
		if !like(n.Name, cleaned.out) || n.Jobs > 0 || len(n.Staged) > 0 || n.Agent {
			t.Errorf("%s: %d jobs, %d files staged, scripts there: %t; it said %s", n.Name, n.Jobs, len(n.Staged), n.Agent, cleaned.out)
		}
	}
}

// installerLostInstalled: somebody sees that the update is installed and says so, and the run finishes the node (R19).
func installerLostInstalled(t *testing.T) {
	t.Helper()
	r := begin(t, "installer-lost-installed", speed, patient(), "--node-order", "NODE2", "--max-failed-nodes", "3")
	r.until("the watch", func() bool { s := r.status(); n := s.Node("NODE2"); return n != nil && n.Watched })
	if again := r.want(3, "retry", r.state.Run, "NODE2"); !like("cau mark "+r.state.Run+" NODE2", again.errOut) {
		t.Errorf("a retry is answered with %s", again.errOut)
	}
	r.want(0, "mark", r.state.Run, "NODE2", "Update2.msi", "installed")
	r.ends(promise{
		run: engine.RunSucceeded, others: engine.NodeSucceeded,
		facts: []string{"node.ended NODE2", "watch.begun NODE2 Nobody knows how Update2.msi ended", "control.asked NODE2", "resume.done NODE2"},
	})
}

// hanging is the one job at work on NODE2.
func hanging(t *testing.T, r rehearsed) string {
	t.Helper()
	var jobs []cli.NodeJob
	out := r.want(0, "job", "list", "NODE2", "--lab="+r.info.ID, "--run", r.state.Run, "--json").out
	if err := json.Unmarshal([]byte(out), &jobs); err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, j := range jobs {
		if !j.Alive {
			continue
		}
		if id != "" || j.Kind != agent.JobInstaller || j.Node != "NODE2" {
			t.Errorf("%+v", jobs)
		}
		id = j.ID
	}
	if id == "" {
		t.Fatalf("nothing is at work: %+v", jobs)
	}
	return id
}

func accountLocked(t *testing.T) {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	info := w.lab("--scenario", "account-locked")
	refused := func() int {
		n := 0
		for _, heard := range w.inspect(info).WinRM {
			n += heard.Refused
		}
		return n
	}
	for _, c := range []struct {
		auth, says string
		logons     int
	}{{"ntlm", "the logon was rejected*locked*will not be tried again", 1}, {"kerberos", "disabled, locked or barred*KDC_ERR_CLIENT_REVOKED*locked out", 1}} {
		r := w.want(1, "apply", "--lab="+info.ID, "--yes", "--auth", c.auth)
		if !like(c.says, r.errOut) {
			t.Errorf("%s: %s", c.auth, r.errOut)
		}
		if got := refused(); got != c.logons {
			t.Errorf("after %s the nodes refused %d logons", c.auth, got)
		}
	}
	if got := w.inspect(info).FailedLogons; got != 0 {
		t.Errorf("%d wrong passwords", got)
	}
}

// ticketsExpire: the lab is served here, because its scenario's 90 seconds are longer than the run.
func ticketsExpire(t *testing.T) {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	const lifetime = 2 * time.Second
	dir := filepath.Join(w.home, "labs", "tickets")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- lab.Serve(ctx, lab.Config{Dir: dir, ID: "tickets", Scenario: "tickets-expire", Speed: 300, Linger: -1, TicketLifetime: lifetime})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r := rehearsed{world: w}
	w.until("the lab", func() bool {
		var err error
		r.info, err = lab.Load(dir)
		return err == nil && r.info.Alive
	})
	began := time.Now()
	r.result = w.want(0, apply(r.info, "--auth", "kerberos")...)
	if time.Since(began) < lifetime {
		t.Error("the run was over before a ticket was")
	}
	r.facts = facts(t, r.result.out)
	p := succeeds()
	r.look(p)
	r.compare(p)
	for name, heard := range r.report.WinRM {
		if heard.Refused > 0 || heard.Logons == 0 {
			t.Errorf("%s: %d logons, %d refused: %s", name, heard.Logons, heard.Refused, strings.TrimSpace(r.result.errOut))
		}
	}
}
