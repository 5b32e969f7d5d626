package backend

import (
	"context"
	"time"

	"cau/engine"
	"cau/plugins"
)

// Services is what the screens need of the rest of the program. Its methods do I/O and are called from
// commands, never from Update.
type Services interface {
	// Overview reads the cluster for the main window.
	Overview(ctx context.Context) (Overview, error)
	// Plugins lists the plug-ins that can be chosen.
	Plugins() []PluginInfo
	// Preview scans and checks, and returns the plan that would run. note reports what is being done, in words.
	Preview(ctx context.Context, req Request, note func(string)) (*engine.Plan, error)
	// WriteConfig writes a configuration file that is missing, never over one that is there: as the cluster's nodes have it
	// from Microsoft, where none has, cau's default. It returns a sentence that says which and where.
	WriteConfig(ctx context.Context, file ConfigFile, note func(string)) (string, error)
	// CommandLines are the equivalent cau and Invoke-CauRun lines of a plan; the latter is empty where CAU has none.
	CommandLines(plan *engine.Plan) (cau, invoke string)
	// Start writes the plan and starts the run in its own process.
	Start(ctx context.Context, plan *engine.Plan) (Started, error)
	// Runs lists runs on this host, newest first.
	Runs(ctx context.Context) ([]RunInfo, error)
	// Watch follows a run, live or finished; the channel closes after the run's end or with ctx.
	Watch(ctx context.Context, run string) (<-chan Snapshot, error)
	// Control asks a live run for something.
	Control(ctx context.Context, run string, asked engine.Control) error
}

// ConfigFile is a configuration file of a hotfix root by its name there.
type ConfigFile struct{ Root, Name string }

// PluginInfo is a plug-in as the wizard shows it.
type PluginInfo struct {
	Name        string
	Description string
	Options     []plugins.OptionSpec
	// Defaults are values to start from, beyond the specs' own (the lab's sample root).
	Defaults map[string]string
	// Validate looks at resolved arguments beyond what the specs say.
	Validate func(plugins.Arguments) []plugins.ArgumentError
	// Check asks the plug-in itself about arguments that Validate takes; nil where there is nobody to ask. It touches no node.
	Check func(context.Context, plugins.Arguments) ([]plugins.ArgumentError, error)
	// Others: it is other people's, an executable on this host. Confirmation shows which, and what it may ask for (R31).
	Others bool
	// Refused is why no run can have it here, and what to do instead; empty where one can.
	Refused string
}

// Request is what the wizard collects before a preview.
type Request struct {
	// Plugin installs first, with Arguments; Further install after it, in order.
	Plugin    string
	Arguments plugins.Arguments
	Further   []FurtherPlugin
	Options   engine.Options
	// Accepted are ids of checks that could not be verified and were accepted by name (R07).
	Accepted []string
}

// FurtherPlugin is a plug-in behind the first with its arguments.
type FurtherPlugin struct {
	Plugin    string
	Arguments plugins.Arguments
}

// Overview is the main window's content.
type Overview struct {
	Cluster   string
	Simulated bool
	// Reached says what is connected to and as whom: "NODE1 (127.0.0.1:5985) as LAB\admin, NTLM, sealed".
	Reached string
	Nodes   []OverviewNode
	// ActiveRun is the id of a run that is going on for this cluster on this host, or empty.
	ActiveRun string
	// LostRun is the id of the cluster's newest run on this host when it has not ended and nothing carries it on, or empty.
	LostRun string
	// LastRun is the newest finished run for this cluster on this host; nil when there is none.
	LastRun *RunInfo
}

// OverviewNode is one row of the main window.
type OverviewNode struct {
	Name  string
	State engine.NodeState
	Roles int
	// LastStatus and LastTime are the node's end in its last run on this host; empty when there was none.
	LastStatus engine.NodeStatus
	LastTime   time.Time
}

// Started says where a run lives.
type Started struct {
	Run string
	// Where says in words where the run lives and what would still stop it (R28).
	Where string
}

// RunInfo is one run in a list.
type RunInfo struct {
	Run, Cluster, Plugin string
	Status               engine.RunStatus
	Started, Ended       time.Time
	// Alive: its coordinator is running now.
	Alive bool
}

// Snapshot is a run at one moment with what was logged since the last one.
type Snapshot struct {
	State engine.State
	// Plan is set in the first snapshot, and with it what earlier runs of the cluster took.
	Plan    *engine.Plan
	History engine.History
	Alive   bool
	Lines   []LogLine
	Err     error
}

// LogLine is one line of the run's log, its text already in the user's language and free of control characters.
type LogLine struct {
	Time time.Time
	Node string
	Text string
}
