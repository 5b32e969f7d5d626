param($Arguments)
# One firewall rule: its state, and another one if that is asked for.
$name = [string]$Arguments.name
$before = Get-CauFirewallRule -Name $name
if ($null -eq $Arguments.enable -or -not $before['exists'] -or $before['enabled'] -eq [bool]$Arguments.enable) { return $before }
if ([bool]$Arguments.enable) {
    Enable-NetFirewallRule -Name $name
} else {
    Disable-NetFirewallRule -Name $name
}
$after = Get-CauFirewallRule -Name $name
$after['before'] = $before['enabled']
return $after
