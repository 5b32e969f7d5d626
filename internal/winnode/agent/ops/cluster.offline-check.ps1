param($Arguments)
# The cluster's own answer: would it lose quorum without the node?
$node = Get-CauClusterNode -Name ([string]$Arguments.node)
$result = Invoke-CimMethod -InputObject $node -MethodName 'WillOfflineLoseQuorum'
if ($null -eq $result.ReturnValue) {
    throw (New-CauFailure -Kind 'script' -Message 'WillOfflineLoseQuorum gave no answer')
}
return @{ loses_quorum = [bool]$result.ReturnValue }
