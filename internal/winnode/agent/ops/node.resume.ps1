param($Arguments)
$node = Get-CauClusterNode -Name ([string]$Arguments.node)
$result = Invoke-CimMethod -InputObject $node -MethodName 'Resume' -Arguments @{ FailbackType = [uint32]$Arguments.failback_type }
Assert-CauReturn -Result $result -Method 'Resume'
return @{}
