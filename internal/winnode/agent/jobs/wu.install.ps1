param($Job, $Order)
# Installs the updates of the order, in its order, each by a call of its own, which nothing interrupts.
return (Invoke-CauUpdates -Job $Job -Order $Order -Install $true)
