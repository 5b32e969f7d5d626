package message

// Keys of the drawn screens.
const (
	ScreenTooSmall Key = "screen.too-small"
	ScreenTitle    Key = "screen.title"

	ScreenConnecting   Key = "screen.connecting"
	ScreenConnected    Key = "screen.connected"
	ScreenNotConnected Key = "screen.not-connected"
	ScreenNoCluster    Key = "screen.no-cluster"
	ScreenTryAgain     Key = "screen.try-again"
	ScreenReached      Key = "screen.reached"

	ScreenNodes       Key = "screen.nodes"
	ScreenActions     Key = "screen.actions"
	ScreenSummary     Key = "screen.summary"
	ScreenAttach      Key = "screen.attach"
	ScreenColNode     Key = "screen.col.node"
	ScreenColState    Key = "screen.col.state"
	ScreenColRoles    Key = "screen.col.roles"
	ScreenColLast     Key = "screen.col.last"
	ScreenColTime     Key = "screen.col.time"
	ScreenColRun      Key = "screen.col.run"
	ScreenColCluster  Key = "screen.col.cluster"
	ScreenColStarted  Key = "screen.col.started"
	ScreenColEnded    Key = "screen.col.ended"
	ScreenColPlugin   Key = "screen.col.plugin"
	ScreenNoRunYet    Key = "screen.no-run-yet"
	ScreenRunGoesOn   Key = "screen.run-goes-on"
	ScreenLostRun     Key = "screen.lost-run"
	ScreenResumeRun   Key = "screen.resume-run"
	ScreenLastRun     Key = "screen.last-run"
	ScreenLastStarted Key = "screen.last-started"
	ScreenLastTook    Key = "screen.last-took"
	ScreenLoading     Key = "screen.loading"
	ScreenLost        Key = "screen.lost"

	ScreenPageOf    Key = "screen.page-of"
	ScreenBack      Key = "screen.back"
	ScreenCancel    Key = "screen.cancel"
	ScreenClose     Key = "screen.close"
	ScreenWorking   Key = "screen.working"
	ScreenStopping  Key = "screen.stopping"
	ScreenStarting  Key = "screen.starting"
	ScreenWorkFails Key = "screen.work-fails"
	ScreenNotStart  Key = "screen.not-started"
	ScreenEmpty     Key = "screen.empty"

	ScreenLive        Key = "screen.live"
	ScreenStarted     Key = "screen.started"
	ScreenNodesDone   Key = "screen.nodes-done"
	ScreenBudget      Key = "screen.budget"
	ScreenPausing     Key = "screen.pausing"
	ScreenOutlives    Key = "screen.outlives"
	ScreenCarrierGone Key = "screen.carrier-gone"
	ScreenStopAsked   Key = "screen.stop-asked"
	ScreenLog         Key = "screen.log"
	ScreenLogEarlier  Key = "screen.log-earlier"
	ScreenResult      Key = "screen.result"
	ScreenResultNodes Key = "screen.result-nodes"
	ScreenNoUpdates   Key = "screen.no-updates"
	ScreenNoLog       Key = "screen.no-log"
	ScreenInstalled   Key = "screen.installed"
	ScreenRestarted1  Key = "screen.restarted-once"
	ScreenRestarted   Key = "screen.restarted"
	ScreenStaged      Key = "screen.staged"
	ScreenOfMinutes   Key = "screen.of-minutes"
	ScreenExit        Key = "screen.exit"
	ScreenNeedsBoot   Key = "screen.needs-restart"
	ScreenLate        Key = "screen.ended-late"
	ScreenRunsOn      Key = "screen.runs-on"
	ScreenSignature   Key = "screen.signature"
	ScreenWatched     Key = "screen.watched"
	ScreenWatchFails  Key = "screen.watch-fails"
	ScreenDetails     Key = "screen.details"
	ScreenShare       Key = "screen.share"
	ScreenSigned      Key = "screen.signed"
	ScreenEncrypted   Key = "screen.encrypted"
	ScreenOpen        Key = "screen.open"

	ScreenStopTitle   Key = "screen.stop.title"
	ScreenStopText    Key = "screen.stop.text"
	ScreenStopNo      Key = "screen.stop.no"
	ScreenStopYes     Key = "screen.stop.yes"
	ScreenControlFail Key = "screen.control-fails"
	ScreenLeave       Key = "screen.leave"
	ScreenLeaveRun    Key = "screen.leave-run"
	ScreenHelp        Key = "screen.help"

	KeyChoose   Key = "key.choose"
	KeyOpen     Key = "key.open"
	KeyPane     Key = "key.pane"
	KeyHelp     Key = "key.help"
	KeyQuit     Key = "key.quit"
	KeyReload   Key = "key.reload"
	KeyBack     Key = "key.back"
	KeyNext     Key = "key.next"
	KeyMove     Key = "key.move"
	KeyToggle   Key = "key.toggle"
	KeyChange   Key = "key.change"
	KeyScroll   Key = "key.scroll"
	KeyAgain    Key = "key.again"
	KeyTryAgain Key = "key.try-again"
	KeyCancel   Key = "key.cancel"
	KeyPause    Key = "key.pause"
	KeyResume   Key = "key.resume"
	KeyStop     Key = "key.stop"
	KeyDetails  Key = "key.details"
	KeyLog      Key = "key.log"
	KeyDetach   Key = "key.detach"
	KeyClose    Key = "key.close"
	KeyRedraw   Key = "key.redraw"
	KeyLeave    Key = "key.leave"
	KeyQuitLive Key = "key.quit-live"
)

// NodeStateWord is a cluster node's state as engine names it.
func NodeStateWord(state string) Key { return Key("node-state." + state) }

// PhaseWord is what a node is doing, by its phase as engine names it.
func PhaseWord(phase string) Key { return Key("phase." + phase) }

// Step is a step of a node in the live view: drain, install, restart, rescan, resume.
func Step(name string) Key { return Key("step." + name) }

// UpdateOutcome is how an update ended, as plugins names it.
func UpdateOutcome(outcome string) Key { return Key("update." + outcome) }

// Texts of the drawn screens.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var screenTexts = map[Key]string{
	ScreenTooSmall: "This terminal is %dx%d; cau needs 80x24.",
	ScreenTitle:    "Cluster-Aware Updating",

	ScreenConnecting:   "Connecting...",
	ScreenConnected:    "connected",
	ScreenNotConnected: "not connected",
	ScreenNoCluster:    "The cluster cannot be shown",
	ScreenTryAgain:     "Try again",
	ScreenReached:      "through %s",

	ScreenNodes: "Nodes", ScreenActions: "Cluster actions", ScreenSummary: "Last cluster update summary",
	ScreenAttach:  "Attach to the run that is going on",
	ScreenColNode: "Node", ScreenColState: "State", ScreenColRoles: "Roles", ScreenColLast: "Last run status", ScreenColTime: "Last run time",
	ScreenColRun: "Run", ScreenColCluster: "Cluster", ScreenColStarted: "Started", ScreenColEnded: "Ended", ScreenColPlugin: "Plug-in",
	ScreenNoRunYet:    "No Updating Run of this cluster on this host yet.",
	ScreenRunGoesOn:   "Run %s is going on.",
	ScreenLostRun:     "Run %s has not ended, but its coordinator is gone. Go on with:",
	ScreenResumeRun:   "cau resume %s",
	ScreenLastRun:     "Run %s  %s",
	ScreenLastStarted: "started %s",
	ScreenLastTook:    "took %s",
	ScreenLoading:     "Loading...",
	ScreenLost:        "without coordinator",

	ScreenPageOf: "Page %d of %d: %s",
	ScreenBack:   "Back", ScreenCancel: "Cancel", ScreenClose: "Close",
	ScreenWorking:   "Working...",
	ScreenStopping:  "Stopping...",
	ScreenStarting:  "Starting the run...",
	ScreenWorkFails: "This did not work",
	ScreenNotStart:  "The run was not started",
	ScreenEmpty:     "There is nothing to set here.",

	ScreenLive:        "Updating Run %s",
	ScreenStarted:     "started %s",
	ScreenNodesDone:   "%d of %d nodes",
	ScreenBudget:      "failures %d, the run stops at %d",
	ScreenPausing:     "pauses after the current node",
	ScreenOutlives:    "closing this terminal does not stop it",
	ScreenCarrierGone: "its coordinator is gone; go on with: cau resume %s",
	ScreenStopAsked:   "stops after the current update; its node is resumed first",
	ScreenLog:         "Log",
	ScreenLogEarlier:  "%d lines below",
	ScreenResult:      "Result",
	ScreenResultNodes: "%d %s",
	ScreenNoUpdates:   "No updates for this node.",
	ScreenNoLog:       "Nothing was logged yet.",
	ScreenInstalled:   "%d installed",
	ScreenRestarted1:  "restarted once",
	ScreenRestarted:   "restarted %d times",
	ScreenStaged:      "updates copied and verified",
	ScreenOfMinutes:   "%s of %s",
	ScreenExit:        "exit %d",
	ScreenNeedsBoot:   "restart needed",
	ScreenLate:        "ended late: %s",
	ScreenRunsOn:      "its time is over, it runs on",
	ScreenSignature:   "signature not valid: %s",
	ScreenWatched:     "still watched",
	ScreenWatchFails:  "The run cannot be shown",
	ScreenDetails:     "%s in run %s",
	ScreenShare:       "read the share as %s, SMB %s, %s",
	ScreenSigned:      "signed", ScreenEncrypted: "encrypted", ScreenOpen: "neither signed nor encrypted",

	ScreenStopTitle:   "Stop the run?",
	ScreenStopText:    "The current update finishes, a restart that is due is done, and its node is resumed. No other node is started. Then the run ends as Canceled. What is installed stays installed.",
	ScreenStopNo:      "Keep going",
	ScreenStopYes:     "Stop the run",
	ScreenControlFail: "The run did not take the request",
	ScreenLeave:       "Press ctrl+c again to leave cau; nothing was started from this page.",
	ScreenLeaveRun:    "Press ctrl+c again to leave cau; the run goes on.",
	ScreenHelp:        "Keys",

	KeyChoose: "choose", KeyOpen: "open", KeyPane: "next pane", KeyHelp: "help", KeyQuit: "quit", KeyReload: "reload",
	KeyBack: "back", KeyNext: "next", KeyMove: "next field", KeyToggle: "change", KeyChange: "choose", KeyScroll: "scroll", KeyAgain: "check again", KeyTryAgain: "try again",
	KeyCancel: "cancel", KeyPause: "pause after this node", KeyResume: "resume", KeyStop: "stop", KeyDetails: "details", KeyLog: "log",
	KeyDetach: "detach, the run goes on", KeyClose: "close", KeyRedraw: "draw the screen again", KeyLeave: "leave cau (twice when something is open)", KeyQuitLive: "quit, the run goes on",

	"node-state.Up": "Up", "node-state.Down": "Down", "node-state.Paused": "Paused", "node-state.Joining": "Joining", "node-state.Unknown": "Unknown",

	"phase.waiting": "Waiting", "phase.staging": "Staging", "phase.pre-script": "Pre-script", "phase.post-script": "Post-script", "phase.draining": "Draining", "phase.installing": "Installing", "phase.restarting": "Restarting",
	"phase.rescanning": "Rescanning", "phase.resuming": "Resuming", "phase.settling": "Settling", "phase.done": "Done",

	"step.pre-script": "pre-script", "step.post-script": "post-script", "step.drain": "drain", "step.install": "install", "step.restart": "restart", "step.rescan": "rescan", "step.resume": "resume",

	"update.installed": "installed", "update.already-installed": "already installed", "update.not-applicable": "not applicable", "update.failed": "failed",
	"update.excluded": "excluded", "update.unknown": "started, result lost", "update.running": "installing", "update.waiting": "waiting", "update.not-begun": "not begun",
}
