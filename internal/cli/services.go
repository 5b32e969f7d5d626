package cli

import (
	"context"
	"encoding/json"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/plugins"
)

// Target says which cluster, where its parts are, and who signs in. Exactly one of Cluster and Lab is set (R01).
type Target struct {
	// Cluster is the cluster's name or any node: host, host:port, https://host:port.
	Cluster string
	// Lab asks for the simulated cluster; LabID picks one of several, empty means the living or a new one.
	Lab   bool
	LabID string
	// LabLinger is how long a lab that is started for this command lives after its last viewer and run.
	LabLinger time.Duration
	// Nodes overrides the address of a node, by its cluster name.
	Nodes map[string]string
	// User is DOMAIN\user, user@domain, or a local account's name.
	User string
	// PasswordFile and PasswordFD say where the password is read; -1 means no descriptor (R04).
	PasswordFile string
	PasswordFD   int
	// SignIn is how User signs in.
	SignIn SignIn
	// SMBPort is where the hotfix root's server listens; 0 means 445.
	SMBPort int
	// OlderSMB allows dialects before 3.1.1 on the way to the hotfix root; what is seen over them is not protected against a
	// downgrade.
	OlderSMB bool
	// SMBUser and SMBPasswordFile are another account for the share; empty means the same as User.
	SMBUser         string
	SMBPasswordFile string
	// CAFile holds the private CA of the nodes' WinRM listeners; Pin is the SHA-256 of the listener's key.
	CAFile string
	Pin    string
	// NotifyFile is another file of addresses than the plan's, for a run that goes on (R04).
	NotifyFile string
}

// PluginRequest is one plug-in with its arguments.
type PluginRequest struct {
	Plugin    string
	Arguments []plugins.Argument
}

// Request is what a preview or a run is asked to do.
type Request struct {
	Target Target
	// Plugin installs first, with Arguments; Further install after it, in order.
	Plugin    string
	Arguments []plugins.Argument
	Further   []PluginRequest
	Options   engine.Options
	Accepted  []string
}

// Started says where a run lives.
type Started struct {
	Run   string `json:"run"`
	Where string `json:"where"`
}

// RunInfo is one run in a list.
type RunInfo struct {
	Run     string           `json:"run"`
	Cluster string           `json:"cluster"`
	Plugin  string           `json:"plugin"`
	Status  engine.RunStatus `json:"state"`
	Started time.Time        `json:"started,omitzero"`
	Ended   time.Time        `json:"ended,omitzero"`
	Alive   bool             `json:"alive"`
	// Problem is why the run could not be read in full; the other fields hold what was read.
	Problem string `json:"problem,omitempty"`
}

// Event is news of a run: facts as journalled, with their text, and the state after them.
type Event struct {
	Facts []Fact
	State engine.State
	// ETA is when the run is likely to end.
	ETA   engine.ETA
	Alive bool
	Err   error
}

// Fact is one fact as it stands in the journal, and as a line for people.
type Fact struct {
	Raw  json.RawMessage
	Time time.Time
	Node string
	Text string
}

// DoctorReport is what was tried and seen.
type DoctorReport struct {
	Cluster string         `json:"cluster,omitempty"`
	Nodes   []DoctorNode   `json:"nodes"`
	Checks  []check.Result `json:"checks"`
}

// DoctorRequest says what to look at beyond first contact.
type DoctorRequest struct {
	// Addresses are single nodes; none means all of the cluster.
	Addresses []string
	// Root is a hotfix root that each node tries to read as its computer account; empty means that none is tried.
	Root string
	// NoJob starts no SYSTEM job on the nodes, so that neither that nor Root is tried.
	NoJob bool
	// CompareUpdates searches each node by our query and by CAU's own provider, which may take many minutes.
	CompareUpdates bool
}

// DoctorNode is one node's first contact: what was tried in order, and the checks that follow from what was seen.
type DoctorNode struct {
	Name    string         `json:"name"`
	Address string         `json:"address"`
	Reached string         `json:"reached,omitempty"`
	Tried   []DoctorStep   `json:"tried"`
	Checks  []check.Result `json:"checks"`
	// Compared is set where --compare-updates was given and both sides answered.
	Compared *UpdateComparison `json:"compared,omitempty"`
}

// UpdateComparison is what our query finds on a node beside what CAU's own provider finds there, without and with
// IncludeRecommendedUpdates.
type UpdateComparison struct {
	Plain       UpdateDifference `json:"plain"`
	Recommended UpdateDifference `json:"recommended"`
}

// UpdateDifference names updates by their ids.
type UpdateDifference struct {
	Both      []plugins.NamedUpdate `json:"both"`
	OnlyHere  []plugins.NamedUpdate `json:"only_here"`
	OnlyThere []plugins.NamedUpdate `json:"only_there"`
}

// DoctorStep is one thing that was tried. CannotVerify means that it could not be tried.
type DoctorStep struct {
	What    string        `json:"what"`
	Outcome check.Outcome `json:"outcome"`
	Saw     string        `json:"saw"`
	Advice  string        `json:"advice,omitempty"`
}

// NodeJob is one job on a node.
type NodeJob struct {
	Node string `json:"node"`
	Run  string `json:"run"`
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// Alive: its process, or its installer's, works. Finished: there is a result. Queued: its task has not begun.
	Alive    bool `json:"alive"`
	Finished bool `json:"finished"`
	Queued   bool `json:"queued"`
	// Heartbeat is its last sign of life, by the node's clock.
	Heartbeat time.Time `json:"heartbeat,omitzero"`
}

// LabRequest describes a lab to start.
type LabRequest struct {
	Nodes    int
	Scenario string
	Speed    float64
	Shares   []string
	// Linger is how long the lab lives after the last viewer and run; negative means until lab down.
	Linger time.Duration
}

// LabInfo is a living lab.
type LabInfo struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Cluster  string    `json:"cluster"`
	Scenario string    `json:"scenario"`
	Speed    float64   `json:"speed"`
	User     string    `json:"user"`
	// PasswordFile holds the lab administrator's password; the lab is made up, the habit is not (R04).
	PasswordFile string            `json:"password_file"`
	Root         string            `json:"root"`
	Nodes        map[string]string `json:"nodes"`
	// HTTPS are the same nodes' https listeners, whose certificates CAFile's authority signed.
	HTTPS  map[string]string `json:"https"`
	CAFile string            `json:"ca_file"`
	// Realm, KDC, KRB5Config and Keytab are what Kerberos needs: --realm, --kdc, --krb5-config, --keytab.
	Realm      string `json:"realm"`
	KDC        string `json:"kdc"`
	KRB5Config string `json:"krb5_config"`
	Keytab     string `json:"keytab"`
	Simulated  bool   `json:"simulated"`
}

// Scenario is one of the lab's scenarios.
type Scenario struct{ Name, Description string }

// ClusterPlugins are what Microsoft's CAU has registered on the nodes of a cluster, in their order.
type ClusterPlugins struct {
	Cluster string        `json:"cluster"`
	Nodes   []NodePlugins `json:"nodes"`
}

// NodePlugins are one node's.
type NodePlugins struct {
	Node string `json:"node"`
	// Module: CAU's PowerShell module is installed there; nothing is registered where it is not.
	Module  bool        `json:"module"`
	Plugins []CauPlugin `json:"plugins"`
	// Problem is why the node could not be asked, and Advice what to do; empty where it answered.
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

// CauPlugin is a plug-in that is registered with Microsoft's CAU: its name, its assembly on the node and its class there.
type CauPlugin struct {
	Name   string `json:"name"`
	Binary string `json:"binary"`
	Class  string `json:"class"`
}

// RegisteredPlugin is other people's plug-in as it was trusted, or as it is before that.
type RegisteredPlugin struct {
	Name         string    `json:"name"`
	Version      string    `json:"version"`
	Description  string    `json:"description"`
	Path         string    `json:"path"`
	SHA256       string    `json:"sha256"`
	Owner        string    `json:"owner"`
	Mode         string    `json:"mode"`
	Capabilities []string  `json:"capabilities"`
	At           time.Time `json:"registered,omitzero"`
	By           string    `json:"registered_by,omitempty"`
	// Changed is why it would not be started, and Advice what to do; empty where it would.
	Changed string `json:"changed,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

// PluginCase is one case of the conformance suite.
type PluginCase struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Saw    string `json:"saw"`
}

// Services is everything the commands need done.
type Services interface {
	// Interactive opens the program's main window; accessible asks line by line instead.
	Interactive(ctx context.Context, target Target, accessible bool) error
	// View opens the live view of a run.
	View(ctx context.Context, run string) error
	// Plugins lists plug-in names and PluginOptions their option specs.
	Plugins() []plugins.Plugin
	// PluginsRegistered are other people's plug-ins; with an error those that could be read.
	PluginsRegistered(ctx context.Context) ([]RegisteredPlugin, error)
	// PluginInspect looks at an executable and asks it what it is; nothing is kept.
	PluginInspect(ctx context.Context, path string) (RegisteredPlugin, error)
	// PluginRegister trusts exactly what was shown.
	PluginRegister(ctx context.Context, shown RegisteredPlugin) error
	// PluginUnregister forgets a plug-in and says what it was.
	PluginUnregister(ctx context.Context, name string) (RegisteredPlugin, error)
	// PluginTest runs the conformance suite against an executable.
	PluginTest(ctx context.Context, path string, args []plugins.Argument) ([]PluginCase, error)
	// PluginsOnNodes asks every node of a cluster which plug-ins Microsoft's CAU has registered there.
	PluginsOnNodes(ctx context.Context, target Target, note func(string)) (ClusterPlugins, error)
	// Preview scans and checks; it changes nothing. note says what is being done.
	Preview(ctx context.Context, req Request, note func(string)) (*engine.Plan, error)
	// Start writes the plan and starts the run in its own process.
	Start(ctx context.Context, req Request, plan *engine.Plan) (Started, error)
	// CommandLines are the equivalent cau and Invoke-CauRun lines.
	CommandLines(plan *engine.Plan) (cau, invoke string)
	// Runs lists runs on this host, newest first.
	Runs(ctx context.Context) ([]RunInfo, error)
	// Status reads a run; an empty name or a prefix finds the newest that fits.
	Status(ctx context.Context, run string) (engine.State, bool, error)
	// Estimate says when a run is likely to end, or why nobody knows.
	Estimate(ctx context.Context, state engine.State, alive bool) engine.ETA
	// Watch follows a run from its first fact; the channel closes after its end or with ctx.
	Watch(ctx context.Context, run string) (<-chan Event, error)
	// Control asks a live run for something; *engine.RefusedError in the chain says that it cannot be obeyed.
	Control(ctx context.Context, run string, asked engine.Control) error
	// Notified is what is known of a run's notifications; nil where nobody was to be told.
	Notified(ctx context.Context, run string) *Notifications
	// NotifyTest sends a test message to every address in file; empty means systemd's credential.
	NotifyTest(ctx context.Context, file string) ([]Delivery, error)
	// Credential gives the coordinator of a live run another sign-in, proven on one node before it takes the place of the
	// old one (R05).
	Credential(ctx context.Context, run string, target Target) error
	// Continue starts a coordinator again for a run whose own is gone.
	Continue(ctx context.Context, run string, target Target) (Started, error)
	// LeftRuns finds the runs whose plan and state lie on the cluster's nodes, and who holds the cluster (R27).
	LeftRuns(ctx context.Context, target Target, note func(string)) (LeftRuns, error)
	// TakeOver goes on here with a run that LeftRuns found; under is the lease that was seen then.
	TakeOver(ctx context.Context, target Target, run string, under engine.Lease) (Started, error)
	// Doctor makes first contact with a cluster or with single nodes.
	Doctor(ctx context.Context, target Target, req DoctorRequest, note func(string)) (DoctorReport, error)
	// HotfixCheck tells whether a hotfix root is safe to install from; it reads and changes nothing.
	HotfixCheck(ctx context.Context, req HotfixCheckRequest, note func(string)) (HotfixReport, error)
	// HotfixList says what a hotfix root holds, for whom and by which rule; it changes nothing.
	HotfixList(ctx context.Context, req HotfixListRequest, note func(string)) (HotfixList, error)
	// ConfigValidate reads a hotfix configuration file on this host.
	ConfigValidate(ctx context.Context, file string) (ConfigReport, error)
	// ConfigInit writes a configuration file into a hotfix root that has none of that name; it overwrites nothing.
	ConfigInit(ctx context.Context, req ConfigInitRequest, note func(string)) (ConfigWritten, error)
	// ConfigShow reads the configuration file of a root, or one on this host.
	ConfigShow(ctx context.Context, place ConfigPlace, note func(string)) (ConfigReport, error)
	// ConfigEdit puts a rule into a configuration file or takes one out. It asks agree with what would change, and writes nothing
	// unless that agrees and the file is still as it was read.
	ConfigEdit(ctx context.Context, req ConfigEditRequest, note func(string), agree func(ConfigChange) bool) (ConfigChange, error)
	// DefaultConfig is our own default configuration file.
	DefaultConfig() string
	// JobList lists the jobs on the nodes, or on one; run narrows it to one run's.
	JobList(ctx context.Context, target Target, node, run string, note func(string)) ([]NodeJob, error)
	// JobKill ends the process tree of a job and says which processes those were (R18).
	JobKill(ctx context.Context, target Target, node, run, id string) ([]int, error)
	// NodeClean removes cau's traces from the nodes, or from one, and says from which; run narrows it to one run's.
	NodeClean(ctx context.Context, target Target, node, run string, note func(string)) ([]string, error)
	// Scenarios, LabUp, LabList, LabDown handle the simulated cluster.
	Scenarios() []Scenario
	LabUp(ctx context.Context, req LabRequest) (LabInfo, error)
	LabList(ctx context.Context) ([]LabInfo, error)
	// LabDown ends the newest lab, or the one whose id begins with id, and says which.
	LabDown(ctx context.Context, id string) (string, error)
	// Coordinate and LabServe are the inside of the two background processes.
	Coordinate(ctx context.Context, run string) error
	LabServe(ctx context.Context, id string, req LabRequest) error
}
