param($Arguments)
# Backups and maintenance that are under way. A state that is missing is -1 and so listed: it is not known to be 0.
$volumes = @()
if (Test-CauClass -Namespace 'root/MSCluster' -Class 'MSCluster_ClusterSharedVolume') {
    $volumes = @(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_ClusterSharedVolume' | ForEach-Object -Process {
            @{
                name = [string]$_.Name
                backup_state = [long](Get-CauProperty -Instance $_ -Name 'BackupState' -Default -1)
                fault_state = [long](Get-CauProperty -Instance $_ -Name 'FaultState' -Default -1)
            }
        } | Where-Object -FilterScript { $_['backup_state'] -ne 0 -or $_['fault_state'] -ne 0 })
}
$programs = @(Get-Process -Name 'wbengine' -ErrorAction SilentlyContinue | ForEach-Object -Process { [string]$_.ProcessName })
return @{ shared_volumes = $volumes; programs = $programs }
