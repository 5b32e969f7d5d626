param($Arguments)
# The groups that this node owns, and who else may own each of their resources. Only local ones are asked about: every
# answer is a call to the cluster.
$namespace = 'root/MSCluster'
$mine = "OwnerNode='" + $env:COMPUTERNAME + "'"
$resources = @(Get-CimInstance -Namespace $namespace -ClassName 'MSCluster_Resource' -Filter $mine)
$roles = @(Get-CimInstance -Namespace $namespace -ClassName 'MSCluster_ResourceGroup' -Filter $mine |
        Where-Object -FilterScript { -not (Test-CauLeaseName -Name ([string]$_.Name)) } | ForEach-Object -Process {
        $name = [string]$_.Name
        $parts = @($resources | Where-Object -FilterScript { [string]$_.OwnerGroup -eq $name } | ForEach-Object -Process {
                $owners = Invoke-CimMethod -InputObject $_ -MethodName 'GetPossibleOwners'
                @{
                    name = [string]$_.Name
                    type = [string]$_.Type
                    owners = [string[]]@(@($owners.NodeNames) | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process { [string]$_ })
                }
            })
        @{ name = $name; resources = $parts }
    })
return @{ roles = $roles }
