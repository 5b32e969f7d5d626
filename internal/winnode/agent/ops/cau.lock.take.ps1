param($Arguments)
# Makes the lock object of Microsoft's CAU, so that it does not start a run meanwhile. Somebody else's is left alone.
$id = [string]$Arguments.id
Assert-CauGuid -Text $id
$locks = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAURun')
$foreign = @($locks | Where-Object -FilterScript { -not (Test-CauGuid -Text ([string]$_.OrchestratorGuid) -Id $id) })
if ($foreign.Count -gt 0) {
    throw (New-CauFailure -Kind 'refused' -Message ('an Updating Run of CAU holds the cluster: ' + [string]$foreign[0].OrchestratorGuid))
}
if ($locks.Count -eq 0) {
    [void](New-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAURun' -Property @{ OrchestratorGuid = $id })
}
return @{}
