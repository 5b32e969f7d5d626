param($Job, $Order)
# Writes a part of a file into the update's own folder. The part ends the file: what was there from its offset on is gone,
# so that a part may be written again. The hash is of the whole file, through the handle that wrote it and shares it with nobody.
$run = [string]$Order.run
$update = [string]$Order.update
$target = [string]$Order.path
$offset = [long]$Order.offset
Assert-CauName -Name $run
Assert-CauName -Name $update
Assert-CauRelative -Path $target
$bytes = [Convert]::FromBase64String([string]$Order.data)
if ($bytes.Length -gt 524288 -or $offset -lt 0 -or $offset + $bytes.Length -gt 16777216) {
    throw (New-CauFailure -Kind 'refused' -Message 'the part of the file is out of bounds')
}
if ((Get-CauSha256 -Bytes $bytes) -cne [string]$Order.sha256) {
    throw (New-CauFailure -Kind 'refused' -Message 'the part of the file is cut or changed')
}
$free = Get-CauFreeBytes -Path $CauRoot
$need = 2 * [long]$bytes.Length + [long]$Order.reserve_bytes
if ($bytes.Length -gt 0 -and $free -lt $need) {
    throw (New-CauFailure -Kind 'win32' -Message ('the system drive has ' + $free + ' bytes free and ' + $need + ' are needed') -Code 112)
}
$below = [IO.Path]::GetDirectoryName("runs\$run\$update\$target")
$path = Join-Path -Path (New-CauFolder -Path $below) -ChildPath ([IO.Path]::GetFileName($target))
if ([IO.File]::Exists($path)) {
    Assert-CauNoReparse -Path $path
} elseif ($offset -gt 0) {
    throw (New-CauFailure -Kind 'refused' -Message "$target ends before the part that is to follow")
}
$stream = New-Object -TypeName System.IO.FileStream -ArgumentList $path, 'OpenOrCreate', 'ReadWrite', 'None'
try {
    if ($stream.Length -lt $offset) {
        throw (New-CauFailure -Kind 'refused' -Message "$target ends before the part that is to follow")
    }
    $stream.SetLength($offset)
    [void]$stream.Seek($offset, [IO.SeekOrigin]::Begin)
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush($true)
    $sum = Get-CauStreamSha256 -Stream $stream -Report { Update-CauHeartbeat -Job $Job }
    $size = [long]$stream.Length
} finally {
    $stream.Dispose()
}
Write-CauEvent -Job $Job -Kind 'written' -Message $target -Done $size -Total $size
return @{ size = $size; sha256 = $sum }
