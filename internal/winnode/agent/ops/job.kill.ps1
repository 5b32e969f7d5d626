param($Arguments)
# Ends what a job started, its whole tree, and then the job. This is the only place where anything is ended, and it is
# for somebody who typed that it shall be. A process is ended only when id and start are those that were seen: an
# id that Windows gave to another process since is none of ours.

# Stop-CauProcess ends one process and tells whether it did.
function Stop-CauProcess {
    param(
        [int]$Id,
        [long]$Start
    )
    try {
        $process = [Diagnostics.Process]::GetProcessById($Id)
    } catch [ArgumentException] {
        # It ended by itself.
        return $false
    }
    try {
        # While the handle is open Windows gives the id to nobody else, so what is compared is what is ended.
        [void]$process.Handle
        # CIM counts microseconds, the process counts 100 ns.
        if ([Math]::Abs($process.StartTime.ToFileTimeUtc() - $Start) -gt 10) { return $false }
        if ($process.HasExited) { return $false }
        $process.Kill()
        [void]$process.WaitForExit(5000)
        return $true
    } finally {
        $process.Dispose()
    }
}

$id = [string]$Arguments.id
$run = [string]$Arguments.run
Assert-CauName -Name $id
Assert-CauName -Name $run
$folder = Get-CauFolder -Path "jobs\$run\$id"
if ($folder -eq '' -or -not [IO.File]::Exists((Join-Path -Path $folder -ChildPath 'job.json'))) { return @{ exists = $false; ended = @() } }
# An administrator may end SYSTEM's processes, but only with this privilege turned on.
[Diagnostics.Process]::EnterDebugMode()
$own = Read-CauProcess -Path (Join-Path -Path $folder -ChildPath 'process.json')
$started = Read-CauProcess -Path (Join-Path -Path $folder -ChildPath 'installer.json')
$processes = Get-CauProcesses
# What is to be ended, by id: its start. What was ended, by id: when. A file without a start names nobody for certain.
$tree = @{}
$gone = @{}
$ended = @()
$failed = ''
if ($null -ne $started -and $processes.Contains($started['pid']) -and $started['start'] -match '^[0-9]+\z' -and $processes[$started['pid']]['start'] -eq $started['start']) {
    $tree[$started['pid']] = [long]$started['start']
}
$alive = $null -ne $own -and $processes.Contains($own['pid']) -and $own['start'] -match '^[0-9]+\z' -and $processes[$own['pid']]['start'] -eq $own['start']
if ($tree.Count -gt 0 -or $alive) {
    # From here on no exit code may become a result: see Invoke-CauJob.
    Write-CauFile -Path (Join-Path -Path $folder -ChildPath 'killed') -Text (Get-CauUtc) -Replace
}
# A process that is ended may have started another one meanwhile, so it is looked again, but not for ever.
for ($look = 0; $look -lt 5 -and $tree.Count -gt 0; $look++) {
    do {
        $grown = $false
        foreach ($child in @($processes.Keys)) {
            $parent = $processes[$child]['parent']
            $start = $processes[$child]['start']
            if ($tree.ContainsKey($child) -or -not $tree.ContainsKey($parent) -or $start -notmatch '^[0-9]+\z' -or $child -eq $PID) { continue }
            # Older than who is said to have started it, or younger than that one's end: another process had the id.
            if ([long]$start -lt $tree[$parent]) { continue }
            if ($gone.ContainsKey($parent) -and [long]$start -gt $gone[$parent]) { continue }
            # Ended by itself, and its id is somebody else's now: whose child this is cannot be known.
            if ($processes.Contains($parent) -and [string]$processes[$parent]['start'] -ne [string]$tree[$parent]) { continue }
            $tree[$child] = [long]$start
            $grown = $true
        }
    } while ($grown)
    $left = @($tree.Keys | Where-Object -FilterScript { -not $gone.ContainsKey($_) })
    if ($left.Count -eq 0) { break }
    foreach ($process in $left) {
        try {
            if (Stop-CauProcess -Id $process -Start $tree[$process]) { $ended += $process }
        } catch {
            $failed = "process $process could not be ended: " + (ConvertTo-CauError -Record $_)['message']
        }
        $gone[$process] = [DateTime]::UtcNow.ToFileTimeUtc()
    }
    $processes = Get-CauProcesses
}
if ($alive) {
    try {
        if (Stop-CauProcess -Id $own['pid'] -Start ([long]$own['start'])) { $ended += $own['pid'] }
    } catch {
        $failed = "process $($own['pid']) could not be ended: " + (ConvertTo-CauError -Record $_)['message']
    }
}
if ($failed -ne '') {
    # Nothing was ended, so the job goes on, and its result counts.
    if ($ended.Count -eq 0) { [IO.File]::Delete((Join-Path -Path $folder -ChildPath 'killed')) }
    throw (New-CauFailure -Kind 'win32' -Message ($failed + '; ended: ' + ($ended -join ', ')) -Code 5)
}
return @{ exists = $true; ended = $ended }
