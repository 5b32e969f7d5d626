param($Job, $Order)
# Whether the update agent waits for a restart, by its own answer. In a network logon it gives none.
return @{ required = (Test-CauRestartRequired) }
