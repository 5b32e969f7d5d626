param($Arguments)
# The newest records of one log, newest first.
$log = [string]$Arguments.log
# No wildcards: one log, by its name.
if ($log -cnotmatch '^[A-Za-z0-9][A-Za-z0-9 ._/()-]{0,199}\z') {
    throw (New-CauFailure -Kind 'refused' -Message 'that is no name of an event log')
}
$max = [Math]::Max(1, [Math]::Min(200, [int]$Arguments.max))
$filter = @{ LogName = $log }
$culture = [Globalization.CultureInfo]::InvariantCulture
if ([string]$Arguments.since -ne '') {
    $filter['StartTime'] = [DateTime]::Parse([string]$Arguments.since, $culture, [Globalization.DateTimeStyles]::RoundtripKind)
}
try {
    $found = @(Get-WinEvent -FilterHashtable $filter -MaxEvents $max)
} catch {
    # An empty log is an error to the cmdlet and an answer here.
    if (-not $_.FullyQualifiedErrorId.StartsWith('NoMatchingEventsFound')) { throw }
    $found = @()
}
$records = @($found | ForEach-Object -Process {
        $text = [string]$_.Message
        $level = 4
        if ($null -ne $_.Level) { $level = [int]$_.Level }
        @{
            utc = $_.TimeCreated.ToUniversalTime().ToString('o', $culture)
            provider = [string]$_.ProviderName
            id = [int]$_.Id
            level = $level
            message = $text.Substring(0, [Math]::Min($text.Length, 2000))
        }
    })
return @{ records = $records }
