# Install-CauBundle puts this text, which the loader has checked, where the next loaders look for it.
function Install-CauBundle {
    param(
        [string]$Digest,
        [string]$Text
    )
    $folder = New-CauFolder -Path 'agent'
    $path = Join-Path -Path $folder -ChildPath ($Digest + '.txt')
    if ([IO.File]::Exists($path)) {
        Assert-CauNoReparse -Path $path
        if ((Get-CauSha256 -Bytes ([IO.File]::ReadAllBytes($path))) -eq $Digest) {
            return @{ path = $path; existed = $true }
        }
        # Our own file in a folder that only administrators write to, cut by a crash: it is written anew.
        Write-CauFile -Path $path -Text $Text -Replace
    } else {
        Write-CauFile -Path $path -Text $Text
    }
    return @{ path = $path; existed = $false }
}
