param($Arguments)
# Makes the folder that a run's files are pushed to, or finds it as it would have made it.
$run = [string]$Arguments.run
Assert-CauName -Name $run
[void](New-CauFolder -Path $run -Root $CauPushRoot)
return @{ folder = ($CauPushName + '\' + $run); free_bytes = (Get-CauFreeBytes -Path $CauPushRoot) }
