param($Arguments)
# Touches our lock object of Microsoft's CAU; its provider deletes one that nobody touched for an hour.
$id = [string]$Arguments.id
Assert-CauGuid -Text $id
$own = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAURun' |
        Where-Object -FilterScript { Test-CauGuid -Text ([string]$_.OrchestratorGuid) -Id $id })
if ($own.Count -ne 1) {
    throw (New-CauFailure -Kind 'missing' -Message 'our lock object of CAU is gone')
}
Set-CimInstance -InputObject $own[0]
return @{}
