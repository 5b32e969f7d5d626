param($Arguments)
# The plug-ins that Microsoft's CAU has registered on this node. Its module comes with the Failover Clustering Tools, which a
# node need not have.
if (@(Get-Module -ListAvailable -Name 'ClusterAwareUpdating').Count -eq 0) {
    return @{ available = $false; plugins = @() }
}
# Select-Object gives a property that this version does not have as nothing.
$plugins = @(Get-CauPlugin | Select-Object -First 200 -Property 'Name', 'BinaryPath', 'ClassName' | ForEach-Object -Process {
        @{ name = [string]$_.Name; binary = [string]$_.BinaryPath; class = [string]$_.ClassName }
    })
return @{ available = $true; plugins = $plugins }
