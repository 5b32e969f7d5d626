package message

// How nodes are taken out of service, and what goes down with them.
const (
	PlanOutageNone    Key = "plan.outage.none"
	PlanOutageForced  Key = "plan.outage.forced"
	PlanRestartAlways Key = "plan.restart.always"
	PlanInstallFirst  Key = "plan.install-first"
	PlanRestartOnly   Key = "plan.restart-only"
	PlanPendingLeft   Key = "plan.pending-left"
	PlanRebootMode    Key = "plan.reboot-mode"
	StateRolesDown    Key = "state.roles-down"
	FactPauseNone     Key = "fact.pause.none"
	FactPauseForced   Key = "fact.pause.forced"
	FactDrainNone     Key = "fact.drain.none"
	FactDrainForced   Key = "fact.drain.forced"
	FactSettleDown    Key = "fact.settle.down"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var outOfServiceTexts = map[Key]string{
	PlanOutageNone:    "It is paused and not drained. These roles stay on it and GO DOWN with its restart: %s",
	PlanOutageForced:  "Its drain is forced. Of these roles, those that cannot be moved are STOPPED: %s",
	PlanRestartAlways: "It restarts once even when nothing asks for it.",
	PlanInstallFirst:  "Install-first: updates are installed while a node is in service, and it is paused only when a restart is due.",
	PlanRestartOnly:   "A restart is pending (%s); it would be drained and restarted.",
	PlanPendingLeft:   "A restart is pending (%s). The node is left alone; with RestartPending (--restart-pending) it would be drained and restarted.",
	PlanRebootMode:    "A node that restarts does so in full (RebootMode %s), within %d minutes.",
	StateRolesDown:    "%s: not running again after its pause: %s. Start it, or find out why it does not start.",
	FactPauseNone:     "is paused; nothing is moved, and with its restart these roles go down: %s",
	FactPauseForced:   "is paused and drained by force; of these roles, those that cannot be moved are stopped: %s",
	FactDrainNone:     "paused; still there: %s",
	FactDrainForced:   "drained by force: nothing runs on it",
	FactSettleDown:    "its roles have settled; not running again: %s",
}
