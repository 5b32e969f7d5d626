param($Arguments)
# Removes what was pushed for a run. The folder above goes with the last of them.
$run = [string]$Arguments.run
Assert-CauName -Name $run
[void](Remove-CauPush -Run $run)
return @{ folder = ($CauPushName + '\' + $run); free_bytes = (Get-CauFreeBytes -Path $CauPushRoot) }
