param($Arguments)
# The cluster as this member sees it, asked locally: naming the cluster would be a second hop.
$namespace = 'root/MSCluster'
$cluster = @(Get-CimInstance -Namespace $namespace -ClassName 'MSCluster_Cluster')[0]
$resources = @(Get-CimInstance -Namespace $namespace -ClassName 'MSCluster_Resource')
$quorum = @()
try {
    $quorum = @(Get-CimAssociatedInstance -InputObject $cluster -Association 'MSCluster_ClusterToQuorumResource' -ResultClassName 'MSCluster_Resource' |
            ForEach-Object -Process { [string]$_.Name })
} catch [Microsoft.Management.Infrastructure.CimException] {
    # A cluster without a witness has none to name. A witness that is not known does not vote: the careful side.
    $quorum = @()
}
# A resource is online in state 2.
$witness = @($resources | Where-Object -FilterScript { $quorum -contains $_.Name -and [long]$_.State -eq 2 })
$nodes = @(Get-CimInstance -Namespace $namespace -ClassName 'MSCluster_Node' | ForEach-Object -Process {
        @{
            name = [string]$_.Name
            # No answer is not 0, which would be Up: it is -1, not known.
            state = [long](Get-CauProperty -Instance $_ -Name 'State' -Default -1)
            drain_status = [long]$_.NodeDrainStatus
            status_information = [long](Get-CauProperty -Instance $_ -Name 'StatusInformation' -Default -1)
            dynamic_weight = [long]$_.DynamicWeight
            fault_domain = [string[]]@(@(Get-CauProperty -Instance $_ -Name 'FaultDomain' -Default @()) | ForEach-Object -Process { [string]$_ })
        }
    })
# An epoch of our own lease is a role by name only: nothing of it runs, and nobody's drain waits for it.
$groups = @(Get-CimInstance -Namespace $namespace -ClassName 'MSCluster_ResourceGroup' |
        Where-Object -FilterScript { -not (Test-CauLeaseName -Name ([string]$_.Name)) } | ForEach-Object -Process {
        @{
            name = [string]$_.Name
            owner = [string]$_.OwnerNode
            state = [long](Get-CauProperty -Instance $_ -Name 'State' -Default -1)
            core = [bool](Get-CauProperty -Instance $_ -Name 'IsCore' -Default $false)
            # What a group waits for or is locked by, and whom it keeps away from; newer hosts also say LockedFromMoving.
            status_information = [long](Get-CauProperty -Instance $_ -Name 'StatusInformation' -Default 0)
            locked = [long](Get-CauProperty -Instance $_ -Name 'LockedFromMoving' -Default 0)
            anti_affinity = [string[]]@(@(Get-CauProperty -Instance $_ -Name 'AntiAffinityClassNames' -Default @()) | ForEach-Object -Process { [string]$_ })
        }
    })
$points = @($resources | Where-Object -FilterScript { @('Network Name', 'Distributed Network Name', 'IP Address', 'IPv6 Address') -contains [string]$_.Type } | ForEach-Object -Process {
        $private = Get-CauProperty -Instance $_ -Name 'PrivateProperties' -Default $null
        if ($private -is [Microsoft.Management.Infrastructure.CimInstance]) {
            $name = ''
            $address = ''
            if ([string]$_.Type -like '*Network Name') {
                $name = [string](Get-CauProperty -Instance $private -Name 'DnsName' -Default (Get-CauProperty -Instance $private -Name 'Name' -Default ''))
            } else {
                $address = [string](Get-CauProperty -Instance $private -Name 'Address' -Default '')
            }
            @{ group = [string]$_.OwnerGroup; name = $name; address = $address }
        }
    })
$rules = @()
# Affinity rules exist since Windows Server 2019.
if (Test-CauClass -Namespace $namespace -Class 'MSCluster_AffinityRule') {
    $rules = @(Get-CimInstance -Namespace 'root/MSCluster' -ClassName 'MSCluster_AffinityRule' |
            Where-Object -FilterScript { [long](Get-CauProperty -Instance $_ -Name 'Enabled' -Default 1) -ne 0 } | ForEach-Object -Process {
            @{
                name = [string]$_.Name
                type = [long](Get-CauProperty -Instance $_ -Name 'RuleType' -Default 0)
                groups = [string[]]@(@(Get-CauProperty -Instance $_ -Name 'Groups' -Default @()) | ForEach-Object -Process { [string]$_ })
            }
        })
}
# A resource's state in a group's numbers: 2 online is 0, 3 offline is 1, 4 failed is 2, 128 and more pending is 4.
$states = @{ '2' = 0; '3' = 1; '4' = 2 }
$volumes = @($resources | Where-Object -FilterScript { [bool](Get-CauProperty -Instance $_ -Name 'IsClusterSharedVolume' -Default $false) } | ForEach-Object -Process {
        $state = -1
        if ($states.ContainsKey([string]$_.State)) { $state = $states[[string]$_.State] }
        if ([long]$_.State -ge 128 -and [long]$_.State -le 255) { $state = 4 }
        @{ name = [string]$_.Name; owner = [string]$_.OwnerNode; state = $state; core = $false }
    })
return @{
    name = [string]$cluster.Name
    fqdn = [string](Get-CauProperty -Instance $cluster -Name 'Fqdn' -Default '')
    dynamic_quorum = [bool]$cluster.DynamicQuorumEnabled
    witness_weight = [long](Get-CauProperty -Instance $cluster -Name 'WitnessDynamicWeight' -Default 0)
    witness_online = $witness.Count -gt 0
    s2d = [bool](Get-CauProperty -Instance $cluster -Name 'S2DEnabled' -Default $false)
    anti_affinity_enforced = [long](Get-CauProperty -Instance $cluster -Name 'ClusterEnforcedAntiAffinity' -Default 0) -ne 0
    affinity_rules = $rules
    access_points = $points
    nodes = $nodes
    groups = $groups
    shared_volumes = $volumes
}
