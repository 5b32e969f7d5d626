param($Arguments)
# Storage maintenance mode of one node's disks, on or off.
$node = [string]$Arguments.node
$units = @(Get-StorageFaultDomain -Type 'StorageScaleUnit' | Where-Object -FilterScript { $_.FriendlyName -eq $node })
if ($units.Count -ne 1) {
    throw (New-CauFailure -Kind 'missing' -Message 'there is no storage scale unit of that name')
}
if ([bool]$Arguments.enable) {
    [void](Enable-StorageMaintenanceMode -InputObject $units[0])
} else {
    [void](Disable-StorageMaintenanceMode -InputObject $units[0])
}
return @{}
