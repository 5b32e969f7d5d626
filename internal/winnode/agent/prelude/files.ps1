# Files of jobs: written whole or not at all, read while somebody else writes.

# Write-CauFile writes a file under a temporary name, to disk, and then gives it its name; readers see the
# old content or the new one. Without -Replace a file of that name must not exist. Text is written in UTF-8.
function Write-CauFile {
    param(
        [string]$Path,
        [string]$Text,
        [byte[]]$Bytes,
        [switch]$Replace
    )
    $temporary = $Path + '.' + [Guid]::NewGuid().ToString('N') + '.tmp'
    if ($null -eq $Bytes) { $Bytes = (New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false).GetBytes($Text) }
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $temporary, 'CreateNew', 'Write', 'None'
    try {
        $stream.Write($Bytes, 0, $Bytes.Length)
        $stream.Flush($true)
    } finally {
        $stream.Dispose()
    }
    if ($Replace -and [IO.File]::Exists($Path)) {
        [IO.File]::Replace($temporary, $Path, [NullString]::Value)
    } else {
        [IO.File]::Move($temporary, $Path)
    }
}

# Read-CauBytes reads at most Limit bytes from Offset, whoever has the file open: bytes, of which count are read.
function Read-CauBytes {
    param(
        [string]$Path,
        [long]$Offset = 0,
        [int]$Limit = 4194304
    )
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $Path, 'Open', 'Read', $share
    try {
        $size = [Math]::Max([long]0, [Math]::Min([long]$Limit, $stream.Length - $Offset))
        $bytes = New-Object -TypeName 'byte[]' -ArgumentList ([int]$size)
        [void]$stream.Seek($Offset, [IO.SeekOrigin]::Begin)
        $read = 0
        while ($read -lt $bytes.Length) {
            $count = $stream.Read($bytes, $read, $bytes.Length - $read)
            if ($count -le 0) { break }
            $read += $count
        }
        return @{ bytes = $bytes; count = $read }
    } finally {
        $stream.Dispose()
    }
}

# Read-CauFile is Read-CauBytes of a text in UTF-8.
function Read-CauFile {
    param(
        [string]$Path,
        [long]$Offset = 0,
        [int]$Limit = 4194304
    )
    $part = Read-CauBytes -Path $Path -Offset $Offset -Limit $Limit
    return [Text.Encoding]::UTF8.GetString($part['bytes'], 0, $part['count'])
}

# Get-CauStreamSha256 hashes an open file from its start, through the handle it is given, and calls Report
# now and then with the bytes that are done.
function Get-CauStreamSha256 {
    param(
        [IO.Stream]$Stream,
        [scriptblock]$Report
    )
    [void]$Stream.Seek(0, [IO.SeekOrigin]::Begin)
    $algorithm = New-Object -TypeName System.Security.Cryptography.SHA256CryptoServiceProvider
    $buffer = New-Object -TypeName 'byte[]' -ArgumentList 1048576
    $done = [long]0
    while ($true) {
        $count = $Stream.Read($buffer, 0, $buffer.Length)
        if ($count -le 0) { break }
        [void]$algorithm.TransformBlock($buffer, 0, $count, $null, 0)
        $done += $count
        [void](& $Report $done)
    }
    [void]$algorithm.TransformFinalBlock($buffer, 0, 0)
    return [BitConverter]::ToString($algorithm.Hash).Replace('-', '').ToLowerInvariant()
}

# Assert-CauOnly refuses a folder that holds another file, or a link, than those that are named: an installer takes what
# lies beside its update for a part of it.
function Assert-CauOnly {
    param(
        [string]$Folder,
        [System.Collections.IDictionary]$Files
    )
    foreach ($entry in @([IO.Directory]::GetFileSystemEntries($Folder))) {
        Assert-CauNoReparse -Path $entry
        if ([IO.Directory]::Exists($entry)) {
            Assert-CauOnly -Folder $entry -Files $Files
        } elseif (-not $Files.Contains($entry)) {
            throw (New-CauFailure -Kind 'refused' -Message "$entry lies beside the update and is not in the plan. Look at it and remove it.")
        }
    }
}

# Connect-CauShare reaches the root of a share as the account that this process has, and tells with which
# dialect, signing and encryption. Nothing is read from a file before the connection is what is required.
function Connect-CauShare {
    param(
        [System.Collections.IDictionary]$Job,
        [string]$Root,
        [bool]$RequireEncryption
    )
    if ($Root -notmatch '^\\\\[^\\/?<>|*":\x00-\x1f]+\\[^\\/?<>|*":\x00-\x1f]+(\\[^\\/?<>|*":\x00-\x1f]+)*\z' -or $Root.StartsWith('\\.')) {
        throw (New-CauFailure -Kind 'refused' -Message 'the hotfix root is not a share')
    }
    $server, $share = $Root.Substring(2).Split([char]'\')[0, 1]
    # Touching the root's attributes makes the connection and reads no file.
    Write-CauEvent -Job $Job -Kind 'connecting' -Message $Root
    if (([IO.File]::GetAttributes($Root) -band [IO.FileAttributes]::Directory) -eq 0) {
        throw (New-CauFailure -Kind 'win32' -Message "$Root is not a folder" -Code 267)
    }
    $connection = @{ dialect = ''; signed = $false; encrypted = $false; account = '' }
    $found = @(Get-SmbConnection | Where-Object -FilterScript { $_.ServerName -eq $server -and $_.ShareName -eq $share })
    if ($found.Count -gt 0) {
        $connection['dialect'] = [string]$found[0].Dialect
        $connection['account'] = [string]$found[0].UserName
        # Every connection to the share must have the quality for all of them to have it.
        $connection['signed'] = @($found | Where-Object -FilterScript { -not [bool]$_.Signed }).Count -eq 0
        $connection['encrypted'] = @($found | Where-Object -FilterScript { -not [bool]$_.Encrypted }).Count -eq 0
    }
    Write-CauEvent -Job $Job -Kind 'connection' -Message ('SMB ' + $connection['dialect'] + ' signed=' + $connection['signed'] + ' encrypted=' + $connection['encrypted'])
    if ($RequireEncryption -and -not $connection['encrypted']) {
        throw (New-CauFailure -Kind 'refused' -Message 'the connection to the share is not encrypted, and encryption is required')
    }
    return $connection
}

# Get-CauSignature is the Authenticode signature of an update's own file, or null where it cannot be looked at.
# Require refuses every file but one whose signature Windows calls valid.
function Get-CauSignature {
    param(
        [System.Collections.IDictionary]$Job,
        [string]$Path,
        [bool]$Require
    )
    $signature = $null
    # It reads the whole file, which may be a GiB.
    Start-CauHeartbeat -Job $Job
    try {
        $found = Get-AuthenticodeSignature -LiteralPath $Path
        $signature = @{ status = [int]$found.Status; signer = ''; thumbprint = '' }
        if ($null -ne $found.SignerCertificate) {
            $signature['signer'] = [string]$found.SignerCertificate.Subject
            $signature['thumbprint'] = [string]$found.SignerCertificate.Thumbprint
        }
        Write-CauEvent -Job $Job -Kind 'signature' -Message ([string]$found.Status + ' ' + $signature['signer'])
    } catch {
        Write-CauEvent -Job $Job -Kind 'signature' -Message ('cannot be looked at: ' + (ConvertTo-CauError -Record $_)['message'])
    } finally {
        Stop-CauHeartbeat -Job $Job
    }
    if ($Require -and ($null -eq $signature -or $signature['status'] -ne 0)) {
        throw (New-CauFailure -Kind 'refused' -Message 'the signature of the update is not valid, and a valid one is required')
    }
    return $signature
}

# Get-CauLog is the log that an installer wrote, or an empty string: it is the path that it was given, or that with
# .evtx, because wusa.exe takes no other name.
function Get-CauLog {
    param([string]$Path)
    foreach ($candidate in $Path, ($Path + '.evtx')) {
        $file = New-Object -TypeName System.IO.FileInfo -ArgumentList $candidate
        if ($file.Exists -and $file.Length -gt 0) { return $candidate }
    }
    return ''
}
