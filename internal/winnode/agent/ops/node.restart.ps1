param($Arguments)
# Asks for a restart of the boot that is named, and of no later one, and never under an installer.
$comment = [string]$Arguments.comment
$delay = [int]$Arguments.delay_seconds
if ($comment -cnotmatch '^[A-Za-z0-9 .,:;()_-]{0,200}\z' -or $delay -lt 2 -or $delay -gt 600) {
    throw (New-CauFailure -Kind 'refused' -Message 'the comment or the delay of the restart is out of bounds')
}
# The boot time moves a little when the clock is nudged; two seconds, in 100 ns, are no restart.
if ([Math]::Abs([long](Get-CauBootFileTime) - [long][string]$Arguments.expect_boot) -gt 20000000) {
    return @{ code = 0; already_restarted = $true }
}
Assert-CauIdle
$shutdown = Join-Path -Path $env:SystemRoot -ChildPath 'System32\shutdown.exe'
# 2:17 is "operating system: hot fix, planned".
$code = Invoke-CauProgram -Path $shutdown -Parameters ('/r /t ' + $delay + ' /d p:2:17 /c "' + $comment + '"')
return @{ code = $code; already_restarted = $false }
