param($Arguments)
# Who answers, and what it can do. Windows PowerShell 5.1 as an administrator is what the rest needs.
$current = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$system = Get-CimInstance -ClassName 'Win32_ComputerSystem' -Property 'Name', 'Domain'
$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object -TypeName System.Security.Principal.WindowsPrincipal -ArgumentList $identity
# How the caller is signed in, by the well-known SIDs of a token: network, batch, interactive.
$groups = @($identity.Groups | ForEach-Object -Process { [string]$_.Value })
$token = ''
if ($groups -contains 'S-1-5-4') { $token = 'interactive' }
if ($groups -contains 'S-1-5-3') { $token = 'batch' }
if ($groups -contains 'S-1-5-2') { $token = 'network' }
# The primary DNS suffix, which Kerberos names the computer by; it need not be the domain's name.
$network = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
$fqdn = ([string]$network.HostName + '.' + [string]$network.DomainName).TrimEnd([char]'.')
$module = Join-Path -Path $env:SystemRoot -ChildPath 'System32\WindowsPowerShell\v1.0\Modules\FailoverClusters'
$drive = New-Object -TypeName System.IO.DriveInfo -ArgumentList ([IO.Path]::GetPathRoot($env:ProgramFiles))
$namespaces = @()
if (Test-CauClass -Namespace 'root/MSCluster' -Class 'MSCluster_Node') { $namespaces += 'mscluster' }
if (Test-CauClass -Namespace 'root/Microsoft/Windows/Storage' -Class 'MSFT_VirtualDisk') { $namespaces += 'storage' }
if (Test-CauClass -Namespace 'root/Microsoft/Windows/ClusterUpdate' -Class 'MSFT_CAURun') { $namespaces += 'clusterupdate' }
$quota = @{ 'WSMan:\localhost\MaxEnvelopeSizekb' = 0; 'WSMan:\localhost\Shell\MaxShellsPerUser' = 0 }
foreach ($path in @($quota.Keys)) {
    try {
        $quota[$path] = [int](Get-Item -LiteralPath $path).Value
    } catch {
        # 0 says that it could not be read.
        $quota[$path] = 0
    }
}
return @{
    computer = [string]$system.Name
    domain = [string]$system.Domain
    build = ([string](Get-CauValue -Path $current -Name 'CurrentBuildNumber' -Default '')) + '.' + ([string](Get-CauValue -Path $current -Name 'UBR' -Default '0'))
    powershell = $PSVersionTable.PSVersion.ToString()
    language_mode = [string]$ExecutionContext.SessionState.LanguageMode
    admin = [bool]$principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    free_bytes = [long]$drive.AvailableFreeSpace
    namespaces = $namespaces
    max_envelope_kb = $quota['WSMan:\localhost\MaxEnvelopeSizekb']
    max_shells = $quota['WSMan:\localhost\Shell\MaxShellsPerUser']
    fqdn = $fqdn
    token = $token
    cluster_module = [IO.Directory]::Exists($module)
}
