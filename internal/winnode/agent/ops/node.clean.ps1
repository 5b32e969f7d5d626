param($Arguments)
# Removes what a run left, or everything. A job that still works is left alone, and so is everything then.
$run = [string]$Arguments.run
if ($run -ne '') { Assert-CauName -Name $run }
$removed = @()
$processes = Get-CauProcesses
$service = Connect-CauTaskService
$taskFolder = Open-CauTaskFolder -Service $service
$tasks = @{}
if ($null -ne $taskFolder) {
    # 1 includes hidden tasks.
    foreach ($task in @($taskFolder.GetTasks(1))) {
        if ($run -eq '' -or ([string]$task.Name).StartsWith($run + '.', [StringComparison]::Ordinal)) { $tasks[[string]$task.Name] = $task }
    }
}
$checked = @{}
$jobs = Get-CauFolder -Path 'jobs'
if ($jobs -ne '') {
    foreach ($folder in @([IO.Directory]::GetDirectories($jobs))) {
        $owner = [IO.Path]::GetFileName($folder)
        if ($run -ne '' -and $owner -ne $run) { continue }
        foreach ($job in @([IO.Directory]::GetDirectories($folder))) {
            Assert-CauFolder -Path $job
            $id = [IO.Path]::GetFileName($job)
            $name = Get-CauTaskName -Run $owner -Id $id
            Assert-CauJobEnded -Id $id -Folder $job -Task $tasks[$name] -Processes $processes
            $checked[$name] = $true
        }
    }
}
foreach ($name in @($tasks.Keys)) {
    if (-not $checked.ContainsKey($name)) { Assert-CauJobEnded -Id $name -Folder '' -Task $tasks[$name] -Processes $processes }
}
# The tasks first: a folder without a task starts nothing.
foreach ($name in @($tasks.Keys)) {
    $removed += $CauTaskFolder + '\' + $name
    [void]$taskFolder.DeleteTask($name, 0)
}
if ($run -eq '' -and $null -ne $taskFolder) {
    [void]$service.GetFolder('\').DeleteFolder($CauTaskFolder.Substring(1), 0)
    $removed += $CauTaskFolder
}
$paths = @("runs\$run", "jobs\$run")
if ($run -eq '') { $paths = @('') }
foreach ($path in $paths) {
    $folder = Get-CauFolder -Path $path
    if ($folder -eq '') { continue }
    Remove-CauTree -Path $folder
    $removed += $folder
}
if ($run -ne '') { $removed += @(Remove-CauCheckpoint -Run $run) }
$removed += @(Remove-CauPush -Run $run)
return @{ removed = $removed }
