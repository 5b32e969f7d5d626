param($Job, $Order)
# What the provider of Microsoft's CAU finds on this node. An instance of MSFT_CAUNode that is written is the node's lock: this
# one exists in this process alone, and nothing is asked while there is a real one.
if (-not (Test-CauClass -Namespace 'root/Microsoft/Windows/ClusterUpdate' -Class 'MSFT_CAUNode')) {
    return @{ available = $false; updates = @() }
}
$criteria = [string]$Order.criteria
if ($criteria -eq '' -or $criteria.Length -gt 4000) {
    throw (New-CauFailure -Kind 'refused' -Message 'the criteria of the search are empty or too long')
}
$locks = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAUNode')
if ($locks.Count -gt 0) {
    throw (New-CauFailure -Kind 'refused' -Message ('an Updating Run of CAU holds this node: ' + [string]$locks[0].OrchestratorGuid))
}
$id = [Guid]::NewGuid().ToString()
$node = New-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAUNode' -Property @{ OrchestratorGuid = $id } -Key 'OrchestratorGuid' -ClientOnly
Start-CauHeartbeat -Job $Job
try {
    Write-CauEvent -Job $Job -Kind 'searching' -Message $criteria
    $words = @{ QueryString = $criteria; IncludeRecommendedUpdates = [bool]$Order.recommended }
    $answer = Invoke-CimMethod -InputObject $node -MethodName 'ScanUpdates' -Arguments $words -OperationTimeoutSec 2400
    Assert-CauReturn -Result $answer -Method 'ScanUpdates'
    $info = @()
    if ($null -ne $answer -and $null -ne $answer.PSObject.Properties['Info']) { $info = @($answer.Info) }
    $updates = @($info | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process {
            @{
                id = [string](Get-CauProperty -Instance $_ -Name 'UpdateId' -Default '')
                title = [string](Get-CauProperty -Instance $_ -Name 'UpdateTitle' -Default '')
            }
        })
    Write-CauEvent -Job $Job -Kind 'found' -Message ('by CAU, recommended ' + [bool]$Order.recommended) -Done $updates.Count -Total $updates.Count
    return @{ available = $true; updates = $updates }
} finally {
    Stop-CauHeartbeat -Job $Job
}
