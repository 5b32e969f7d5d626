param($Arguments)
# The boot's identity and whether the node is done with starting.
$service = Get-Service -Name 'ClusSvc' -ErrorAction SilentlyContinue
# Two clocks that start with the machine, because each has a flaw: the performance counter of a virtual machine may
# go on over its restart, and the tick count begins anew after 49.7 days. The smaller one is right after a restart.
$counter = [double][Diagnostics.Stopwatch]::GetTimestamp() / [double][Diagnostics.Stopwatch]::Frequency
$ticks = [double]([long][Environment]::TickCount -band 4294967295) / 1000
$cbs = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Interface'
return @{
    boot_filetime = Get-CauBootFileTime
    uptime_seconds = [Math]::Min($counter, $ticks)
    autologon_checked = Test-CauKey -Path 'SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked'
    cbs_servicing = [int](Get-CauValue -Path $cbs -Name 'ServicingInProgress' -Default 0)
    tiworker = @(Get-Process -Name 'TiWorker' -ErrorAction SilentlyContinue).Count -gt 0
    cluster_service = ($null -ne $service) -and ([string]$service.Status -eq 'Running')
}
