# What the loader asked for: to keep this bundle, to be a job, or to run one operation.
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
if ($CauVerb -eq 'job') {
    Invoke-CauJob -Argument $CauArgument -Jobs $CauJobs
    [Environment]::Exit(0)
}
$answer = @{ v = 1; ok = $false; host = [Environment]::MachineName; utc = (Get-CauUtc) }
try {
    if ($CauVerb -eq 'install') {
        $data = Install-CauBundle -Digest $CauSha256 -Text ($CauLines[0])
    } else {
        $request = ConvertFrom-CauArgument -Argument $CauArgument -Lines $CauLines
        $operation = [string]$request.op
        if (-not $CauOperations.ContainsKey($operation)) {
            throw (New-CauFailure -Kind 'missing' -Message 'there is no such operation')
        }
        $epoch = [long]0
        if ($null -ne $request.PSObject.Properties['epoch']) { $epoch = [long]$request.epoch }
        Assert-CauLease -Operation $operation -Epoch $epoch
        $data = & $CauOperations[$operation] $request.args
    }
    $answer['data'] = $data
    $answer['ok'] = $true
} catch {
    $answer['err'] = ConvertTo-CauError -Record $_
}
$answer['utc'] = Get-CauUtc
Write-CauFrame -Answer $answer
# At once: with a redirected standard input the host may still wait for its end.
[Environment]::Exit(0)
