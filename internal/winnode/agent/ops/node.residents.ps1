param($Arguments)
# What runs on this node and is no role of the cluster: a drain moves none of it. Where a class exists and does not
# answer, that is an error: no answer is not "none".
$machines = @()
$clustered = @()
$hyperv = Test-CauClass -Namespace 'root/virtualization/v2' -Class 'Msvm_ComputerSystem'
if ($hyperv) {
    $machines = @(Get-CimInstance -Namespace 'root/virtualization/v2' -ClassName 'Msvm_ComputerSystem' | ForEach-Object -Process {
            @{ id = [string]$_.Name; name = [string]$_.ElementName; state = [long](Get-CauProperty -Instance $_ -Name 'EnabledState' -Default 0) }
        })
    $mine = "OwnerNode='" + $env:COMPUTERNAME + "' AND Type='Virtual Machine'"
    $clustered = [string[]]@(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_Resource' -Filter $mine | ForEach-Object -Process {
            $private = Get-CauProperty -Instance $_ -Name 'PrivateProperties' -Default $null
            if ($private -is [Microsoft.Management.Infrastructure.CimInstance]) {
                [string](Get-CauProperty -Instance $private -Name 'VmID' -Default '')
            }
        })
}
$files = @()
if (Test-CauClass -Namespace 'root/Microsoft/Windows/SMB' -Class 'MSFT_SmbOpenFile') {
    $files = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/SMB' -ClassName 'MSFT_SmbOpenFile')
}
$open = @($files | Select-Object -First 500 | ForEach-Object -Process {
        @{
            scope = [string]$_.ScopeName
            path = [string]$_.Path
            client = [string]$_.ClientComputerName
            instance = [long](Get-CauProperty -Instance $_ -Name 'SmbInstance' -Default 0)
        }
    })
return @{ hyper_v = $hyperv; machines = $machines; clustered = $clustered; open_files = $open; open_count = $files.Count }
