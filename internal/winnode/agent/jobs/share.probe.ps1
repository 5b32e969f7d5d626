param($Job, $Order)
# Can this node read the hotfix root as its computer account? Copies nothing.
$root = ([string]$Order.root).TrimEnd([char]'\')
$file = [string]$Order.file
if ($file -ne '') { Assert-CauRelative -Path $file }
$connection = Connect-CauShare -Job $Job -Root $root -RequireEncryption ([bool]$Order.require_encryption)
$entries = 0
if ($file -ne '') {
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList (Join-Path -Path $root -ChildPath $file), 'Open', 'Read', 'Read'
    try {
        [void]$stream.ReadByte()
    } finally {
        $stream.Dispose()
    }
} else {
    # The server gives them piece by piece; more than this many say nothing more.
    foreach ($entry in [IO.Directory]::EnumerateFileSystemEntries($root)) {
        $entries += 1
        if ($entries -ge 1000) { break }
    }
}
return @{ connection = $connection; entries = $entries }
