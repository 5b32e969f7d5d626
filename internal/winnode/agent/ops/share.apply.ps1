param($Arguments)
# Makes a share and its folder as they are named, and says what changed. What is not named stays as it is.
$name = [string]$Arguments.share
$share = Get-CauShare -Name $name
if ($null -ne $share -and [bool]$share.Special) {
    throw (New-CauFailure -Kind 'refused' -Message 'an administrative share is not changed')
}
$path = [string]$Arguments.path
if ($null -ne $share) {
    if ($path -ne '' -and $path.TrimEnd([char]'\') -ne ([string]$share.Path).TrimEnd([char]'\')) {
        throw (New-CauFailure -Kind 'refused' -Message ('the share leads to another folder: ' + [string]$share.Path))
    }
    $path = [string]$share.Path
}
$changed = @()
if ($null -eq $share -or [string]$Arguments.folder_sddl -ne '') { $path = Assert-CauSharePath -Path $path }
if ([string]$Arguments.folder_sddl -ne '') {
    $changed += @(Set-CauFolder -Path $path -Sddl ([string]$Arguments.folder_sddl))
}
if ($null -eq $share) {
    # Without a descriptor Windows would choose one.
    [void](Assert-CauSddl -Sddl ([string]$Arguments.share_sddl))
    [void](New-SmbShare -Name $name -Path $path -SecurityDescriptor ([string]$Arguments.share_sddl) -EncryptData ([bool]$Arguments.encrypt_data) -CachingMode 'None' -FolderEnumerationMode 'AccessBased')
    $changed += 'the share was made'
} else {
    if ([string]$Arguments.share_sddl -ne '') {
        [void](Assert-CauSddl -Sddl ([string]$Arguments.share_sddl))
        if (-not (Test-CauSameAccess -First ([string]$share.SecurityDescriptor) -Second ([string]$Arguments.share_sddl))) {
            Set-SmbShare -InputObject $share -SecurityDescriptor ([string]$Arguments.share_sddl) -Force -Confirm:$false
            $changed += 'the permissions of the share'
        }
    }
    if ($null -ne $Arguments.encrypt_data -and [bool]$share.EncryptData -ne [bool]$Arguments.encrypt_data) {
        Set-SmbShare -InputObject $share -EncryptData ([bool]$Arguments.encrypt_data) -Force -Confirm:$false
        $changed += 'encryption of the share'
    }
}
if ($null -ne $Arguments.require_signing -and [bool](Get-SmbServerConfiguration).RequireSecuritySignature -ne [bool]$Arguments.require_signing) {
    Set-SmbServerConfiguration -RequireSecuritySignature ([bool]$Arguments.require_signing) -Force -Confirm:$false
    $changed += 'signing on the whole server, for new connections'
}
$answer = Get-CauShareFacts -Name $name
$answer['changed'] = $changed
return $answer
