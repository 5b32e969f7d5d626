package engine

import (
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// RunStatus is the run's state in words. Four of them are CAU's summary statuses: Succeeded, PartiallyFailed, Failed, Canceled.
type RunStatus string

// The states of a run.
const (
	RunRunning         RunStatus = "Running"
	RunPaused          RunStatus = "Paused"
	RunHeld            RunStatus = "Held"
	RunStopping        RunStatus = "Stopping"
	RunSucceeded       RunStatus = "Succeeded"
	RunPartiallyFailed RunStatus = "PartiallyFailed"
	RunFailed          RunStatus = "Failed"
	RunCanceled        RunStatus = "Canceled"
	// RunTakenOver: a coordinator on another host goes on with the run, and its journal there is the run's (R27).
	RunTakenOver RunStatus = "TakenOver"
)

// Ended tells whether nothing more will be done.
func (s RunStatus) Ended() bool {
	switch s {
	case RunSucceeded, RunPartiallyFailed, RunFailed, RunCanceled, RunTakenOver:
		return true
	case RunRunning, RunPaused, RunHeld, RunStopping:
	}
	return false
}

// NodeStatus is a node's state in CAU's words.
type NodeStatus string

// The states of a node in a run.
const (
	NodeWaiting         NodeStatus = "Waiting"
	NodeUpdating        NodeStatus = "Updating"
	NodeSucceeded       NodeStatus = "Succeeded"
	NodePartiallyFailed NodeStatus = "PartiallyFailed"
	NodeFailed          NodeStatus = "Failed"
	NodeCanceled        NodeStatus = "Canceled"
	NodeUpToDate        NodeStatus = "UpToDate"
	NodeHeld            NodeStatus = "Held"
	// NodeNotTaken: OnlyNodes or SkipNodes leaves it out. CAU has no such state.
	NodeNotTaken NodeStatus = "NotTaken"
)

// Ended tells whether the run is done with the node.
func (s NodeStatus) Ended() bool {
	switch s {
	case NodeSucceeded, NodePartiallyFailed, NodeFailed, NodeCanceled, NodeUpToDate, NodeHeld, NodeNotTaken:
		return true
	case NodeWaiting, NodeUpdating:
	}
	return false
}

// Phase is where a node is (docs/architecture.md).
type Phase string

// The phases, in order. Staging happens on all nodes before the first drain.
const (
	PhaseWaiting    Phase = "waiting"
	PhaseStaging    Phase = "staging"
	PhasePreScript  Phase = "pre-script"
	PhaseDraining   Phase = "draining"
	PhaseInstalling Phase = "installing"
	PhaseRestarting Phase = "restarting"
	PhaseRescanning Phase = "rescanning"
	PhaseResuming   Phase = "resuming"
	PhaseSettling   Phase = "settling"
	PhasePostScript Phase = "post-script"
	PhaseDone       Phase = "done"
)

// State is everything known about a run: fold(facts). It is what live view, status and reports show.
type State struct {
	Run       string    `json:"run"`
	Cluster   string    `json:"cluster"`
	Status    RunStatus `json:"state"`
	Plugin    string    `json:"plugin"`
	Simulated bool      `json:"simulated"`
	Started   time.Time `json:"started"`
	// Ended is zero while the run goes on.
	Ended         time.Time `json:"ended,omitzero"`
	FailureBudget int       `json:"failure_budget"`
	// Attempts is how often a node is tried at most: once more than MaxRetriesPerNode.
	Attempts   int       `json:"attempts"`
	Nodes      []NodeRun `json:"nodes"`
	PauseAsked bool      `json:"pause_asked,omitempty"`
	StopAsked  bool      `json:"stop_asked,omitempty"`
	// StopNowBy is who asked that nothing more is begun at all.
	StopNowBy string `json:"stop_now_by,omitempty"`
	Waiting   string `json:"waiting_for,omitempty"`
	// WaitingUntil is when that passes by itself: the window opens, or the soak is over. Zero where it is not known.
	WaitingUntil time.Time `json:"waiting_until,omitzero"`
	// Times are the moments that bound the run.
	Times RunTimes `json:"times,omitzero"`
	// Warned: the run takes longer than WarnAfter.
	Warned bool `json:"warned,omitempty"`
	// TimeUp is why the run stops by itself: StopAfter, or the end of its window (Op names the option). NoMoreNodes: no
	// further node is begun, and why.
	TimeUp      *fault.Cause `json:"time_up,omitempty"`
	NoMoreNodes *fault.Cause `json:"no_more_nodes,omitempty"`
	// LastInService is the node that came back into service last.
	LastInService InService `json:"last_in_service,omitzero"`
	// HeldFor is the id of the check that the run is held for; empty while it is not held.
	HeldFor string `json:"held_for,omitempty"`
	// CredentialLost: what signs in to the nodes does not work any more (R05).
	CredentialLost bool `json:"credential_lost,omitempty"`
	// Lease is what is known of our lease on the cluster; nil before it was asked for.
	Lease *LeaseState `json:"lease,omitempty"`
	// Keepers are the nodes that keep the run's checkpoint (R27).
	Keepers []string `json:"keepers,omitempty"`
	// DiskFull is why the run stops for want of room in its folder; nil while there is some.
	DiskFull *fault.Cause `json:"disk_full,omitempty"`
	Cause    *fault.Cause `json:"cause,omitempty"`
	// AskingSince is when nothing was left to do but to wait for answers about follow-ups; zero before.
	AskingSince time.Time `json:"asking_since,omitzero"`
	// Compared is how the nodes differed at the end; nil until they were asked (R08).
	Compared *Comparison `json:"compared,omitempty"`
	// Facts is how many facts were folded.
	Facts int `json:"facts"`
}

// Failures counts the nodes that failed.
func (s *State) Failures() int {
	n := 0
	for i := range s.Nodes {
		if st := s.Nodes[i].Status; st == NodeFailed || st == NodePartiallyFailed || st == NodeHeld {
			n++
		}
	}
	return n
}

// Node finds a node by name; nil when it is not part of the run.
func (s *State) Node(name string) *NodeRun {
	for i := range s.Nodes {
		if s.Nodes[i].Name == name {
			return &s.Nodes[i]
		}
	}
	return nil
}

// NodeRun is one node in a run.
type NodeRun struct {
	Name         string     `json:"name"`
	Status       NodeStatus `json:"status"`
	Phase        Phase      `json:"phase"`
	PhaseStarted time.Time  `json:"phase_started,omitzero"`
	Started      time.Time  `json:"started,omitzero"`
	Ended        time.Time  `json:"ended,omitzero"`
	// Phases are the phases that it has left, with how long it was in each.
	Phases  []PhaseTime `json:"phases,omitempty"`
	Updates []UpdateRun `json:"updates"`
	// NotTaken is why the options leave the node out of the run; empty where it is taken.
	NotTaken string `json:"not_taken,omitempty"`
	// Attempt counts from 1; Earlier are the attempts before it, which failed. An administrator may ask for more than
	// State.Attempts.
	Attempt int       `json:"attempt"`
	Earlier []Setback `json:"earlier,omitempty"`
	// Restarts counts the restarts that the run asked for and proved, of all attempts.
	Restarts int `json:"restarts"`
	// RestartsInRow counts those since the latest update began (R21).
	RestartsInRow int `json:"restarts_in_a_row,omitempty"`
	// Drained and Resumed say what was proven, for status and resume after a crash.
	Staged     bool                     `json:"staged,omitempty"`
	Connection *plugins.ShareConnection `json:"connection,omitempty"`
	// InService: its updates were installed while it was in service (install-first).
	InService   bool `json:"in_service,omitempty"`
	PausedByUs  bool `json:"paused_by_us,omitempty"`
	Drained     bool `json:"drained,omitempty"`
	Maintenance bool `json:"storage_maintenance,omitempty"`
	// Outage are the roles that were on the node when it was paused in a way that takes roles down (R15); RolesDown says
	// which of them did not run again after it was resumed: "VM01 has failed".
	Outage    []string `json:"outage,omitempty"`
	RolesDown []string `json:"roles_down,omitempty"`
	// RestartFrom is the boot identity that a restart was asked of and whose change is not proven yet.
	RestartFrom string `json:"restart_from,omitempty"`
	// Boot is the boot identity when the latest update began, read at BootRead.
	Boot     string    `json:"boot,omitempty"`
	BootRead time.Time `json:"boot_read,omitzero"`
	// RestartDue: an update or a pending reason asks for a restart that was not done yet.
	RestartDue bool `json:"restart_due,omitempty"`
	// RestartBegun: an installer said that it restarts the node itself. Nothing is started there before that is proven.
	RestartBegun bool `json:"restart_begun,omitempty"`
	// Rescanned: nothing is pending and nothing remains to be installed.
	Rescanned bool `json:"rescanned,omitempty"`
	Resumed   bool `json:"resumed,omitempty"`
	Settled   bool `json:"settled,omitempty"`
	// Traces: the run left files or jobs on the node that are not cleaned up yet.
	Traces bool `json:"traces,omitempty"`
	// BackInService: a pause of this run was taken back, by a resume or undone (R22).
	BackInService bool `json:"back_in_service,omitempty"`
	// PreScript and PostScript are nil until the script has begun.
	PreScript  *ScriptRun `json:"pre_script,omitempty"`
	PostScript *ScriptRun `json:"post_script,omitempty"`
	// MayReturn: it was left because its restart was not proven in time.
	MayReturn bool `json:"may_return,omitempty"`
	// Watched: the node was left paused and is still watched. WatchOver: nobody watches it any more.
	Watched   bool `json:"watched,omitempty"`
	WatchOver bool `json:"watch_over,omitempty"`
	// Returned: its restart was proven after its time was over (R22).
	Returned bool `json:"returned_late,omitempty"`
	// Leave is set once the node has failed and is being left in order (R22).
	Leave Leave `json:"leave,omitempty"`
	// HeldBackBy is who asked that the node is not begun, TakenBy who has it in hand, SkippedBy who left it out.
	HeldBackBy string `json:"held_back_by,omitempty"`
	TakenBy    string `json:"taken_by,omitempty"`
	SkippedBy  string `json:"skipped_by,omitempty"`
	// Look: somebody had the node in hand, and it is looked at before anything goes on there.
	Look bool `json:"look,omitempty"`
	// Hopeless is why another attempt would not help; empty where it may.
	Hopeless string       `json:"hopeless,omitempty"`
	Cause    *fault.Cause `json:"cause,omitempty"`
	// Pass counts the node's passes beyond the plan: 0 is the plan's own, 2 the first one for follow-ups (R08).
	Pass int `json:"pass,omitempty"`
	// FollowUps are the updates of further passes, whole and pinned, in the order in which they were found.
	FollowUps []plugins.Update `json:"follow_ups,omitempty"`
	// Left became applicable and is not installed; Asked waits for an answer (FollowUpsAsk), whole and pinned.
	Left  []LeftUpdate     `json:"became_applicable,omitempty"`
	Asked []plugins.Update `json:"asked,omitempty"`
	// TakeAgain: what was asked is to be installed, once the other nodes are done. TakenAgain: the node was done and is
	// taken for it.
	TakeAgain  bool `json:"take_again,omitempty"`
	TakenAgain bool `json:"taken_again,omitempty"`
	// PluginFailures are plug-ins that failed on the node in a way that skipped updates, in order.
	PluginFailures []PluginFailure `json:"plugin_failures,omitempty"`
}

// LeftUpdate is an update that became applicable by what the run installed, and that it leaves.
type LeftUpdate struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Reason is why it is left, a sentence for people.
	Reason string `json:"reason"`
}

// PluginFailure is why updates of a plug-in, or of those after it, are skipped on a node.
type PluginFailure struct {
	Plugin string       `json:"plugin"`
	At     time.Time    `json:"at"`
	Cause  *fault.Cause `json:"cause,omitempty"`
}

// Update finds an update by id; nil when the node does not get it.
func (n *NodeRun) Update(id string) *UpdateRun {
	for i := range n.Updates {
		if n.Updates[i].ID == id {
			return &n.Updates[i]
		}
	}
	return nil
}

// UpdateRun is one update on one node.
type UpdateRun struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Rule string `json:"rule,omitempty"`
	// Plugin is the instance that installs it, where the plan has several plug-ins.
	Plugin string `json:"plugin,omitempty"`
	// FollowUp: it was not in the preview. Pass is the pass it belongs to, 0 for the plan's own; Earlier is how it ended in
	// passes before.
	FollowUp bool         `json:"follow_up,omitempty"`
	Pass     int          `json:"pass,omitempty"`
	Earlier  []EarlierEnd `json:"earlier,omitempty"`
	// Skipped is why it is not begun any more; empty where it is.
	Skipped string `json:"skipped,omitempty"`
	// Outcome is empty until the update ended; Started tells whether it began.
	Outcome         plugins.Outcome `json:"outcome"`
	ExitCode        *int64          `json:"exit_code"`
	RestartRequired bool            `json:"restart_required,omitempty"`
	Started         time.Time       `json:"started,omitzero"`
	Ended           time.Time       `json:"ended,omitzero"`
	Cause           *fault.Cause    `json:"cause,omitempty"`
	// Signature is what the node said about the file's Authenticode signature; nil where it was not looked at.
	Signature *plugins.Signature `json:"signature,omitempty"`
	// Log is the installer's log on the node, or empty.
	Log string `json:"log,omitempty"`
	// RunsOn: the installer outlived its limit (R18). Late is how it ended then; nil while that is not known.
	RunsOn bool            `json:"runs_on,omitempty"`
	Late   *plugins.Result `json:"late,omitempty"`
	// MarkedBy is who said how it ended, where nobody knew.
	MarkedBy string `json:"marked_by,omitempty"`
	// Refused: the node did not let it begin, and would not another time (plugins.ErrJobRefused).
	Refused bool `json:"refused,omitempty"`
}

// EarlierEnd is how an update ended in a pass before.
type EarlierEnd struct {
	Pass     int             `json:"pass,omitempty"`
	Outcome  plugins.Outcome `json:"outcome"`
	ExitCode *int64          `json:"exit_code,omitempty"`
	Ended    time.Time       `json:"ended"`
}

// ScriptRun is a pre- or post-update script on one node.
type ScriptRun struct {
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	// Ended is zero while it runs.
	Ended time.Time `json:"ended,omitzero"`
	// ExitCode is nil where none came back.
	ExitCode *int64 `json:"exit_code,omitempty"`
	// Account is as whom it ran, Log the whole output's path on the node, Output its last lines.
	Account string   `json:"account,omitempty"`
	Log     string   `json:"log,omitempty"`
	Output  []string `json:"output,omitempty"`
	// RunsOn: nobody waits for it any more, and it is not known to have ended (R18).
	RunsOn bool `json:"runs_on,omitempty"`
	// LateExit is its code when it ended after its limit; nil where that is not known.
	LateExit *int64 `json:"late_exit,omitempty"`
	// Cause is why it counts as failed; nil where it succeeded.
	Cause *fault.Cause `json:"cause,omitempty"`
}
