param($Arguments)
# What else could install or restart on this node.
$policy = 'SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'
$setting = 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update'
$options = [int](Get-CauValue -Path ($policy + '\AU') -Name 'AUOptions' -Default 0)
if ($options -eq 0) { $options = [int](Get-CauValue -Path $setting -Name 'AUOptions' -Default 0) }
$server = ''
if ([int](Get-CauValue -Path ($policy + '\AU') -Name 'UseWUServer' -Default 0) -eq 1) {
    $server = [string](Get-CauValue -Path $policy -Name 'WUServer' -Default '')
}
$client = Get-Service -Name 'CcmExec' -ErrorAction SilentlyContinue
$working = @(Get-Process -Name 'TiWorker', 'wusa' -ErrorAction SilentlyContinue).Count -gt 0
$cbs = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Interface'
$roles = @()
# Where the class exists and does not answer, that is an error: no answer is not "none".
if (Test-CauClass -Namespace 'root/MSCluster' -Class 'MSCluster_Resource') {
    $roles = @(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_Resource' |
            Where-Object -FilterScript { [string]$_.Type -eq 'ClusterAwareUpdatingResource' } | ForEach-Object -Process {
            $resource = $_
            $properties = @()
            $private = Get-CauProperty -Instance $resource -Name 'PrivateProperties' -Default $null
            if ($private -is [Microsoft.Management.Infrastructure.CimInstance]) {
                $properties = @($private.CimInstanceProperties | Where-Object -FilterScript { $null -ne $_.Value } | Select-Object -First 100 |
                        ForEach-Object -Process {
                        $text = $_.Name + '=' + (@($_.Value) -join ',')
                        $text.Substring(0, [Math]::Min($text.Length, 500))
                    })
            }
            @{ name = [string]$resource.Name; state = [long](Get-CauProperty -Instance $resource -Name 'State' -Default -1); properties = $properties }
        })
}
return @{
    automatic_updates = $options
    no_auto_update = [int](Get-CauValue -Path ($policy + '\AU') -Name 'NoAutoUpdate' -Default 0) -eq 1
    server = $server
    config_mgr = $null -ne $client
    config_mgr_running = ($null -ne $client) -and ([string]$client.Status -eq 'Running')
    servicing = $working -or (Test-CauKey -Path 'SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress') -or ([int](Get-CauValue -Path $cbs -Name 'ServicingInProgress' -Default 0) -eq 2)
    self_updating = $roles
    utc_offset_minutes = [long][TimeZoneInfo]::Local.GetUtcOffset([DateTimeOffset]::UtcNow).TotalMinutes
}
