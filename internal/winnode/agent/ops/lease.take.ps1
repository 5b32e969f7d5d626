param($Arguments)
# Creates the epoch after the newest, if that is still the one the caller knows. The cluster lets one caller through;
# whoever comes second gets the winner's lease.
$run = [string]$Arguments.run
$holder = [string]$Arguments.holder
Assert-CauLeaseArguments -Run $run -Holder $holder
$before = @(Get-CauLeases)
if ((ConvertTo-CauLease -Leases $before)['epoch'] -ne [long]$Arguments.expect) {
    return (ConvertTo-CauLease -Leases $before)
}
$epoch = [long]1
if ($before.Count -gt 0) { $epoch = [long]1 + $before[0].epoch }
$name = $CauLeaseGroup + $epoch.ToString([Globalization.CultureInfo]::InvariantCulture)
try {
    # 9999 is a role of no known type (CLUSGROUP_TYPE).
    $result = Invoke-CimMethod -Namespace 'root/MSCluster' -ClassName 'MSCluster_ResourceGroup' -MethodName 'CreateGroup' -Arguments @{ GroupName = $name; GroupType = [uint32]9999 }
    Assert-CauReturn -Result $result -Method 'CreateGroup'
} catch {
    # ERROR_OBJECT_ALREADY_EXISTS, or WMI's own word for it: somebody else was first.
    $code = (ConvertTo-CauError -Record $_)['code']
    if ($code -ne 5010 -and $code -ne 2147749913) { throw }
    return (ConvertTo-CauLease -Leases @(Get-CauLeases))
}
$own = @(Get-CauLeases | Where-Object -FilterScript { $_.epoch -eq $epoch })
if ($own.Count -ne 1) {
    throw (New-CauFailure -Kind 'script' -Message "the cluster created $name and does not show it")
}
try {
    Write-CauLeaseNote -Group $own[0].group -Run $run -Holder $holder
} catch {
    # An epoch without a holder would keep everybody out.
    Remove-CauLeaseGroup -Group $own[0].group
    throw
}
$after = @(Get-CauLeases)
if ($after.Count -eq 0 -or $after[0].epoch -ne $epoch -or $after[0].run -cne $run -or $after[0].holder -cne $holder) {
    return (ConvertTo-CauLease -Leases $after)
}
foreach ($old in @($after | Where-Object -FilterScript { $_.epoch -lt $epoch })) {
    try {
        Remove-CauLeaseGroup -Group $old.group
    } catch {
        # Only the newest counts; what is left of an older one is removed with the next.
        continue
    }
}
try {
    [void](Use-CauKnownEpoch -Epoch $epoch)
} catch {
    # The cluster itself gave it. A full disk must not make a lease that nobody knows to have.
    $epoch = $after[0].epoch
}
return (ConvertTo-CauLease -Leases $after -Taken $true)
