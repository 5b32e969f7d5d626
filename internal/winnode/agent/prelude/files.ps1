# Files of jobs: written whole or not at all, read while somebody else writes.

# Write-CauFile writes a file under a temporary name, to disk, and then gives it its name; readers see the
# old content or the new one. Without -Replace a file of that name must not exist.
function Write-CauFile {
    param(
        [string]$Path,
        [string]$Text,
        [switch]$Replace
    )
    $temporary = $Path + '.' + [Guid]::NewGuid().ToString('N') + '.tmp'
    $bytes = (New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false).GetBytes($Text)
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $temporary, 'CreateNew', 'Write', 'None'
    try {
        $stream.Write($bytes, 0, $bytes.Length)
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

# Read-CauFile reads at most Limit bytes from Offset, whoever has the file open.
function Read-CauFile {
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
        return [Text.Encoding]::UTF8.GetString($bytes, 0, $read)
    } finally {
        $stream.Dispose()
    }
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
