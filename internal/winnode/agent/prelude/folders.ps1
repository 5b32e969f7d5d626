# The working folder, %ProgramFiles%\cau, and the folder that files are pushed to, %SystemRoot%\cau-push: each
# folder is created with its final descriptor in one call, and one that is not as we would have made it is
# refused and reported, never repaired.

$CauRoot = Join-Path -Path $env:ProgramFiles -ChildPath 'cau'
# ADMIN$ is %SystemRoot% to those outside; what lies here is only copied from, by a job that checks it.
$CauPushName = 'cau-push'
$CauPushRoot = Join-Path -Path $env:SystemRoot -ChildPath $CauPushName
# SYSTEM and Administrators, by SID because names are localised.
$CauTrusted = @('S-1-5-18', 'S-1-5-32-544')
$CauSddl = 'O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'

function Assert-CauNoReparse {
    param([string]$Path)
    if (([IO.File]::GetAttributes($Path) -band [IO.FileAttributes]::ReparsePoint) -ne 0) {
        throw (New-CauFailure -Kind 'refused' -Message "$Path is a reparse point; somebody else made it. Look at it and remove it.")
    }
}

# Assert-CauOwner refuses a folder that belongs to somebody else.
function Assert-CauOwner {
    param(
        [string]$Path,
        [string[]]$Owners
    )
    $descriptor = [IO.Directory]::GetAccessControl($Path, [Security.AccessControl.AccessControlSections]::Owner)
    $owner = $descriptor.GetOwner([Security.Principal.SecurityIdentifier]).Value
    if ($Owners -notcontains $owner) {
        throw (New-CauFailure -Kind 'refused' -Message "$Path belongs to $owner, not to SYSTEM or Administrators. Look at it and remove it.")
    }
}

# Assert-CauFolder refuses a folder that is not exactly one of ours.
function Assert-CauFolder {
    param([string]$Path)
    Assert-CauNoReparse -Path $Path
    Assert-CauOwner -Path $Path -Owners $CauTrusted
    $descriptor = [IO.Directory]::GetAccessControl($Path, [Security.AccessControl.AccessControlSections]::Access)
    $foreign = @($descriptor.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier]) |
            Where-Object -FilterScript { $CauTrusted -notcontains $_.IdentityReference.Value })
    if ($foreign.Count -gt 0 -or -not $descriptor.AreAccessRulesProtected) {
        throw (New-CauFailure -Kind 'refused' -Message "$Path has other permissions than SYSTEM and Administrators alone. Look at it and remove it.")
    }
}

# Get-CauChain is every folder from the root down to Path, which is relative to the root.
function Get-CauChain {
    param(
        [string]$Path,
        [string]$Root
    )
    $folder = $Root
    $folder
    foreach ($name in $Path.Split([char[]]'\', [StringSplitOptions]::RemoveEmptyEntries)) {
        $folder = Join-Path -Path $folder -ChildPath $name
        $folder
    }
}

# Assert-CauBase looks at what the root stands in: a folder of Windows' own.
function Assert-CauBase {
    param([string]$Root = $CauRoot)
    $base = [IO.Path]::GetDirectoryName($Root)
    Assert-CauNoReparse -Path $base
    $installer = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    Assert-CauOwner -Path $base -Owners ($CauTrusted + $installer)
}

# New-CauFolder makes the folder and those above it, or finds them exactly as it would have made them.
function New-CauFolder {
    param(
        [string]$Path,
        [string]$Root = $CauRoot
    )
    Assert-CauBase -Root $Root
    $security = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
    $security.SetSecurityDescriptorSddlForm($CauSddl)
    $last = $Root
    foreach ($folder in @(Get-CauChain -Path $Path -Root $Root)) {
        # CreateDirectory hands the descriptor to the system call that creates; it leaves an existing folder alone.
        [void][IO.Directory]::CreateDirectory($folder, $security)
        Assert-CauFolder -Path $folder
        $last = $folder
    }
    return $last
}

# Get-CauFolder is the folder's full path when it exists and is ours, else an empty string.
function Get-CauFolder {
    param(
        [string]$Path,
        [string]$Root = $CauRoot
    )
    Assert-CauBase -Root $Root
    $last = ''
    foreach ($folder in @(Get-CauChain -Path $Path -Root $Root)) {
        if (-not [IO.Directory]::Exists($folder)) { return '' }
        Assert-CauFolder -Path $folder
        $last = $folder
    }
    return $last
}

# Get-CauFreeBytes is what is free where Path lies.
function Get-CauFreeBytes {
    param([string]$Path)
    $drive = New-Object -TypeName System.IO.DriveInfo -ArgumentList ([IO.Path]::GetPathRoot($Path))
    return [long]$drive.AvailableFreeSpace
}

# Assert-CauName admits what may be one folder's name: run, update and job ids.
function Assert-CauName {
    param([string]$Name)
    if ($Name -cnotmatch '^[a-z0-9][a-z0-9-]{0,99}\z' -or $Name -match '^(con|prn|aux|nul|com[0-9]|lpt[0-9])\z') {
        throw (New-CauFailure -Kind 'refused' -Message 'a run, update or job id is not made of a-z, 0-9 and -')
    }
}

# Assert-CauRelative admits a path below a folder, with backslashes: no drive, no stream, no way up, no device.
function Assert-CauRelative {
    param([string]$Path)
    foreach ($name in $Path.Split([char]'\')) {
        $bad = $name -eq '' -or $name -match '^\.+\z' -or $name -match '[\x00-\x1f<>:"/*?|]' -or $name -match '[. ]\z'
        if ($bad -or $name -match '^(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|\z)') {
            throw (New-CauFailure -Kind 'refused' -Message 'a file path is not a plain path below its folder')
        }
    }
}

# Remove-CauTree deletes one of our folders. It never follows a reparse point: that is reported instead.
function Remove-CauTree {
    param([string]$Path)
    foreach ($entry in @([IO.Directory]::GetFileSystemEntries($Path))) {
        Assert-CauNoReparse -Path $entry
        if ([IO.Directory]::Exists($entry)) {
            Remove-CauTree -Path $entry
        } else {
            [IO.File]::SetAttributes($entry, [IO.FileAttributes]::Normal)
            [IO.File]::Delete($entry)
        }
    }
    # What an installer unpacked may be read-only, and such a folder cannot be deleted.
    [IO.File]::SetAttributes($Path, [IO.FileAttributes]::Directory)
    [IO.Directory]::Delete($Path)
}

# Remove-CauPush deletes what was pushed for a run, or for all with an empty one, and names what it deleted.
function Remove-CauPush {
    param([string]$Run)
    $folder = Get-CauFolder -Path $Run -Root $CauPushRoot
    if ($folder -eq '') { return }
    Remove-CauTree -Path $folder
    $folder
    if ($Run -ne '' -and @([IO.Directory]::GetFileSystemEntries($CauPushRoot)).Count -eq 0) {
        [IO.Directory]::Delete($CauPushRoot)
        $CauPushRoot
    }
}
