package engine

import "cau/plugins"

// Verb is what an administrator asks of a running run.
type Verb string

// The verbs. All are idempotent. Those about a node name it.
const (
	// VerbPause: no further node is started; the current one is finished.
	VerbPause Verb = "pause"
	// VerbResume: undo a pause, or go on after a hold.
	VerbResume Verb = "resume"
	// VerbStop: the current update finishes, a due restart is done, the node is resumed, then the run ends (R29).
	VerbStop Verb = "stop"
	// VerbStopNow: nothing more is begun, on the current node neither, and the run ends with that node as it is. It is
	// asked with the cluster's name typed (R29).
	VerbStopNow Verb = "stop-now"
	// VerbHold: the node is not started until VerbRelease.
	VerbHold    Verb = "hold"
	VerbRelease Verb = "release"
	// VerbSkip: the node is not taken in this run. VerbRetry: a node that failed, or was skipped, is taken (again).
	VerbSkip  Verb = "skip"
	VerbRetry Verb = "retry"
	// VerbTake: the administrator takes the node over by hand, and nothing more is done there until VerbGiveBack.
	VerbTake     Verb = "take"
	VerbGiveBack Verb = "give-back"
	// VerbMark: an update whose result is unknown is done, as Control.Outcome says.
	VerbMark Verb = "mark"
	// VerbFollowUps: what the run offers on the node beyond the plan is installed, or is left (FollowUpsAsk).
	VerbFollowUps Verb = "follow-ups"
	// VerbCredential: the run signs in another way from now on, which was proven before (R05). The secret is no part of it.
	VerbCredential Verb = "credential"
)

// Control is one request with the one who asked, as the control socket's peer credentials say (R06).
type Control struct {
	Verb Verb   `json:"verb"`
	By   string `json:"by"`
	// Node is the node's name for verbs about one; Update the update's id for VerbMark.
	Node   string `json:"node,omitempty"`
	Update string `json:"update,omitempty"`
	// Outcome is how the update ended, for VerbMark: installed, not-applicable or failed.
	Outcome plugins.Outcome `json:"outcome,omitempty"`
	// Install answers VerbFollowUps.
	Install bool `json:"install,omitempty"`
	// Typed is the cluster's name as it was typed, for VerbStopNow.
	Typed string `json:"typed,omitempty"`
}
