param($Job, $Order)
# Copies files from the share as the computer account, or from the folder that they were pushed to, each into its
# update's own folder. Nothing is read from a file before the connection is known to be what is required.
$run = [string]$Order.run
$root = ([string]$Order.root).TrimEnd([char]'\')
$pushed = [bool](Get-CauField -Order $Order -Name 'pushed' -Default $false)
Assert-CauName -Name $run
$files = @($Order.files)
foreach ($file in $files) {
    Assert-CauName -Name ([string]$file.update)
    Assert-CauRelative -Path ([string]$file.path)
    Assert-CauRelative -Path ([string]$file.target)
    if ([string]$file.sha256 -cnotmatch '^[0-9a-f]{64}\z') {
        throw (New-CauFailure -Kind 'refused' -Message 'a file of the plan has no SHA-256')
    }
}
$connection = @{ dialect = ''; signed = $false; encrypted = $false; account = '' }
if ($pushed) {
    # Whoever pushed the files answers for the connection that they came by.
    $root = Get-CauFolder -Path $run -Root $CauPushRoot
    if ($root -eq '') {
        throw (New-CauFailure -Kind 'missing' -Message 'nothing was pushed to this node for the run' -Code 3)
    }
} else {
    $connection = Connect-CauShare -Job $Job -Root $root -RequireEncryption ([bool]$Order.require_encryption)
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
$free = Get-CauFreeBytes -Path $CauRoot
$need = 2 * $total + [long]$Order.reserve_bytes
if ($total -gt 0 -and $free -lt $need) {
    throw (New-CauFailure -Kind 'win32' -Message ('the system drive has ' + $free + ' bytes free and ' + $need + ' are needed') -Code 112)
}

$copied = [long]0
$buffer = New-Object -TypeName 'byte[]' -ArgumentList 1048576
$clock = [Diagnostics.Stopwatch]::StartNew()
foreach ($file in $wanted) {
    Assert-CauNotCancelled -Job $Job
    $target = [string]$file.target
    $size = [long]$file.size
    $below = [IO.Path]::GetDirectoryName("runs\$run\$($file.update)\$target")
    $final = Join-Path -Path (New-CauFolder -Path $below) -ChildPath ([IO.Path]::GetFileName($target))
    $partial = $final + '.cau-partial'
    if ([IO.File]::Exists($partial)) { [IO.File]::Delete($partial) }
    # A pushed file is named by its hash.
    $from = [string]$file.path
    if ($pushed) { $from = [string]$file.sha256 }
    try {
        $path = Join-Path -Path $root -ChildPath $from
        if ($pushed) { Assert-CauNoReparse -Path $path }
        # Shared for reading alone: nobody writes or replaces it while it is read.
        $source = New-Object -TypeName System.IO.FileStream -ArgumentList $path, 'Open', 'Read', 'Read'
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
