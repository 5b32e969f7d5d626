param($Arguments)
# The boot's identity and whether the node is done with starting.
$service = Get-Service -Name 'ClusSvc' -ErrorAction SilentlyContinue
$cbs = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Interface'
return @{
    boot_filetime = Get-CauBootFileTime
    uptime_seconds = [double][Diagnostics.Stopwatch]::GetTimestamp() / [double][Diagnostics.Stopwatch]::Frequency
    autologon_checked = Test-CauKey -Path 'SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked'
    cbs_servicing = [int](Get-CauValue -Path $cbs -Name 'ServicingInProgress' -Default 0)
    tiworker = @(Get-Process -Name 'TiWorker' -ErrorAction SilentlyContinue).Count -gt 0
    cluster_service = ($null -ne $service) -and ([string]$service.Status -eq 'Running')
}
