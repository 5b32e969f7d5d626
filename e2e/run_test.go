package e2e_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/lab"
	"cau/plugins"
)

func TestApplyTakesFourNodesThroughARunOnTheLabsOwnRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := w.lab()
	r := w.want(0, "apply", "--lab", "--yes", "--json", "--plugin", hotfixPlugin, "--reboot-timeout-minutes", "1440")
	list := facts(t, r.out)
	if list[0].Kind != engine.FactRunStarted || list[len(list)-1].Kind != engine.FactRunEnded {
		t.Errorf("from %s to %s", list[0].Kind, list[len(list)-1].Kind)
	}
	checkSucceeded(t, w.status())
	checkNodes(t, w.inspect(info))
}

// checkSucceeded expects every node drained, everything installed by the right rule, restarts, and all resumed.
func checkSucceeded(t *testing.T, s engine.State) {
	t.Helper()
	if s.Status != engine.RunSucceeded || len(s.Nodes) != 4 {
		t.Fatalf("%s with %d nodes: %+v", s.Status, len(s.Nodes), s.Cause)
	}
	for _, n := range s.Nodes {
		if n.Status != engine.NodeSucceeded || n.Restarts == 0 || !n.Resumed {
			t.Errorf("%s: %s, %d restarts, resumed %t", n.Name, n.Status, n.Restarts, n.Resumed)
		}
		exe := 0
		for _, u := range n.Updates {
			if u.Outcome != plugins.Installed || u.ExitCode == nil {
				t.Errorf("%s %s: %s", n.Name, u.Name, u.Outcome)
			}
			if strings.HasSuffix(u.Name, ".exe") {
				exe++
				if u.Rule != "FolderRule1" || n.Name != "NODE2" {
					t.Errorf("%s installed %s by %s", n.Name, u.Name, u.Rule)
				}
			}
		}
		if (exe > 0) != (n.Name == "NODE2") {
			t.Errorf("%s has %d folder-rule installers", n.Name, exe)
		}
	}
}

// checkNodes expects the lab itself to have seen no rule broken: nothing overlapped, nothing installed twice,
// every node up again.
func checkNodes(t *testing.T, r lab.Report) {
	t.Helper()
	if len(r.State.Incidents) > 0 {
		t.Errorf("incidents: %+v", r.State.Incidents)
	}
	for _, n := range r.State.Nodes {
		seen := map[string]int{}
		for _, i := range n.Installs {
			if i.Installed {
				seen[i.File]++
			}
			if i.Overlap {
				t.Errorf("%s: %s overlapped another installer", n.Name, i.File)
			}
		}
		for file, times := range seen {
			if times != 1 {
				t.Errorf("%s: %s was installed %d times", n.Name, file, times)
			}
		}
	}
}

func TestR29_KillingTheViewerLeavesTheRunToEndByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := w.lab()
	viewer := w.command(context.Background(), apply(info)...)
	if err := viewer.Start(); err != nil {
		t.Fatal(err)
	}
	w.until("the first drain", func() bool {
		s := w.cau("status", "--json")
		return strings.Contains(s.out, `"phase":"draining"`) || strings.Contains(s.out, `"phase":"installing"`)
	})
	if err := viewer.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = viewer.Wait()
	w.until("the run's end", func() bool { return w.status().Status.Ended() })
	checkSucceeded(t, w.status())
	r := w.want(0, "attach", "--plain")
	if !strings.Contains(r.out, "Succeeded") {
		t.Errorf("attach to the finished run: %s", r.out)
	}
}

func TestR29_AnInterruptDetachesAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := w.lab()
	viewer := w.command(context.Background(), apply(info)...)
	var errOut strings.Builder
	viewer.Stderr = &errOut
	if err := viewer.Start(); err != nil {
		t.Fatal(err)
	}
	w.until("the run", func() bool { return strings.Contains(w.cau("runs", "--json").out, `"alive":true`) })
	w.until("a fact", func() bool { return w.status().Facts > 3 })
	if err := viewer.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = viewer.Wait()
	if viewer.ProcessState.ExitCode() != 5 || !strings.Contains(errOut.String(), "the run goes on") {
		t.Errorf("exit %d, %s", viewer.ProcessState.ExitCode(), errOut.String())
	}
	s := w.status()
	if s.Status.Ended() {
		t.Fatalf("the run is %s", s.Status)
	}
	w.want(0, "stop", s.Run)
	w.until("the stop", func() bool { return w.status().Status.Ended() })
}

func TestR26_ARunWhoseCoordinatorWasKilledGoesOnWithResume(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", "50") // an installation must last until somebody has looked
	w.want(0, apply(info, "--detach")...)
	run := w.status().Run
	w.until("an installation", func() bool {
		s := w.status()
		return slices.ContainsFunc(s.Nodes, func(n engine.NodeRun) bool { return n.Phase == engine.PhaseInstalling })
	})
	killCoordinator(t, w, run)
	r := w.want(5, "attach", "--plain", run)
	if !strings.Contains(r.errOut, "cau resume "+run) {
		t.Errorf("attach says %s", r.errOut)
	}
	if r := w.want(0, "--accessible", "--lab="+info.ID); !strings.Contains(r.out, "cau resume "+run) {
		t.Errorf("the main window says %s", r.out)
	}
	w.want(0, "resume", run)
	w.until("the run's end", func() bool { return w.status().Status.Ended() })
	checkSucceeded(t, w.status())
	checkNodes(t, w.inspect(info))
}

// killCoordinator ends the run's own process and waits until it is gone.
func killCoordinator(t *testing.T, w *world, run string) {
	t.Helper()
	if !kill(t, w, run) {
		t.Fatal("the coordinator was not found")
	}
}

func TestPauseResumeAndStopWorkFromTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := w.lab()
	w.want(0, apply(info, "--detach")...)
	run := w.status().Run
	w.want(0, "pause", run)
	w.want(0, "pause", run)
	w.until("the pause", func() bool { return w.status().Status == engine.RunPaused })
	done := 0
	for _, n := range w.status().Nodes {
		if n.Status == engine.NodeUpdating {
			t.Errorf("%s is in the middle of it", n.Name)
		}
		if n.Status == engine.NodeSucceeded {
			done++
		}
	}
	if done == 4 {
		t.Error("the pause came to late to mean anything")
	}
	if r := w.want(0, "credential", run, "--auth", "kerberos"); !strings.Contains(r.errOut, "signs in with it from now on") {
		t.Errorf("%s", r.errOut)
	}
	w.want(0, "resume", run)
	w.until("the next node", func() bool {
		s := w.status()
		return slices.ContainsFunc(s.Nodes, func(n engine.NodeRun) bool { return n.Status == engine.NodeUpdating })
	})
	w.want(0, "stop", run)
	w.until("the stop", func() bool { return w.status().Status.Ended() })
	s := w.status()
	for _, n := range s.Nodes {
		if n.Status == engine.NodeUpdating || n.PausedByUs {
			t.Errorf("%s was left %s, paused by us: %t", n.Name, n.Status, n.PausedByUs)
		}
	}
	if r := w.cau("stop", run); r.code != 1 || !strings.Contains(r.errOut, "has ended") {
		t.Errorf("stopping it again: exit %d, %s", r.code, r.errOut)
	}
	checkNodes(t, w.inspect(info))
}

func TestR27_ASecondRunOnTheSameClusterIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := w.lab()
	w.want(0, apply(info, "--detach")...)
	run := w.status().Run
	w.want(0, "pause", run) // NODE1, which the others ask first, is not restarted meanwhile
	for _, line := range [][]string{apply(info), {"preview", "--lab=" + info.ID, "--json"}} {
		r := w.want(3, line...)
		if !strings.Contains(r.errOut, run) || !strings.Contains(r.errOut, "cau attach") {
			t.Errorf("%s: the refusal says %s", line[0], r.errOut)
		}
	}
	if n := strings.Count(w.want(0, "runs", "--json").out, `"run":`); n != 1 {
		t.Errorf("%d runs are listed", n)
	}
	w.want(0, "stop", run)
	w.until("the stop", func() bool { return w.status().Status.Ended() })
}

func TestAFailedInstallerEndsTheRunWithTheCauseAndTheNodeResumed(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--scenario", "installer-fails")
	r := w.want(1, apply(info)...)
	s := w.status()
	if s.Cause == nil || !strings.Contains(s.Cause.String()+r.errOut, "NODE2") {
		t.Errorf("the run's own cause does not name the node: %+v", s.Cause)
	}
	n := s.Node("NODE2")
	if n == nil || n.Cause == nil || !strings.Contains(n.Cause.Message, "1603") || n.Cause.Hint == "" || !n.Resumed {
		t.Errorf("NODE2: %+v", n)
	}
}

func TestALabThatWasStartedForACommandEndsAfterIt(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	r := w.want(0, "preview", "--lab", "--lab-linger", "0s")
	if !strings.Contains(r.out, "LAB-FC1 (simulated)") {
		t.Errorf("%s", r.out)
	}
	w.until("the lab's end", func() bool { return strings.TrimSpace(w.want(0, "lab", "list", "--json").out) == "[]" })
}

func TestARunWhoseLabDiesEndsItsCoordinatorWithTheReason(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", "60") // it must not end before its lab
	w.want(0, apply(info, "--detach")...)
	run := w.status().Run
	w.until("work", func() bool { return w.status().Facts > 3 })
	w.want(0, "lab", "down", info.ID)
	w.until("the coordinator's end", func() bool { return strings.Contains(w.cau("runs", "--json").out, `"alive":false`) })
	if s := w.status(); !strings.Contains(s.Waiting, "the lab is gone") {
		t.Errorf("status says %q", s.Waiting)
	}
	if r := w.want(1, "resume", run); !strings.Contains(r.errOut, "cau apply --lab") {
		t.Errorf("resume says %s", r.errOut)
	}
}
