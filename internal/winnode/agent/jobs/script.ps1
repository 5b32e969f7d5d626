param($Job, $Order)
# Runs one script in a process of its own, in the logon of this one. The script is never ended here, however long
# it runs: whoever waits for it may stop waiting.
$phase = [string]$Order.phase
$bytes = [Convert]::FromBase64String([string]$Order.text)
if ($phase -cnotmatch '^(pre|post|scan|stage|install)\z' -or $bytes.Length -gt 524288 -or [string]$Order.cluster -match '[\x00-\x1f]') {
    throw (New-CauFailure -Kind 'refused' -Message 'the phase, the size or the cluster of the script is out of bounds')
}
$sum = Get-CauSha256 -Bytes $bytes
if ($sum -cne [string]$Order.sha256) {
    throw (New-CauFailure -Kind 'refused' -Message 'the script is not the one of the plan: its SHA-256 differs')
}
$script = Join-Path -Path $Job['folder'] -ChildPath 'script.txt'
$output = Join-Path -Path $Job['folder'] -ChildPath 'output.txt'
Write-CauFile -Path $script -Bytes $bytes
$cmd = Join-Path -Path $env:SystemRoot -ChildPath 'System32\cmd.exe'
$command = Get-CauScriptCommand -Script $script -Sum $sum -Output $output
$start = New-Object -TypeName System.Diagnostics.ProcessStartInfo -ArgumentList $cmd, $command
$start.UseShellExecute = $false
$start.CreateNoWindow = $true
$start.WorkingDirectory = [string]$Job['folder']
$start.EnvironmentVariables['CAU_RUN'] = [string]$Job['run']
$start.EnvironmentVariables['CAU_NODE'] = [Environment]::MachineName
$start.EnvironmentVariables['CAU_CLUSTER'] = [string]$Order.cluster
$start.EnvironmentVariables['CAU_PHASE'] = $phase
$account = [Security.Principal.WindowsIdentity]::GetCurrent().Name
$tail = New-CauTail -Path $output
Write-CauEvent -Job $Job -Kind 'starting' -Message ([string]$Order.name + ' as ' + $account)
Assert-CauNotCancelled -Job $Job
$process = [Diagnostics.Process]::Start($start)
# From here on nothing may end this job before the script: an error would say that it did not run.
try {
    Write-CauProcess -Path (Join-Path -Path $Job['folder'] -ChildPath 'installer.json') -Id $process.Id
} catch {
    # The job itself is seen alive while the script is.
    $Job['missed'] = 1 + $Job['missed']
}
Write-CauEvent -Job $Job -Kind 'running' -Message ('process ' + $process.Id)
while (-not $process.WaitForExit(1000)) {
    Read-CauTail -Job $Job -Tail $tail
    Update-CauHeartbeat -Job $Job
}
Read-CauTail -Job $Job -Tail $tail -All
$code = [long]$process.ExitCode
Write-CauEvent -Job $Job -Kind 'exited' -Message ('exit code ' + $code)
return @{ exit_code = $code; account = $account; truncated = $tail['truncated']; log = $output }
