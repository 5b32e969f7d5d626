package message

// Fact is the text of a kind of fact, by the kind's name in the journal.
func Fact(kind string) Key { return Key("fact." + kind) }

// Texts for what a run reports, one per kind of fact. Arguments are given by app's factText.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var factTexts = map[Key]string{
	"fact.run.started":        "Updating Run %s on %s started",
	"fact.run.continued":      "a new coordinator goes on with the run",
	"fact.control.asked":      "%s asked by %s",
	"fact.run.paused":         "paused: no further node is started",
	"fact.run.held":           "held: %s",
	"fact.run.ended":          "the run ended: %s",
	"fact.gate.waiting":       "waiting: %s",
	"fact.node.up-to-date":    "needs nothing",
	"fact.stage.intent":       "copies its updates from the share",
	"fact.stage.done":         "holds its updates, verified (SMB %s, %s, as %s)",
	"fact.stage.failed":       "could not copy its updates: %s",
	"fact.pause.intent":       "is paused and drained",
	"fact.drain.done":         "drained: no role is left on it",
	"fact.undo.intent":        "its pause is undone, roles stay where they are",
	"fact.undo.done":          "its pause is undone",
	"fact.maintenance.on":     "its disks enter storage maintenance mode",
	"fact.maintenance.off":    "its disks leave storage maintenance mode",
	"fact.maintenance.done":   "storage maintenance mode is as wanted",
	"fact.install.intent":     "installs %s",
	"fact.install.done":       "%s: %s",
	"fact.install.restart":    "%s, restart needed",
	"fact.install.exit":       "%s (exit %d)",
	"fact.restart.intent":     "is restarted",
	"fact.restart.again":      "restarted again by itself",
	"fact.restart.proven":     "is back after its restart",
	"fact.rescan.intent":      "is looked at again",
	"fact.rescan.done":        "nothing is left to do",
	"fact.rescan.pending":     "a restart is still pending: %s",
	"fact.resume.intent":      "is resumed",
	"fact.resume.done":        "is up again",
	"fact.settle.done":        "its roles have settled",
	"fact.node.failing":       "failed: %s",
	"fact.node.ended":         "ended: %s",
	"fact.node.ended.because": "ended: %s. %s",
	"fact.clean.done":         "staged files are removed",
	"fact.clean.failed":       "staged files could not be removed: %s",
}
