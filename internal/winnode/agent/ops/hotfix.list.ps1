param($Arguments)
# What is installed, and what the update agent did, newest first. The agent lets a network logon read its history.
$max = [Math]::Max(1, [Math]::Min(500, [int]$Arguments.max))
$culture = [Globalization.CultureInfo]::InvariantCulture
$installed = @(Get-CimInstance -ClassName 'Win32_QuickFixEngineering' -Property 'HotFixID', 'Description', 'InstalledOn' |
        Sort-Object -Descending -Property {
        # Text, and not always a date; what cannot be read comes last.
        $date = [DateTime]::MinValue
        [void][DateTime]::TryParse([string](Get-CauProperty -Instance $_ -Name 'InstalledOn' -Default ''), $culture, [Globalization.DateTimeStyles]::None, [ref]$date)
        $date
    } | Select-Object -First $max | ForEach-Object -Process {
        @{ id = [string]$_.HotFixID; description = [string]$_.Description; installed_on = [string](Get-CauProperty -Instance $_ -Name 'InstalledOn' -Default '') }
    })
$history = @()
$searcher = (New-Object -ComObject 'Microsoft.Update.Session').CreateUpdateSearcher()
$total = [int]$searcher.GetTotalHistoryCount()
if ($total -gt 0) {
    $history = @($searcher.QueryHistory(0, [Math]::Min($max, $total)) | ForEach-Object -Process {
            $title = [string]$_.Title
            @{
                utc = [DateTime]::SpecifyKind([DateTime]$_.Date, [DateTimeKind]::Utc).ToString('o', $culture)
                title = $title.Substring(0, [Math]::Min($title.Length, 500))
                operation = [int]$_.Operation
                result = [int]$_.ResultCode
                hresult = [long]$_.HResult -band 4294967295
            }
        })
}
return @{ installed = $installed; history = $history }
