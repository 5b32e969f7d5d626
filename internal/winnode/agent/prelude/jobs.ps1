# A job is a folder (job.json, process.json, events.jsonl, heartbeat, result.json) and a scheduled task that
# runs as SYSTEM without a trigger: it starts when job.start says so, once, and never by itself.

$CauTaskFolder = '\cau'
$CauTaskSddl = 'O:BAG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)'

function Get-CauTaskName {
    param(
        [string]$Run,
        [string]$Id
    )
    # The dot is in no id, so no run's tasks can be taken for another's.
    return ($Run + '.' + $Id)
}

# Open-CauTaskFolder is our folder of the Task Scheduler, made when Create says so; null when there is none.
# One that grants others anything is refused.
function Open-CauTaskFolder {
    param(
        $Service,
        [switch]$Create
    )
    $root = $Service.GetFolder('\')
    $name = $CauTaskFolder.Substring(1)
    $exists = @($root.GetFolders(0) | Where-Object -FilterScript { $_.Name -eq $name }).Count -gt 0
    if (-not $exists) {
        if (-not $Create) { return $null }
        [void]$root.CreateFolder($name, $CauTaskSddl)
    }
    $folder = $Service.GetFolder($CauTaskFolder)
    # 5 is owner and DACL.
    $descriptor = New-Object -TypeName System.Security.AccessControl.RawSecurityDescriptor -ArgumentList ([string]$folder.GetSecurityDescriptor(5))
    $foreign = @($descriptor.DiscretionaryAcl | Where-Object -FilterScript { $CauTrusted -notcontains $_.SecurityIdentifier.Value })
    if ($null -eq $descriptor.Owner -or $CauTrusted -notcontains $descriptor.Owner.Value -or $foreign.Count -gt 0) {
        throw (New-CauFailure -Kind 'refused' -Message 'the task folder \cau belongs to somebody else or lets others in. Look at it and remove it.')
    }
    return $folder
}

function Connect-CauTaskService {
    $service = New-Object -ComObject 'Schedule.Service'
    [void]$service.Connect()
    return $service
}

# Get-CauTask is the registered task of a job, or null.
function Get-CauTask {
    param(
        $Folder,
        [string]$Name
    )
    if ($null -eq $Folder) { return $null }
    # 1 includes hidden tasks.
    $found = @($Folder.GetTasks(1) | Where-Object -FilterScript { $_.Name -eq $Name })
    if ($found.Count -eq 0) { return $null }
    return $found[0]
}

# Get-CauProcessStart is the start of a process as text, or empty when there is no such process.
function Get-CauProcessStart {
    param([int]$Id)
    $found = @(Get-CimInstance -ClassName 'Win32_Process' -Filter "ProcessId = $Id" -Property 'ProcessId', 'CreationDate')
    if ($found.Count -eq 0) { return '' }
    if ($null -eq $found[0].CreationDate) { return 'unknown' }
    return $found[0].CreationDate.ToFileTimeUtc().ToString([Globalization.CultureInfo]::InvariantCulture)
}

# Test-CauProcess tells whether the process that wrote the file (process.json, installer.json) still runs.
# A process whose start cannot be read counts as the same: alive is the answer that kills nothing.
function Test-CauProcess {
    param([string]$Path)
    if (-not [IO.File]::Exists($Path)) { return $false }
    $text = Read-CauFile -Path $Path
    if ($text -eq '') { return $false }
    $written = ConvertFrom-Json -InputObject $text
    $start = Get-CauProcessStart -Id ([int]$written.pid)
    return ($start -ne '' -and ($start -eq 'unknown' -or [string]$written.start -eq 'unknown' -or $start -eq [string]$written.start))
}

# Write-CauProcess writes who works, exclusively: the second of two starts finds the file and must go away.
function Write-CauProcess {
    param(
        [string]$Path,
        [int]$Id
    )
    $text = ConvertTo-CauJson -Value @{ pid = $Id; start = (Get-CauProcessStart -Id $Id); utc = (Get-CauUtc) }
    $bytes = [Text.Encoding]::UTF8.GetBytes($text)
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $Path, 'CreateNew', 'Write', 'Read'
    try {
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush($true)
    } finally {
        $stream.Dispose()
    }
}

# Write-CauEvent appends one line to the job's events and renews the heartbeat. An event decides nothing: when
# another program holds the file it is tried a few times and then lost, and the job goes on.
function Write-CauEvent {
    param(
        [System.Collections.IDictionary]$Job,
        [string]$Kind,
        [string]$Message = '',
        [long]$Done = 0,
        [long]$Total = 0
    )
    $Job['sequence'] = 1 + $Job['sequence']
    $line = ConvertTo-CauJson -Value @{ seq = $Job['sequence']; utc = (Get-CauUtc); kind = $Kind; message = $Message; done = $Done; total = $Total }
    $bytes = [Text.Encoding]::UTF8.GetBytes($line + "`n")
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    foreach ($pause in 100, 500, 0) {
        try {
            $stream = New-Object -TypeName System.IO.FileStream -ArgumentList (Join-Path -Path $Job['folder'] -ChildPath 'events.jsonl'), 'Append', 'Write', $share
            try {
                $stream.Write($bytes, 0, $bytes.Length)
            } finally {
                $stream.Dispose()
            }
            break
        } catch {
            $Job['missed'] = 1 + $Job['missed']
            Start-Sleep -Milliseconds $pause
        }
    }
    Update-CauHeartbeat -Job $Job
}

# Update-CauHeartbeat says that the job works, at most every five seconds. A heartbeat may be lost.
function Update-CauHeartbeat {
    param([System.Collections.IDictionary]$Job)
    if ($Job['beat'].ElapsedMilliseconds -lt 5000 -and $Job['beats'] -gt 0) { return }
    $Job['beats'] = 1 + $Job['beats']
    $Job['beat'].Restart()
    try {
        [IO.File]::WriteAllText((Join-Path -Path $Job['folder'] -ChildPath 'heartbeat'), (Get-CauUtc))
    } catch {
        $Job['missed'] = 1 + $Job['missed']
    }
}

# Invoke-CauJob is what the scheduled task runs. It claims the job, does it, and writes the result, once, last.
function Invoke-CauJob {
    param(
        [string]$Argument,
        [System.Collections.IDictionary]$Jobs
    )
    $run, $id = $Argument.Split([char]'/')
    Assert-CauName -Name $run
    Assert-CauName -Name $id
    $folder = Get-CauFolder -Path "jobs\$run\$id"
    if ($folder -eq '') { return }
    $process = Join-Path -Path $folder -ChildPath 'process.json'
    if ([IO.File]::Exists($process)) { return }
    Write-CauProcess -Path $process -Id $PID
    $job = @{ folder = $folder; id = $id; run = $run; sequence = 0; beats = 0; missed = 0; beat = [Diagnostics.Stopwatch]::StartNew() }
    $result = @{ ok = $false }
    try {
        $order = ConvertFrom-Json -InputObject (Read-CauFile -Path (Join-Path -Path $folder -ChildPath 'job.json'))
        Write-CauEvent -Job $job -Kind 'started' -Message ([string]$order.kind)
        $data = & $Jobs[[string]$order.kind] $job (ConvertFrom-Json -InputObject ([string]$order.input))
        $result['data'] = $data
        $result['ok'] = $true
    } catch {
        $result['err'] = ConvertTo-CauError -Record $_
    }
    # The result of an installer cannot be had again: whoever is in the way is waited for.
    $text = ConvertTo-CauJson -Value $result
    $left = 60
    while ($left -gt 0) {
        try {
            Write-CauFile -Path (Join-Path -Path $folder -ChildPath 'result.json') -Text $text
            return
        } catch {
            $left -= 1
            if ($left -eq 0) { throw }
            Start-Sleep -Seconds 1
        }
    }
}
