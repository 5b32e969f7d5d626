package agent_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// These tests read the scripts' text, because nothing here runs PowerShell: each keeps a decision from being undone
// by an edit, and proves nothing about Windows.

func scriptText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestR18_NothingThatMayFailStandsBetweenTheInstallersStartAndItsEnd(t *testing.T) {
	_, after, ok := strings.Cut(scriptText(t, "jobs/installer.ps1"), "[Diagnostics.Process]::Start($start)\n")
	if !ok {
		t.Fatal("the installer is started in another way")
	}
	before, _, _ := strings.Cut(after, "return @{ exit_code")
	// What may fail is inside try; Write-CauEvent and Update-CauHeartbeat catch for themselves.
	guarded := regexp.MustCompile(`(?s)try \{.*?\n    \} catch \{.*?\n    \}\n`).ReplaceAllString(before, "")
	for _, line := range strings.Split(guarded, "\n") {
		if m := regexp.MustCompile(`[A-Z][a-z]+-Cau\w+|\[IO\.|New-Object`).FindString(line); m != "" && m != "Write-CauEvent" && m != "Update-CauHeartbeat" {
			t.Errorf("after the start: %s", line)
		}
	}
	jobs := scriptText(t, "prelude/jobs.ps1")
	_, event, _ := strings.Cut(jobs, "function Write-CauEvent")
	event, _, _ = strings.Cut(event, "\nfunction ")
	if !strings.Contains(event, "} catch {") || strings.Contains(event, "throw") {
		t.Error("an event that cannot be written ends the job")
	}
}

func TestR07_ANumberThatIsMissingIsNeverTheGoodOne(t *testing.T) {
	cluster, storage := scriptText(t, "ops/cluster.get.ps1"), scriptText(t, "ops/storage.get.ps1")
	if strings.Count(cluster, "state = [long](Get-CauProperty -Instance $_ -Name 'State' -Default -1)") != 2 {
		t.Error("a node or group without a state counts as 0: Up, Online")
	}
	if !strings.Contains(storage, "-Name 'HealthStatus' -Default 5") {
		t.Error("a disk without a health counts as 0: healthy")
	}
}

func TestR21_UptimeComesFromTheClockThatCannotOutliveARestart(t *testing.T) {
	text := scriptText(t, "ops/boot.info.ps1")
	if !strings.Contains(text, "uptime_seconds = [Math]::Min($counter, $ticks)") {
		t.Error("one clock alone decides whether a node restarted")
	}
}
