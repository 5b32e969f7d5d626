package plugins

import (
	"context"
	"io"
	"time"
)

// Further jobs.
const (
	// JobShareProbe reads the root as the computer account without copying anything: ShareProbeJob in, ShareProbeJobResult out.
	JobShareProbe JobKind = "share.probe"
	// JobShareHash reads files of the root as the computer account and says their SHA-256: ShareHashJob in, ShareHashJobResult out.
	JobShareHash JobKind = "share.hash"
	// JobScript runs one pinned PowerShell script in a process of its own: ScriptJob in, ScriptJobResult out.
	JobScript JobKind = "script"
	// JobUpdatesScan asks the update agent what is offered: UpdatesQuery in, UpdatesScanResult out.
	JobUpdatesScan JobKind = "wu.scan"
	// JobUpdatesDownload and JobUpdatesInstall work through updates one after the other: UpdatesJob in, UpdatesJobResult out.
	JobUpdatesDownload JobKind = "wu.download"
	JobUpdatesInstall  JobKind = "wu.install"
	// JobUpdatesRestart asks the update agent whether a restart is required: UpdatesQuery in, of which only Run counts,
	// UpdatesRestartResult out.
	JobUpdatesRestart JobKind = "wu.reboot-required"
	// JobCauScan asks the provider of Microsoft's CAU on the node what it finds: CauScanJob in, CauScanResult out.
	JobCauScan JobKind = "cau.scan"
)

// ShareProbeJob is the input of JobShareProbe.
type ShareProbeJob struct {
	Run               string `json:"run"`
	Root              string `json:"root"`
	RequireEncryption bool   `json:"require_encryption"`
	// File is read's first byte, if it is not empty; otherwise the root is listed.
	File string `json:"file,omitempty"`
}

// ShareProbeJobResult is the output of JobShareProbe. A root that cannot be read is ErrJobFailed.
type ShareProbeJobResult struct {
	Connection ShareConnection `json:"connection"`
	Entries    int             `json:"entries"`
}

// ShareHashJob is the input of JobShareHash. Files are below the root, with backslashes, at most 4096.
type ShareHashJob struct {
	Run               string   `json:"run"`
	Root              string   `json:"root"`
	RequireEncryption bool     `json:"require_encryption"`
	Files             []string `json:"files"`
}

// ShareHashJobResult is the output of JobShareHash: the files in the order in which they were asked for. A file that cannot be
// read is ErrJobFailed.
type ShareHashJobResult struct {
	Connection ShareConnection `json:"connection"`
	Files      []File          `json:"files"`
}

// Phases of a script, as it finds them in CAU_PHASE: the run's own before and after a node's turn, and other people's
// plug-ins' by the request that they answer.
const (
	PhasePre     = "pre"
	PhasePost    = "post"
	PhaseScan    = "scan"
	PhaseStage   = "stage"
	PhaseInstall = "install"
)

// ScriptJob is the input of JobScript. The node checks SHA256 (lower-case hex) before it runs Text.
type ScriptJob struct {
	Run     string `json:"run"`
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Cluster string `json:"cluster"`
	Phase   string `json:"phase"`
	Text    []byte `json:"text"`
}

// ScriptJobResult is the output of JobScript. Its lines came as events of kind "output".
type ScriptJobResult struct {
	ExitCode  int64  `json:"exit_code"`
	Account   string `json:"account"`
	Truncated bool   `json:"truncated,omitempty"`
	// Log is the whole output's path on the node.
	Log string `json:"log,omitempty"`
}

// SignaturePolicy says what is done about an update whose Authenticode signature is not valid.
type SignaturePolicy string

// The policies; the default is SignatureWarn.
const (
	SignatureRequire SignaturePolicy = "require"
	SignatureWarn    SignaturePolicy = "warn"
	SignatureIgnore  SignaturePolicy = "ignore"
)

// Signature is what the node says about a file's Authenticode signature.
type Signature struct {
	// Valid, and otherwise Status in Windows' word for it: "NotSigned", "HashMismatch", "NotTrusted".
	Valid      bool   `json:"valid"`
	Status     string `json:"status"`
	Signer     string `json:"signer,omitempty"`
	Thumbprint string `json:"thumbprint,omitempty"`
}

// Delivery is how files come to a node (R24).
type Delivery string

// The ways. DeliveryAuto is decided for each node before the plan is made, and is in no plan.
const (
	DeliveryAuto Delivery = "auto"
	// DeliveryPull lets the node read the root as its computer account.
	DeliveryPull Delivery = "pull"
	// DeliveryPush writes to the node's ADMIN$ share over signed or sealed SMB.
	DeliveryPush Delivery = "push"
)

// Pusher is a Node that files can be pushed to.
type Pusher interface {
	// Push brings the files to the node's push folder, where a stage job with Pushed finds them. What is there
	// with the right size and hash is not written again.
	Push(ctx context.Context, req PushRequest, report func(Progress)) (ShareConnection, error)
}

// PushRequest asks for files to be pushed.
type PushRequest struct {
	Run   string
	Files []File
	// Open reads a file of the root from its start.
	Open func(ctx context.Context, path string) (io.ReadCloser, error)
}

// UpdatesQuery says what to ask the update agent, and where.
type UpdatesQuery struct {
	Run string `json:"run"`
	// Criteria is the agent's query language.
	Criteria string `json:"criteria"`
	// ServerSelection is 0 default, 1 managed (WSUS), 2 Windows Update, 3 the service that ServiceID names.
	ServerSelection              int    `json:"server_selection"`
	ServiceID                    string `json:"service_id,omitempty"`
	IncludePotentiallySuperseded bool   `json:"include_superseded,omitempty"`
}

// UpdatesScanResult is the output of JobUpdatesScan.
type UpdatesScanResult struct {
	// ResultCode is an OperationResultCode: 2 succeeded, 3 with errors.
	ResultCode int             `json:"result_code"`
	Updates    []FoundUpdate   `json:"updates"`
	Warnings   []UpdateWarning `json:"warnings,omitempty"`
	// Server is the WSUS address that policy sends the node to, or empty; Source the name of the service that answered.
	Server string `json:"server,omitempty"`
	Source string `json:"source,omitempty"`
	// LastScan is when the node last searched by itself with success; zero where it never did or does not say.
	LastScan time.Time `json:"last_scan,omitzero"`
}

// FoundUpdate is one update that the agent offers.
type FoundUpdate struct {
	UpdateID
	Title string   `json:"title"`
	KBs   []string `json:"kbs,omitempty"`
	// Type is 1 software, 2 driver.
	Type         int      `json:"type"`
	Categories   []string `json:"categories,omitempty"`
	Severity     string   `json:"severity,omitempty"`
	MaxBytes     int64    `json:"max_bytes"`
	Downloaded   bool     `json:"downloaded"`
	Mandatory    bool     `json:"mandatory"`
	EulaAccepted bool     `json:"eula_accepted"`
	CanAskUser   bool     `json:"can_ask_user"`
	// Impact is 0 normal, 1 minor, 2 must be installed alone; Reboot 0 never, 1 always, 2 can.
	Impact     int      `json:"impact"`
	Reboot     int      `json:"reboot"`
	BrowseOnly bool     `json:"browse_only"`
	AutoSelect bool     `json:"auto_select"`
	Installed  bool     `json:"installed,omitempty"`
	Superseded []string `json:"superseded,omitempty"`
}

// UpdateWarning is one of the search's warnings: Context 1 general, 2 driver, 3 Windows Installer, 4 incomplete.
type UpdateWarning struct {
	Context int    `json:"context"`
	HResult int64  `json:"hresult"`
	Message string `json:"message"`
}

// UpdateID names one update of the agent exactly (R08).
type UpdateID struct {
	ID       string `json:"id"`
	Revision int    `json:"revision"`
}

// UpdatesJob is the input of JobUpdatesDownload and JobUpdatesInstall.
type UpdatesJob struct {
	UpdatesQuery
	Updates []UpdateID `json:"updates"`
}

// UpdatesJobResult is their output.
type UpdatesJobResult struct {
	Results         []UpdateResult `json:"results"`
	RestartRequired bool           `json:"restart_required"`
}

// UpdateResult is one update's: ResultCode is an OperationResultCode (2 succeeded, 3 with errors, 4 failed, 5 aborted).
type UpdateResult struct {
	UpdateID
	Missing         bool  `json:"missing,omitempty"`
	AlreadyDone     bool  `json:"already_done,omitempty"`
	ResultCode      int   `json:"result_code"`
	HResult         int64 `json:"hresult"`
	RestartRequired bool  `json:"restart_required,omitempty"`
}

// UpdatesRestartResult is the output of JobUpdatesRestart.
type UpdatesRestartResult struct {
	Required bool `json:"required"`
}

// CauScanJob is the input of JobCauScan, by the arguments of MSFT_CAUNode.ScanUpdates (CAUWMIV2 reference).
type CauScanJob struct {
	Run                       string `json:"run"`
	QueryString               string `json:"query_string"`
	IncludeRecommendedUpdates bool   `json:"include_recommended_updates"`
}

// CauScanResult is its output. Available is false where the node has no such provider.
type CauScanResult struct {
	Available bool          `json:"available"`
	Updates   []NamedUpdate `json:"updates"`
}

// NamedUpdate is an update by its id, a GUID in lower case, and its title. A revision is not known.
type NamedUpdate struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}
