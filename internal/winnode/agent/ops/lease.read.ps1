param($Arguments)
# The newest epoch of the lease, as the cluster shows it here.
return (ConvertTo-CauLease -Leases @(Get-CauLeases))
