param($Arguments)
# Keeps a run's checkpoint here, whole or not at all. A later one is never replaced by an earlier one.
$run = [string]$Arguments.run
$text = [string]$Arguments.text
$sequence = [long]$Arguments.sequence
Assert-CauName -Name $run
# 1400 KiB in base64.
if ($text.Length -gt 1911468) {
    throw (New-CauFailure -Kind 'refused' -Message 'the checkpoint is larger than 1400 KiB')
}
$digest = Get-CauSha256 -Bytes ([Convert]::FromBase64String($text))
if ($digest -cne [string]$Arguments.sha256) {
    throw (New-CauFailure -Kind 'refused' -Message 'the checkpoint is cut or changed')
}
$path = Join-Path -Path (New-CauFolder -Path 'checkpoints') -ChildPath ($run + '.json')
$there = $null
if ([IO.File]::Exists($path)) { $there = Read-CauCheckpoint -Path $path }
if ($null -ne $there -and $there['sequence'] -gt $sequence) {
    return @{ checkpoints = @($there) }
}
$header = @{ run = $run; sequence = $sequence; utc = (Get-CauUtc); sha256 = $digest }
# Two lines of JSON: what it is, and its text; a list of all of them reads the first lines only.
Write-CauFile -Path $path -Text ((ConvertTo-CauJson -Value $header) + "`n" + '"' + $text + '"' + "`n") -Replace
return @{ checkpoints = @($header) }
