# Small readers of facts that several operations share.

function Test-CauKey {
    param([string]$Path)
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($Path)
    if ($null -eq $key) { return $false }
    $key.Dispose()
    return $true
}

# Get-CauValue is a value below HKEY_LOCAL_MACHINE, or Default where there is none.
function Get-CauValue {
    param(
        [string]$Path,
        [string]$Name,
        $Default
    )
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($Path)
    if ($null -eq $key) { return $Default }
    try {
        return $key.GetValue($Name, $Default)
    } finally {
        $key.Dispose()
    }
}

# Get-CauProperty is a CIM property, or Default where this Windows version does not have it.
function Get-CauProperty {
    param(
        [Microsoft.Management.Infrastructure.CimInstance]$Instance,
        [string]$Name,
        $Default
    )
    $property = $Instance.CimInstanceProperties[$Name]
    if ($null -eq $property -or $null -eq $property.Value) { return $Default }
    return $property.Value
}

# Test-CauClass tells whether the node has the class. Other errors than its absence are errors.
function Test-CauClass {
    param(
        [string]$Namespace,
        [string]$Class
    )
    try {
        return ($null -ne (Get-CimClass -Namespace $Namespace -ClassName $Class))
    } catch [Microsoft.Management.Infrastructure.CimException] {
        $native = [string]$_.Exception.NativeErrorCode
        if ($native -eq 'InvalidNamespace' -or $native -eq 'InvalidClass' -or $native -eq 'NotFound') { return $false }
        throw
    }
}

function Get-CauBootFileTime {
    $system = Get-CimInstance -ClassName 'Win32_OperatingSystem' -Property 'LastBootUpTime'
    return $system.LastBootUpTime.ToFileTimeUtc().ToString([Globalization.CultureInfo]::InvariantCulture)
}

# Get-CauClusterNode is the node of that name. Names are compared here, so that none gets into a query.
function Get-CauClusterNode {
    param([string]$Name)
    $found = @(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_Node' | Where-Object -FilterScript { $_.Name -eq $Name })
    if ($found.Count -ne 1) {
        throw (New-CauFailure -Kind 'missing' -Message 'the cluster has no node of that name' -Code 5042)
    }
    return $found[0]
}

# Assert-CauReturn turns a method's own error number into an error.
function Assert-CauReturn {
    param(
        $Result,
        [string]$Method
    )
    if ($null -eq $Result) { return }
    $property = $Result.PSObject.Properties['ReturnValue']
    if ($null -eq $property -or $null -eq $property.Value) { return }
    $code = [long]$property.Value -band 4294967295
    if (($code -band 4294901760) -eq 2147942400) { $code = $code -band 65535 }
    if ($code -ne 0) {
        $kind = 'win32'
        if ($code -gt 65535) { $kind = 'hresult' }
        throw (New-CauFailure -Kind $kind -Message "$Method was refused" -Code $code)
    }
}

# Invoke-CauProgram runs a program of Windows that answers at once, and gives its exit code.
function Invoke-CauProgram {
    param(
        [string]$Path,
        [string]$Parameters
    )
    $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo -ArgumentList $Path, $Parameters
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $process = [Diagnostics.Process]::Start($start)
    if (-not $process.WaitForExit(25000)) {
        throw (New-CauFailure -Kind 'script' -Message "$Path did not end within 25 seconds" -Code 1460)
    }
    return [long]$process.ExitCode
}

# Assert-CauGuid admits a GUID in lower case without braces.
function Assert-CauGuid {
    param([string]$Text)
    if ($Text -cnotmatch '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\z') {
        throw (New-CauFailure -Kind 'refused' -Message 'the lock is not named by a GUID in lower case without braces')
    }
}

# Test-CauGuid tells whether Text is the GUID Id, in whichever case and with or without braces.
function Test-CauGuid {
    param(
        [string]$Text,
        [string]$Id
    )
    return ($Text.Trim([char[]]'{} ') -eq $Id)
}
