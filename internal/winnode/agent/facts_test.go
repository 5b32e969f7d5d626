package agent_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

func TestR12_OurLockNeverTakesTheirsAway(t *testing.T) {
	t.Parallel()
	inOrder(t, "cau.lock.take", scriptText(t, "ops/cau.lock.take.ps1"),
		"Assert-CauGuid", "-not (Test-CauGuid", "if ($foreign.Count -gt 0) {", "throw", "if ($locks.Count -eq 0) {", "New-CimInstance")
	for op, act := range map[string]string{"renew": "Set-CimInstance -InputObject $own[0]", "drop": "Remove-CimInstance -InputObject $lock"} {
		inOrder(t, op, scriptText(t, "ops/cau.lock."+op+".ps1"), "Assert-CauGuid", "{ Test-CauGuid -Text ([string]$_.OrchestratorGuid) -Id $id }", act)
	}
	if n := strings.Count(string(agent.Bundle()), "Remove-CimInstance"); n != 1 {
		t.Errorf("%d places remove instances", n)
	}
}

func TestR12_LookingAtWhatCAUFindsTakesNoLockAndNeverAsksBesideItsRun(t *testing.T) {
	t.Parallel()
	text := scriptText(t, "jobs/cau.scan.ps1")
	inOrder(t, "cau.scan", text, "Test-CauClass", "Get-CimInstance", "if ($locks.Count -gt 0) {\n    throw", "New-CimInstance", "-ClientOnly\n", "'ScanUpdates'")
	if strings.Count(text, "CimInstance") != 2 || strings.Count(text, "Invoke-CimMethod") != 1 {
		t.Error("it does more than ask")
	}
}

func TestR12_NoAnswerIsNotNobody(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"updaters.get", "backup.get", "bitlocker.get", "cau.runs", "node.roles", "node.residents"} {
		for i, line := range strings.Split(scriptText(t, "ops/"+op+".ps1"), "\n") {
			if strings.Contains(line, "CimInstance") && strings.Contains(line, "SilentlyContinue") {
				t.Errorf("%s:%d hides that WMI did not answer: %s", op, i+1, line)
			}
			if strings.Contains(line, "catch") {
				t.Errorf("%s:%d takes an error for an answer: %s", op, i+1, line)
			}
		}
	}
	updaters := scriptText(t, "ops/updaters.get.ps1")
	for _, want := range []string{"'CcmExec'", "'ClusterAwareUpdatingResource'", `\Installer\InProgress`, "'ServicingInProgress'", "'NoAutoUpdate'"} {
		if !strings.Contains(updaters, want) {
			t.Errorf("not looked for: %s", want)
		}
	}
}

func TestR14_AStateThatIsMissingCountsAsABackupUnderWay(t *testing.T) {
	t.Parallel()
	inOrder(t, "backup.get", scriptText(t, "ops/backup.get.ps1"),
		"-Name 'BackupState' -Default -1", "-Name 'FaultState' -Default -1", "$_['backup_state'] -ne 0 -or $_['fault_state'] -ne 0", "'wbengine'")
}

func TestR07_WhatCannotBeReadIsNeverTheGoodAnswer(t *testing.T) {
	t.Parallel()
	lock := scriptText(t, "ops/bitlocker.get.ps1")
	inOrder(t, "bitlocker.get", lock, "protection = 2;", "$count = -1", "-Name 'ProtectionStatus' -Default 2")
	quotas := scriptText(t, "ops/quotas.get.ps1")
	_, after, _ := strings.Cut(quotas, "$answer[$name] = [long]0")
	inOrder(t, "quotas.get", after, "AllowUnencrypted').Value -eq 'true'", "Basic').Value -eq 'true'")
	if strings.Contains(after, "try {") {
		t.Error("a service whose settings cannot be read counts as one that refuses clear text")
	}
}

func TestR18_AMoveOrAStartThatTakesLongIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	// No operation waits longer than 30 s.
	inOrder(t, "group.move", scriptText(t, "ops/group.move.ps1"), "TimeOut = [uint32]20", "@(997, 258, 1460) -notcontains", "throw")
	inOrder(t, "service.start", scriptText(t, "ops/service.start.ps1"), "$service.WaitForStatus('Running', [TimeSpan]::FromSeconds(20))")
	if strings.Contains(string(agent.Bundle()), "Start-Service") {
		t.Error("Start-Service waits without end for a service that hangs")
	}
}

// pattern is the one regular expression of a script that begins so, as Go reads it.
func pattern(t *testing.T, file, begin string) *regexp.Regexp {
	t.Helper()
	_, after, ok := strings.Cut(scriptText(t, file), begin+" '")
	if !ok {
		t.Fatalf("%s: no %s", file, begin)
	}
	text, _, _ := strings.Cut(after, "'")
	return regexp.MustCompile(text)
}

func TestR33_NamesFromOutsideAreNoPatternsAndNoPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, begin string
		good, bad   []string
	}{
		{
			"prelude/share.ps1", "if ($Name -cnotmatch",
			[]string{"FPS-SMB-In-TCP", "FileServer-ServerManager-SMB-TCP-In", "{6F4A2B1C-0000-0000-0000-000000000000}"},
			[]string{"", "*", "FPS-SMB-In-TC?", "[F]PS", "a\nb", "a;b", "a'b", strings.Repeat("x", 201)},
		},
		{
			"ops/eventlog.tail.ps1", "if ($log -cnotmatch",
			[]string{"System", "Microsoft-Windows-TaskScheduler/Operational", "Windows PowerShell"},
			[]string{"", "*", "Sys*", `C:\log.evtx`, `\\server\share`, "a\nb", "[S]ystem", "-Name"},
		},
		{
			"prelude/facts.ps1", "if ($Text -cnotmatch",
			[]string{"0f8fad5b-d9cb-469f-a165-70867728950e"},
			[]string{"", "{0f8fad5b-d9cb-469f-a165-70867728950e}", "0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5b", "0f8fad5b-d9cb-469f-a165-70867728950e'"},
		},
	} {
		p := pattern(t, c.file, c.begin)
		for _, s := range c.good {
			if !p.MatchString(s) {
				t.Errorf("%s refuses %q", c.file, s)
			}
		}
		for _, s := range c.bad {
			if p.MatchString(s) {
				t.Errorf("%s lets %q in", c.file, s)
			}
		}
	}
	if !strings.Contains(scriptText(t, "ops/service.start.ps1"), "if (@('ClusSvc', 'wuauserv', 'BITS', 'TrustedInstaller') -notcontains $name) {\n    throw") {
		t.Error("any service can be started")
	}
	bad := regexp.MustCompile(`if \(\$Name -match '([^']+)'`).FindStringSubmatch(function(t, "prelude/share.ps1", "Get-CauShare"))
	if bad == nil {
		t.Fatal("the name of a share is not looked at")
	}
	for _, s := range []string{"*", "a?", "a[b]", `a\b`, "a/b", "a\x01"} {
		if !regexp.MustCompile(bad[1]).MatchString(s) {
			t.Errorf("a share may be called %q", s)
		}
	}
}

func TestR17_PermissionsOfAShareAreNeverMadeEmptyAndWindowsOwnFoldersAreLeftAlone(t *testing.T) {
	t.Parallel()
	set := function(t, "prelude/share.ps1", "Set-CauFolder")
	inOrder(t, "Set-CauFolder", set, "$wanted = Assert-CauSddl -Sddl $Sddl", "CreateDirectory(", "Assert-CauNoReparse -Path $Path", "SetAccessControl(")
	if strings.Contains(set, "Audit") || strings.Contains(set, "'All'") {
		t.Error("who audits the folder would be changed")
	}
	inOrder(t, "Assert-CauSddl", function(t, "prelude/share.ps1", "Assert-CauSddl"), "$null -eq $descriptor.DiscretionaryAcl -or $descriptor.DiscretionaryAcl.Count -eq 0", "throw")
	path := function(t, "prelude/share.ps1", "Assert-CauSharePath")
	for _, want := range []string{"Assert-CauRelative", "$env:SystemRoot", "$env:ProgramFiles"} {
		if !strings.Contains(path, want) {
			t.Errorf("Assert-CauSharePath does not look at %s", want)
		}
	}
	apply := scriptText(t, "ops/share.apply.ps1")
	inOrder(t, "share.apply", apply, "[bool]$share.Special", "throw", "Assert-CauSharePath", "Set-CauFolder", "Assert-CauSddl", "New-SmbShare", "Assert-CauSddl", "Set-SmbShare")
	for i, line := range strings.Split(apply, "\n") {
		if strings.Contains(line, "Set-Smb") && !strings.Contains(line, "-Force -Confirm:$false") {
			t.Errorf("line %d waits for a confirmation that nobody gives: %s", i+1, line)
		}
	}
}

// tags are the names that a structure's JSON has, those of structures inside it too.
func tags(v any) []string {
	var out []string
	t := reflect.TypeOf(v)
	for f := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(f).Tag.Get("json"), ",")
		out = append(out, name)
		inner := t.Field(f).Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			out = append(out, tags(reflect.Zero(inner).Interface())...)
		}
	}
	return out
}

// A key that is misspelt is a fact that is silently missing.
func TestEveryAnswerHasTheNamesOfTheContract(t *testing.T) {
	t.Parallel()
	lease, share := "prelude/lease.ps1", "prelude/share.ps1"
	for op, c := range map[string]struct {
		answer any
		also   string
	}{
		agent.OpHello: {agent.Hello{}, ""}, agent.OpBootInfo: {agent.BootInfo{}, ""}, agent.OpPendingGet: {agent.Pending{}, ""},
		agent.OpClusterGet: {agent.Cluster{}, ""}, agent.OpClusterOffline: {agent.OfflineCheck{}, ""}, agent.OpCauRuns: {agent.CauRuns{}, ""},
		agent.OpStorageGet: {agent.Storage{}, ""}, agent.OpNodeRestart: {agent.Restart{}, ""}, agent.OpNodeRestartAbort: {agent.RestartAbort{}, ""},
		agent.OpUpdatersGet: {agent.Updaters{}, ""}, agent.OpBackupGet: {agent.Backups{}, ""}, agent.OpBitLockerGet: {agent.BitLocker{}, ""},
		agent.OpHotfixList: {agent.Hotfixes{}, ""}, agent.OpEventLogTail: {agent.EventLog{}, ""}, agent.OpServiceStart: {agent.ServiceState{}, ""},
		agent.OpQuotasGet: {agent.Quotas{}, ""}, agent.OpShareDescribe: {agent.ShareFacts{}, share}, agent.OpShareApply: {agent.ShareFacts{}, share},
		agent.OpFirewallRule: {agent.FirewallRule{}, share}, agent.OpNodeRoles: {agent.NodeRoles{}, ""}, agent.OpNodeResidents: {agent.Residents{}, ""}, agent.OpLeaseRead: {agent.Lease{}, lease}, agent.OpLeaseTake: {agent.Lease{}, lease},
		agent.OpLeaseRenew: {agent.Lease{}, lease}, agent.OpLeaseDrop: {agent.Lease{}, lease},
		agent.OpCauPlugins: {agent.CauPlugins{}, ""}, agent.OpCauHotfixConfig: {agent.CauHotfixConfig{}, ""},
		agent.OpCheckpointGet: {agent.Checkpoints{}, lease}, agent.OpCheckpointPut: {agent.CheckpointGetArgs{}, ""},
	} {
		text := scriptText(t, "ops/"+op+".ps1")
		if c.also != "" {
			text += scriptText(t, c.also)
		}
		for _, tag := range tags(c.answer) {
			if op == agent.OpShareDescribe && tag == "changed" {
				continue
			}
			if !regexp.MustCompile(`\b` + tag + ` = |\['` + tag + `'\] = `).MatchString(text) {
				t.Errorf("%s does not answer %s", op, tag)
			}
		}
	}
}

// What an operation reads from its arguments is what the contract sends.
func TestEveryArgumentIsOneOfTheContract(t *testing.T) {
	t.Parallel()
	for op, args := range map[string]any{
		agent.OpClusterOffline: agent.NodeArgs{}, agent.OpStorageMaintenance: agent.StorageMaintenanceArgs{}, agent.OpNodePause: agent.PauseArgs{},
		agent.OpNodeResume: agent.ResumeArgs{}, agent.OpNodeRestart: agent.RestartArgs{}, agent.OpHotfixList: agent.HotfixListArgs{}, agent.OpCauHotfixConfig: agent.CauHotfixConfigArgs{},
		agent.OpEventLogTail: agent.EventLogArgs{}, agent.OpGroupMove: agent.GroupMoveArgs{}, agent.OpServiceStart: agent.ServiceStartArgs{},
		agent.OpShareDescribe: agent.ShareDescribeArgs{}, agent.OpShareApply: agent.ShareApplyArgs{}, agent.OpFirewallRule: agent.FirewallRuleArgs{},
		agent.OpLeaseTake: agent.LeaseTakeArgs{}, agent.OpLeaseRenew: agent.LeaseArgs{}, agent.OpLeaseDrop: agent.LeaseArgs{},
		agent.OpCheckpointPut: agent.CheckpointPutArgs{}, agent.OpCheckpointGet: agent.CheckpointGetArgs{},
		agent.OpCauLockTake: agent.CauLockArgs{}, agent.OpCauLockRenew: agent.CauLockArgs{}, agent.OpCauLockDrop: agent.CauLockArgs{},
	} {
		want := map[string]bool{}
		for _, tag := range tags(args) {
			want[tag] = false
		}
		for _, m := range regexp.MustCompile(`\$Arguments\.(\w+)`).FindAllStringSubmatch(scriptText(t, "ops/"+op+".ps1"), -1) {
			if _, ok := want[m[1]]; !ok {
				t.Errorf("%s reads %s, which nobody sends", op, m[1])
			}
			want[m[1]] = true
		}
		for tag, read := range want {
			if !read {
				t.Errorf("%s ignores %s", op, tag)
			}
		}
	}
}
