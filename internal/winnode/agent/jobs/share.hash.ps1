param($Job, $Order)
# Computes the SHA-256 of files of the hotfix root, read over this node's own connection as its computer account. Copies nothing.
$root = ([string]$Order.root).TrimEnd([char]'\')
$files = @($Order.files)
if ($files.Count -gt 4096) { throw (New-CauFailure -Kind 'refused' -Message 'too many files for one job') }
foreach ($file in $files) { Assert-CauRelative -Path ([string]$file) }
$connection = Connect-CauShare -Job $Job -Root $root -RequireEncryption ([bool]$Order.require_encryption)
$clock = [Diagnostics.Stopwatch]::StartNew()
$hashed = @()
foreach ($file in $files) {
    Assert-CauNotCancelled -Job $Job
    try {
        # Shared for reading alone: nobody writes or replaces it while it is read.
        $stream = New-Object -TypeName System.IO.FileStream -ArgumentList (Join-Path -Path $root -ChildPath ([string]$file)), 'Open', 'Read', 'Read'
    } catch {
        $cause = ConvertTo-CauError -Record $_
        throw (New-CauFailure -Kind $cause['kind'] -Message ([string]$file + ': ' + $cause['message']) -Code $cause['code'])
    }
    try {
        $size = [long]$stream.Length
        $sum = Get-CauStreamSha256 -Stream $stream -Report {
            param($Done)
            Update-CauHeartbeat -Job $Job
            if ($clock.ElapsedMilliseconds -ge 2000) {
                $clock.Restart()
                Write-CauEvent -Job $Job -Kind 'hashing' -Message ([string]$file) -Done $Done -Total $size
            }
        }
    } finally {
        $stream.Dispose()
    }
    $hashed += @{ path = [string]$file; size = $size; sha256 = $sum }
}
return @{ connection = $connection; files = $hashed }
