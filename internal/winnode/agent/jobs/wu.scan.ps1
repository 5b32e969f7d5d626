param($Job, $Order)
# What the update agent offers this node. A search is one call that may last many minutes.
$criteria = [string]$Order.criteria
if ($criteria -eq '' -or $criteria.Length -gt 4000) {
    throw (New-CauFailure -Kind 'refused' -Message 'the criteria of the search are empty or too long')
}
Start-CauHeartbeat -Job $Job
try {
    $agent = Connect-CauUpdates -Query $Order
    Write-CauEvent -Job $Job -Kind 'searching' -Message $criteria
    # Before the search, which could be taken for one of the node's own.
    $last = Get-CauLastScan
    $result = $agent['searcher'].Search($criteria)
    $updates = @($result.Updates | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process { ConvertTo-CauUpdate -Update $_ })
    $warnings = @($result.Warnings | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process {
            @{ context = [int]$_.Context; hresult = ([long]$_.HResult -band 4294967295); message = [string]$_.Message }
        })
    Write-CauEvent -Job $Job -Kind 'found' -Message ('result code ' + [int]$result.ResultCode) -Done $updates.Count -Total $updates.Count
    return @{
        result_code = [int]$result.ResultCode
        updates = $updates
        warnings = $warnings
        source = (Get-CauUpdateSource -Query $Order)
        last_scan = $last
        server = (Get-CauUpdateServer -Selection ([int]$Order.server_selection))
    }
} finally {
    Stop-CauHeartbeat -Job $Job
}
