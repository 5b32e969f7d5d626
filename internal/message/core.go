package message

// Words that every part shows.
const (
	StatusRunning         Key = "status.Running"
	StatusPaused          Key = "status.Paused"
	StatusHeld            Key = "status.Held"
	StatusStopping        Key = "status.Stopping"
	StatusSucceeded       Key = "status.Succeeded"
	StatusPartiallyFailed Key = "status.PartiallyFailed"
	StatusFailed          Key = "status.Failed"
	StatusCanceled        Key = "status.Canceled"
	StatusTakenOver       Key = "status.TakenOver"
	StatusUpToDate        Key = "status.UpToDate"
	StatusNotTaken        Key = "status.NotTaken"
	StatusWaiting         Key = "status.Waiting"
	StatusUpdating        Key = "status.Updating"

	OutcomePass         Key = "outcome.pass"
	OutcomeWarn         Key = "outcome.warn"
	OutcomeFail         Key = "outcome.fail"
	OutcomeCannotVerify Key = "outcome.cannot-verify"

	Simulated Key = "core.simulated"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var coreTexts = map[Key]string{
	StatusRunning: "Running", StatusPaused: "Paused", StatusHeld: "Held", StatusStopping: "Stopping",
	StatusSucceeded: "Succeeded", StatusPartiallyFailed: "Partially failed", StatusFailed: "Failed", StatusCanceled: "Canceled", StatusTakenOver: "Taken over",
	StatusUpToDate: "Up to date", StatusNotTaken: "Not taken", StatusWaiting: "Waiting", StatusUpdating: "Updating",
	OutcomePass: "pass", OutcomeWarn: "warning", OutcomeFail: "fail", OutcomeCannotVerify: "cannot verify",
	Simulated: "simulated",
}

// Status is the word for a run's or node's status as engine names it.
func Status(status string) Key { return Key("status." + status) }

// Outcome is the word for a check's outcome as check names it.
func Outcome(outcome string) Key { return Key("outcome." + outcome) }
