param($Arguments)
# Updating runs of Microsoft's CAU: their lock objects for the cluster and for this node.
$namespace = 'root/Microsoft/Windows/ClusterUpdate'
if (-not (Test-CauClass -Namespace $namespace -Class 'MSFT_CAURun')) {
    return @{ available = $false; runs = @(); nodes = @() }
}
$runs = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAURun' | ForEach-Object -Process { [string]$_.OrchestratorGuid })
$nodes = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAUNode' | ForEach-Object -Process { [string]$_.OrchestratorGuid })
return @{ available = $true; runs = $runs; nodes = $nodes }
