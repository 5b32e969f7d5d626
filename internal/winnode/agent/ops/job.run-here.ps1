param($Arguments)
# Runs a script's job within this very process, in the logon of whoever asks, and answers when it has ended. Its
# files and its result are those of any job; what is read of it is read by job.poll.
if ([string]$Arguments.kind -cne 'script') {
    throw (New-CauFailure -Kind 'refused' -Message 'only a script runs in the logon of its caller')
}
$folder = New-CauJob -Arguments $Arguments -Caller $true
if ([IO.File]::Exists((Join-Path -Path $folder -ChildPath 'process.json'))) {
    return @{ existed = $true; task_state = 0 }
}
[void](Invoke-CauJob -Argument ([string]$Arguments.run + '/' + [string]$Arguments.id) -Jobs $CauJobs)
return @{ existed = $false; task_state = 0 }
