# The Windows Update Agent through its COM objects. It answers only in a job: in a network logon most of it is refused.
# Nothing here accepts licence terms, and nothing asks for more than one update at a time.

# Connect-CauUpdates is a session and its searcher, asking where the query says.
function Connect-CauUpdates {
    param($Query)
    $selection = [int]$Query.server_selection
    $service = [string]$Query.service_id
    if ($selection -lt 0 -or $selection -gt 3 -or ($selection -eq 3 -and $service -notmatch '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z')) {
        throw (New-CauFailure -Kind 'refused' -Message 'there is no such server selection, or it names no service')
    }
    $session = New-Object -ComObject 'Microsoft.Update.Session'
    # What administrators find in the update history and in WindowsUpdate.log.
    $session.ClientApplicationID = 'cau'
    $searcher = $session.CreateUpdateSearcher()
    $searcher.ServerSelection = $selection
    if ($selection -eq 3) { $searcher.ServiceID = $service }
    $searcher.IncludePotentiallySupersededUpdates = [bool]$Query.include_superseded
    return @{ session = $session; searcher = $searcher }
}

# Assert-CauUpdate refuses an update without its properties, as previews of June 2024 gave them: what is not there
# would be read as not installed, without licence terms, never asking anybody.
function Assert-CauUpdate {
    param($Update)
    foreach ($name in 'Identity', 'Title', 'Type', 'IsInstalled', 'IsDownloaded', 'EulaAccepted', 'InstallationBehavior', 'MaxDownloadSize', 'KBArticleIDs', 'Categories') {
        if ($null -eq $Update -or $null -eq $Update.PSObject.Properties[$name]) {
            throw (New-CauFailure -Kind 'missing' -Message "the update agent gives updates without $name, a defect of Windows' previews of June 2024; a later cumulative update cures it")
        }
    }
    if ($null -eq $Update.Identity -or [string]$Update.Identity.UpdateID -eq '') {
        throw (New-CauFailure -Kind 'missing' -Message 'the update agent gives an update without its identity')
    }
}

# Get-CauUpdateMember is a property of an update, or Default where this version of the agent has none.
function Get-CauUpdateMember {
    param(
        $Update,
        [string]$Name,
        $Default
    )
    $property = $Update.PSObject.Properties[$Name]
    if ($null -eq $property -or $null -eq $property.Value) { return $Default }
    return $property.Value
}

# ConvertTo-CauWords is a collection of the agent's as strings; it may be missing.
function ConvertTo-CauWords {
    param($Collection)
    $Collection | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process { [string]$_ }
}

# Get-CauBehavior is what installing an update means. Where the agent does not say, it is the careful answer: it may ask
# somebody, must be alone and can want a restart.
function Get-CauBehavior {
    param($Update)
    $behavior = $Update.InstallationBehavior
    if ($null -eq $behavior) { return @{ asks = $true; impact = 2; reboot = 2 } }
    return @{ asks = [bool]$behavior.CanRequestUserInput; impact = [int]$behavior.Impact; reboot = [int]$behavior.RebootBehavior }
}

# ConvertTo-CauUpdate is one update as data.
function ConvertTo-CauUpdate {
    param($Update)
    Assert-CauUpdate -Update $Update
    $behavior = Get-CauBehavior -Update $Update
    return @{
        id = [string]$Update.Identity.UpdateID
        revision = [int]$Update.Identity.RevisionNumber
        title = [string]$Update.Title
        kbs = @(ConvertTo-CauWords -Collection $Update.KBArticleIDs)
        type = [int]$Update.Type
        categories = @($Update.Categories | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process { [string]$_.Name })
        severity = [string](Get-CauUpdateMember -Update $Update -Name 'MsrcSeverity' -Default '')
        max_bytes = [long](Get-CauUpdateMember -Update $Update -Name 'MaxDownloadSize' -Default 0)
        downloaded = [bool]$Update.IsDownloaded
        mandatory = [bool](Get-CauUpdateMember -Update $Update -Name 'IsMandatory' -Default $false)
        eula_accepted = [bool]$Update.EulaAccepted
        can_ask_user = $behavior['asks']
        impact = $behavior['impact']
        reboot = $behavior['reboot']
        browse_only = [bool](Get-CauUpdateMember -Update $Update -Name 'BrowseOnly' -Default $false)
        auto_select = [bool](Get-CauUpdateMember -Update $Update -Name 'AutoSelectOnWebSites' -Default $false)
        installed = [bool]$Update.IsInstalled
        superseded = @(ConvertTo-CauWords -Collection (Get-CauUpdateMember -Update $Update -Name 'SupersededUpdateIDs' -Default $null))
    }
}

# Get-CauUpdateServer is the WSUS server that policy sends this computer to, if that is who was asked.
function Get-CauUpdateServer {
    param([int]$Selection)
    $policy = 'SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'
    if ($Selection -gt 1 -or [int](Get-CauValue -Path "$policy\AU" -Name 'UseWUServer' -Default 0) -ne 1) { return '' }
    return [string](Get-CauValue -Path $policy -Name 'WUServer' -Default '')
}

# Get-CauUpdateSource is the name of the service that answers a search: the one that is named, the managed server where
# policy names one, or the one that automatic updates use. Empty where the agent does not say.
function Get-CauUpdateSource {
    param($Query)
    $selection = [int]$Query.server_selection
    $named = [string]$Query.service_id
    # Windows Update's own id (IUpdateServiceManager).
    if ($selection -eq 2) { $named = '9482f4b4-e343-43b6-b170-9a65bc822c77' }
    $managed = $selection -eq 1 -or (Get-CauUpdateServer -Selection $selection) -ne ''
    try {
        $manager = New-Object -ComObject 'Microsoft.Update.ServiceManager'
        foreach ($service in @($manager.Services | Where-Object -FilterScript { $null -ne $_ })) {
            if ($named -ne '') { $answers = [string]$service.ServiceID -eq $named }
            elseif ($managed) { $answers = [bool]$service.IsManaged }
            else { $answers = [bool](Get-CauUpdateMember -Update $service -Name 'IsDefaultAUService' -Default $false) }
            if ($answers) { return [string]$service.Name }
        }
    } catch {
        return ''
    }
    return ''
}

# Get-CauLastScan is when automatic updates last searched with success, in UTC; empty where they never did.
function Get-CauLastScan {
    try {
        $results = (New-Object -ComObject 'Microsoft.Update.AutoUpdate').Results
        $last = $results.LastSearchSuccessDate
        if ($last -isnot [DateTime]) { return '' }
        return [DateTime]::SpecifyKind($last, [DateTimeKind]::Utc).ToString('o', [Globalization.CultureInfo]::InvariantCulture)
    } catch {
        return ''
    }
}

# Get-CauUpdateError is the HRESULT of what went wrong, unsigned, and never 0.
function Get-CauUpdateError {
    param([System.Management.Automation.ErrorRecord]$Record)
    $cause = ConvertTo-CauError -Record $Record
    $code = [long]$cause['code']
    if ($cause['kind'] -eq 'win32') { $code = 2147942400 + $code }
    # E_FAIL: it did not say.
    if ($code -eq 0) { $code = 2147500037 }
    return $code
}

# Test-CauRestartRequired is the agent's own answer.
function Test-CauRestartRequired {
    $system = New-Object -ComObject 'Microsoft.Update.SystemInfo'
    return [bool]$system.RebootRequired
}

# Find-CauUpdates is the updates of an order by "id revision", as the agent offers them now.
function Find-CauUpdates {
    param(
        $Searcher,
        [object[]]$Wanted
    )
    $found = @{}
    # "or" is allowed between groups alone. A few at a time: how long a question may be is written nowhere.
    for ($first = 0; $first -lt $Wanted.Count; $first += 20) {
        $groups = @()
        for ($i = $first; $i -lt $Wanted.Count -and $i -lt $first + 20; $i++) {
            $groups += "(UpdateID='" + [string]$Wanted[$i].id + "' and RevisionNumber=" + [int]$Wanted[$i].revision + ')'
        }
        $result = $Searcher.Search($groups -join ' or ')
        # 2 succeeded, 3 succeeded with errors.
        if ([int]$result.ResultCode -ne 2 -and [int]$result.ResultCode -ne 3) {
            throw (New-CauFailure -Kind 'hresult' -Message ('the search for the updates ended with result code ' + [int]$result.ResultCode) -Code 2147500037)
        }
        foreach ($update in @($result.Updates | Where-Object -FilterScript { $null -ne $_ })) {
            Assert-CauUpdate -Update $update
            $found[([string]$update.Identity.UpdateID).ToLowerInvariant() + ' ' + [int]$update.Identity.RevisionNumber] = $update
        }
    }
    return $found
}

# Invoke-CauUpdate downloads or installs one update, in one call of the agent, and gives the agent's result of it.
function Invoke-CauUpdate {
    param(
        $Session,
        $Update,
        [bool]$Install
    )
    $collection = New-Object -ComObject 'Microsoft.Update.UpdateColl'
    [void]$collection.Add($Update)
    if ($Install) {
        $installer = $Session.CreateUpdateInstaller()
        $installer.AllowSourcePrompts = $false
        # Nobody is there to answer; older agents do not have it.
        if ($null -ne $installer.PSObject.Properties['ForceQuiet']) { $installer.ForceQuiet = $true }
        $installer.Updates = $collection
        return $installer.Install().GetUpdateResult(0)
    }
    $downloader = $Session.CreateUpdateDownloader()
    $downloader.Updates = $collection
    return $downloader.Download().GetUpdateResult(0)
}

# Invoke-CauUpdates works through an order: the updates one after the other, a look at the note to cancel before each. What
# is not begun has result code 0. Whatever goes wrong with one update is that one's result: those done before are kept.
function Invoke-CauUpdates {
    param(
        [System.Collections.IDictionary]$Job,
        $Order,
        [bool]$Install
    )
    $wanted = @($Order.updates | Where-Object -FilterScript { $null -ne $_ })
    foreach ($one in $wanted) {
        if ([string]$one.id -notmatch '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z' -or [int]$one.revision -lt 0) {
            throw (New-CauFailure -Kind 'refused' -Message 'an update of the order has no id or revision')
        }
    }
    $verb = 'downloading'
    if ($Install) { $verb = 'installing' }
    $results = New-Object -TypeName System.Collections.ArrayList
    Start-CauHeartbeat -Job $Job
    try {
        $agent = Connect-CauUpdates -Query $Order
        Write-CauEvent -Job $Job -Kind 'searching' -Message ('for ' + $wanted.Count + ' updates') -Total $wanted.Count
        $found = Find-CauUpdates -Searcher $agent['searcher'] -Wanted $wanted
        $cancelled = $false
        foreach ($one in $wanted) {
            $name = ([string]$one.id).ToLowerInvariant() + ' ' + [int]$one.revision
            $entry = @{
                id = [string]$one.id; revision = [int]$one.revision; missing = $false; already_done = $false
                result_code = 0; hresult = [long]0; restart_required = $false
            }
            [void]$results.Add($entry)
            if (-not $cancelled -and (Test-CauCancelled -Job $Job)) {
                $cancelled = $true
                Write-CauEvent -Job $Job -Kind 'cancelled' -Message ('before ' + $name) -Done ($results.Count - 1) -Total $wanted.Count
            }
            if ($cancelled) { continue }
            if (-not $found.ContainsKey($name)) {
                $entry['missing'] = $true
                Write-CauEvent -Job $Job -Kind 'missing' -Message $name -Done $results.Count -Total $wanted.Count
                continue
            }
            $update = $found[$name]
            $title = [string]$update.Title
            if (($Install -and [bool]$update.IsInstalled) -or (-not $Install -and [bool]$update.IsDownloaded)) {
                $entry['already_done'] = $true
                $entry['result_code'] = 2
                Write-CauEvent -Job $Job -Kind 'present' -Message $title -Done $results.Count -Total $wanted.Count
                continue
            }
            # Licence terms are accepted by people, and nobody is there to be asked: reported, and not done.
            if (-not [bool]$update.EulaAccepted) { $entry['hresult'] = [long]2149842979 }
            elseif ((Get-CauBehavior -Update $update)['asks']) { $entry['hresult'] = [long]2149842976 }
            if ($entry['hresult'] -ne 0) {
                Write-CauEvent -Job $Job -Kind 'skipped' -Message $title -Done $results.Count -Total $wanted.Count
                continue
            }
            Write-CauEvent -Job $Job -Kind $verb -Message $title -Done ($results.Count - 1) -Total $wanted.Count
            try {
                $result = Invoke-CauUpdate -Session $agent['session'] -Update $update -Install $Install
                $entry['result_code'] = [int]$result.ResultCode
                $entry['hresult'] = [long]$result.HResult -band 4294967295
                if ($Install) { $entry['restart_required'] = [bool]$result.RebootRequired }
            } catch {
                # 4 is failed.
                $entry['result_code'] = 4
                $entry['hresult'] = Get-CauUpdateError -Record $_
            }
            $words = $name + ' result ' + $entry['result_code'] + ' hresult ' + $entry['hresult'] + ' restart ' + $entry['restart_required']
            Write-CauEvent -Job $Job -Kind 'ended' -Message $words -Done $results.Count -Total $wanted.Count
        }
        # What was installed is known and must not be lost with this answer. One that is missing is never the good one.
        $restart = $true
        try {
            $restart = Test-CauRestartRequired
        } catch {
            Write-CauEvent -Job $Job -Kind 'restart' -Message ('cannot be asked: ' + (ConvertTo-CauError -Record $_)['message'])
        }
        return @{ results = $results.ToArray(); restart_required = $restart }
    } finally {
        Stop-CauHeartbeat -Job $Job
    }
}
