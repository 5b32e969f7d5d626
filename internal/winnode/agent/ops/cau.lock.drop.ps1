param($Arguments)
# Removes our lock object of Microsoft's CAU, and no other. That there is none any more is as good.
$id = [string]$Arguments.id
Assert-CauGuid -Text $id
$own = @(Get-CimInstance -Namespace 'root/Microsoft/Windows/ClusterUpdate' -ClassName 'MSFT_CAURun' |
        Where-Object -FilterScript { Test-CauGuid -Text ([string]$_.OrchestratorGuid) -Id $id })
foreach ($lock in $own) {
    Remove-CimInstance -InputObject $lock
}
return @{}
