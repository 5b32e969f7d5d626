package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

// Like scripts_test.go: these read the text of the job scripts, keep decisions from being undone by an edit, and prove
// nothing about Windows.

// function is one function of a script, without its comment.
func function(t *testing.T, file, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(scriptText(t, file), "function "+name+" {\n")
	if !ok {
		t.Fatalf("%s has no function %s", file, name)
	}
	body, _, ok := strings.Cut(rest, "\n}\n")
	if !ok {
		t.Fatalf("%s: %s does not end", file, name)
	}
	return body
}

// inOrder demands that the parts occur in the text one after the other.
func inOrder(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		_, after, ok := strings.Cut(text, p)
		if !ok {
			t.Errorf("%s: %q is missing, or stands too early", what, p)
			return
		}
		text = after
	}
}

// fields are the JSON names of a struct, those of what it embeds too.
func fields(v any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
		if !f.Anonymous {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

func TestEveryJobAndItsOperationsAreInTheBundle(t *testing.T) {
	t.Parallel()
	text := string(agent.Bundle())
	for _, op := range []string{
		agent.OpJobList, agent.OpJobCancel, agent.OpJobKill, agent.OpJobDelete, agent.OpJobRunHere, agent.OpPushOpen, agent.OpPushClose,
	} {
		if !strings.Contains(text, "$CauOperations['"+op+"'] = {\nparam($Arguments)\n") {
			t.Errorf("operation %s is missing", op)
		}
	}
	for _, job := range []string{
		agent.JobShareProbe, agent.JobShareHash, agent.JobScript, agent.JobUpdatesScan, agent.JobUpdatesDownload, agent.JobUpdatesInstall, agent.JobUpdatesRestart,
		agent.JobFileRead, agent.JobFileWrite,
		agent.JobCauScan,
	} {
		if !strings.Contains(text, "$CauJobs['"+job+"'] = {\nparam($Job, $Order)\n") {
			t.Errorf("job %s is missing", job)
		}
	}
}

func TestScriptsAnswerAndReadTheFieldsOfTheContract(t *testing.T) {
	t.Parallel()
	answers := []struct {
		shape any
		files []string
	}{
		{agent.JobList{}, []string{"ops/job.list.ps1"}},
		{agent.JobEntry{}, []string{"ops/job.list.ps1"}},
		{agent.JobCancel{}, []string{"ops/job.cancel.ps1"}},
		{agent.JobKill{}, []string{"ops/job.kill.ps1"}},
		{agent.JobDelete{}, []string{"ops/job.delete.ps1"}},
		{agent.JobStart{}, []string{"ops/job.start.ps1"}},
		{agent.JobStart{}, []string{"ops/job.run-here.ps1"}},
		{agent.JobPoll{}, []string{"ops/job.poll.ps1"}},
		{agent.Push{}, []string{"ops/push.open.ps1"}},
		{agent.Push{}, []string{"ops/push.close.ps1"}},
		{agent.Clean{}, []string{"ops/node.clean.ps1"}},
		{agent.StageOutput{}, []string{"jobs/stage.ps1"}},
		{agent.Connection{}, []string{"prelude/files.ps1"}},
		{agent.ShareProbeOutput{}, []string{"jobs/share.probe.ps1"}},
		{agent.ShareHashOutput{}, []string{"jobs/share.hash.ps1"}},
		{agent.HashedFile{}, []string{"jobs/share.hash.ps1"}},
		{agent.InstallerOutput{}, []string{"jobs/installer.ps1"}},
		{agent.Signature{}, []string{"prelude/files.ps1"}},
		{agent.ScriptOutput{}, []string{"jobs/script.ps1"}},
		{agent.UpdatesScanOutput{}, []string{"jobs/wu.scan.ps1"}},
		{agent.FoundUpdate{}, []string{"prelude/updates.ps1"}},
		{agent.UpdateWarning{}, []string{"jobs/wu.scan.ps1"}},
		{agent.UpdatesWorkOutput{}, []string{"prelude/updates.ps1"}},
		{agent.UpdateResult{}, []string{"prelude/updates.ps1"}},
		{agent.CauScanOutput{}, []string{"jobs/cau.scan.ps1"}},
		{agent.CauFound{}, []string{"jobs/cau.scan.ps1"}},
		{agent.RestartRequired{}, []string{"jobs/wu.reboot-required.ps1"}},
		{agent.JobEvent{}, []string{"prelude/jobs.ps1"}},
		{agent.FileReadOutput{}, []string{"jobs/file.read.ps1"}},
		{agent.FileWriteOutput{}, []string{"jobs/file.write.ps1"}},
	}
	for _, a := range answers {
		text := scriptText(t, a.files[0])
		for _, name := range fields(a.shape) {
			if !regexp.MustCompile(`(?m)(^|[ {;(])` + name + ` = |\['` + name + `'\] = `).MatchString(text) {
				t.Errorf("%s does not answer %T's %s", a.files[0], a.shape, name)
			}
		}
	}
	orders := []struct {
		shape any
		files []string
	}{
		{agent.StageInput{}, []string{"jobs/stage.ps1"}},
		{agent.StageFile{}, []string{"jobs/stage.ps1"}},
		{agent.ShareProbeInput{}, []string{"jobs/share.probe.ps1"}},
		{agent.ShareHashInput{}, []string{"jobs/share.hash.ps1"}},
		{agent.InstallerInput{}, []string{"jobs/installer.ps1"}},
		{agent.ScriptInput{}, []string{"jobs/script.ps1"}},
		{agent.UpdatesQuery{}, []string{"jobs/wu.scan.ps1", "prelude/updates.ps1"}},
		{agent.UpdateID{}, []string{"prelude/updates.ps1"}},
		{agent.CauScanInput{}, []string{"jobs/cau.scan.ps1"}},
		{agent.JobListArgs{}, []string{"ops/job.list.ps1"}},
		{agent.JobArgs{}, []string{"ops/job.cancel.ps1"}},
		{agent.JobArgs{}, []string{"ops/job.kill.ps1"}},
		{agent.JobArgs{}, []string{"ops/job.delete.ps1"}},
		{agent.JobRunHereArgs{}, []string{"ops/job.run-here.ps1", "prelude/jobs.ps1"}},
		{agent.PushArgs{}, []string{"ops/push.open.ps1"}},
		{agent.PushArgs{}, []string{"ops/push.close.ps1"}},
		{agent.CleanArgs{}, []string{"ops/node.clean.ps1"}},
		{agent.FileReadInput{}, []string{"jobs/file.read.ps1"}},
		{agent.FileWriteInput{}, []string{"jobs/file.write.ps1"}},
	}
	for _, o := range orders {
		var text string
		for _, f := range o.files {
			text += scriptText(t, f)
		}
		for _, name := range fields(o.shape) {
			if !regexp.MustCompile(`\.` + name + `\b|-Name '` + name + `'`).MatchString(text) {
				t.Errorf("%s does not look at %T's %s", o.files[0], o.shape, name)
			}
		}
	}
}

func TestBoundsAndWordsOfTheContractStandInTheScripts(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"jobs/script.ps1":      fmt.Sprintf(`'^(%s|%s|%s|%s|%s)\z'`+" -or $bytes.Length -gt %d", agent.PhasePre, agent.PhasePost, agent.PhaseScan, agent.PhaseStage, agent.PhaseInstall, agent.MaxScript),
		"jobs/file.write.ps1":  fmt.Sprintf("if ($bytes.Length -gt %d -or $offset -lt 0 -or $offset + $bytes.Length -gt %d) {", agent.MaxFileWrite, agent.MaxFile),
		"jobs/file.read.ps1":   fmt.Sprintf("Read-CauBytes -Path $path -Offset $offset -Limit %d", agent.MaxFileRead),
		"jobs/installer.ps1":   fmt.Sprintf(`'^(%s|%s|%s)\z'`, agent.SignatureRequire, agent.SignatureWarn, agent.SignatureIgnore),
		"ops/job.run-here.ps1": "-cne '" + agent.JobScript + "'",
		"jobs/share.probe.ps1": "if ($entries -ge 1000) { break }",
		"prelude/folders.ps1":  "$CauPushName = 'cau-push'",
		"prelude/scripts.ps1":  "$room = 1048576 - $Tail['offset']",
		// A line that does not fit into one answer of job.poll would stop the events for ever.
		"prelude/jobs.ps1":     "if ($Message.Length -gt 8000) { $Message = $Message.Substring(0, 8000) }",
		"jobs/wu.install.ps1":  "-Install $true",
		"jobs/wu.download.ps1": "-Install $false",
	} {
		if !strings.Contains(scriptText(t, file), want) {
			t.Errorf("%s: missing %s", file, want)
		}
	}
}

func TestR18_TheNoteToCancelIsLookedForRightBeforeTheStartAndNeverAfter(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"jobs/installer.ps1", "jobs/script.ps1"} {
		before, after, ok := strings.Cut(scriptText(t, file), "$process = [Diagnostics.Process]::Start($start)\n")
		if !ok {
			t.Fatalf("%s starts nothing", file)
		}
		if !strings.HasSuffix(strings.TrimRight(before, " "), "Assert-CauNotCancelled -Job $Job\n") {
			t.Errorf("%s: something stands between the last look at the note and the start", file)
		}
		if strings.Contains(strings.ToLower(after), "cancel") {
			t.Errorf("%s: the note is looked for after the start", file)
		}
	}
	refusal := function(t, "prelude/jobs.ps1", "Assert-CauNotCancelled")
	inOrder(t, "the refusal", refusal, "if (Test-CauCancelled -Job $Job)", "-Kind 'refused'", "was cancelled")
	// A job that was cancelled before it began does not begin.
	inOrder(t, "Invoke-CauJob", function(t, "prelude/jobs.ps1", "Invoke-CauJob"), "Assert-CauNotCancelled -Job $job", "& $Jobs[")
}

func TestR18_NothingThatMayFailStandsBetweenAScriptsStartAndItsEnd(t *testing.T) {
	t.Parallel()
	_, after, _ := strings.Cut(scriptText(t, "jobs/script.ps1"), "[Diagnostics.Process]::Start($start)\n")
	body, _, ok := strings.Cut(after, "return @{ exit_code")
	if !ok {
		t.Fatal("the script's end is not reported")
	}
	guarded := regexp.MustCompile(`(?s)try \{.*?\n\} catch \{.*?\n\}\n`).ReplaceAllString(body, "")
	for _, m := range regexp.MustCompile(`[A-Z][a-z]+-Cau\w+|\[IO\.|New-Object|throw`).FindAllString(guarded, -1) {
		// These catch for themselves.
		if m != "Write-CauEvent" && m != "Update-CauHeartbeat" && m != "Read-CauTail" {
			t.Errorf("after the start: %s", m)
		}
	}
	tail := function(t, "prelude/scripts.ps1", "Read-CauTail")
	if !strings.Contains(tail, "    try {\n") || !strings.HasSuffix(tail, "} catch {\n        $Job['missed'] = 1 + $Job['missed']\n    }") {
		t.Error("output that cannot be read ends the job")
	}
	if !strings.Contains(body, "while (-not $process.WaitForExit(1000))") {
		t.Error("the job does not wait for the script's end")
	}
}

func TestR18_KillEndsWhatWasSeenAndNoIdThatWasGivenToAnother(t *testing.T) {
	t.Parallel()
	text := scriptText(t, "ops/job.kill.ps1")
	inOrder(t, "Stop-CauProcess", function(t, "ops/job.kill.ps1", "Stop-CauProcess"),
		"[void]$process.Handle\n", "[Math]::Abs($process.StartTime.ToFileTimeUtc() - $Start) -gt 10) { return $false }", "$process.Kill()")
	if strings.Count(text, ".Kill(") != 1 {
		t.Error("a process is ended in more than one place")
	}
	_, act, _ := strings.Cut(text, "$id = [string]$Arguments.id\n")
	inOrder(t, "job.kill", act,
		"'installer.json'", "$processes[$started['pid']]['start'] -eq $started['start']",
		"'killed'", // the note, before anything is ended
		"if ([long]$start -lt $tree[$parent]) { continue }",
		"if ($gone.ContainsKey($parent) -and [long]$start -gt $gone[$parent]) { continue }",
		"[string]$processes[$parent]['start'] -ne [string]$tree[$parent]) { continue }",
		"Stop-CauProcess -Id $process",    // the tree
		"Stop-CauProcess -Id $own['pid']", // and then the job
	)
	if before, _, _ := strings.Cut(act, "'killed'"); strings.Contains(before, "Stop-CauProcess") {
		t.Error("something is ended before the note says so")
	}
	for _, start := range []string{`$started['start'] -match '^[0-9]+\z'`, `$own['start'] -match '^[0-9]+\z'`, `$start -notmatch '^[0-9]+\z'`} {
		if !strings.Contains(act, start) {
			t.Errorf("a process whose start is not known is ended: %s", start)
		}
	}
}

func TestR19_WhatWasKilledHasNoResult(t *testing.T) {
	t.Parallel()
	inOrder(t, "Invoke-CauJob", function(t, "prelude/jobs.ps1", "Invoke-CauJob"),
		"& $Jobs[", "-ChildPath 'killed'))) { return }", "'result.json'")
}

func TestR09_TheInstallerRunsTheFilesItHoldsAndWhoseSignatureItSaw(t *testing.T) {
	t.Parallel()
	text := scriptText(t, "jobs/installer.ps1")
	inOrder(t, "installer", text,
		"$path, 'Open', 'Read', 'Read'", "[void]$held.Add($stream)", "Get-CauStreamSha256 -Stream $stream",
		"if ($target -eq [string]$Order.target) { $own = $path }",
		"Get-CauSignature -Job $Job -Path $own -Require ($policy -ceq 'require')",
		"[Diagnostics.Process]::Start($start)", "$process.WaitForExit(", "} finally {\n    foreach ($stream in $held) { $stream.Dispose() }")
	if strings.Count(text, ".Dispose()") != 1 {
		t.Error("a held file is let go before the installer ends")
	}
	inOrder(t, "Get-CauSignature", function(t, "prelude/files.ps1", "Get-CauSignature"),
		"$signature = $null", "Get-AuthenticodeSignature -LiteralPath $Path",
		"if ($Require -and ($null -eq $signature -or $signature['status'] -ne 0)) {\n        throw", "return $signature")
}

func TestR13_NoFileIsReadBeforeTheConnectionIsWhatIsRequired(t *testing.T) {
	t.Parallel()
	connect := function(t, "prelude/files.ps1", "Connect-CauShare")
	inOrder(t, "Connect-CauShare", connect, "Get-SmbConnection", "if ($RequireEncryption -and -not $connection['encrypted']) {\n        throw", "return $connection")
	if m := regexp.MustCompile(`FileStream|ReadAll|Enumerate|GetFile|GetDirector`).FindString(connect); m != "" {
		t.Errorf("%s before the connection is known", m)
	}
	for _, file := range []string{"jobs/stage.ps1", "jobs/share.probe.ps1", "jobs/share.hash.ps1"} {
		text := scriptText(t, file)
		at := strings.Index(text, "Connect-CauShare -Job $Job -Root $root -RequireEncryption ([bool]$Order.require_encryption)")
		if first := regexp.MustCompile(`FileStream|ReadAll|Enumerate`).FindStringIndex(text); at < 0 || first == nil || first[0] < at {
			t.Errorf("%s reads before it connects", file)
		}
	}
}

func TestR17_WhatJobsReadIsSharedWithNoWriter(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("jobs/*.ps1")
	if err != nil || len(names) < 10 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "System.IO.FileStream") && !strings.HasSuffix(line, "'Open', 'Read', 'Read'") && !strings.HasSuffix(line, "'CreateNew', 'ReadWrite', 'None'") && !strings.HasSuffix(line, "'OpenOrCreate', 'ReadWrite', 'None'") {
				t.Errorf("%s: %s", name, strings.TrimSpace(line))
			}
		}
		if m := regexp.MustCompile(`ReadAllBytes|OpenRead|File\]::Open\(|Copy\(|Copy-Item`).Find(text); m != nil {
			t.Errorf("%s: %s opens files in another way", name, m)
		}
	}
}

func TestR17_FilesOfPluginsAreWrittenInTheUpdatesFolderAloneAndNoReparsePointIsFollowed(t *testing.T) {
	t.Parallel()
	inOrder(t, "file.write", scriptText(t, "jobs/file.write.ps1"),
		"Assert-CauName -Name $run", "Assert-CauName -Name $update", "Assert-CauRelative -Path $target",
		"-cne [string]$Order.sha256) {\n    throw", "$need = 2 * [long]$bytes.Length + [long]$Order.reserve_bytes", "-Code 112",
		`[IO.Path]::GetDirectoryName("runs\$run\$update\$target")`, "New-CauFolder -Path $below", "Assert-CauNoReparse -Path $path",
		"'OpenOrCreate', 'ReadWrite', 'None'", "if ($stream.Length -lt $offset) {\n        throw", "$stream.Flush($true)", "Get-CauStreamSha256 -Stream $stream")
	read := scriptText(t, "jobs/file.read.ps1")
	own, full, ok := strings.Cut(read, "} else {\n")
	if !ok {
		t.Fatal("the two kinds of path are not told apart")
	}
	inOrder(t, "file.read in the update's folder", own,
		"if ($update -ne '') {", "Assert-CauName -Name $update", "Assert-CauRelative -Path $target", "Get-CauFolder -Path", "if ($below -eq '') {\n        throw")
	inOrder(t, "file.read anywhere", full,
		`'^[A-Za-z]:\\.'`, "Assert-CauRelative -Path $target.Substring(3)", ".DriveType -ne 3) {\n        throw",
		"foreach ($name in", "Join-Path -Path $path -ChildPath $name\n        Assert-CauNoReparse -Path $path", "Assert-CauNoReparse -Path $path\n$size", "Read-CauBytes -Path $path")
	if m := regexp.MustCompile(`FileStream|WriteAll|Delete\(|Move\(`).FindString(read); m != "" {
		t.Errorf("a read does more than read: %s", m)
	}
}

func TestR17_PushedFilesComeFromAFolderThatIsOursAndPassTheSameChecks(t *testing.T) {
	t.Parallel()
	text := scriptText(t, "jobs/stage.ps1")
	inOrder(t, "stage", text,
		`-cnotmatch '^[0-9a-f]{64}\z'`, // the hash is a file's name here
		"$root = Get-CauFolder -Path $run -Root $CauPushRoot", "if ($root -eq '') {\n        throw",
		"if ($pushed) { $from = [string]$file.sha256 }", "if ($pushed) { Assert-CauNoReparse -Path $path }",
		"$path, 'Open', 'Read', 'Read'", "Get-CauStreamSha256 -Stream $local",
		"if ($length -ne $size -or $sum -ne [string]$file.sha256) {\n        [IO.File]::Delete($partial)\n        throw")
	inOrder(t, "push.open", scriptText(t, "ops/push.open.ps1"), "Assert-CauName -Name $run", "New-CauFolder -Path $run -Root $CauPushRoot")
	folders := scriptText(t, "prelude/folders.ps1")
	for _, want := range []string{"$CauPushRoot = Join-Path -Path $env:SystemRoot -ChildPath $CauPushName", "Assert-CauNoReparse -Path $base", "Assert-CauOwner -Path $base"} {
		if !strings.Contains(folders, want) {
			t.Errorf("missing: %s", want)
		}
	}
	for _, name := range []string{"New-CauFolder", "Get-CauFolder"} {
		inOrder(t, name, function(t, "prelude/folders.ps1", name), "Assert-CauBase -Root $Root", "Get-CauChain -Path $Path -Root $Root", "Assert-CauFolder -Path $folder")
	}
}

func TestR23_CleanRemovesWhatWasPushedAndNothingOfAJobThatWorks(t *testing.T) {
	t.Parallel()
	inOrder(t, "node.clean", scriptText(t, "ops/node.clean.ps1"),
		"Assert-CauJobEnded -Id $id -Folder $job -Task $tasks[$name]", "Assert-CauJobEnded -Id $name -Folder ''", "DeleteTask",
		`@("runs\$run", "jobs\$run")`, "Remove-CauTree", "Remove-CauCheckpoint -Run $run", "Remove-CauPush -Run $run")
	inOrder(t, "job.delete", scriptText(t, "ops/job.delete.ps1"), "Assert-CauJobEnded -Id $id -Folder $folder -Task $task", "DeleteTask", "Remove-CauTree")
	inOrder(t, "Remove-CauCheckpoint", function(t, "prelude/lease.ps1", "Remove-CauCheckpoint"),
		"Get-CauFolder -Path 'checkpoints'", `('^' + $Run + '\.json(\.[0-9a-f]{32}\.tmp)?\z')) { continue }`, "Assert-CauNoReparse -Path $path", "[IO.File]::Delete($path)")
	inOrder(t, "Remove-CauPush", function(t, "prelude/folders.ps1", "Remove-CauPush"), "Get-CauFolder -Path $Run -Root $CauPushRoot", "Remove-CauTree")
	inOrder(t, "stage", scriptText(t, "jobs/stage.ps1"), "$need = 2 * $total + [long]$Order.reserve_bytes", "-Code 112", "'CreateNew', 'ReadWrite', 'None'")
}

func TestR20_CodesAre32BitsWhateverSignTheyCameWith(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"prelude/jobs.ps1":    "([long]$Task.LastTaskResult -band 4294967295)",
		"prelude/updates.ps1": "[long]$result.HResult -band 4294967295",
		"jobs/wu.scan.ps1":    "([long]$_.HResult -band 4294967295)",
		"jobs/installer.ps1":  "$code = [long]$process.ExitCode",
		"jobs/script.ps1":     "$code = [long]$process.ExitCode",
	} {
		if !strings.Contains(scriptText(t, file), want) {
			t.Errorf("%s: missing %s", file, want)
		}
	}
	// A failure that gives no number is never the number of success.
	inOrder(t, "Get-CauUpdateError", function(t, "prelude/updates.ps1", "Get-CauUpdateError"), "if ($code -eq 0) { $code = 2147500037 }", "return $code")
}

func TestR08_UpdatesAreFoundByIdAndRevisionAndDoneOneAtATime(t *testing.T) {
	t.Parallel()
	inOrder(t, "Find-CauUpdates", function(t, "prelude/updates.ps1", "Find-CauUpdates"),
		`"(UpdateID='"`, "' and RevisionNumber=", "Assert-CauUpdate -Update $update", "$update.Identity.RevisionNumber] = $update")
	one := function(t, "prelude/updates.ps1", "Invoke-CauUpdate")
	if strings.Count(one, "$collection.Add($Update)") != 1 || strings.Contains(one, "foreach") {
		t.Error("a call of the agent gets more than one update")
	}
	work := function(t, "prelude/updates.ps1", "Invoke-CauUpdates")
	inOrder(t, "Invoke-CauUpdates", work,
		"-notmatch '^[0-9a-fA-F]{8}", // ids go into the agent's query
		"foreach ($one in $wanted) {\n            $name", "Test-CauCancelled -Job $Job", "if ($cancelled) { continue }",
		"if (-not $found.ContainsKey($name)) {", "Invoke-CauUpdate -Session")
}

func TestR19_WhatGoesWrongWithOneUpdateLosesNoOther(t *testing.T) {
	t.Parallel()
	work := function(t, "prelude/updates.ps1", "Invoke-CauUpdates")
	inOrder(t, "Invoke-CauUpdates", work,
		"[void]$results.Add($entry)", "try {\n                $result = Invoke-CauUpdate", "} catch {", "$entry['result_code'] = 4",
		"-Kind 'ended'", "$restart = $true\n        try {\n            $restart = Test-CauRestartRequired\n        } catch {", "return @{ results")
	inOrder(t, "Invoke-CauUpdates", work, "Start-CauHeartbeat -Job $Job\n    try {", "} finally {\n        Stop-CauHeartbeat -Job $Job")
}

func TestNothingAcceptsLicenceTermsOrAnswersForAPerson(t *testing.T) {
	t.Parallel()
	if m := regexp.MustCompile(`(?i)accepteula|iseulaaccepted\s*=[^=]|\.eulaaccepted\s*=\s`).FindString(string(agent.Bundle())); m != "" {
		t.Errorf("%q in the bundle", m)
	}
	inOrder(t, "Invoke-CauUpdates", function(t, "prelude/updates.ps1", "Invoke-CauUpdates"),
		"if (-not [bool]$update.EulaAccepted) { $entry['hresult'] = [long]2149842979 }",
		"(Get-CauBehavior -Update $update)['asks']) { $entry['hresult'] = [long]2149842976 }",
		"if ($entry['hresult'] -ne 0) {", "continue", "Invoke-CauUpdate -Session")
}

func TestR07_AnUpdateWithoutItsPropertiesIsAnErrorAndUnknownBehaviourTheCarefulOne(t *testing.T) {
	t.Parallel()
	check := function(t, "prelude/updates.ps1", "Assert-CauUpdate")
	for _, name := range []string{"Identity", "Title", "IsInstalled", "IsDownloaded", "EulaAccepted", "InstallationBehavior"} {
		if !strings.Contains(check, "'"+name+"'") {
			t.Errorf("%s is not asked for", name)
		}
	}
	inOrder(t, "Assert-CauUpdate", check, "$null -eq $Update.PSObject.Properties[$name]", "throw")
	inOrder(t, "ConvertTo-CauUpdate", function(t, "prelude/updates.ps1", "ConvertTo-CauUpdate"), "Assert-CauUpdate -Update $Update", "return @{")
	inOrder(t, "Get-CauBehavior", function(t, "prelude/updates.ps1", "Get-CauBehavior"),
		"if ($null -eq $behavior) { return @{ asks = $true; impact = 2; reboot = 2 } }")
}

func TestR33_WhatAScriptSaysNeverStandsOnACommandLine(t *testing.T) {
	t.Parallel()
	text := scriptText(t, "jobs/script.ps1")
	for _, line := range strings.Split(text, "\n") {
		if regexp.MustCompile(`^\$command = |ProcessStartInfo`).MatchString(line) && strings.Contains(line, "$Order") {
			t.Errorf("something from outside on a command line: %s", line)
		}
	}
	inOrder(t, "script", text, "$sum = Get-CauSha256 -Bytes $bytes", "if ($sum -cne [string]$Order.sha256) {\n    throw", "Write-CauFile -Path $script -Bytes $bytes", "Start($start)")
	inOrder(t, "Get-CauScriptCommand", function(t, "prelude/scripts.ps1", "Get-CauScriptCommand"), `-match '["%\r\n]'`, "throw", ".Replace(\"'\", \"''\")")
	inOrder(t, "the child", scriptText(t, "prelude/scripts.ps1"), "$CauScriptLoader = {", "ComputeHash", "-ne '@SUM@') { throw", "& ([scriptblock]::Create(", "} catch {", "exit 1")
	for _, name := range []string{"CAU_RUN", "CAU_NODE", "CAU_CLUSTER", "CAU_PHASE"} {
		if !strings.Contains(text, "$start.EnvironmentVariables['"+name+"'] = ") {
			t.Errorf("the script does not have %s", name)
		}
	}
}
