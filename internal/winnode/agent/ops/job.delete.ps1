param($Arguments)
# Removes a job's task and folder. One that works, or is about to, is left alone.
$id = [string]$Arguments.id
$run = [string]$Arguments.run
Assert-CauName -Name $id
Assert-CauName -Name $run
$name = Get-CauTaskName -Run $run -Id $id
$tasks = Open-CauTaskFolder -Service (Connect-CauTaskService)
$task = Get-CauTask -Folder $tasks -Name $name
$folder = Get-CauFolder -Path "jobs\$run\$id"
# 2 is queued, 4 is running.
$works = ($null -ne $task -and ([int]$task.State -eq 2 -or [int]$task.State -eq 4)) -or ($folder -ne '' -and (Test-CauJobAlive -Folder $folder))
if ($works) {
    throw (New-CauFailure -Kind 'refused' -Message "job $id still works")
}
# The task first: a folder without a task starts nothing.
if ($null -ne $task) { [void]$tasks.DeleteTask($name, 0) }
if ($folder -ne '') { Remove-CauTree -Path $folder }
return @{ removed = ($null -ne $task -or $folder -ne '') }
