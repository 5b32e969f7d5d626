param($Arguments)
# Each signal of a pending restart by itself; which of them count is decided elsewhere.
$cbs = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing'
$names = 'SYSTEM\CurrentControlSet\Control\ComputerName'
$manager = 'SYSTEM\CurrentControlSet\Control\Session Manager'
$packages = $false
$key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($cbs + '\PackagesPending')
if ($null -ne $key) {
    $packages = $key.SubKeyCount -gt 0
    $key.Dispose()
}
$renames = @(Get-CauValue -Path $manager -Name 'PendingFileRenameOperations' -Default @()) + @(Get-CauValue -Path $manager -Name 'PendingFileRenameOperations2' -Default @())
$active = [string](Get-CauValue -Path ($names + '\ActiveComputerName') -Name 'ComputerName' -Default '')
$wanted = [string](Get-CauValue -Path ($names + '\ComputerName') -Name 'ComputerName' -Default '')
return @{
    cbs_reboot_pending = (Test-CauKey -Path ($cbs + '\RebootPending')) -or (Test-CauKey -Path ($cbs + '\RebootInProgress'))
    cbs_packages_pending = $packages
    wu_reboot_required = Test-CauKey -Path 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
    update_exe_volatile = [long](Get-CauValue -Path 'SOFTWARE\Microsoft\Updates' -Name 'UpdateExeVolatile' -Default 0) -ne 0
    pending_xml = [IO.File]::Exists((Join-Path -Path $env:SystemRoot -ChildPath 'WinSxS\pending.xml'))
    pending_file_rename = $renames.Count -gt 0
    computer_name_pending = $active -ne $wanted
}
