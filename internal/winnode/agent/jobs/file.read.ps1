param($Job, $Order)
# Reads a part of a file: of the update's own folder, or, without an update, of any on a fixed drive. No reparse point is
# followed. Whoever may replace a folder on the way could have put the file there itself: what is read is only told.
$run = [string]$Order.run
$update = [string]$Order.update
$target = [string]$Order.path
$offset = [long]$Order.offset
Assert-CauName -Name $run
if ($offset -lt 0) {
    throw (New-CauFailure -Kind 'refused' -Message 'the offset is out of bounds')
}
if ($update -ne '') {
    Assert-CauName -Name $update
    Assert-CauRelative -Path $target
    $below = Get-CauFolder -Path ([IO.Path]::GetDirectoryName("runs\$run\$update\$target"))
    if ($below -eq '') {
        throw (New-CauFailure -Kind 'missing' -Message "$target is not in the update's folder" -Code 3)
    }
    $path = Join-Path -Path $below -ChildPath ([IO.Path]::GetFileName($target))
} else {
    if ($target -notmatch '^[A-Za-z]:\\.') {
        throw (New-CauFailure -Kind 'refused' -Message 'the path is not the full path of a file on a drive of this node')
    }
    $root = $target.Substring(0, 3)
    Assert-CauRelative -Path $target.Substring(3)
    # 3 is a fixed drive (DriveType).
    if ([int](New-Object -TypeName System.IO.DriveInfo -ArgumentList $root).DriveType -ne 3) {
        throw (New-CauFailure -Kind 'refused' -Message "$root is no fixed drive of this node")
    }
    $path = $root
    foreach ($name in $target.Substring(3).Split([char]'\')) {
        # A part that is missing is an error with Windows' own number.
        $path = Join-Path -Path $path -ChildPath $name
        Assert-CauNoReparse -Path $path
    }
}
if (-not [IO.File]::Exists($path)) {
    throw (New-CauFailure -Kind 'missing' -Message "$target is not a file on this node" -Code 2)
}
Assert-CauNoReparse -Path $path
$size = [long](New-Object -TypeName System.IO.FileInfo -ArgumentList $path).Length
$part = Read-CauBytes -Path $path -Offset $offset -Limit 65536
Write-CauEvent -Job $Job -Kind 'read' -Message $target -Done $part['count'] -Total $size
$data = ''
if ($part['count'] -gt 0) { $data = [Convert]::ToBase64String($part['bytes'], 0, $part['count']) }
return @{ size = $size; data = $data }
