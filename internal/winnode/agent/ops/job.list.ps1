param($Arguments)
# The jobs that are on this node: those with a folder, and tasks whose folder is gone.
$wanted = [string]$Arguments.run
if ($wanted -ne '') { Assert-CauName -Name $wanted }
$tasks = @{}
$folder = Open-CauTaskFolder -Service (Connect-CauTaskService)
if ($null -ne $folder) {
    # 1 includes hidden tasks.
    foreach ($task in @($folder.GetTasks(1))) { $tasks[[string]$task.Name] = $task }
}
$processes = Get-CauProcesses
$entries = New-Object -TypeName System.Collections.ArrayList
$jobs = Get-CauFolder -Path 'jobs'
if ($jobs -ne '') {
    foreach ($runFolder in @([IO.Directory]::GetDirectories($jobs))) {
        $run = [IO.Path]::GetFileName($runFolder)
        if ($wanted -ne '' -and $run -ne $wanted) { continue }
        Assert-CauFolder -Path $runFolder
        foreach ($job in @([IO.Directory]::GetDirectories($runFolder))) {
            Assert-CauFolder -Path $job
            $id = [IO.Path]::GetFileName($job)
            $entry = @{ run = $run; id = $id; kind = ''; task_state = 0; last_result = [long]0; heartbeat_utc = '' }
            $order = Join-Path -Path $job -ChildPath 'job.json'
            if ([IO.File]::Exists($order)) { $entry['kind'] = [string](ConvertFrom-Json -InputObject (Read-CauFile -Path $order)).kind }
            $entry['process_alive'] = Test-CauJobAlive -Folder $job -Processes $processes
            $heartbeat = Join-Path -Path $job -ChildPath 'heartbeat'
            if ([IO.File]::Exists($heartbeat)) { $entry['heartbeat_utc'] = Read-CauFile -Path $heartbeat }
            $entry['finished'] = [IO.File]::Exists((Join-Path -Path $job -ChildPath 'result.json'))
            $name = Get-CauTaskName -Run $run -Id $id
            if ($tasks.ContainsKey($name)) {
                $entry['task_state'] = [int]$tasks[$name].State
                $entry['last_result'] = Get-CauTaskResult -Task $tasks[$name]
                $tasks.Remove($name)
            }
            [void]$entries.Add($entry)
        }
    }
}
foreach ($name in @($tasks.Keys)) {
    $run, $id = $name.Split([char[]]'.', 2)
    if ($wanted -ne '' -and $run -ne $wanted) { continue }
    [void]$entries.Add(@{
            run = $run; id = [string]$id; kind = ''; task_state = [int]$tasks[$name].State; last_result = (Get-CauTaskResult -Task $tasks[$name])
            process_alive = $false; heartbeat_utc = ''; finished = $false
        })
}
return @{ jobs = $entries.ToArray() }
