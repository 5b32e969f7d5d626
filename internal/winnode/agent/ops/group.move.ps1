param($Arguments)
# Starts the move of a clustered role to a node; where the role is by then is for later questions.
$name = [string]$Arguments.group
$node = Get-CauClusterNode -Name ([string]$Arguments.node)
$groups = @(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_ResourceGroup' | Where-Object -FilterScript { $_.Name -eq $name })
if ($groups.Count -ne 1) {
    # ERROR_GROUP_NOT_FOUND
    throw (New-CauFailure -Kind 'missing' -Message 'the cluster has no role of that name' -Code 5013)
}
try {
    $result = Invoke-CimMethod -InputObject $groups[0] -MethodName 'MoveToNewNode' -Arguments @{ NodeName = [string]$node.Name; TimeOut = [uint32]20 }
    Assert-CauReturn -Result $result -Method 'MoveToNewNode'
} catch {
    # ERROR_IO_PENDING, WAIT_TIMEOUT, ERROR_TIMEOUT: it is on its way and takes longer than an operation waits.
    if (@(997, 258, 1460) -notcontains (ConvertTo-CauError -Record $_)['code']) { throw }
}
return @{}
