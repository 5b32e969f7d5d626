param($Job, $Order)
# Copies files from the share as the computer account, each into its update's own folder. Nothing is read
# from a file before the connection is known to be what is required.
$run = [string]$Order.run
$root = [string]$Order.root
Assert-CauName -Name $run
if ($root -notmatch '^\\\\[^\\/?<>|*":\x00-\x1f]+\\[^\\/?<>|*":\x00-\x1f]+(\\[^\\/?<>|*":\x00-\x1f]+)*\\?$' -or $root.StartsWith('\\.')) {
    throw (New-CauFailure -Kind 'refused' -Message 'the hotfix root is not a share')
}
$root = $root.TrimEnd([char]'\')
$server, $share = $root.Substring(2).Split([char]'\')[0, 1]
$files = @($Order.files)
foreach ($file in $files) {
    Assert-CauName -Name ([string]$file.update)
    Assert-CauRelative -Path ([string]$file.path)
    Assert-CauRelative -Path ([string]$file.target)
}

# Touching the root's attributes makes the connection and reads no file.
Write-CauEvent -Job $Job -Kind 'connecting' -Message $root
if (([IO.File]::GetAttributes($root) -band [IO.FileAttributes]::Directory) -eq 0) {
    throw (New-CauFailure -Kind 'win32' -Message "$root is not a folder" -Code 267)
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
if ([bool]$Order.require_encryption -and -not $connection['encrypted']) {
    throw (New-CauFailure -Kind 'refused' -Message 'the connection to the share is not encrypted, and encryption is required')
}

# What is there with the right content is not copied again.
$total = [long]0
$wanted = @()
foreach ($file in $files) {
    $local = Join-Path -Path (New-CauFolder -Path "runs\$run\$($file.update)") -ChildPath ([string]$file.target)
    $same = $false
    if ([IO.File]::Exists($local)) {
        Assert-CauNoReparse -Path $local
        $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $local, 'Open', 'Read', 'Read'
        try {
            $same = $stream.Length -eq [long]$file.size -and (Get-CauStreamSha256 -Stream $stream -Report { Update-CauHeartbeat -Job $Job }) -eq [string]$file.sha256
        } finally {
            $stream.Dispose()
        }
    }
    if ($same) {
        Write-CauEvent -Job $Job -Kind 'present' -Message ([string]$file.target) -Done ([long]$file.size) -Total ([long]$file.size)
    } else {
        $total += [long]$file.size
        $wanted += $file
    }
}
$drive = New-Object -TypeName System.IO.DriveInfo -ArgumentList ([IO.Path]::GetPathRoot($CauRoot))
$need = 2 * $total + [long]$Order.reserve_bytes
if ($total -gt 0 -and $drive.AvailableFreeSpace -lt $need) {
    throw (New-CauFailure -Kind 'win32' -Message ('the system drive has ' + $drive.AvailableFreeSpace + ' bytes free and ' + $need + ' are needed') -Code 112)
}

$copied = [long]0
$buffer = New-Object -TypeName 'byte[]' -ArgumentList 1048576
$clock = [Diagnostics.Stopwatch]::StartNew()
foreach ($file in $wanted) {
    $target = [string]$file.target
    $size = [long]$file.size
    $below = [IO.Path]::GetDirectoryName("runs\$run\$($file.update)\$target")
    $final = Join-Path -Path (New-CauFolder -Path $below) -ChildPath ([IO.Path]::GetFileName($target))
    $partial = $final + '.cau-partial'
    if ([IO.File]::Exists($partial)) { [IO.File]::Delete($partial) }
    try {
        $source = New-Object -TypeName System.IO.FileStream -ArgumentList (Join-Path -Path $root -ChildPath ([string]$file.path)), 'Open', 'Read', 'Read'
    } catch {
        $cause = ConvertTo-CauError -Record $_
        throw (New-CauFailure -Kind $cause['kind'] -Message ([string]$file.path + ': ' + $cause['message']) -Code $cause['code'])
    }
    try {
        $local = New-Object -TypeName System.IO.FileStream -ArgumentList $partial, 'CreateNew', 'ReadWrite', 'None'
        try {
            $length = [long]0
            while ($length -le $size) {
                $count = $source.Read($buffer, 0, $buffer.Length)
                if ($count -le 0) { break }
                $local.Write($buffer, 0, $count)
                $length += $count
                Update-CauHeartbeat -Job $Job
                if ($clock.ElapsedMilliseconds -ge 2000) {
                    $clock.Restart()
                    Write-CauEvent -Job $Job -Kind 'copying' -Message $target -Done ($copied + $length) -Total $total
                }
            }
            $local.Flush($true)
            # The hash is of what is on the disk, read through the handle that wrote it and shares it with nobody.
            $sum = Get-CauStreamSha256 -Stream $local -Report { Update-CauHeartbeat -Job $Job }
        } finally {
            $local.Dispose()
        }
    } finally {
        $source.Dispose()
    }
    if ($length -ne $size -or $sum -ne [string]$file.sha256) {
        [IO.File]::Delete($partial)
        throw (New-CauFailure -Kind 'refused' -Message ([string]$file.path + ' is not the file of the plan: its size or SHA-256 differs'))
    }
    if ([IO.File]::Exists($final)) { [IO.File]::Delete($final) }
    [IO.File]::Move($partial, $final)
    $copied += $length
    Write-CauEvent -Job $Job -Kind 'copied' -Message $target -Done $copied -Total $total
}
return @{ connection = $connection; bytes = $copied }
