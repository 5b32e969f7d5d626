package engine

// Verb is what an administrator asks of a running run.
type Verb string

// The verbs. All are idempotent.
const (
	// VerbPause: no further node is started; the current one is finished.
	VerbPause Verb = "pause"
	// VerbResume: undo a pause, or go on after a hold.
	VerbResume Verb = "resume"
	// VerbStop: the current update finishes, a due restart is done, the node is resumed, then the run ends (R29).
	VerbStop Verb = "stop"
)

// Control is one request with the one who asked, as the control socket's peer credentials say (R06).
type Control struct {
	Verb Verb   `json:"verb"`
	By   string `json:"by"`
}
