# The answer on standard output: one line of ASCII with length and SHA-256, whatever else is printed around it.

function Get-CauSha256 {
    param([byte[]]$Bytes)
    $algorithm = New-Object -TypeName System.Security.Cryptography.SHA256CryptoServiceProvider
    return [BitConverter]::ToString($algorithm.ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant()
}

# Get-CauUtc is now, ISO 8601, with a dot in every culture.
function Get-CauUtc {
    return [DateTime]::UtcNow.ToString('o', [Globalization.CultureInfo]::InvariantCulture)
}

function ConvertTo-CauJson {
    param($Value)
    return (ConvertTo-Json -InputObject $Value -Depth 8 -Compress)
}

function Write-CauFrame {
    param([System.Collections.IDictionary]$Answer)
    $bytes = [Text.Encoding]::UTF8.GetBytes((ConvertTo-CauJson -Value $Answer))
    $line = '#cau-frame:1:' + $bytes.Length + ':' + (Get-CauSha256 -Bytes $bytes) + ':' + [Convert]::ToBase64String($bytes) + ':end#'
    [Console]::Out.Write("`r`n" + $line + "`r`n")
    [Console]::Out.Flush()
}

# ConvertFrom-CauArgument reads the request: base64 of JSON on the command line, or lines of it on standard
# input, which must then have the hash that the command line names.
function ConvertFrom-CauArgument {
    param(
        [string]$Argument,
        [string[]]$Lines
    )
    if ($Argument.StartsWith('stdin:')) {
        $bytes = [Convert]::FromBase64String(($Lines -join ''))
        if ((Get-CauSha256 -Bytes $bytes) -ne $Argument.Substring(6)) {
            throw (New-CauFailure -Kind 'refused' -Message 'the request on standard input is cut or changed')
        }
    } else {
        $bytes = [Convert]::FromBase64String($Argument)
    }
    return (ConvertFrom-Json -InputObject ([Text.Encoding]::UTF8.GetString($bytes)))
}
