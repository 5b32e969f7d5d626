param($Arguments)
# WinRM's limits as its configuration drive shows them, and the machine's WinHTTP proxy. 0 is a limit that cannot be
# read; whether clear text or Basic is allowed must be readable.
$limits = @{
    max_envelope_kb = 'WSMan:\localhost\MaxEnvelopeSizekb'
    max_timeout_ms = 'WSMan:\localhost\MaxTimeoutms'
    max_shells_per_user = 'WSMan:\localhost\Shell\MaxShellsPerUser'
    max_processes_per_shell = 'WSMan:\localhost\Shell\MaxProcessesPerShell'
    max_memory_per_shell_mb = 'WSMan:\localhost\Shell\MaxMemoryPerShellMB'
    shell_idle_timeout_ms = 'WSMan:\localhost\Shell\IdleTimeout'
    max_connections = 'WSMan:\localhost\Service\MaxConnections'
    max_operations_per_user = 'WSMan:\localhost\Service\MaxConcurrentOperationsPerUser'
}
$answer = @{}
foreach ($name in @($limits.Keys)) {
    try {
        $answer[$name] = [long](Get-Item -LiteralPath $limits[$name]).Value
    } catch {
        $answer[$name] = [long]0
    }
}
$answer['allow_unencrypted'] = [string](Get-Item -LiteralPath 'WSMan:\localhost\Service\AllowUnencrypted').Value -eq 'true'
$answer['basic'] = [string](Get-Item -LiteralPath 'WSMan:\localhost\Service\Auth\Basic').Value -eq 'true'
# Version, counter, flags (2: a proxy is named), length and text, in little endian.
$proxy = ''
$setting = Get-CauValue -Path 'SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections' -Name 'WinHttpSettings' -Default $null
if ($setting -is [byte[]] -and $setting.Length -ge 16 -and ($setting[8] -band 2) -ne 0) {
    $length = [BitConverter]::ToInt32($setting, 12)
    if ($length -gt 0 -and $length -le 2000 -and $length -le $setting.Length - 16) {
        $proxy = [Text.Encoding]::ASCII.GetString($setting, 16, $length)
    }
}
$answer['proxy'] = $proxy
return $answer
