# Shares and their folders on a file server: what is there, and how to change exactly what is named.

# The rules that let a share be checked from outside. Rule names are the same in every language of Windows.
$CauShareRules = @(
    'FileServer-ServerManager-SMB-TCP-In', 'FileServer-ServerManager-DCOM-TCP-In',
    'FileServer-ServerManager-Winmgmt-TCP-In', 'FPS-SMB-In-TCP'
)

# Get-CauFirewallRule is one rule by its name, which is admitted first: wildcards would name several.
function Get-CauFirewallRule {
    param([string]$Name)
    if ($Name -cnotmatch '^[A-Za-z0-9_.{} ()-]{1,200}\z') {
        throw (New-CauFailure -Kind 'refused' -Message 'the name of a firewall rule is not plain text of at most 200 characters')
    }
    try {
        $found = @(Get-NetFirewallRule -Name $Name)
    } catch {
        if ([string]$_.CategoryInfo.Category -ne 'ObjectNotFound') { throw }
        $found = @()
    }
    if ($found.Count -eq 0) { return @{ name = $Name; exists = $false; before = $false; enabled = $false } }
    $enabled = [string]$found[0].Enabled -eq 'True'
    return @{ name = $Name; exists = $true; before = $enabled; enabled = $enabled }
}

# Get-CauShare is the share of that name, or null. Names are compared here, so that none is read as a pattern.
function Get-CauShare {
    param([string]$Name)
    if ($Name -match '[\x00-\x1f"/\\\[\]:|<>+=;,*?]' -or $Name.Length -lt 1 -or $Name.Length -gt 80) {
        throw (New-CauFailure -Kind 'refused' -Message 'that is no name of a share')
    }
    $found = @(Get-SmbShare | Where-Object -FilterScript { $_.Name -eq $Name })
    if ($found.Count -gt 1) {
        throw (New-CauFailure -Kind 'refused' -Message 'several clustered file servers have a share of that name here; ask the one that owns it by its own name')
    }
    if ($found.Count -eq 0) { return $null }
    return $found[0]
}

# Get-CauFolderSddl is the owner, group and access part of a folder's descriptor; who audits it is nobody's business.
function Get-CauFolderSddl {
    param([string]$Path)
    $sections = [Security.AccessControl.AccessControlSections]'Owner, Group, Access'
    return [IO.Directory]::GetAccessControl($Path, $sections).GetSecurityDescriptorSddlForm($sections)
}

# Get-CauShareFacts is what OpShareDescribe and OpShareApply answer.
function Get-CauShareFacts {
    param([string]$Name)
    $share = Get-CauShare -Name $Name
    $server = Get-SmbServerConfiguration
    $answer = @{
        exists = $null -ne $share
        path = ''
        share_sddl = ''
        folder_sddl = ''
        encrypt_data = $false
        require_signing = [bool]$server.RequireSecuritySignature
        encrypt_all = [bool]$server.EncryptData
        reject_unencrypted = [bool]$server.RejectUnencryptedAccess
        caching_mode = 0
        folder_enumeration = 0
        firewall = @($CauShareRules | ForEach-Object -Process { Get-CauFirewallRule -Name $_ })
    }
    if ($null -eq $share) { return $answer }
    $answer['path'] = [string]$share.Path
    $answer['share_sddl'] = [string]$share.SecurityDescriptor
    $answer['encrypt_data'] = [bool]$share.EncryptData
    $answer['caching_mode'] = [int]$share.CachingMode
    $answer['folder_enumeration'] = [int]$share.FolderEnumerationMode
    if ([IO.Directory]::Exists([string]$share.Path)) {
        $answer['folder_sddl'] = Get-CauFolderSddl -Path ([string]$share.Path)
    }
    return $answer
}

# Assert-CauSddl admits a descriptor that names at least one entry: one without a DACL would let everybody in.
function Assert-CauSddl {
    param([string]$Sddl)
    $descriptor = New-Object -TypeName System.Security.AccessControl.RawSecurityDescriptor -ArgumentList $Sddl
    if ($null -eq $descriptor.DiscretionaryAcl -or $descriptor.DiscretionaryAcl.Count -eq 0) {
        throw (New-CauFailure -Kind 'refused' -Message 'a descriptor without entries would let everybody in or lock everybody out')
    }
    return $descriptor
}

# Test-CauSameAccess compares the access parts of two descriptors, however each writes its rights.
function Test-CauSameAccess {
    param(
        [string]$First,
        [string]$Second
    )
    $access = [Security.AccessControl.AccessControlSections]::Access
    $one = New-Object -TypeName System.Security.AccessControl.RawSecurityDescriptor -ArgumentList $First
    $other = New-Object -TypeName System.Security.AccessControl.RawSecurityDescriptor -ArgumentList $Second
    # AI and AR only say how entries came there; P, protected, is a difference.
    $noise = '^D:(P?)(AR)?(AI)?'
    return (($one.GetSddlForm($access) -creplace $noise, 'D:$1') -ceq ($other.GetSddlForm($access) -creplace $noise, 'D:$1'))
}

# Assert-CauSharePath admits a folder on a local drive that Windows itself does not live in or on.
function Assert-CauSharePath {
    param([string]$Path)
    $full = $Path.TrimEnd([char]'\')
    if ($full -cnotmatch '^[A-Za-z]:\\' -or $full.Length -gt 240) {
        throw (New-CauFailure -Kind 'refused' -Message 'the folder of a share is a full path on a local drive')
    }
    Assert-CauRelative -Path $full.Substring(3)
    foreach ($system in $env:SystemRoot, $env:ProgramFiles, ${env:ProgramFiles(x86)}, $env:ProgramData, (Join-Path -Path $env:SystemDrive -ChildPath 'Users')) {
        if ($null -ne $system -and ($full + '\').StartsWith($system.TrimEnd([char]'\') + '\', [StringComparison]::OrdinalIgnoreCase)) {
            throw (New-CauFailure -Kind 'refused' -Message "permissions below $system are not changed")
        }
    }
    return $full
}

# Set-CauFolder makes a folder with its final descriptor in one call, or changes the owner and access part of one that
# is there. SetAccessControl writes the parts that were set and no other, so it needs no right to the SACL.
function Set-CauFolder {
    param(
        [string]$Path,
        [string]$Sddl
    )
    $wanted = Assert-CauSddl -Sddl $Sddl
    $sections = [Security.AccessControl.AccessControlSections]::Access
    if ($null -ne $wanted.Owner) { $sections = $sections -bor [Security.AccessControl.AccessControlSections]::Owner }
    if (-not [IO.Directory]::Exists($Path)) {
        $parent = [IO.Path]::GetDirectoryName($Path)
        if (-not [IO.Directory]::Exists($parent)) {
            throw (New-CauFailure -Kind 'missing' -Message "$parent does not exist" -Code 3)
        }
        $security = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
        $security.SetSecurityDescriptorSddlForm($Sddl, $sections)
        [void][IO.Directory]::CreateDirectory($Path, $security)
        return @('the folder was made')
    }
    Assert-CauNoReparse -Path $Path
    $current = [IO.Directory]::GetAccessControl($Path, $sections)
    $sameOwner = $null -eq $wanted.Owner -or $current.GetOwner([Security.Principal.SecurityIdentifier]).Value -eq $wanted.Owner.Value
    if ($sameOwner -and (Test-CauSameAccess -First ($current.GetSecurityDescriptorSddlForm($sections)) -Second $Sddl)) { return @() }
    $current.SetSecurityDescriptorSddlForm($Sddl, $sections)
    [IO.Directory]::SetAccessControl($Path, $current)
    return @('the permissions of the folder')
}
