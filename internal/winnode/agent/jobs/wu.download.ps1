param($Job, $Order)
# Downloads the updates of the order, in its order, each by a call of its own.
return (Invoke-CauUpdates -Job $Job -Order $Order -Install $false)
