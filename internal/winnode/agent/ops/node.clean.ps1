param($Arguments)
# Removes what a run left, or everything. A job that still works is left alone, and so is everything then.
$run = [string]$Arguments.run
if ($run -ne '') { Assert-CauName -Name $run }
$removed = @()
$processes = Get-CauProcesses
$jobs = Get-CauFolder -Path 'jobs'
if ($jobs -ne '') {
    foreach ($folder in @([IO.Directory]::GetDirectories($jobs))) {
        if ($run -ne '' -and [IO.Path]::GetFileName($folder) -ne $run) { continue }
        foreach ($job in @([IO.Directory]::GetDirectories($folder))) {
            Assert-CauFolder -Path $job
            if (Test-CauJobAlive -Folder $job -Processes $processes) {
                throw (New-CauFailure -Kind 'refused' -Message ('job ' + [IO.Path]::GetFileName($job) + ' still works'))
            }
        }
    }
}
$service = Connect-CauTaskService
$tasks = Open-CauTaskFolder -Service $service
if ($null -ne $tasks) {
    foreach ($task in @($tasks.GetTasks(1))) {
        if ($run -ne '' -and -not $task.Name.StartsWith($run + '.')) { continue }
        $removed += $CauTaskFolder + '\' + $task.Name
        [void]$tasks.DeleteTask($task.Name, 0)
    }
    if ($run -eq '') {
        [void]$service.GetFolder('\').DeleteFolder($CauTaskFolder.Substring(1), 0)
        $removed += $CauTaskFolder
    }
}
$paths = @("runs\$run", "jobs\$run")
if ($run -eq '') { $paths = @('') }
foreach ($path in $paths) {
    $folder = Get-CauFolder -Path $path
    if ($folder -eq '') { continue }
    Remove-CauTree -Path $folder
    $removed += $folder
}
$removed += @(Remove-CauPush -Run $run)
return @{ removed = $removed }
