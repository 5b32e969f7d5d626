package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cau/engine"
	"cau/plugins"
)

// telemetry is what the newest run reported beside its facts.
func (r *rehearsed) telemetry() string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.home, "runs", r.state.Run, "telemetry.jsonl"))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// rootPromises are those about the share and the files on it that take one command.
func rootPromises() map[string]promise {
	return map[string]promise{
		"share-gone": {
			args: []string{"--delivery", "pull"}, code: 3, says: []string{"node.share-read (NODE1)*(53)", "node.share-read (NODE4)*(53)", "nothing was changed"},
		},
		"root-encrypted": succeeds().saying("smb.encryption pass", "demands encryption").saying("smb.version pass", "3.1.1"),
		"root-closed":    refused("root.reach fail", "list *access denied (0xC0000022", "Give the account read access to the share"),
		"root-creator-owner": refused("acl.config.writers fail", maker+" may change it (full control, through CREATOR OWNER's entry*\"DefaultHotfixConfig.xml\"", "icacls").
			saying("acl.files.writers fail", maker+" may change it (full control, through CREATOR OWNER's entry*Update1.msu\"").
			saying("acl.owner warn", maker+" owns it*\"DefaultHotfixConfig.xml\"*Update1.msu\"").
			saying("acl.root.writers pass", "").saying("acl.root.users-read pass", ""),
		"file-changed": {
			code: 1, run: engine.RunFailed, others: engine.NodeFailed, more: noPause,
			says: []string{
				`NODE1: stage: CAUHotfix_All\Update1.msu: not the file of the plan`, `NODE2: stage: CAUHotfix_All\Update1.msu: not the file of the plan`,
				`NODE3: stage: CAUHotfix_All\Update1.msu: not the file of the plan`, `NODE4: stage: CAUHotfix_All\Update1.msu: not the file of the plan`,
			},
		},
		"restart-late": {
			args: []string{"--node-order", "NODE2"}, limits: []string{"--reboot-timeout-minutes", "2", "--drain-timeout-minutes", "1440", "--arg", "HotfixInstallerTimeoutMinutes=1440"},
			code: 1, run: engine.RunPartiallyFailed, others: engine.NodeCanceled, nodes: map[string]engine.NodeStatus{"NODE2": engine.NodeFailed},
			says:  []string{"NODE2: restart: not proven after 2m0s*it returned late", "give it more time with RebootTimeoutMinutes"},
			facts: []string{"watch.begun NODE2", "node.returned-late NODE2", "resume.done NODE2"},
			left:  map[string]left{"NODE2": {boots: 2, installed: files("NODE2")}},
		},
	}
}

// maker is the ordinary account that made files of the root in the scenario root-creator-owner.
const maker = "S-1-5-21-1004336348-1177238915-682003330-1105"

// notApplicable is WU_E_NOT_APPLICABLE as a process ends with it.
const notApplicable = -2145124329

// installerPromises are those about how installers end.
func installerPromises() map[string]promise {
	held := func(first string, how left) promise {
		return promise{
			args: []string{"--node-order", "NODE2"}, code: 1, others: engine.NodeCanceled, run: engine.RunPartiallyFailed,
			nodes: map[string]engine.NodeStatus{"NODE2": engine.NodeHeld},
			says:  []string{first, "NODE2 stays paused: look at it, then resume it with Resume-ClusterNode"},
			left:  map[string]left{"NODE2": how},
		}
	}
	late := held("NODE2: Update2.msi failed: install: the job is still running after 30m0s; its installer ended late: installed, exit code 0",
		left{state: engine.NodePaused, boots: 1, installed: []string{"Update1.msu", "Update2.msi"}})
	late.limits = []string{"--reboot-timeout-minutes", "1440", "--drain-timeout-minutes", "1440"}
	late.facts = []string{"node.ended NODE2", "watch.begun NODE2 The installer of Update2.msi runs on", "installer.ended-late NODE2 *exit code 0"}
	lost := held("NODE2: Update2.msi unknown: install: the job ended without a result",
		left{state: engine.NodePaused, boots: 1, installed: []string{"Update1.msu"}, started: []string{"Update2.msi"}})
	lost.facts = []string{"node.ended NODE2", "watch.begun NODE2 Nobody knows how Update2.msi ended", "watch.ended NODE2 NODE2 is not watched any more after 2h"}
	return map[string]promise{
		"installer-late": late,
		"installer-lost": lost,
		"installer-fails": {
			code: 1, run: engine.RunPartiallyFailed, others: engine.NodeSucceeded, nodes: map[string]engine.NodeStatus{"NODE2": engine.NodePartiallyFailed},
			says: []string{"NODE2: Update2.msi failed*exit code 1603 is not a success by rule MSI (0x00000643 ERROR_INSTALL_FAILURE)", "Read the installer's log on the node"},
			left: map[string]left{"NODE2": {boots: 2, installed: files("NODE2", "Update2.msi"), started: []string{"Update2.msi"}}},
		},
		"second-order": {
			run: engine.RunSucceeded, others: engine.NodeSucceeded,
			facts: []string{"follow-ups.found NODE1", "follow-ups.found NODE4"},
			left: map[string]left{
				"NODE1": {boots: 3, installed: []string{"Update2.msi", "Update3.msp", "Node1_Specific_Update.msu", "Update1.msu"}, started: []string{"Update1.msu"}},
				"NODE2": {boots: 2, installed: []string{"Update2.msi", "Update3.msp", "SpecialHotfix1.exe", "Update1.msu"}, started: []string{"Update1.msu"}},
				"NODE3": {boots: 2, installed: []string{"Update2.msi", "Update3.msp", "Update1.msu"}, started: []string{"Update1.msu"}},
				"NODE4": {boots: 2, installed: []string{"Update2.msi", "Update3.msp", "Update1.msu"}, started: []string{"Update1.msu"}},
			},
			more: func(t *testing.T, r rehearsed) {
				t.Helper()
				for _, n := range r.state.Nodes {
					if !slices.ContainsFunc(n.Updates, func(u engine.UpdateRun) bool {
						return u.Name == "Update1.msu" && u.Outcome == plugins.Installed && u.FollowUp && u.Pass == 2
					}) {
						t.Errorf("%s: %+v", n.Name, n.Updates)
					}
				}
			},
		},
		"installer-exit-codes": {
			args: []string{"--max-failed-nodes", "3"}, code: 1, run: engine.RunPartiallyFailed,
			others: engine.NodePartiallyFailed, nodes: map[string]engine.NodeStatus{"NODE1": engine.NodeSucceeded},
			says: []string{
				"NODE3: Update1.msu failed*0x00000669 ERROR_SUCCESS_REBOOT_INITIATED", "NODE4: Update1.msu failed*0x00000BC9 ERROR_FAIL_REBOOT_REQUIRED",
				"NODE2: Update1.msu failed*0x80240016 WU_E_INSTALL_NOT_ALLOWED",
			},
			left: map[string]left{
				"NODE1": {boots: 2, installed: files("NODE1", "Update1.msu"), started: []string{"Update1.msu", "Update1.msu"}},
				"NODE2": {boots: 1, installed: files("NODE2", "Update1.msu"), started: []string{"Update1.msu"}},
				"NODE3": {boots: 2, installed: files("NODE3")},
				"NODE4": {boots: 2, installed: files("NODE4", "Update1.msu"), started: []string{"Update1.msu"}},
			},
			incidents: []string{"self-restart"},
			more: func(t *testing.T, r rehearsed) {
				t.Helper()
				if n := r.state.Node("NODE1"); !slices.ContainsFunc(n.Updates, func(u engine.UpdateRun) bool { return u.Name == "Update1.msu" && u.Outcome == plugins.NotApplicable }) {
					t.Errorf("NODE1: %+v", n.Updates)
				}
			},
		},
	}
}
