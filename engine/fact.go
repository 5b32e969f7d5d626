package engine

import (
	"fmt"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// FactKind names what a fact says. Kinds are stable: journals of older runs hold them.
type FactKind string

// The facts of a run. An intent is recorded before the act, its outcome after it; what lies between the
// two when the program dies is read from the world again.
const (
	FactRunStarted   FactKind = "run.started"
	FactRunContinued FactKind = "run.continued"
	FactControl      FactKind = "control.asked"
	FactRunPaused    FactKind = "run.paused"
	FactRunHeld      FactKind = "run.held"
	FactRunEnded     FactKind = "run.ended"
	// FactRunCompared: what the nodes have at the end, and what some of them do not have (R08).
	FactRunCompared FactKind = "run.compared"
	// FactRunReleased: what the run was held for is over by itself.
	FactRunReleased FactKind = "run.released"
	// FactRunTimeUp: StopAfter or the window's end has come, and the run stops cleanly (R29). FactRunNoMoreNodes:
	// StartNoNodeAfter has come. FactRunWarned: WarnAfter has.
	FactRunTimeUp      FactKind = "run.time-up"
	FactRunNoMoreNodes FactKind = "run.no-more-nodes"
	FactRunWarned      FactKind = "run.warned"
	// FactCredentialLost and FactCredentialBack: what signs in does not work any more, and does again (R05).
	FactCredentialLost FactKind = "credential.lost" //nolint:gosec // a kind of fact, as the next
	FactCredentialBack FactKind = "credential.back" //nolint:gosec // as above

	FactGateWaiting FactKind = "gate.waiting"

	FactUpToDate FactKind = "node.up-to-date"
	// FactNotTaken: OnlyNodes or SkipNodes leaves the node out.
	FactNotTaken    FactKind = "node.not-taken"
	FactStageIntent FactKind = "stage.intent"
	FactStageDone   FactKind = "stage.done"
	// FactScriptIntent and FactScriptDone: a pre- or post-update script begins, and how it ended.
	FactScriptIntent FactKind = "script.intent"
	FactScriptDone   FactKind = "script.done"
	// FactPauseIntent: the gate is open and the node goes out of service.
	FactPauseIntent FactKind = "pause.intent"
	FactDrainDone   FactKind = "drain.done"
	// FactInService: the gate is open, and the node's updates are installed while it is in service (install-first).
	FactInService FactKind = "in-service.intent"
	// FactUndoIntent and FactUndoDone: a pause is taken back and roles stay where they are (R12, R22).
	FactUndoIntent        FactKind = "undo.intent"
	FactUndoDone          FactKind = "undo.done"
	FactMaintenanceIntent FactKind = "maintenance.intent"
	FactMaintenanceDone   FactKind = "maintenance.done"
	FactInstallIntent     FactKind = "install.intent"
	FactInstallDone       FactKind = "install.done"
	FactRestartIntent     FactKind = "restart.intent"
	// FactRestartAgain: the node restarted by itself while its restart was being proven (R21).
	FactRestartAgain  FactKind = "restart.again"
	FactRestartProven FactKind = "restart.proven"
	FactRescanIntent  FactKind = "rescan.intent"
	FactRescanDone    FactKind = "rescan.done"
	// FactFollowUpsFound: these became applicable, are not in the preview, and are installed in a further pass (R08).
	// FactFollowUpsLeft: they are not. FactFollowUpsAsked: somebody is asked, FactFollowUpsAnswered what they said.
	FactFollowUpsFound    FactKind = "follow-ups.found"
	FactFollowUpsLeft     FactKind = "follow-ups.left"
	FactFollowUpsAsked    FactKind = "follow-ups.asked"
	FactFollowUpsAnswered FactKind = "follow-ups.answered"
	// FactRunAsking: nothing is left to do but to wait for answers, for a bounded time from then on.
	FactRunAsking FactKind = "run.asking"
	// FactPluginFailed: a plug-in failed on the node, and these updates are skipped for it.
	FactPluginFailed FactKind = "plugin.failed"
	FactResumeIntent FactKind = "resume.intent"
	FactResumeDone   FactKind = "resume.done"
	FactSettleDone   FactKind = "settle.done"
	// FactNodeFailing: the node has failed and how it will be left is decided (R22); FactNodeEnded follows.
	FactNodeFailing FactKind = "node.failing"
	FactNodeEnded   FactKind = "node.ended"
	// FactNodeRetried: the node's attempt failed, and the node waits for another one.
	FactNodeRetried FactKind = "node.retried"
	// FactLooked: the node was looked at after somebody had it in hand, and what follows from that.
	FactLooked FactKind = "node.looked-at"
	// FactWatchBegun and FactWatchEnded: a node that was left paused is watched, and is not any more. FactRunWatching:
	// nothing else is left to do.
	FactWatchBegun  FactKind = "watch.begun"
	FactWatchEnded  FactKind = "watch.ended"
	FactRunWatching FactKind = "run.watching"
	// FactInstallerEndedLate: an installer that outlived its limit has ended (R18).
	FactInstallerEndedLate FactKind = "installer.ended-late"
	// FactScriptEndedLate: a script that outlived its limit has ended (R18).
	FactScriptEndedLate FactKind = "script.ended-late"
	// FactReturnedLate: a node whose restart was not proven in time is back, and is brought back into service (R22).
	FactReturnedLate FactKind = "node.returned-late"

	FactCleanDone   FactKind = "clean.done"
	FactCleanFailed FactKind = "clean.failed"

	// FactDiskFull: the run's folder has no room left but what was kept in reserve, and the run stops cleanly.
	FactDiskFull FactKind = "run.disk-full"
	// FactLeaseIntent: this coordinator asks the cluster for the lease, under a name of its own (R27). FactLeaseTaken: it has
	// it. FactLeaseNone: it goes on without, because somebody accepted that. FactLeaseDropped: the lease was given back, or
	// could not be.
	FactLeaseIntent  FactKind = "lease.intent"
	FactLeaseTaken   FactKind = "lease.taken"
	FactLeaseNone    FactKind = "lease.none"
	FactLeaseDropped FactKind = "lease.dropped"
	// FactCheckpointDone: these nodes keep the run's checkpoint now (R27); it is a fact when others did before. FactCheckpointFailed:
	// it could not be written, or not be removed.
	FactCheckpointDone   FactKind = "checkpoint.done"
	FactCheckpointFailed FactKind = "checkpoint.failed"
	// FactRunRestored: the run begins here with the state of a checkpoint that another host's coordinator left on a node.
	FactRunRestored FactKind = "run.restored"
	// FactTakenOver: another coordinator has the run, and nothing more is done here.
	FactTakenOver FactKind = "run.taken-over"
)

// Ignorable tells whether a program that does not know the kind may pass over it: only what informs, and
// what no decision of a resumed run rests on (R25).
func (k FactKind) Ignorable() bool {
	switch k {
	case FactRunCompared, FactRunContinued, FactGateWaiting, FactRestartAgain, FactCleanDone, FactCleanFailed, FactWatchBegun, FactWatchEnded, FactRunWatching, FactInstallerEndedLate,
		FactScriptEndedLate, FactCredentialLost, FactCredentialBack, FactRunWarned,
		FactLeaseNone, FactLeaseDropped, FactCheckpointDone, FactCheckpointFailed:
		return true
	default:
		return false
	}
}

// Fact is one decision, intent or outcome. It is made durable before anyone acts on it (R25).
type Fact struct {
	Kind FactKind `json:"kind"`
	// Time is the run's time, UTC, to the millisecond.
	Time time.Time `json:"time"`
	// Node is empty for facts about the whole run.
	Node string `json:"node,omitempty"`
	// Update is the update's id where the fact is about one.
	Update string `json:"update,omitempty"`
	// MayIgnore is written into the fact, because an older program cannot look up a kind it does not know (R25).
	MayIgnore bool     `json:"may_ignore,omitempty"`
	Data      FactData `json:"data,omitzero"`
}

// FactData is what a fact carries beyond its place; every kind uses a few of the fields.
type FactData struct {
	// By is who asked (R06), Verb what for.
	By   string `json:"by,omitempty"`
	Verb Verb   `json:"verb,omitempty"`
	// Outcome is what VerbMark says.
	Outcome plugins.Outcome `json:"outcome,omitempty"`
	// Message is one sentence for people.
	Message string       `json:"message,omitempty"`
	Cause   *fault.Cause `json:"cause,omitempty"`
	// Checks are the gate's answers that are not plain passes.
	Checks []check.Result `json:"checks,omitempty"`
	// Times are the run's moments, in its first fact; Until is when a wait ends, where that is known.
	Times *RunTimes `json:"times,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Job is the id of the job on the node: the same id is the same job.
	Job        string                   `json:"job,omitempty"`
	Connection *plugins.ShareConnection `json:"connection,omitempty"`
	Bytes      int64                    `json:"bytes,omitempty"`
	Result     *plugins.Result          `json:"result,omitempty"`
	// RunsOn: the installer outlived its limit and goes on (R18). MayReturn: the node was left because its restart was
	// not proven in time (R22).
	RunsOn    bool `json:"runs_on,omitempty"`
	MayReturn bool `json:"may_return,omitempty"`
	// Script is what is known of a pre- or post-update script.
	Script *ScriptFact `json:"script,omitempty"`
	// Compared is how the nodes differ.
	Compared *Comparison `json:"compared,omitempty"`
	// Drain is how the node is paused where that takes roles down (R15); Roles are those, by name, or what became of them.
	Drain DrainMode `json:"drain,omitempty"`
	Roles []string  `json:"roles,omitempty"`
	// Boot is a boot identity and BootRead when the node gave it.
	Boot     string    `json:"boot,omitempty"`
	BootRead time.Time `json:"boot_read,omitzero"`
	// On says whether storage maintenance is entered or left; of FactLooked, that the node is out of service as it was.
	On bool `json:"on,omitempty"`
	// Pending are the reasons why a restart is still pending; Remaining names what the plug-in still offers.
	Pending   []string     `json:"pending,omitempty"`
	Remaining []string     `json:"remaining,omitempty"`
	Failback  FailbackMode `json:"failback,omitempty"`
	Leave     Leave        `json:"leave,omitempty"`
	// Attempt is the attempt that failed, of FactNodeRetried.
	Attempt int `json:"attempt,omitempty"`
	// Again are the ids of the updates that another attempt begins anew; Hopeless is why there will be none.
	Again    []string `json:"again,omitempty"`
	Hopeless string   `json:"hopeless,omitempty"`
	// Updates are follow-ups, whole and pinned, Pass the pass that they are installed in; Install is the answer about them.
	Updates []plugins.Update `json:"updates,omitempty"`
	Pass    int              `json:"pass,omitempty"`
	Install bool             `json:"install,omitempty"`
	// Plugin is the instance that failed, Skipped the ids of the updates that are skipped for it.
	Plugin  string   `json:"plugin,omitempty"`
	Skipped []string `json:"skipped,omitempty"`
	// Unstaged are updates that have failed because they could not be brought to the node, of FactStageDone and
	// FactNodeEnded.
	Unstaged []Unstaged `json:"unstaged,omitempty"`
	// Connections are those of plug-ins beyond the first that had something to stage, by instance.
	Connections map[string]plugins.ShareConnection `json:"connections,omitempty"`
	// Lease is the epoch that was taken or given back; Holder is whose it is.
	Lease  int64  `json:"lease,omitempty"`
	Holder string `json:"holder,omitempty"`
	// Nodes are those that keep a checkpoint.
	Nodes []string `json:"nodes,omitempty"`
	// Packed is a state (PackState).
	Packed []byte `json:"packed,omitempty"`
	// NodeStatus and RunStatus are how it ended.
	NodeStatus NodeStatus `json:"status,omitempty"`
	RunStatus  RunStatus  `json:"state,omitempty"`
}

// Unstaged is an update, by its id, that could not be brought to the node, and why.
type Unstaged struct {
	Update string       `json:"update"`
	Cause  *fault.Cause `json:"cause"`
}

// ScriptFact is a script in a fact: what it is in the intent, how it ended in the outcome.
type ScriptFact struct {
	// Phase is plugins.PhasePre or plugins.PhasePost.
	Phase  string   `json:"phase"`
	Name   string   `json:"name"`
	SHA256 string   `json:"sha256,omitempty"`
	As     ScriptAs `json:"as,omitempty"`
	// ExitCode is nil where none came back.
	ExitCode *int64 `json:"exit_code,omitempty"`
	Account  string `json:"account,omitempty"`
	// Output is the last lines that it printed; Truncated: it printed more than the job passes on.
	Output    []string `json:"output,omitempty"`
	Truncated bool     `json:"truncated,omitempty"`
	Log       string   `json:"log,omitempty"`
	// RunsOn: it is not known to have ended.
	RunsOn bool `json:"runs_on,omitempty"`
}

// Leave is how a failed node is left (R22).
type Leave string

// The ways to leave a failed node. A node that fails while it stays paused is ended at once and needs none.
const (
	// LeaveUndone: the pause is undone without failback.
	LeaveUndone Leave = "undo-pause"
	// LeaveResumed: the node is resumed by FailbackMode.
	LeaveResumed Leave = "resume"
	// LeaveInService: the node was never taken out of service.
	LeaveInService Leave = "in-service"
	// LeaveHeld: nothing more is done on the node; its installer runs on, or nobody knows how it ended (R18, R19).
	LeaveHeld Leave = "hold"
)

// UnknownFactError is a fact that this program does not know and must not pass over.
type UnknownFactError struct {
	Kind FactKind
	// Number is the fact's place in the journal, from 1.
	Number int
}

// Error says which fact it is.
func (e *UnknownFactError) Error() string {
	return fmt.Sprintf("fact %d has the kind %q, which this version does not know and may not ignore", e.Number, string(e.Kind))
}

// MisplacedFactError is a fact about a node or update that the plan does not hold.
type MisplacedFactError struct{ Fact Fact }

// Error names the place.
func (e *MisplacedFactError) Error() string {
	return fmt.Sprintf("the fact %q is about node %q update %q, which the plan does not hold", string(e.Fact.Kind), e.Fact.Node, e.Fact.Update)
}
