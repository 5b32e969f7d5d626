package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"cau/engine"
	"cau/plugins"
)

const windowsUpdate = "Microsoft.WindowsUpdatePlugin"

// updating is a run of Windows Update's plug-in in a scenario, with the time limits of a slow machine.
func updating(t *testing.T, scenario string, code int, more ...string) rehearsed {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	r := rehearsed{world: w, info: w.lab("--scenario", scenario, "--speed", speed)}
	r.result = w.want(code, args([]string{
		"apply", "--lab=" + r.info.ID, "--yes", "--json", "--plugin", windowsUpdate, "--max-retries-per-node", "0", "--reboot-timeout-minutes", "1440", "--drain-timeout-minutes", "1440",
	}, more)...)
	if code != 3 {
		r.facts = facts(t, r.result.out)
		r.state = w.status()
	}
	r.report = r.inspect(r.info)
	for _, i := range r.report.State.Incidents {
		t.Errorf("incident: %+v", i)
	}
	return r
}

// got are a node's updates by the KB at the end of their titles, with how they ended.
func got(n engine.NodeRun) (list []string) {
	for _, u := range n.Updates {
		_, kb, _ := strings.Cut(u.Name, "(KB")
		list = append(list, strings.TrimSuffix(kb, ")")+" "+string(u.Outcome))
	}
	return list
}

func TestR08_ARunOfWindowsUpdateInstallsWhatIsOfferedAndThenWhatThatMadeApplicable(t *testing.T) {
	r := updating(t, "default", 0)
	want := []string{"5900001 installed", "5900004 installed", "5900005 installed", "5900002 installed", "5900006 installed"}
	for _, n := range r.state.Nodes {
		if n.Status != engine.NodeSucceeded || !slices.Equal(got(n), want) || n.Restarts != 1 {
			t.Errorf("%s is %s with %v and %d restarts: %+v", n.Name, n.Status, got(n), n.Restarts, n.Cause)
		}
	}
	for _, n := range r.report.State.Nodes {
		if len(n.Installs) != len(want) || n.Boots != 2 {
			t.Errorf("%s: %d installations, %d boots", n.Name, len(n.Installs), n.Boots)
		}
		for _, i := range n.Installs {
			if !i.Agent || !i.Installed || i.Overlap {
				t.Errorf("%s: %+v", n.Name, i)
			}
		}
	}
	inOrder(t, r.facts)
	// A second run finds nothing to do.
	again := r.want(0, "preview", "--lab="+r.info.ID, "--plugin", windowsUpdate, "--json").out
	if strings.Contains(again, "UpdateID") || !strings.Contains(again, `"id":"wu.source","outcome":"pass"`) {
		t.Errorf("%s", again)
	}
}

// updatesFail: what cannot be downloaded has failed with its reason, and the node gets the rest.
func updatesFail(t *testing.T) {
	t.Helper()
	r := updating(t, "updates-fail", 1, "--max-retries-per-node", "1", "--max-failed-nodes", "3")
	if r.state.Status != engine.RunPartiallyFailed {
		t.Errorf("%s: %s", r.state.Status, r.result.errOut)
	}
	for _, n := range r.state.Nodes {
		want := []string{"5910001 installed", "5910002 failed", "5910003 installed"}
		if n.Status != engine.NodePartiallyFailed || !slices.Equal(got(n), want) || n.Attempt != 2 || n.Cause == nil || !like("5910002*0x80240034 WU_E_DOWNLOAD_FAILED", n.Cause.Message) {
			t.Errorf("%s is %s with %v in attempt %d: %+v", n.Name, n.Status, got(n), n.Attempt, n.Cause)
		}
		// Nobody is drained again for what did not come; NODE2 is, for what failed once.
		drains := 0
		for _, f := range r.facts {
			if f.Kind == engine.FactPauseIntent && f.Node == n.Name {
				drains++
			}
			if f.Kind == engine.FactStageDone && len(f.Data.Unstaged) != 1 {
				t.Errorf("%s: %+v", f.Node, f.Data)
			}
		}
		if once := n.Name != "NODE2"; (drains == 1) != once || n.Restarts != 1 {
			t.Errorf("%s: %d drains, %d restarts", n.Name, drains, n.Restarts)
		}
		if first := n.Earlier[0].Cause; n.Name == "NODE2" && (first == nil || !like("0x80070643", first.Message)) {
			t.Errorf("the first attempt: %+v", first)
		}
	}
	// Now that alone is left, and nobody is drained for it.
	r.result = r.want(1, "apply", "--lab="+r.info.ID, "--yes", "--json", "--plugin", windowsUpdate, "--max-retries-per-node", "0")
	r.facts, r.state = facts(t, r.result.out), r.status()
	if r.state.Status != engine.RunFailed || !like("download An update that cannot be downloaded*0x80240034 WU_E_DOWNLOAD_FAILED", r.result.errOut) {
		t.Errorf("%s: %s", r.state.Status, r.result.errOut)
	}
	noPause(t, r)
}

func updatesLoop(t *testing.T) {
	t.Helper()
	r := updating(t, "updates-loop", 1, "--node-order", "NODE3")
	n := r.state.Node("NODE3")
	if n.Status != engine.NodeFailed && n.Status != engine.NodePartiallyFailed || n.Restarts != 1 || n.Cause == nil || !like("An update that is rolled back", n.Cause.Message) {
		t.Errorf("%s after %d restarts: %+v", n.Status, n.Restarts, n.Cause)
	}
	if len(n.Updates) != 1 || n.Updates[0].Outcome != plugins.Installed {
		t.Errorf("%+v", n.Updates)
	}
}

// updatesOtherSource: nothing runs before the difference is accepted by its id (R07).
func updatesOtherSource(t *testing.T) {
	t.Helper()
	r := updating(t, "updates-other-source", 3)
	if !like("--accept wu.source", r.result.errOut) {
		t.Errorf("%s", r.result.errOut)
	}
	r.want(0, "apply", "--lab="+r.info.ID, "--yes", "--json", "--plugin", windowsUpdate, "--accept", "wu.source", "--reboot-timeout-minutes", "1440", "--drain-timeout-minutes", "1440")
}

func TestBothBuiltInPluginsInstallInOneRunInTheirOrder(t *testing.T) {
	r := updating(t, "default", 0, "--separate-reboots", "--node-order", "NODE3", "--plugin", hotfixPlugin, "--arg", "HotfixInstallerTimeoutMinutes=1440",
		"--arg", windowsUpdate+":QueryString=IsInstalled=0 and Type='Software' and IsHidden=0 and UpdateID='a1f3c0de-0004-4c41-9b00-000000000004'")
	for _, n := range r.state.Nodes {
		if n.Status != engine.NodeSucceeded || n.Restarts != 1 || len(n.Updates) < 4 || n.Updates[0].Plugin != windowsUpdate || n.Updates[1].Plugin != hotfixPlugin {
			t.Errorf("%s is %s after %d restarts: %+v", n.Name, n.Status, n.Restarts, n.Updates)
		}
	}
	inOrder(t, r.facts)
}
