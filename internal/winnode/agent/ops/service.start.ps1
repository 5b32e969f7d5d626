param($Arguments)
# Starts one of the few services that updating needs, and waits for it a little.
$name = [string]$Arguments.name
if (@('ClusSvc', 'wuauserv', 'BITS', 'TrustedInstaller') -notcontains $name) {
    throw (New-CauFailure -Kind 'refused' -Message 'that service is none that updating starts')
}
$service = Get-Service -Name $name
if ([string]$service.Status -eq 'Stopped') { [void]$service.Start() }
try {
    # Not for ever: one may hang while it starts.
    [void]$service.WaitForStatus('Running', [TimeSpan]::FromSeconds(20))
} catch [System.ServiceProcess.TimeoutException] {
    [void]$service.Refresh()
}
[void]$service.Refresh()
return @{ state = [int]$service.Status }
