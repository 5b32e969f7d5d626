param($Job, $Order)
# Runs one installer. Every file it was planned with is opened first, without sharing it for writing or
# deleting, hashed through that handle, and held until the installer ends. Its folder holds nothing else. The installer
# is never killed.
$run = [string]$Order.run
$update = [string]$Order.update
Assert-CauName -Name $run
Assert-CauName -Name $update
Assert-CauRelative -Path ([string]$Order.target)
$policy = [string](Get-CauField -Order $Order -Name 'signature' -Default 'warn')
if ($policy -cnotmatch '^(require|warn|ignore)\z') {
    throw (New-CauFailure -Kind 'refused' -Message 'there is no such policy for signatures')
}
$folder = Get-CauFolder -Path "runs\$run\$update"
if ($folder -eq '') {
    throw (New-CauFailure -Kind 'missing' -Message 'the update is not staged on this node' -Code 3)
}
$held = New-Object -TypeName System.Collections.ArrayList
$planned = @{}
$own = ''
try {
    foreach ($file in @($Order.files)) {
        $target = [string]$file.target
        Assert-CauRelative -Path $target
        if ([string]$file.update -cne $update) {
            throw (New-CauFailure -Kind 'refused' -Message 'a file of another update is listed')
        }
        $below = Get-CauFolder -Path ([IO.Path]::GetDirectoryName("runs\$run\$update\$target"))
        $path = Join-Path -Path $folder -ChildPath $target
        if ($below -eq '' -or -not [IO.File]::Exists($path)) {
            throw (New-CauFailure -Kind 'missing' -Message "$target is not staged on this node" -Code 2)
        }
        Assert-CauNoReparse -Path $path
        $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $path, 'Open', 'Read', 'Read'
        [void]$held.Add($stream)
        $planned[$path] = $true
        if ($stream.Length -ne [long]$file.size -or (Get-CauStreamSha256 -Stream $stream -Report { Update-CauHeartbeat -Job $Job }) -ne [string]$file.sha256) {
            throw (New-CauFailure -Kind 'refused' -Message "$target is not the file of the plan: its size or SHA-256 differs")
        }
        if ($target -eq [string]$Order.target) { $own = $path }
    }
    if ($own -eq '') {
        throw (New-CauFailure -Kind 'refused' -Message 'the update''s own file is not among its files')
    }
    Assert-CauOnly -Folder $folder -Files $planned
    # The file is held, so what is looked at is what will run.
    $signature = Get-CauSignature -Job $Job -Path $own -Require ($policy -ceq 'require')
    # The plan's command line names the update by this variable and no other way: what was shown is what runs.
    [Environment]::SetEnvironmentVariable('CAU_UPDATE', [IO.Path]::GetDirectoryName($own), 'Process')
    # Where the installer may write what it did, in the same way.
    $log = Join-Path -Path $Job['folder'] -ChildPath 'installer.log'
    [Environment]::SetEnvironmentVariable('CAU_LOG', $log, 'Process')
    $program = [Environment]::ExpandEnvironmentVariables([string]$Order.program)
    $parameters = [Environment]::ExpandEnvironmentVariables([string]$Order.parameters)
    # Windows would look for any other in this job's folder first; a network path is none of the plan's files.
    if ($program -notmatch '^[A-Za-z]:\\[^"\x00-\x1f]+\z') {
        throw (New-CauFailure -Kind 'refused' -Message "$program is not the full path of a program on this node")
    }
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo -ArgumentList $program, $parameters
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.WorkingDirectory = $folder
    Write-CauEvent -Job $Job -Kind 'starting' -Message ($program + ' ' + $parameters)
    # The last moment at which not to install is still possible; nobody looks at the note later.
    Assert-CauNotCancelled -Job $Job
    $process = [Diagnostics.Process]::Start($start)
    # From here on nothing may end this job before the installer: an error would say that nothing was installed.
    try {
        Write-CauProcess -Path (Join-Path -Path $Job['folder'] -ChildPath 'installer.json') -Id $process.Id
    } catch {
        # The job itself is seen alive while the installer is.
        $Job['missed'] = 1 + $Job['missed']
    }
    Write-CauEvent -Job $Job -Kind 'running' -Message ('process ' + $process.Id)
    while (-not $process.WaitForExit(5000)) {
        Update-CauHeartbeat -Job $Job
    }
    $code = [long]$process.ExitCode
    Write-CauEvent -Job $Job -Kind 'exited' -Message ('exit code ' + $code)
    $written = ''
    try {
        $written = Get-CauLog -Path $log
    } catch {
        # A log that cannot be looked at is none.
        $Job['missed'] = 1 + $Job['missed']
    }
    return @{ exit_code = $code; log = $written; signature = $signature }
} finally {
    foreach ($stream in $held) { $stream.Dispose() }
}
