param($Arguments)
# Does the system drive wait for somebody's PIN or key after a restart? BitLocker is a feature that may be absent.
if (-not (Test-CauClass -Namespace 'root/CIMV2/Security/MicrosoftVolumeEncryption' -Class 'Win32_EncryptableVolume')) {
    return @{ available = $false; protection = 2; protectors = @(); suspend_count = -1 }
}
$volumes = @(Get-CimInstance -Namespace 'root/CIMV2/Security/MicrosoftVolumeEncryption' -ClassName 'Win32_EncryptableVolume' |
        Where-Object -FilterScript { [string]$_.DriveLetter -eq $env:SystemDrive })
if ($volumes.Count -ne 1) {
    throw (New-CauFailure -Kind 'missing' -Message 'BitLocker does not know the system drive')
}
$protectors = @()
$listed = Invoke-CimMethod -InputObject $volumes[0] -MethodName 'GetKeyProtectors'
# 0x80310008, FVE_E_NOT_ACTIVATED: there are none.
if ([long]$listed.ReturnValue -ne 2150694920) {
    Assert-CauReturn -Result $listed -Method 'GetKeyProtectors'
    $protectors = @(@($listed.VolumeKeyProtectorID) | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process {
            $kind = Invoke-CimMethod -InputObject $volumes[0] -MethodName 'GetKeyProtectorType' -Arguments @{ VolumeKeyProtectorID = [string]$_ }
            Assert-CauReturn -Result $kind -Method 'GetKeyProtectorType'
            [int]$kind.KeyProtectorType
        })
}
$count = -1
$suspended = Invoke-CimMethod -InputObject $volumes[0] -MethodName 'GetSuspendCount'
$code = [long]$suspended.ReturnValue -band 4294967295
if ($code -eq 0) { $count = [int]$suspended.SuspendCount }
# ERROR_NOT_SUPPORTED, as a number or an HRESULT: the volume is not suspended.
if ($code -eq 50 -or $code -eq 2147942450) { $count = 0 }
return @{
    available = $true
    protection = [int](Get-CauProperty -Instance $volumes[0] -Name 'ProtectionStatus' -Default 2)
    protectors = $protectors
    suspend_count = $count
}
