package plugins

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
)

// Default is the plug-in of a run that names none (Invoke-CauRun, CauPluginName).
const Default = "Microsoft.WindowsUpdatePlugin"

// Plugin finds updates for nodes, brings them there and installs them, one at a time. Its methods may
// be called again after a crash: job ids are given by the caller, so that repeating attaches instead of
// starting twice.
type Plugin interface {
	// Name is the registered name, as CAU spells it: "Microsoft.HotfixPlugin".
	Name() string
	// Description is one sentence for the plug-in page.
	Description() string
	// Options are the arguments it takes; pages, flags and validation are generated from them.
	Options() []OptionSpec
	// Validate looks at the arguments alone, beyond what Options say; it does no I/O.
	Validate(args Arguments) []ArgumentError
	// Scan reads what there is to install for the nodes and checks whether it may be trusted. It changes
	// nothing. Findings come as check results; an error means that the scan itself could not be done.
	Scan(ctx context.Context, nodes []string, args Arguments) (Scan, error)
	// Stage brings the updates to the node before anything is drained, and verifies them there. An error means that none of
	// them may be installed; one that alone could not be brought is in the result.
	Stage(ctx context.Context, node Node, req StageRequest, report func(Progress)) (StageResult, error)
	// Install installs one staged update. A failed update is a Result, not an error; an error means
	// that nothing is known (the caller then treats the update as unknown, R19).
	Install(ctx context.Context, node Node, req InstallRequest, report func(Progress)) (Result, error)
	// Remaining returns what of planned is still to be installed, given the results so far (pure).
	Remaining(planned []Update, results map[string]Result) []Update
}

// Checker is a Plugin that is asked about arguments which are right by its Options and by Validate: it may take a while and
// fail, but touches no node.
type Checker interface {
	// Check finds what is wrong with them, in the plug-in's words.
	Check(ctx context.Context, args Arguments) ([]ArgumentError, error)
}

// Refuser is a Plugin whose arguments are known and that no run can have here.
type Refuser interface {
	// Refused says why not, with a hint that says what to do instead.
	Refused() error
}

// Scan is the answer of Plugin.Scan.
type Scan struct {
	// Updates are what each node needs, in installation order, by node name.
	Updates map[string][]Update `json:"updates"`
	// Ignored is what lies in the source and will not be installed, with the reason.
	Ignored []Ignored `json:"ignored,omitempty"`
	// Checks are the plug-in's own checks, by id of the catalogue.
	Checks []check.Result `json:"checks"`
	// Source says where the updates come from, for people.
	Source string `json:"source"`
	// Remarks are what a plan says of a node beside its updates, by node name.
	Remarks map[string][]string `json:"remarks,omitempty"`
	// Pinned are further files the plan depends on (the configuration file).
	Pinned []File `json:"pinned,omitempty"`
}

// File is one file by its content.
type File struct {
	// Path is relative to the source, with backslashes.
	Path string `json:"path"`
	// Size is in bytes.
	Size int64 `json:"size"`
	// SHA256 is in lower-case hex.
	SHA256 string `json:"sha256"`
	// HashedOn is the node that computed SHA256; empty means the host that made the plan.
	HashedOn string `json:"hashed_on,omitempty"`
}

// Update is one thing to install on one node, pinned (R08, R09).
type Update struct {
	// ID is stable for the same source path, made of [a-z0-9-], at most 64 characters; unique per node.
	ID string `json:"id"`
	// Name is what people see: the file's name, a title.
	Name string `json:"name"`
	// Plugin is the plug-in that installs it; in a plan its instance, see engine.PluginPlan.
	Plugin string `json:"plugin"`
	// Files are the update's own file first, then its companions; none where it is no file that the plan could hold.
	Files []File `json:"files"`
	// Identity names exactly what is installed where there are no files (R08).
	Identity string `json:"identity,omitempty"`
	// Rule names the rule that applies: "MSU", "FolderRule1".
	Rule string `json:"rule"`
	// Command is the command line as it will run; its %variables% are expanded on the node, among them
	// %CAU_UPDATE%, the update's local folder.
	Command Command `json:"command"`
	// Warnings are remarks for preview: siblings that are not pinned, an installer that restarts by itself.
	Warnings []string `json:"warnings,omitempty"`
	// MayRestart tells whether installing it can ask for a restart.
	MayRestart bool `json:"may_restart"`
	// About is what the update says of itself; nil where nothing is known beyond its name. It decides nothing.
	About *About `json:"about,omitempty"`
	// ListedAs is the article under which the node lists the update as installed (Win32_QuickFixEngineering.HotFixID); empty
	// where it does not, or where that cannot be told. Its installer is started all the same, and says itself.
	ListedAs string `json:"listed_as,omitempty"`
	// LimitMinutes is how long its installer may take; 0 where that is not known.
	LimitMinutes int `json:"limit_minutes,omitempty"`
	// Payload is the plug-in's own pinned data (exit conditions, time limit); opaque to everyone else.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Command is a program and its parameters as Windows will see them; %variables% are left to the node.
type Command struct {
	Program    string `json:"program"`
	Parameters string `json:"parameters"`
}

// String is the whole command line.
func (c Command) String() string {
	if c.Parameters == "" {
		return c.Program
	}
	return c.Program + " " + c.Parameters
}

// About is what an update says of itself, in single printable lines; a part that nothing says is empty.
type About struct {
	// KB is the article's number, as KB5031234.
	KB           string `json:"kb,omitempty"`
	Product      string `json:"product,omitempty"`
	Architecture string `json:"architecture,omitempty"`
	Title        string `json:"title,omitempty"`
	// Source is where the best part comes from, for people: "summary information", "file name".
	Source string `json:"source,omitempty"`
	// Problem is why the file itself could not be asked.
	Problem string `json:"problem,omitempty"`
}

// Text is all parts in one line, without source and problem.
func (a About) Text() string {
	var parts []string
	for _, part := range []string{a.KB, a.Product, a.Architecture, a.Title} {
		if part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// Ignored is a file or folder that will not be installed, and why.
type Ignored struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	// Kind is a stable id of the reason, where the plug-in has one.
	Kind string `json:"kind,omitempty"`
	// DidYouMean is a likely intended name, or empty.
	DidYouMean string `json:"did_you_mean,omitempty"`
}

// StageRequest asks for updates to be brought to a node.
type StageRequest struct {
	// Run is the updating run's id; it names the folder on the node.
	Run string
	// JobID is unique per run, node and attempt.
	JobID string
	// Source is Scan.Source of the plan.
	Source string
	// Arguments are the plug-in's arguments of the plan.
	Arguments Arguments
	Updates   []Update
	// Delivery is DeliveryPull or DeliveryPush; empty means pull.
	Delivery Delivery
}

// StageResult is what staging saw.
type StageResult struct {
	// Connection is what the node itself says about its connection to the source (R13).
	Connection ShareConnection `json:"connection"`
	// Bytes were copied; files that were already there with the right hash do not count.
	Bytes int64 `json:"bytes"`
	// Failed are updates that could not be brought to the node while others were.
	Failed []StageFailure `json:"-"`
}

// StageFailure is one update that has failed because it could not be brought to the node.
type StageFailure struct {
	// Update is its id.
	Update string
	Err    error
}

// ShareConnection is a node's own view of its SMB connection (Get-SmbConnection).
type ShareConnection struct {
	Dialect   string `json:"dialect"`
	Signed    bool   `json:"signed"`
	Encrypted bool   `json:"encrypted"`
	// Account is as whom the node reads: its computer account.
	Account string `json:"account"`
}

// InstallRequest asks for one staged update to be installed.
type InstallRequest struct {
	Run    string
	JobID  string
	Update Update
	// Signature is the policy for the update's own file; empty means SignatureWarn.
	Signature SignaturePolicy
}

// Outcome is how one update ended on one node (R19).
type Outcome string

// The outcomes. Unknown means started, result lost.
const (
	Installed        Outcome = "installed"
	AlreadyInstalled Outcome = "already-installed"
	NotApplicable    Outcome = "not-applicable"
	UpdateFailed     Outcome = "failed"
	Excluded         Outcome = "excluded"
	Unknown          Outcome = "unknown"
)

// Final tells whether the update needs nothing more on this node.
func (o Outcome) Final() bool {
	return o == Installed || o == AlreadyInstalled || o == NotApplicable || o == Excluded
}

// Result is how one update ended.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// ExitCode is the installer's code; nil where none came back.
	ExitCode *fault.Code `json:"exit_code,omitempty"`
	// RestartRequired is set by exit code or rule, for failed updates too (Fail_RebootRequired).
	RestartRequired bool         `json:"restart_required,omitempty"`
	Cause           *fault.Cause `json:"cause,omitempty"`
	// Signature is what the node said about the file's signature; nil where it was not looked at.
	Signature *Signature `json:"signature,omitempty"`
	// Log is the installer's log on the node, or empty.
	Log string `json:"log,omitempty"`
	// Refused: the update failed before it began, because the node does not let it be installed (ErrJobRefused).
	Refused bool `json:"refused,omitempty"`
}

// Progress is telemetry: it may be lost and decides nothing.
type Progress struct {
	Update  string `json:"update,omitempty"`
	Message string `json:"message"`
	// Percent is 0 to 100, or -1 when unknown.
	Percent int `json:"percent"`
}

// Node is what a plug-in may do on a node: run jobs as SYSTEM there.
type Node interface {
	// Name is the node's cluster name.
	Name() string
	// RunJob starts the job, or attaches to it when job.ID already exists on the node, and waits for its
	// end. It returns ErrJobStillRunning when job.Limit is over (the job goes on, R18), ErrJobLost when the
	// job died without a result, and ErrJobFailed when it ended with an error of its own. Any other error
	// means that nothing is known.
	RunJob(ctx context.Context, job Job, onEvent func(JobEvent)) (json.RawMessage, error)
}

// JobKind names what a job does on the node.
type JobKind string

// The jobs there are.
const (
	// JobStage copies files from a share as the computer account and checks their hashes: StageJob in, StageJobResult out.
	JobStage JobKind = "stage"
	// JobInstaller runs one installer and reports its exit code: InstallerJob in, InstallerJobResult out.
	JobInstaller JobKind = "installer"
)

// Job is work done as SYSTEM on a node, surviving loss of WinRM, of the coordinator, and a restart.
type Job struct {
	// ID is made of [a-z0-9-], at most 100 characters; the same id is the same job.
	ID   string
	Kind JobKind
	// Input is the kind's own type as JSON.
	Input json.RawMessage
	// Limit bounds the wait, not the job; 0 means no limit.
	Limit time.Duration
	// AsCaller runs it in the logon of whoever is connected instead of as SYSTEM; only JobScript can be run so. Its
	// process does not outlive a restart of WinRM.
	AsCaller bool
}

// JobEvent is one line a job reported.
type JobEvent struct {
	Seq     int       `json:"seq"`
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Message string    `json:"message,omitempty"`
	// Done and Total count bytes where the event is about copying.
	Done  int64 `json:"done,omitempty"`
	Total int64 `json:"total,omitempty"`
}

// StageJob is the input of JobStage.
type StageJob struct {
	Run string `json:"run"`
	// Root is the UNC path of the hotfix root; files are relative to it.
	Root string `json:"root"`
	// RequireEncryption fails before the first byte of a file when the connection is not encrypted (R13).
	RequireEncryption bool        `json:"require_encryption"`
	Files             []StageFile `json:"files"`
	// Pushed: the files were pushed before (Pusher); Root is then only for people.
	Pushed bool `json:"pushed,omitempty"`
}

// StageFile is one file to copy: to folder Update of the run's folder, under its own base name
// (or its path below the update's folder for a folder rule).
type StageFile struct {
	Update string `json:"update"`
	File
	// Target is the path below the update's local folder, with backslashes.
	Target string `json:"target"`
}

// UpdateFolderVariable is the environment variable that names an update's local folder on the node while its
// installer runs; command lines in a plan use it, so that what is shown is what runs (R08, R09).
const UpdateFolderVariable = "CAU_UPDATE"

// StageJobResult is the output of JobStage.
type StageJobResult struct {
	Connection ShareConnection `json:"connection"`
	Bytes      int64           `json:"bytes"`
}

// InstallerJob is the input of JobInstaller.
type InstallerJob struct {
	Run    string `json:"run"`
	Update string `json:"update"`
	// Target is the update's own file below the update's local folder; Files are all that must match before it runs (R17).
	Target string      `json:"target"`
	Files  []StageFile `json:"files"`
	// Command is run as it stands after the node expanded its %variables%, among them %CAU_UPDATE%.
	Command Command `json:"command"`
	// Signature is the policy for Target; empty means SignatureWarn.
	Signature SignaturePolicy `json:"signature,omitempty"`
}

// LogVariable is the environment variable that names, while an installer runs, a file that it may log to.
const LogVariable = "CAU_LOG"

// InstallerJobResult is the output of JobInstaller.
type InstallerJobResult struct {
	ExitCode int64 `json:"exit_code"`
	// Log is the path of the installer's log on the node, or empty.
	Log       string     `json:"log,omitempty"`
	Signature *Signature `json:"signature,omitempty"`
}

// Errors of Node.RunJob that callers branch on.
var (
	// ErrJobStillRunning: the limit is over, the job goes on and is still watched (R18).
	ErrJobStillRunning = errors.New("the job is still running")
	// ErrJobFailed: the job ended and says itself that it could not do its work: a hash did not match, the
	// share refused, the program does not exist. Nothing was installed by it. The chain holds a *fault.Error.
	ErrJobFailed = errors.New("the job failed")
	// ErrJobRefused is an ErrJobFailed whose reason does not pass: the file is not the plan's, its signature is not
	// valid, somebody else's folder is in the way. The same job would be refused again.
	ErrJobRefused = errors.New("the job was refused")
	// ErrJobLost: the job was started and its process ended without a result (R19: unknown).
	ErrJobLost = errors.New("the job ended without a result")
)
