param($Arguments)
# Virtual disks, storage jobs and fault domains, in the numbers of the storage provider. 5 is unknown health.
$namespace = 'root/Microsoft/Windows/Storage'
$disks = @(Get-CimInstance -Namespace $namespace -ClassName 'MSFT_VirtualDisk' | ForEach-Object -Process {
        @{ name = [string]$_.FriendlyName; health = [int](Get-CauProperty -Instance $_ -Name 'HealthStatus' -Default 5); operational = [int[]]@($_.OperationalStatus) }
    })
$jobs = @(Get-CimInstance -Namespace $namespace -ClassName 'MSFT_StorageJob' | ForEach-Object -Process {
        @{ name = [string]$_.Name; state = [int]$_.JobState; percent = [int]$_.PercentComplete }
    })
$domains = @(Get-CimInstance -Namespace $namespace -ClassName 'MSFT_StorageFaultDomain' | ForEach-Object -Process {
        @{ name = [string]$_.FriendlyName; operational = [int[]]@($_.OperationalStatus) }
    })
return @{ virtual_disks = $disks; jobs = $jobs; fault_domains = $domains }
