param($Arguments)
# Pauses the node and starts its drain; whether it has drained is for later questions.
$node = Get-CauClusterNode -Name ([string]$Arguments.node)
$result = Invoke-CimMethod -InputObject $node -MethodName 'Pause' -Arguments @{ DrainType = [uint32]$Arguments.drain_type; TargetNode = '' }
Assert-CauReturn -Result $result -Method 'Pause'
return @{}
