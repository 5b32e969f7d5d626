# The lease that keeps two coordinators apart. An epoch of it is a clustered role, empty and without resources, called
# cau-lease-<epoch>; the cluster lets exactly one caller create it. The newest epoch is the one that counts. Who gives
# the lease up leaves its role behind, marked as dropped, so that no later epoch has the same number.

$CauLeaseGroup = 'cau-lease-'
# Every operation that changes something: asked for under an epoch, each is refused under any other than the newest.
# Who has no run, an administrator, asks under none.
$CauFenced = @(
    'node.pause', 'node.resume', 'storage.maintenance', 'group.move', 'service.start', 'node.restart', 'node.restart-abort', 'node.clean',
    'job.start', 'job.run-here', 'job.cancel', 'job.kill', 'job.delete', 'push.open', 'push.close', 'checkpoint.put', 'checkpoint.drop',
    'share.apply', 'firewall.rule', 'cau.lock.take', 'cau.lock.renew', 'cau.lock.drop'
)

# Test-CauLeaseName tells whether a role is an epoch of the lease and nothing that serves anybody.
function Test-CauLeaseName {
    param([string]$Name)
    return ($Name -cmatch ('^' + $CauLeaseGroup + '[1-9][0-9]{0,15}\z'))
}

# Get-CauLeases is every epoch that the cluster has, newest first.
function Get-CauLeases {
    $groups = @(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_ResourceGroup' |
            Where-Object -FilterScript { Test-CauLeaseName -Name ([string]$_.Name) })
    $leases = @($groups | ForEach-Object -Process {
            $lease = @{ epoch = [long]([string]$_.Name).Substring($CauLeaseGroup.Length); run = ''; holder = ''; renewed = ''; dropped = $false; group = $_ }
            # A description that is not ours to read is a lease of somebody unknown: held, and by no run that we know.
            try {
                $note = ConvertFrom-Json -InputObject ([string]$_.Description)
                $lease['run'] = [string]$note.run
                $lease['holder'] = [string]$note.holder
                $lease['renewed'] = [string]$note.renewed
                $lease['dropped'] = [bool]$note.dropped
            } catch {
                $lease['dropped'] = $false
            }
            New-Object -TypeName PSObject -Property $lease
        })
    return @($leases | Sort-Object -Property 'epoch' -Descending)
}

# ConvertTo-CauLease is the answer of every lease operation: the newest epoch, or 0 when nobody holds the lease, and whose
# the last one was. By that a coordinator that comes back finds out that its run was taken over and has ended elsewhere.
function ConvertTo-CauLease {
    param(
        [object[]]$Leases,
        [bool]$Taken = $false
    )
    $answer = @{ epoch = [long]0; run = ''; holder = ''; renewed_utc = ''; last_epoch = [long]0; last_run = ''; last_holder = ''; taken = $false }
    if ($Leases.Count -eq 0) { return $answer }
    $newest = $Leases[0]
    $answer['last_epoch'] = $newest.epoch
    $answer['last_run'] = $newest.run
    $answer['last_holder'] = $newest.holder
    if ($newest.dropped) { return $answer }
    $answer['epoch'] = $newest.epoch
    $answer['run'] = $newest.run
    $answer['holder'] = $newest.holder
    $answer['renewed_utc'] = $newest.renewed
    $answer['taken'] = $Taken
    return $answer
}

# Write-CauLeaseNote writes into a role's description who holds the epoch, and when that was last true.
function Write-CauLeaseNote {
    param(
        [Microsoft.Management.Infrastructure.CimInstance]$Group,
        [string]$Run,
        [string]$Holder,
        [bool]$Dropped = $false
    )
    $note = ConvertTo-CauJson -Value @{ run = $Run; holder = $Holder; renewed = (Get-CauUtc); dropped = $Dropped }
    Set-CimInstance -InputObject $Group -Property @{ Description = $note }
}

# Remove-CauLeaseGroup deletes the role of an epoch. DeleteGroup refuses a role that has resources: nothing that
# somebody put there goes with it.
function Remove-CauLeaseGroup {
    param([Microsoft.Management.Infrastructure.CimInstance]$Group)
    # 0 is online; only what is offline is deleted.
    if ([long](Get-CauProperty -Instance $Group -Name 'State' -Default -1) -eq 0) {
        $offline = Invoke-CimMethod -InputObject $Group -MethodName 'TakeOffline' -Arguments @{ TimeOut = [uint32]10 }
        Assert-CauReturn -Result $offline -Method 'TakeOffline'
    }
    $result = Invoke-CimMethod -InputObject $Group -MethodName 'DeleteGroup'
    Assert-CauReturn -Result $result -Method 'DeleteGroup'
}

# Assert-CauLeaseArguments admits what may stand in a lease: a run's id, and a holder's plain name.
function Assert-CauLeaseArguments {
    param(
        [string]$Run,
        [string]$Holder
    )
    Assert-CauName -Name $Run
    if ($Holder -notmatch '^[^\x00-\x1f\x7f]{1,256}\z') {
        throw (New-CauFailure -Kind 'refused' -Message 'the holder of a lease is not plain text of at most 256 characters')
    }
}

# Get-CauOwnLease is the newest epoch, which must be the one that is named and the run's.
function Get-CauOwnLease {
    param(
        [object[]]$Leases,
        [long]$Epoch,
        [string]$Run
    )
    if ($Leases.Count -eq 0 -or $Leases[0].dropped -or $Leases[0].epoch -ne $Epoch -or $Leases[0].run -cne $Run) {
        throw (New-CauFailure -Kind 'fenced' -Message "epoch $Epoch is not this run's lease any more")
    }
    return $Leases[0]
}

# Use-CauKnownEpoch is the highest epoch that this node has seen, after raising it to Epoch if that is higher. It is
# for when the cluster cannot be asked, and it is never lowered: readers and writers take turns.
function Use-CauKnownEpoch {
    param([long]$Epoch)
    $folder = New-CauFolder -Path ''
    $path = Join-Path -Path $folder -ChildPath 'lease.json'
    $turn = $null
    $left = 50
    while ($null -eq $turn) {
        try {
            $turn = New-Object -TypeName System.IO.FileStream -ArgumentList (Join-Path -Path $folder -ChildPath 'lease.lock'), 'OpenOrCreate', 'ReadWrite', 'None'
        } catch {
            $left -= 1
            if ($left -eq 0) { throw }
            Start-Sleep -Milliseconds 100
        }
    }
    try {
        $known = [long]0
        if ([IO.File]::Exists($path)) {
            $known = [long](ConvertFrom-Json -InputObject (Read-CauFile -Path $path -Limit 4096)).epoch
        }
        if ($Epoch -gt $known) {
            Write-CauFile -Path $path -Text (ConvertTo-CauJson -Value @{ epoch = $Epoch; utc = (Get-CauUtc) }) -Replace
            $known = $Epoch
        }
        return $known
    } finally {
        $turn.Dispose()
    }
}

# Assert-CauLease refuses a changing operation under an epoch that is not the newest. Reading is never fenced and
# costs nothing here. Where the Cluster service does not run, what the node itself has seen decides. A cluster that
# runs and gives no answer is an error, not a permission.
function Assert-CauLease {
    param(
        [string]$Operation,
        [long]$Epoch
    )
    if ($Epoch -eq 0 -or $CauFenced -notcontains $Operation) { return }
    $service = Get-Service -Name 'ClusSvc' -ErrorAction SilentlyContinue
    $newest = [long]0
    if ($null -ne $service -and [string]$service.Status -eq 'Running') {
        $leases = @(Get-CauLeases)
        $newest = (ConvertTo-CauLease -Leases $leases)['epoch']
        if ($newest -eq $Epoch) {
            try {
                [void](Use-CauKnownEpoch -Epoch $Epoch)
            } catch {
                # The cluster itself said yes. A full disk must not keep a node from being resumed.
                return
            }
            return
        }
    } else {
        $newest = Use-CauKnownEpoch -Epoch $Epoch
        if ($newest -eq $Epoch) { return }
    }
    throw (New-CauFailure -Kind 'fenced' -Message "$Operation was asked for under epoch $Epoch; the newest is $newest. Another coordinator has the run.")
}

# Read-CauCheckpoint is the first line of a checkpoint's file. One that cannot be read has sequence 0 and no hash, so
# that any other replaces it and nobody resumes from it.
function Read-CauCheckpoint {
    param([string]$Path)
    Assert-CauNoReparse -Path $Path
    $checkpoint = @{ run = [IO.Path]::GetFileNameWithoutExtension($Path); sequence = [long]0; utc = ''; sha256 = '' }
    try {
        $first = (Read-CauFile -Path $Path -Limit 4096).Split([char]"`n")[0]
        $header = ConvertFrom-Json -InputObject $first
        return @{ run = [string]$header.run; sequence = [long]$header.sequence; utc = [string]$header.utc; sha256 = [string]$header.sha256 }
    } catch {
        return $checkpoint
    }
}

# Remove-CauCheckpoint deletes a run's checkpoint, and what a crash left of one, and names what it deleted.
function Remove-CauCheckpoint {
    param([string]$Run)
    $folder = Get-CauFolder -Path 'checkpoints'
    if ($folder -eq '') { return }
    foreach ($path in @([IO.Directory]::GetFiles($folder, $Run + '.json*'))) {
        # No id has a dot, so no other run's file begins like this.
        if ([IO.Path]::GetFileName($path) -notmatch ('^' + $Run + '\.json(\.[0-9a-f]{32}\.tmp)?\z')) { continue }
        Assert-CauNoReparse -Path $path
        [IO.File]::Delete($path)
        $path
    }
}
