param($Arguments)
# One run's checkpoint with its text, or, without a run, what there is. A damaged one is an error, not an answer.
$run = [string]$Arguments.run
if ($run -ne '') { Assert-CauName -Name $run }
$folder = Get-CauFolder -Path 'checkpoints'
if ($folder -eq '') { return @{ checkpoints = @() } }
if ($run -eq '') {
    $names = @([IO.Directory]::GetFiles($folder, '*.json') | Select-Object -First 200)
    return @{ checkpoints = @($names | ForEach-Object -Process { Read-CauCheckpoint -Path $_ }) }
}
$path = Join-Path -Path $folder -ChildPath ($run + '.json')
if (-not [IO.File]::Exists($path)) { return @{ checkpoints = @() } }
$found = Read-CauCheckpoint -Path $path
$lines = @((Read-CauFile -Path $path).Split([char[]]"`n", [StringSplitOptions]::RemoveEmptyEntries))
if ($lines.Count -ne 2 -or $found['run'] -cne $run) {
    throw (New-CauFailure -Kind 'refused' -Message "the checkpoint of $run on this node is damaged")
}
$text = $lines[1].Trim([char]'"')
if ((Get-CauSha256 -Bytes ([Convert]::FromBase64String($text))) -cne $found['sha256']) {
    throw (New-CauFailure -Kind 'refused' -Message "the checkpoint of $run on this node is damaged")
}
$found['text'] = $text
return @{ checkpoints = @($found) }
