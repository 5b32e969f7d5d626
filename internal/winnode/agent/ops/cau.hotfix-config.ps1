param($Arguments)
# Microsoft's own hotfix configuration file, which lies beside CAU's PowerShell module on a node that has the Failover
# Clustering Tools. One that is larger than what is asked for is measured and not sent.
$max = [Math]::Max(1, [Math]::Min(4194304, [int]$Arguments.max))
$path = Join-Path -Path $env:SystemRoot -ChildPath 'System32\WindowsPowerShell\v1.0\Modules\ClusterAwareUpdating\DefaultHotfixConfig.xml'
$file = New-Object -TypeName System.IO.FileInfo -ArgumentList $path
$answer = @{ found = [bool]$file.Exists; path = $path; size = [long]0; sha256 = ''; text = '' }
if (-not $file.Exists) { return $answer }
$answer['size'] = [long]$file.Length
if ($file.Length -gt $max) { return $answer }
$part = Read-CauBytes -Path $path -Limit $max
$bytes = New-Object -TypeName 'byte[]' -ArgumentList ([int]$part['count'])
[Array]::Copy($part['bytes'], $bytes, $bytes.Length)
$answer['size'] = [long]$bytes.Length
$answer['sha256'] = Get-CauSha256 -Bytes $bytes
$answer['text'] = [Convert]::ToBase64String($bytes)
return $answer
