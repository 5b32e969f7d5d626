param($Arguments)
# Pauses the node and starts its drain; whether it has drained is for later questions. Type 0 does not drain, 1 moves
# roles away, 2 stops those that do not move: a request that does not say which stops nothing. TargetNode is left out:
# an empty name is not the same as none.
$type = $Arguments.drain_type
if (@(0, 1, 2) -cnotcontains $type) {
    throw (New-CauFailure -Kind 'refused' -Message 'the drain type is not one of 0, 1 and 2')
}
$node = Get-CauClusterNode -Name ([string]$Arguments.node)
$result = Invoke-CimMethod -InputObject $node -MethodName 'Pause' -Arguments @{ DrainType = [uint32]$type }
Assert-CauReturn -Result $result -Method 'Pause'
return @{}
