package agent_test

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

// These tests read the scripts' text, as those of scripts_test.go do: they hold safety lines in place and prove nothing
// about Windows.

func TestR27_EveryChangingOperationOfARunIsFencedAndNoReadingOne(t *testing.T) {
	t.Parallel()
	list := regexp.MustCompile(`(?s)\$CauFenced = @\((.*?)\)`).FindStringSubmatch(scriptText(t, "prelude/lease.ps1"))
	if list == nil {
		t.Fatal("the list of fenced operations is gone")
	}
	var fenced []string
	for _, m := range regexp.MustCompile(`'([a-z.-]+)'`).FindAllStringSubmatch(list[1], -1) {
		fenced = append(fenced, m[1])
	}
	// Whoever adds an operation decides here whether it is fenced. These read:
	open := []string{
		agent.OpHello, agent.OpBootInfo, agent.OpPendingGet, agent.OpClusterGet, agent.OpClusterOffline, agent.OpCauRuns, agent.OpStorageGet,
		agent.OpJobPoll, agent.OpJobList, agent.OpUpdatersGet, agent.OpBackupGet, agent.OpBitLockerGet, agent.OpNodeRoles, agent.OpNodeResidents, agent.OpHotfixList, agent.OpCauPlugins, agent.OpCauHotfixConfig, agent.OpEventLogTail,
		agent.OpQuotasGet, agent.OpShareDescribe, agent.OpLeaseRead, agent.OpCheckpointGet,
		// And these check the lease themselves, or are what makes it.
		agent.OpLeaseTake, agent.OpLeaseRenew, agent.OpLeaseDrop,
	}
	for _, op := range named(t, "Op") {
		want := !slices.Contains(open, op)
		if agent.Fenced(op) != want || slices.Contains(fenced, op) != want {
			t.Errorf("%s: the contract fences it: %t, the scripts: %t, decided: %t", op, agent.Fenced(op), slices.Contains(fenced, op), want)
		}
	}
	if all := len(named(t, "Op")); len(fenced)+len(open) != all {
		t.Errorf("%d fenced and %d open of %d operations", len(fenced), len(open), all)
	}
}

func TestR27_TheLeaseIsLookedAtBeforeAChangeAndCostsAReadNothing(t *testing.T) {
	t.Parallel()
	inOrder(t, "main.ps1", scriptText(t, "main.ps1"),
		"$epoch = [long]$request.epoch", "Assert-CauLease -Operation $operation -Epoch $epoch", "$data = & $CauOperations[$operation]")
	assert := function(t, "prelude/lease.ps1", "Assert-CauLease")
	_, body, _ := strings.Cut(assert, "    )\n")
	if !strings.HasPrefix(body, "    if ($Epoch -eq 0 -or $CauFenced -notcontains $Operation) { return }\n") {
		t.Error("something is asked before a reading operation is let through")
	}
	inOrder(t, "Assert-CauLease", body,
		"[string]$service.Status -eq 'Running'", "$newest = (ConvertTo-CauLease -Leases $leases)['epoch']", "if ($newest -eq $Epoch) {",
		"} else {", "$newest = Use-CauKnownEpoch -Epoch $Epoch", "if ($newest -eq $Epoch) { return }",
		"throw (New-CauFailure -Kind 'fenced'")
	// An answer that the cluster owes is not replaced by a guess.
	cluster, _, _ := strings.Cut(body, "} else {")
	if before, _, _ := strings.Cut(cluster, "if ($newest -eq $Epoch) {"); strings.Contains(before, "try {") || strings.Contains(before, "Use-CauKnownEpoch") {
		t.Error("a cluster that gives no answer is taken for one that agrees")
	}
}

func TestR27_WhatANodeKnowsIsOnlyEverRaised(t *testing.T) {
	t.Parallel()
	known := function(t, "prelude/lease.ps1", "Use-CauKnownEpoch")
	inOrder(t, "Use-CauKnownEpoch", known,
		"'lease.lock'), 'OpenOrCreate', 'ReadWrite', 'None'", "$known = [long](ConvertFrom-Json", "if ($Epoch -gt $known) {", "Write-CauFile -Path $path", "return $known")
	bundle := string(agent.Bundle())
	if n := strings.Count(bundle, "'lease.json'"); n != 1 {
		t.Errorf("%d places name the file", n)
	}
}

func TestR27_OneCallerGetsTheLeaseAndTheOtherTheWinners(t *testing.T) {
	t.Parallel()
	take := scriptText(t, "ops/lease.take.ps1")
	inOrder(t, "lease.take", take,
		"if ((ConvertTo-CauLease -Leases $before)['epoch'] -ne [long]$Arguments.expect) {", "return (ConvertTo-CauLease -Leases $before)",
		"$epoch = [long]1 + $before[0].epoch", "-MethodName 'CreateGroup'",
		"if ($code -ne 5010 -and $code -ne 2147749913) { throw }", "return (ConvertTo-CauLease -Leases @(Get-CauLeases))",
		"Write-CauLeaseNote", "Remove-CauLeaseGroup -Group $own[0].group", "throw",
		"$after[0].epoch -ne $epoch -or $after[0].run -cne $run -or $after[0].holder -cne $holder", "return (ConvertTo-CauLease -Leases $after)",
		"$_.epoch -lt $epoch", "return (ConvertTo-CauLease -Leases $after -Taken $true)")
	if strings.Count(take, "-Taken $true") != 1 || strings.Count(string(agent.Bundle()), "'CreateGroup'") != 2 {
		t.Error("there is another way to a lease")
	}
	for _, op := range []string{"renew", "drop"} {
		inOrder(t, op, scriptText(t, "ops/lease."+op+".ps1"), "$own = Get-CauOwnLease -Leases", "Write-CauLeaseNote -Group $own.group")
	}
	inOrder(t, "Get-CauOwnLease", function(t, "prelude/lease.ps1", "Get-CauOwnLease"),
		"$Leases[0].dropped -or $Leases[0].epoch -ne $Epoch -or $Leases[0].run -cne $Run", "throw (New-CauFailure -Kind 'fenced'")
}

// An epoch that were given out twice would let a coordinator that slept through a whole other run go on.
func TestR27_NoEpochIsGivenOutTwice(t *testing.T) {
	t.Parallel()
	if drop := scriptText(t, "ops/lease.drop.ps1"); strings.Contains(drop, "Remove-Cau") || !strings.Contains(drop, "-Dropped $true") {
		t.Error("the newest epoch is forgotten when its holder gives it up")
	}
	inOrder(t, "ConvertTo-CauLease", function(t, "prelude/lease.ps1", "ConvertTo-CauLease"),
		"$answer = @{ epoch = [long]0;", "$answer['last_epoch'] = $newest.epoch", "if ($newest.dropped) { return $answer }", "$answer['epoch'] = $newest.epoch")
	// What cannot be read is held by somebody unknown, and never free.
	inOrder(t, "Get-CauLeases", function(t, "prelude/lease.ps1", "Get-CauLeases"), "} catch {", "$lease['dropped'] = $false", "-Descending")
}

func TestR27_ALeaseIsNoRoleAndNoRoleIsDestroyedForOne(t *testing.T) {
	t.Parallel()
	if !strings.Contains(scriptText(t, "prelude/lease.ps1"), "$CauLeaseGroup = '"+agent.LeaseGroup+"'\n") {
		t.Error("the roles have another name than the contract says")
	}
	inOrder(t, "cluster.get", scriptText(t, "ops/cluster.get.ps1"),
		"-ClassName 'MSCluster_ResourceGroup' |", "Where-Object -FilterScript { -not (Test-CauLeaseName -Name ([string]$_.Name)) }", "ForEach-Object")
	if m := regexp.MustCompile(`(?i)DestroyGroup|Remove-ClusterGroup|DeleteResource`).FindString(string(agent.Bundle())); m != "" {
		t.Errorf("%q could take a role's resources along", m)
	}
	name := regexp.MustCompile(`'\^' \+ \$CauLeaseGroup \+ '([^']+)'`).FindStringSubmatch(function(t, "prelude/lease.ps1", "Test-CauLeaseName"))
	if name == nil {
		t.Fatal("names of leases are told in another way")
	}
	shape := regexp.MustCompile("^" + agent.LeaseGroup + name[1])
	for group, lease := range map[string]bool{
		"cau-lease-1": true, "cau-lease-90071992547": true,
		"cau-lease-": false, "cau-lease-0": false, "cau-lease-01": false, "cau-lease-files": false, "cau-lease-1 files": false, "my-cau-lease-1": false,
	} {
		if shape.MatchString(group) != lease {
			t.Errorf("%q counts as a lease: %v", group, !lease)
		}
	}
}

func TestR27_ACheckpointIsWholeBoundedAndNeverReplacedByAnEarlierOne(t *testing.T) {
	t.Parallel()
	limit := strconv.Itoa(base64.StdEncoding.EncodedLen(agent.MaxCheckpoint))
	inOrder(t, "checkpoint.put", scriptText(t, "ops/checkpoint.put.ps1"),
		"Assert-CauName -Name $run", "if ($text.Length -gt "+limit+") {", "throw", "if ($digest -cne [string]$Arguments.sha256) {", "throw",
		"$there['sequence'] -gt $sequence", "return", "Write-CauFile")
	inOrder(t, "checkpoint.get", scriptText(t, "ops/checkpoint.get.ps1"), "-cne $found['sha256']", "throw", "$found['text'] = $text")
}
