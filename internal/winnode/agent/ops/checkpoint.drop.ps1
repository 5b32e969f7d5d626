param($Arguments)
# Removes a run's checkpoint, and nothing else of the run. One that is not here is no failure.
$run = [string]$Arguments.run
Assert-CauName -Name $run
return @{ removed = @(Remove-CauCheckpoint -Run $run) }
