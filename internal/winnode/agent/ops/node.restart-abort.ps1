param($Arguments)
# Takes back a restart that is scheduled and has not begun.
$shutdown = Join-Path -Path $env:SystemRoot -ChildPath 'System32\shutdown.exe'
return @{ code = (Invoke-CauProgram -Path $shutdown -Parameters '/a') }
