param($Arguments)
# What is new since an offset. Read in this order: alive, events, result. A job that ends in between has its
# result on disk before it is seen dead.
$id = [string]$Arguments.id
$run = [string]$Arguments.run
$offset = [long]$Arguments.offset
Assert-CauName -Name $id
Assert-CauName -Name $run
$answer = @{ exists = $false; task_state = 0; process_alive = $false; heartbeat_utc = ''; next_offset = $offset; events = @(); result = '' }
$folder = Get-CauFolder -Path "jobs\$run\$id"
if ($folder -eq '' -or -not [IO.File]::Exists((Join-Path -Path $folder -ChildPath 'job.json'))) { return $answer }
$answer['exists'] = $true
$task = Get-CauTask -Folder (Open-CauTaskFolder -Service (Connect-CauTaskService)) -Name (Get-CauTaskName -Run $run -Id $id)
if ($null -ne $task) { $answer['task_state'] = [int]$task.State }
$answer['process_alive'] = Test-CauJobAlive -Folder $folder
$heartbeat = Join-Path -Path $folder -ChildPath 'heartbeat'
if ([IO.File]::Exists($heartbeat)) { $answer['heartbeat_utc'] = Read-CauFile -Path $heartbeat }
$events = Join-Path -Path $folder -ChildPath 'events.jsonl'
if ([IO.File]::Exists($events)) {
    # Counted in bytes as they lie there: a line that was cut in the middle of a character has others as text.
    $part = Read-CauBytes -Path $events -Offset $offset -Limit 65536
    $count = [int]$part['count']
    $end = 0
    if ($count -gt 0) { $end = 1 + [Array]::LastIndexOf($part['bytes'], [byte]10, $count - 1) }
    if ($end -gt 0) {
        $text = [Text.Encoding]::UTF8.GetString($part['bytes'], 0, $end)
        $answer['next_offset'] = $offset + $end
        $answer['events'] = [string[]]$text.Split([char[]]"`n", [StringSplitOptions]::RemoveEmptyEntries)
    }
}
$result = Join-Path -Path $folder -ChildPath 'result.json'
if ([IO.File]::Exists($result)) { $answer['result'] = Read-CauFile -Path $result }
return $answer
