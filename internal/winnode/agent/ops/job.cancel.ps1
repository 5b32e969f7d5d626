param($Arguments)
# Leaves the note that a job looks for before it does what cannot be taken back. Nothing is interrupted.
$id = [string]$Arguments.id
$run = [string]$Arguments.run
Assert-CauName -Name $id
Assert-CauName -Name $run
$folder = Get-CauFolder -Path "jobs\$run\$id"
if ($folder -eq '' -or -not [IO.File]::Exists((Join-Path -Path $folder -ChildPath 'job.json'))) { return @{ exists = $false } }
Write-CauFile -Path (Join-Path -Path $folder -ChildPath 'cancel') -Text (Get-CauUtc) -Replace
return @{ exists = $true }
