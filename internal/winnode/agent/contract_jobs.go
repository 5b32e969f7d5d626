package agent

// Operations on jobs beyond start and poll.
const (
	OpJobList    = "job.list"
	OpJobCancel  = "job.cancel"
	OpJobKill    = "job.kill"
	OpJobDelete  = "job.delete"
	OpJobRunHere = "job.run-here"
	OpPushOpen   = "push.open"
	OpPushClose  = "push.close"
)

// JobListArgs name a run, or all with an empty one.
type JobListArgs struct {
	Run string `json:"run"`
}

// JobList answers OpJobList: what earlier runs left behind, too.
type JobList struct {
	Jobs []JobEntry `json:"jobs"`
}

// JobEntry is one job on the node.
type JobEntry struct {
	Run  string `json:"run"`
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// TaskState is 0 where there is no task any more.
	TaskState int `json:"task_state"`
	// LastResult is the task's LastTaskResult, as 32 bits: 0x41301 running, 0x41303 has not run, 0x41325 queued.
	LastResult   int64  `json:"last_result"`
	ProcessAlive bool   `json:"process_alive"`
	HeartbeatUTC string `json:"heartbeat_utc"`
	Finished     bool   `json:"finished"`
}

// JobArgs name one job, for cancel, kill, delete and run-here.
type JobArgs struct {
	ID  string `json:"id"`
	Run string `json:"run"`
}

// JobCancel answers OpJobCancel. It leaves a note that the job looks for between two updates or before it starts an
// installer; what is being installed is never interrupted (R18).
type JobCancel struct {
	Exists bool `json:"exists"`
}

// JobKill answers OpJobKill, which ends the process tree of an installer or a script, and then its job. It is for
// `cau job kill` with a typed confirmation alone (R18).
type JobKill struct {
	Exists bool `json:"exists"`
	// Ended are the ids of the processes that were ended.
	Ended []int `json:"ended"`
}

// JobDelete answers OpJobDelete; a job that still works is refused.
type JobDelete struct {
	Removed bool `json:"removed"`
}

// JobRunHereArgs run a job within this very process, in the caller's own logon instead of SYSTEM's, and answer when
// it has ended. The same id is the same job. Only JobScript is taken (`--script-as caller`).
type JobRunHereArgs struct {
	ID    string `json:"id"`
	Run   string `json:"run"`
	Kind  string `json:"kind"`
	Input string `json:"input"`
}

// PushArgs open or close the folder that a run's files are pushed to: %SystemRoot%\cau-push\<run>, which is
// ADMIN$\cau-push\<run> from outside, made with its final descriptor in one call (R17, R24).
type PushArgs struct {
	Run string `json:"run"`
}

// Push answers OpPushOpen and OpPushClose.
type Push struct {
	// Folder is the folder below ADMIN$, with backslashes.
	Folder    string `json:"folder"`
	FreeBytes int64  `json:"free_bytes"`
}

// Further job kinds, each with a script jobs/<kind>.ps1.
const (
	JobShareProbe      = "share.probe"
	JobShareHash       = "share.hash"
	JobScript          = "script"
	JobUpdatesScan     = "wu.scan"
	JobUpdatesDownload = "wu.download"
	JobUpdatesInstall  = "wu.install"
	JobUpdatesRestart  = "wu.reboot-required"
	JobCauScan         = "cau.scan"
)

// ShareProbeInput is the input of the share probe: can this node's computer account read the root?
type ShareProbeInput struct {
	Root              string `json:"root"`
	RequireEncryption bool   `json:"require_encryption"`
	// File is a file below the root whose first byte is read, or empty: then the root is listed.
	File string `json:"file"`
}

// ShareProbeOutput is the share probe's data. A share that cannot be read is the job's error.
type ShareProbeOutput struct {
	Connection Connection `json:"connection"`
	// Entries is how many entries the root has, at most 1000.
	Entries int `json:"entries"`
}

// ShareHashInput is the input of the hash job: files below the root, at most 4096, whose SHA-256 the node computes over its own
// connection.
type ShareHashInput struct {
	Root              string   `json:"root"`
	RequireEncryption bool     `json:"require_encryption"`
	Files             []string `json:"files"`
}

// ShareHashOutput is the hash job's data, in the order of the input. A file that cannot be read is the job's error.
type ShareHashOutput struct {
	Connection Connection   `json:"connection"`
	Files      []HashedFile `json:"files"`
}

// HashedFile is one file as the node read it.
type HashedFile struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Phases of a script (CAU_PHASE).
const (
	PhasePre     = "pre"
	PhasePost    = "post"
	PhaseScan    = "scan"
	PhaseStage   = "stage"
	PhaseInstall = "install"
)

// ScriptInput is the input of the script job: one PowerShell script, pinned by its hash, run in a process of its own.
// The process has CAU_RUN, CAU_NODE, CAU_CLUSTER and CAU_PHASE in its environment; each line that it prints is an
// event of kind "output". A script that runs on is not ended by the job.
type ScriptInput struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Cluster string `json:"cluster"`
	Phase   string `json:"phase"`
	// Text is the script in base64, at most MaxScript bytes.
	Text string `json:"text"`
}

// MaxScript bounds a script in bytes.
const MaxScript = 512 << 10

// ScriptOutput is the script job's data. ExitCode is 1 when the script ended with an error of its own.
type ScriptOutput struct {
	ExitCode int64 `json:"exit_code"`
	// Account is as whom it ran.
	Account string `json:"account"`
	// Truncated: it printed more than 1 MiB; the rest is in the log alone.
	Truncated bool `json:"truncated"`
	// Log is the whole output's path on the node.
	Log string `json:"log"`
}

// Authenticode policies of InstallerInput.
const (
	SignatureRequire = "require"
	SignatureWarn    = "warn"
	SignatureIgnore  = "ignore"
)

// Signature is what Get-AuthenticodeSignature says: Status is a SignatureStatus (0 valid, 1 unknown error, 2 not
// signed, 3 hash mismatch, 4 not trusted, 5 not supported format, 6 incompatible).
type Signature struct {
	Status     int    `json:"status"`
	Signer     string `json:"signer"`
	Thumbprint string `json:"thumbprint"`
}

// UpdatesQuery says what to ask the update agent, and where.
type UpdatesQuery struct {
	// Criteria is the agent's query language.
	Criteria string `json:"criteria"`
	// ServerSelection is 0 default, 1 managed (WSUS), 2 Windows Update, 3 the service that ServiceID names.
	ServerSelection int    `json:"server_selection"`
	ServiceID       string `json:"service_id"`
	// IncludePotentiallySuperseded is the searcher's property of that name.
	IncludePotentiallySuperseded bool `json:"include_superseded"`
}

// UpdatesScanOutput is the data of JobUpdatesScan.
type UpdatesScanOutput struct {
	// ResultCode is an OperationResultCode: 2 succeeded, 3 with errors.
	ResultCode int           `json:"result_code"`
	Updates    []FoundUpdate `json:"updates"`
	// Warnings are the search's, with their HRESULTs.
	Warnings []UpdateWarning `json:"warnings"`
	// Server is where the answer came from: the WSUS address, or empty.
	Server string `json:"server"`
	// Source is the name of the service that answered as the agent has it ("Windows Server Update Service", "Microsoft
	// Update"), empty where it does not say.
	Source string `json:"source"`
	// LastScan is when automatic updates last searched with success, in UTC (round-trip format); empty where they never did.
	LastScan string `json:"last_scan"`
}

// FoundUpdate is one IUpdate.
type FoundUpdate struct {
	ID       string   `json:"id"`
	Revision int      `json:"revision"`
	Title    string   `json:"title"`
	KBs      []string `json:"kbs"`
	// Type is 1 software, 2 driver.
	Type         int      `json:"type"`
	Categories   []string `json:"categories"`
	Severity     string   `json:"severity"`
	MaxBytes     int64    `json:"max_bytes"`
	Downloaded   bool     `json:"downloaded"`
	Mandatory    bool     `json:"mandatory"`
	EulaAccepted bool     `json:"eula_accepted"`
	CanAskUser   bool     `json:"can_ask_user"`
	// Impact is 0 normal, 1 minor, 2 must be installed alone; Reboot 0 never, 1 always, 2 can.
	Impact int `json:"impact"`
	Reboot int `json:"reboot"`
	// BrowseOnly marks recommended and optional updates.
	BrowseOnly bool     `json:"browse_only"`
	AutoSelect bool     `json:"auto_select"`
	Installed  bool     `json:"installed"`
	Superseded []string `json:"superseded"`
}

// UpdateWarning is one IUpdateException: Context 1 general, 2 driver, 3 Windows Installer, 4 search incomplete.
type UpdateWarning struct {
	Context int    `json:"context"`
	HResult int64  `json:"hresult"`
	Message string `json:"message"`
}

// UpdateID names one update exactly (R08).
type UpdateID struct {
	ID       string `json:"id"`
	Revision int    `json:"revision"`
}

// UpdatesWorkInput is the input of JobUpdatesDownload and JobUpdatesInstall: the updates in order, one call of the
// agent for each, an event after each; a note to cancel is looked for in between.
type UpdatesWorkInput struct {
	UpdatesQuery
	Updates []UpdateID `json:"updates"`
}

// UpdatesWorkOutput is their data.
type UpdatesWorkOutput struct {
	Results []UpdateResult `json:"results"`
	// RestartRequired is the update agent's own answer after the work (Microsoft.Update.SystemInfo).
	RestartRequired bool `json:"restart_required"`
}

// UpdateResult is one update's: ResultCode is an OperationResultCode (0 not started, 2 succeeded, 3 with errors,
// 4 failed, 5 aborted).
type UpdateResult struct {
	UpdateID
	// Missing: the agent does not offer it any more; nothing was done.
	Missing         bool  `json:"missing"`
	AlreadyDone     bool  `json:"already_done"`
	ResultCode      int   `json:"result_code"`
	HResult         int64 `json:"hresult"`
	RestartRequired bool  `json:"restart_required"`
}

// RestartRequired is the data of JobUpdatesRestart.
type RestartRequired struct {
	Required bool `json:"required"`
}

// CauScanInput is the input of JobCauScan: what MSFT_CAUNode.ScanUpdates is asked for on the node (CAUWMIV2 reference).
type CauScanInput struct {
	// Criteria is its QueryString, Recommended its IncludeRecommendedUpdates.
	Criteria    string `json:"criteria"`
	Recommended bool   `json:"recommended"`
}

// CauScanOutput is the job's data.
type CauScanOutput struct {
	// Available is false where the node does not have the class.
	Available bool       `json:"available"`
	Updates   []CauFound `json:"updates"`
}

// CauFound is one MSFT_CAU_ScanUpdateInfo.
type CauFound struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}
