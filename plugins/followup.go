package plugins

import "context"

// FollowUper is a Plugin that can say what a node may take now because of what was installed there (R08). A Plugin that
// is none installs what was planned and nothing else.
type FollowUper interface {
	// FollowUps returns what the plug-in would install on the node now beyond what is done, in installation order and
	// pinned as in a Scan. It is asked after the restart that was due, when none is pending, and changes nothing on the
	// node. An update that was there before keeps its id; what is new gets an id of its own, and only a new id may hold
	// other files. An error means that nothing is known.
	FollowUps(ctx context.Context, node Node, req FollowUpRequest) ([]Update, error)
}

// FollowUpRequest says what was done on the node in this run.
type FollowUpRequest struct {
	// Run is the updating run's id; JobID is for one job and the same when the question is asked again after a crash.
	Run, JobID string
	// Source and Arguments are the plug-in's own of the plan.
	Source    string
	Arguments Arguments
	// Updates are the plug-in's own on this node so far: the plan's, then what it offered since.
	Updates []Update
	// Done is how updates ended on the node, those of every plug-in, in the order in which they ended. One that was
	// tried twice comes twice.
	Done []Done
}

// Done is one end of one update. Ids are unique on a node, whichever plug-in they belong to.
type Done struct {
	Update  string
	Outcome Outcome
}
