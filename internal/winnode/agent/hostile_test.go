package agent_test

import (
	"regexp"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

// These read the scripts' text, as those of scripts_test.go do.

// In .NET "$" also matches before a last line feed, so what it admits may end with one.
func TestR33_WhatIsAdmittedEndsWhereTheExpressionEnds(t *testing.T) {
	t.Parallel()
	text := string(agent.Bundle())
	for _, m := range regexp.MustCompile(`(?m)^.*-c?(?:not)?match [^\n]*\$'.*$`).FindAllString(text, -1) {
		t.Error(strings.TrimSpace(m))
	}
	if strings.Count(text, `\z'`) < 15 {
		t.Error("names are admitted in another way")
	}
}

func TestR33_NoPathIsADeviceHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	relative := function(t, "prelude/folders.ps1", "Assert-CauRelative")
	m := regexp.MustCompile(`-match '(\^\(con[^']+)'`).FindStringSubmatch(relative)
	if m == nil {
		t.Fatal("devices are told in another way")
	}
	device := regexp.MustCompile("(?i)" + strings.NewReplacer(`\u00b9`, "\u00b9", `\u00b2`, "\u00b2", `\u00b3`, "\u00b3").Replace(m[1]))
	for name, is := range map[string]bool{
		"nul": true, "NUL.msu": true, "con .txt": true, "com1": true, "COM\u00b9.exe": true, "lpt9.a.b": true,
		"console.exe": false, "com.exe": false, "com10": false, "null": false, "a.con": false, "windows-kb1.msu": false,
	} {
		if device.MatchString(name) != is {
			t.Errorf("%q is a device: %t", name, !is)
		}
	}
}

func TestR33_NoProgramIsSearchedFor(t *testing.T) {
	t.Parallel()
	if !strings.HasPrefix(agent.UploadCommand(), `%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe -NoProfile `) {
		t.Error("cmd.exe looks in its current folder first")
	}
	inOrder(t, "installer", scriptText(t, "jobs/installer.ps1"),
		"$program = [Environment]::ExpandEnvironmentVariables(", "if ($program -notmatch '^[A-Za-z]:\\\\", "throw", "[Diagnostics.Process]::Start($start)")
	for _, m := range regexp.MustCompile(`(?i)ProcessStartInfo -ArgumentList [^\n]*`).FindAllString(string(agent.Bundle()), -1) {
		if !regexp.MustCompile(`-ArgumentList \$(Path|program|cmd), `).MatchString(m) {
			t.Error(m)
		}
	}
}

func TestR09_NothingElseLiesBesideWhatIsInstalled(t *testing.T) {
	t.Parallel()
	inOrder(t, "installer", scriptText(t, "jobs/installer.ps1"),
		"$planned[$path] = $true", "Assert-CauOnly -Folder $folder -Files $planned", "[Diagnostics.Process]::Start($start)")
	inOrder(t, "Assert-CauOnly", function(t, "prelude/files.ps1", "Assert-CauOnly"),
		"GetFileSystemEntries($Folder)", "Assert-CauNoReparse -Path $entry", "Assert-CauOnly -Folder $entry -Files $Files", "-not $Files.Contains($entry)", "throw")
}

func TestR17_ATaskFolderWithoutADaclIsNotOurs(t *testing.T) {
	t.Parallel()
	inOrder(t, "Open-CauTaskFolder", function(t, "prelude/jobs.ps1", "Open-CauTaskFolder"),
		"$open = $null -eq $descriptor.DiscretionaryAcl", "if ($open -or ", "throw")
}

// A task that is queued, or whose PowerShell is only starting, has written no process.json yet.
func TestR18_AJobThatIsAboutToBeginIsNotCleanedAway(t *testing.T) {
	t.Parallel()
	ended := function(t, "prelude/jobs.ps1", "Assert-CauJobEnded")
	inOrder(t, "Assert-CauJobEnded", ended,
		"[int]$Task.State -eq 2 -or [int]$Task.State -eq 4", "Test-CauJobAlive -Folder $Folder -Processes $Processes", "if (-not $works) { return }",
		"-not [IO.File]::Exists((Join-Path -Path $Folder -ChildPath 'result.json'))", "throw", "Start-Sleep -Milliseconds 500", "$Processes = Get-CauProcesses")
	// No operation waits for half a minute.
	if !strings.Contains(ended, "$left = 16\n") {
		t.Error("it waits for another time")
	}
}

func TestR18_ANodeIsNotRestartedUnderAJob(t *testing.T) {
	t.Parallel()
	inOrder(t, "node.restart", scriptText(t, "ops/node.restart.ps1"), "already_restarted = $true", "\nAssert-CauIdle\n", "Invoke-CauProgram -Path $shutdown")
	inOrder(t, "Assert-CauIdle", function(t, "prelude/jobs.ps1", "Assert-CauIdle"), "Get-CauFolder -Path 'jobs'", "Assert-CauJobEnded -Id", "-Folder $job -Task $null")
}

// What a crash left of process.json must not keep job.list, node.clean and job.poll from answering for ever; a file that
// cannot be opened is another matter.
func TestR19_AFileThatACrashCutNamesNoProcess(t *testing.T) {
	t.Parallel()
	inOrder(t, "Read-CauProcess", function(t, "prelude/jobs.ps1", "Read-CauProcess"),
		"$text = Read-CauFile -Path $Path", "try {", "ConvertFrom-Json", "} catch {", "return $null")
}

func TestEventsAreCountedInBytes(t *testing.T) {
	t.Parallel()
	poll := scriptText(t, "ops/job.poll.ps1")
	inOrder(t, "job.poll", poll, "Read-CauBytes -Path $events -Offset $offset", "[Array]::LastIndexOf($part['bytes'], [byte]10, $count - 1)", "= $offset + $end")
	if strings.Contains(poll, "GetByteCount") {
		t.Error("text that was decoded is measured: a cut character has another length")
	}
}

// ConvertFrom-Json of Windows PowerShell 5.1 takes at most 2097152 characters.
func TestARequestFitsIntoWhatPowerShellTakes(t *testing.T) {
	t.Parallel()
	text := func(n int) agent.Request {
		return agent.Request{Op: agent.OpCheckpointPut, Args: []byte(`{"run":"` + strings.Repeat("r", 100) + `","sequence":1,"sha256":"` + strings.Repeat("0", 64) + `","text":"` + strings.Repeat("A", n) + `"}`)}
	}
	if _, err := agent.RunCommand(text((agent.MaxCheckpoint + 2) / 3 * 4)); err != nil {
		t.Errorf("the largest checkpoint: %v", err)
	}
	if _, err := agent.RunCommand(text(2_097_152)); err == nil {
		t.Error("a request that no node can read leaves")
	}
}
