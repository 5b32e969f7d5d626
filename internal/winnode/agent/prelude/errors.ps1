# Errors keep the number that Windows gave: an answer's err is kind, message and code.

# New-CauFailure makes the error by which a script itself refuses.
function New-CauFailure {
    param(
        [string]$Kind,
        [string]$Message,
        [long]$Code = 0
    )
    $failure = New-Object -TypeName System.InvalidOperationException -ArgumentList $Message
    $failure.Data['CauKind'] = $Kind
    $failure.Data['CauCode'] = $Code
    return $failure
}

# Get-CauExceptionCode is the HRESULT that one exception carries, unsigned, or 0.
function Get-CauExceptionCode {
    param([System.Exception]$Exception)
    if ($Exception -is [System.ComponentModel.Win32Exception]) {
        return [long]2147942400 + ([long]$Exception.NativeErrorCode -band 65535)
    }
    if ($Exception -is [Microsoft.Management.Infrastructure.CimException]) {
        if ([string]$Exception.MessageId -match '0x([0-9a-fA-F]{8})') {
            return [Convert]::ToInt64($Matches[1], 16)
        }
        if ($null -ne $Exception.ErrorData) {
            $property = $Exception.ErrorData.CimInstanceProperties['error_Code']
            if ($null -ne $property -and $null -ne $property.Value) {
                return ([long]$property.Value -band 4294967295)
            }
        }
        return [long]0
    }
    # 0x8013xxxx is the runtime's own way to say which class of exception it is; that is no cause.
    $number = [long]$Exception.HResult -band 4294967295
    if (($number -band 4294901760) -eq 2148728832) { return [long]0 }
    return $number
}

# ConvertTo-CauError turns an error record into the answer's err. HRESULTs of Win32 errors become those.
function ConvertTo-CauError {
    param([System.Management.Automation.ErrorRecord]$Record)
    $kind = 'script'
    $code = [long]0
    $message = $Record.Exception.Message
    $exception = $Record.Exception
    while ($null -ne $exception) {
        $message = $exception.Message
        if ($exception.Data.Contains('CauKind')) {
            return @{ kind = [string]$exception.Data['CauKind']; message = $message; code = [long]$exception.Data['CauCode'] }
        }
        if ($exception -is [Microsoft.Management.Infrastructure.CimException]) {
            $native = [string]$exception.NativeErrorCode
            if ($native -eq 'InvalidNamespace' -or $native -eq 'InvalidClass' -or $native -eq 'NotFound') { $kind = 'missing' }
        }
        $found = Get-CauExceptionCode -Exception $exception
        if ($found -ne 0) { $code = $found }
        $exception = $exception.InnerException
    }
    if ($code -ne 0 -and $kind -eq 'script') { $kind = 'hresult' }
    if (($code -band 4294901760) -eq 2147942400) {
        $code = $code -band 65535
        if ($kind -eq 'hresult') { $kind = 'win32' }
    }
    return @{ kind = $kind; message = $message; code = $code }
}
