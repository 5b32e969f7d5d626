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
Assert-CauJobEnded -Id $id -Folder $folder -Task $task -Processes (Get-CauProcesses)
# The task first: a folder without a task starts nothing.
if ($null -ne $task) { [void]$tasks.DeleteTask($name, 0) }
if ($folder -ne '') { Remove-CauTree -Path $folder }
return @{ removed = ($null -ne $task -or $folder -ne '') }
