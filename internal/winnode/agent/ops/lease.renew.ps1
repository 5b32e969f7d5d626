param($Arguments)
# Says that the holder is still there. Only the newest epoch, and only its own run, can be renewed.
$run = [string]$Arguments.run
$holder = [string]$Arguments.holder
Assert-CauLeaseArguments -Run $run -Holder $holder
$own = Get-CauOwnLease -Leases @(Get-CauLeases) -Epoch ([long]$Arguments.epoch) -Run $run
Write-CauLeaseNote -Group $own.group -Run $run -Holder $holder
return (ConvertTo-CauLease -Leases @(Get-CauLeases))
