param($Arguments)
# Starts a job as SYSTEM, or finds it started: the same id is the same job, however often it is asked for.
$id = [string]$Arguments.id
$run = [string]$Arguments.run
$folder = New-CauJob -Arguments $Arguments -Caller $false
$name = Get-CauTaskName -Run $run -Id $id
$service = Connect-CauTaskService
$tasks = Open-CauTaskFolder -Service $service -Create
$task = Get-CauTask -Folder $tasks -Name $name
if ($null -eq $task) {
    $loader = $CauLoader.Replace('@SHA256@', $CauSha256).Replace('@VERB@', 'job').Replace('@ARGUMENT@', "$run/$id")
    $definition = $service.NewTask(0)
    $definition.RegistrationInfo.Description = 'cau: one job of an updating run. It is safe to delete when no updating run is under way.'
    # By SID, because the name SYSTEM is localised; 5 is a service account, 1 the highest run level.
    $definition.Principal.UserId = 'S-1-5-18'
    $definition.Principal.LogonType = 5
    $definition.Principal.RunLevel = 1
    $definition.Settings.Enabled = $true
    $definition.Settings.AllowDemandStart = $true
    $definition.Settings.StartWhenAvailable = $false
    $definition.Settings.DisallowStartIfOnBatteries = $false
    $definition.Settings.StopIfGoingOnBatteries = $false
    $definition.Settings.RunOnlyIfIdle = $false
    # 2 ignores a second start; PT0S is no limit, because an installer is never killed.
    $definition.Settings.MultipleInstances = 2
    $definition.Settings.ExecutionTimeLimit = 'PT0S'
    $definition.Settings.AllowHardTerminate = $false
    # The default, 7, starves the job of processor and disk.
    $definition.Settings.Priority = 4
    # 0 executes a program.
    $action = $definition.Actions.Create(0)
    $action.Path = Join-Path -Path $env:SystemRoot -ChildPath 'System32\WindowsPowerShell\v1.0\powershell.exe'
    $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($loader))
    $action.Arguments = '-NoProfile -NonInteractive -OutputFormat Text -EncodedCommand ' + $encoded
    # 2 creates and never replaces.
    $task = $tasks.RegisterTaskDefinition($name, $definition, 2, $null, $null, 5, $CauTaskSddl)
}
$claimed = [IO.File]::Exists((Join-Path -Path $folder -ChildPath 'process.json'))
$existed = $claimed -or [int]$task.State -eq 2 -or [int]$task.State -eq 4
if (-not $existed) {
    # 2 ignores conditions, 0 is no session; the job itself lets only one start through.
    [void]$task.RunEx($null, 2, 0, '')
}
return @{ existed = $existed; task_state = [int]$task.State }
