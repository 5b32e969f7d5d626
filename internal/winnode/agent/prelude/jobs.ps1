# A job is a folder (job.json, process.json, events.jsonl, heartbeat, result.json; installer.json for what it started,
# and the notes cancel and killed) and a scheduled task that runs as SYSTEM without a trigger: it starts when
# job.start says so, once, and never by itself. A job of the caller's own has no task.

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
    # Without a DACL everybody may do everything, and there is nobody in it to be found.
    $open = $null -eq $descriptor.DiscretionaryAcl
    $foreign = @($descriptor.DiscretionaryAcl | Where-Object -FilterScript { $null -ne $_ -and $CauTrusted -notcontains $_.SecurityIdentifier.Value })
    if ($open -or $null -eq $descriptor.Owner -or $CauTrusted -notcontains $descriptor.Owner.Value -or $foreign.Count -gt 0) {
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

# Get-CauTaskResult is a task's last result as 32 bits, whatever sign the Task Scheduler gave it.
function Get-CauTaskResult {
    param($Task)
    return ([long]$Task.LastTaskResult -band 4294967295)
}

# Get-CauProcessStart is the start of a process as text, or empty when there is no such process.
function Get-CauProcessStart {
    param([int]$Id)
    $found = @(Get-CimInstance -ClassName 'Win32_Process' -Filter "ProcessId = $Id" -Property 'ProcessId', 'CreationDate')
    if ($found.Count -eq 0) { return '' }
    if ($null -eq $found[0].CreationDate) { return 'unknown' }
    return $found[0].CreationDate.ToFileTimeUtc().ToString([Globalization.CultureInfo]::InvariantCulture)
}

# Get-CauProcesses is every process by its id: parent, and start as Get-CauProcessStart gives it.
function Get-CauProcesses {
    $table = @{}
    foreach ($process in @(Get-CimInstance -ClassName 'Win32_Process' -Property 'ProcessId', 'ParentProcessId', 'CreationDate')) {
        $start = 'unknown'
        if ($null -ne $process.CreationDate) {
            $start = $process.CreationDate.ToFileTimeUtc().ToString([Globalization.CultureInfo]::InvariantCulture)
        }
        $table[[int]$process.ProcessId] = @{ parent = [int]$process.ParentProcessId; start = $start }
    }
    return $table
}

# Read-CauProcess is the process that a file (process.json, installer.json) names: pid and start, or null. A file that
# a crash left empty or cut names none; it must not keep a node from ever being cleaned. It is written by one call, so
# one that cannot be read is not one that is being written.
function Read-CauProcess {
    param([string]$Path)
    if (-not [IO.File]::Exists($Path)) { return $null }
    $text = Read-CauFile -Path $Path
    try {
        $written = ConvertFrom-Json -InputObject $text
        return @{ pid = [int]$written.pid; start = [string]$written.start }
    } catch {
        return $null
    }
}

# Test-CauProcess tells whether the process that wrote the file (process.json, installer.json) still runs.
# A process whose start cannot be read counts as the same: alive is the answer that kills nothing.
# Processes is what Get-CauProcesses gave, for who asks about many.
function Test-CauProcess {
    param(
        [string]$Path,
        [System.Collections.IDictionary]$Processes
    )
    $written = Read-CauProcess -Path $Path
    if ($null -eq $written) { return $false }
    $start = ''
    if ($null -eq $Processes) {
        $start = Get-CauProcessStart -Id $written['pid']
    } elseif ($Processes.Contains($written['pid'])) {
        $start = [string]$Processes[$written['pid']]['start']
    }
    return ($start -ne '' -and ($start -eq 'unknown' -or $written['start'] -eq 'unknown' -or $start -eq $written['start']))
}

# Test-CauJobAlive tells whether the job or what it started still runs: an installer that outlives its job is
# still an installer at work.
function Test-CauJobAlive {
    param(
        [string]$Folder,
        [System.Collections.IDictionary]$Processes
    )
    return ((Test-CauProcess -Path (Join-Path -Path $Folder -ChildPath 'process.json') -Processes $Processes) -or
        (Test-CauProcess -Path (Join-Path -Path $Folder -ChildPath 'installer.json') -Processes $Processes))
}

# Assert-CauJobEnded refuses a job that works, or is about to: its task is queued or starting. One that has written its
# result has only to end, which is waited for a little. Folder is empty for a task whose folder is gone.
function Assert-CauJobEnded {
    param(
        [string]$Id,
        [string]$Folder,
        $Task,
        [System.Collections.IDictionary]$Processes
    )
    $left = 16
    while ($true) {
        # 2 is queued, 4 is running.
        $works = ($null -ne $Task -and ([int]$Task.State -eq 2 -or [int]$Task.State -eq 4)) -or
        ($Folder -ne '' -and (Test-CauJobAlive -Folder $Folder -Processes $Processes))
        if (-not $works) { return }
        $left -= 1
        if ($left -eq 0 -or $Folder -eq '' -or -not [IO.File]::Exists((Join-Path -Path $Folder -ChildPath 'result.json'))) {
            throw (New-CauFailure -Kind 'refused' -Message "job $Id still works")
        }
        Start-Sleep -Milliseconds 500
        $Processes = Get-CauProcesses
    }
}

# Assert-CauIdle refuses while a job, or what one started, works on this node, whichever run's it is.
function Assert-CauIdle {
    $jobs = Get-CauFolder -Path 'jobs'
    if ($jobs -eq '') { return }
    $processes = Get-CauProcesses
    foreach ($folder in @([IO.Directory]::GetDirectories($jobs))) {
        foreach ($job in @([IO.Directory]::GetDirectories($folder))) {
            Assert-CauJobEnded -Id ([IO.Path]::GetFileName($job)) -Folder $job -Task $null -Processes $processes
        }
    }
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
# another program holds the file it is tried a few times and then lost, and the job goes on. A message is cut so
# that its line fits into one answer of job.poll, whatever escapes it needs.
function Write-CauEvent {
    param(
        [System.Collections.IDictionary]$Job,
        [string]$Kind,
        [string]$Message = '',
        [long]$Done = 0,
        [long]$Total = 0
    )
    $Job['sequence'] = 1 + $Job['sequence']
    if ($Message.Length -gt 8000) { $Message = $Message.Substring(0, 8000) }
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

# Start-CauHeartbeat renews the heartbeat from a second thread while the job waits inside one long call, so that
# a job that is slow is told from one whose process hangs or is gone. Stop-CauHeartbeat must follow.
function Start-CauHeartbeat {
    param([System.Collections.IDictionary]$Job)
    $beat = {
        param($Stop, $Path)
        do {
            try {
                [IO.File]::WriteAllText($Path, [DateTime]::UtcNow.ToString('o', [Globalization.CultureInfo]::InvariantCulture))
            } catch {
                # Somebody reads the file just now; the next beat counts as well.
            }
        } while (-not $Stop.WaitOne(5000))
    }
    try {
        $stop = New-Object -TypeName System.Threading.ManualResetEvent -ArgumentList $false
        $shell = [PowerShell]::Create()
        [void]$shell.AddScript($beat.ToString()).AddArgument($stop).AddArgument((Join-Path -Path $Job['folder'] -ChildPath 'heartbeat'))
        $Job['background'] = @{ stop = $stop; shell = $shell; call = $shell.BeginInvoke() }
    } catch {
        # A heartbeat may be lost; the work may not.
        $Job['missed'] = 1 + $Job['missed']
    }
}

function Stop-CauHeartbeat {
    param([System.Collections.IDictionary]$Job)
    $background = $Job['background']
    $Job['background'] = $null
    if ($null -eq $background) { return }
    try {
        [void]$background['stop'].Set()
        [void]$background['shell'].EndInvoke($background['call'])
        $background['shell'].Dispose()
    } catch {
        $Job['missed'] = 1 + $Job['missed']
    }
}

# Test-CauCancelled tells whether somebody left the note that the job should not go on.
function Test-CauCancelled {
    param([System.Collections.IDictionary]$Job)
    return [IO.File]::Exists((Join-Path -Path $Job['folder'] -ChildPath 'cancel'))
}

# Assert-CauNotCancelled ends a job that was cancelled before it did something that cannot be taken back.
function Assert-CauNotCancelled {
    param([System.Collections.IDictionary]$Job)
    if (Test-CauCancelled -Job $Job) {
        throw (New-CauFailure -Kind 'refused' -Message 'the job was cancelled before it began this' -Code 1223)
    }
}

# Get-CauField is a field of an order, or Default where the order does not have it.
function Get-CauField {
    param(
        $Order,
        [string]$Name,
        $Default
    )
    $property = $Order.PSObject.Properties[$Name]
    if ($null -eq $property -or $null -eq $property.Value) { return $Default }
    return $property.Value
}

# New-CauJob writes what a job is to do, or finds that it is written: the same id is the same job. Caller says that
# it runs in its caller's logon and not as SYSTEM. What it gives is the job's folder.
function New-CauJob {
    param(
        $Arguments,
        [bool]$Caller
    )
    $id = [string]$Arguments.id
    $run = [string]$Arguments.run
    $kind = [string]$Arguments.kind
    Assert-CauName -Name $id
    Assert-CauName -Name $run
    if (-not $CauJobs.ContainsKey($kind)) {
        throw (New-CauFailure -Kind 'missing' -Message 'there is no such kind of job')
    }
    $folder = New-CauFolder -Path "jobs\$run\$id"
    $path = Join-Path -Path $folder -ChildPath 'job.json'
    if ([IO.File]::Exists($path)) {
        $order = ConvertFrom-Json -InputObject (Read-CauFile -Path $path)
        $other = [string]$order.kind -cne $kind -or [string]$order.input -cne [string]$Arguments.input
        if ($other -or [bool](Get-CauField -Order $order -Name 'caller' -Default $false) -ne $Caller) {
            throw (New-CauFailure -Kind 'refused' -Message 'a job of this id exists and is another one')
        }
    } else {
        Write-CauFile -Path $path -Text (ConvertTo-CauJson -Value @{ id = $id; run = $run; kind = $kind; caller = $Caller; input = [string]$Arguments.input })
    }
    return $folder
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
    $job = @{ folder = $folder; id = $id; run = $run; sequence = 0; beats = 0; missed = 0; background = $null; beat = [Diagnostics.Stopwatch]::StartNew() }
    $result = @{ ok = $false }
    try {
        $order = ConvertFrom-Json -InputObject (Read-CauFile -Path (Join-Path -Path $folder -ChildPath 'job.json'))
        Write-CauEvent -Job $job -Kind 'started' -Message ([string]$order.kind)
        Assert-CauNotCancelled -Job $job
        $data = & $Jobs[[string]$order.kind] $job (ConvertFrom-Json -InputObject ([string]$order.input))
        $result['data'] = $data
        $result['ok'] = $true
    } catch {
        $result['err'] = ConvertTo-CauError -Record $_
    }
    # What job.kill ended has no result: how far it got is unknown, and no exit code may say otherwise.
    if ([IO.File]::Exists((Join-Path -Path $folder -ChildPath 'killed'))) { return }
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
