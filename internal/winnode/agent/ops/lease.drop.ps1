param($Arguments)
# Gives the lease up. Its role stays, marked: were it deleted, the next epoch would have the same number, and a
# coordinator that slept through all of it would be obeyed again.
$run = [string]$Arguments.run
$holder = [string]$Arguments.holder
Assert-CauLeaseArguments -Run $run -Holder $holder
$leases = @(Get-CauLeases)
$again = $leases.Count -gt 0 -and $leases[0].dropped -and $leases[0].epoch -eq [long]$Arguments.epoch -and $leases[0].run -ceq $run
if ($again) { return (ConvertTo-CauLease -Leases $leases) }
$own = Get-CauOwnLease -Leases $leases -Epoch ([long]$Arguments.epoch) -Run $run
Write-CauLeaseNote -Group $own.group -Run $run -Holder $holder -Dropped $true
return (ConvertTo-CauLease -Leases @(Get-CauLeases))
