param($Arguments)
# Pauses the node and starts its drain; whether it has drained is for later questions. TargetNode is left out: an
# empty name is not the same as none.
$node = Get-CauClusterNode -Name ([string]$Arguments.node)
$result = Invoke-CimMethod -InputObject $node -MethodName 'Pause' -Arguments @{ DrainType = [uint32]$Arguments.drain_type }
Assert-CauReturn -Result $result -Method 'Pause'
return @{}
