package agent

import "encoding/json"

// Operation names, each with a script ops/<name>.ps1.
const (
	OpHello              = "hello"
	OpBootInfo           = "boot.info"
	OpPendingGet         = "pending.get"
	OpClusterGet         = "cluster.get"
	OpClusterOffline     = "cluster.offline-check"
	OpCauRuns            = "cau.runs"
	OpStorageGet         = "storage.get"
	OpStorageMaintenance = "storage.maintenance"
	OpNodePause          = "node.pause"
	OpNodeResume         = "node.resume"
	OpNodeRestart        = "node.restart"
	OpNodeRestartAbort   = "node.restart-abort"
	OpNodeClean          = "node.clean"
	OpJobStart           = "job.start"
	OpJobPoll            = "job.poll"
)

// Request is one operation with its arguments; it travels as base64 of its JSON.
type Request struct {
	V    int             `json:"v"`
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
	// Epoch, if not 0, is the lease under which a changing operation is asked for (R27). A node that knows of another
	// one refuses it with kind "fenced".
	Epoch int64 `json:"epoch,omitempty"`
}

// Response is what an operation answers inside the frame.
type Response struct {
	V    int             `json:"v"`
	OK   bool            `json:"ok"`
	Data json.RawMessage `json:"data,omitempty"`
	Err  *OpError        `json:"err,omitempty"`
	// Host is the computer that answered; UTC is its clock, ISO 8601.
	Host string `json:"host"`
	UTC  string `json:"utc"`
}

// OpError is why an operation failed on the node.
type OpError struct {
	// Kind is one of: win32, hresult, refused, missing, fenced, script.
	Kind    string `json:"kind"`
	Message string `json:"message"`
	// Code is the Win32 error or HRESULT as a number, 0 where there is none.
	Code int64 `json:"code"`
}

// Installed answers the upload of the bundle.
type Installed struct {
	// Path is where the bundle lies on the node.
	Path string `json:"path"`
	// Existed: the same bundle was there already.
	Existed bool `json:"existed"`
}

// NodeArgs names a node of the cluster.
type NodeArgs struct {
	Node string `json:"node"`
}

// Hello answers OpHello.
type Hello struct {
	Computer      string   `json:"computer"`
	Domain        string   `json:"domain"`
	Build         string   `json:"build"`
	PowerShell    string   `json:"powershell"`
	LanguageMode  string   `json:"language_mode"`
	Admin         bool     `json:"admin"`
	FreeBytes     int64    `json:"free_bytes"`
	Namespaces    []string `json:"namespaces"`
	MaxEnvelopeKB int      `json:"max_envelope_kb"`
	MaxShells     int      `json:"max_shells"`
	// Fqdn is the computer's full DNS name; Token how the caller is signed in: "network", "batch", "interactive".
	Fqdn  string `json:"fqdn"`
	Token string `json:"token"`
	// ClusterModule: the FailoverClusters cmdlets are installed; nothing here needs them.
	ClusterModule bool `json:"cluster_module"`
}

// BootInfo answers OpBootInfo. BootFileTime is Win32_OperatingSystem.LastBootUpTime as FILETIME, in text.
type BootInfo struct {
	BootFileTime     string  `json:"boot_filetime"`
	UptimeSeconds    float64 `json:"uptime_seconds"`
	AutoLogonChecked bool    `json:"autologon_checked"`
	// CBSServicing is ServicingInProgress: 0 none, 1 pending restart, 2 working.
	CBSServicing   int  `json:"cbs_servicing"`
	TiWorker       bool `json:"tiworker"`
	ClusterService bool `json:"cluster_service"`
}

// Pending answers OpPendingGet: each signal by itself.
type Pending struct {
	CBSRebootPending    bool `json:"cbs_reboot_pending"`
	CBSPackagesPending  bool `json:"cbs_packages_pending"`
	WURebootRequired    bool `json:"wu_reboot_required"`
	UpdateExeVolatile   bool `json:"update_exe_volatile"`
	PendingXML          bool `json:"pending_xml"`
	PendingFileRename   bool `json:"pending_file_rename"`
	ComputerNamePending bool `json:"computer_name_pending"`
}

// Cluster answers OpClusterGet, in the numbers of root/MSCluster.
type Cluster struct {
	Name          string   `json:"name"`
	Fqdn          string   `json:"fqdn"`
	DynamicQuorum bool     `json:"dynamic_quorum"`
	WitnessWeight int      `json:"witness_weight"`
	WitnessOnline bool     `json:"witness_online"`
	S2D           bool     `json:"s2d"`
	Nodes         []Member `json:"nodes"`
	Groups        []Group  `json:"groups"`
	SharedVolumes []Group  `json:"shared_volumes"`
	// AntiAffinityEnforced: a group stays offline rather than beside one of its AntiAffinity classes
	// (ClusterEnforcedAntiAffinity). AffinityRules are empty before Windows Server 2019.
	AntiAffinityEnforced bool           `json:"anti_affinity_enforced"`
	AffinityRules        []AffinityRule `json:"affinity_rules"`
	AccessPoints         []AccessPoint  `json:"access_points"`
}

// AccessPoint is a resource by which clients reach a role: of the type Network Name or Distributed Network Name with its
// private property DnsName or Name, of the type IP Address or IPv6 Address with Address ("Network Name", "IP Address":
// MSCS reference, private properties).
type AccessPoint struct {
	Group   string `json:"group"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
}

// Member is one MSCluster_Node.
type Member struct {
	Name              string `json:"name"`
	State             int    `json:"state"`
	DrainStatus       int    `json:"drain_status"`
	StatusInformation int    `json:"status_information"`
	DynamicWeight     int    `json:"dynamic_weight"`
	// FaultDomain are the node's fault domains as MSCluster_Node.FaultDomain lists them (Windows Server 2016 and later;
	// "Nodes: FaultDomain", MSCS reference). That an entry reads Site:NAME is unproven.
	FaultDomain []string `json:"fault_domain"`
}

// Group is one MSCluster_ResourceGroup or cluster shared volume.
type Group struct {
	Name  string `json:"name"`
	Owner string `json:"owner"`
	State int    `json:"state"`
	Core  bool   `json:"core"`
	// StatusInformation bits: 1 locked ("Groups: StatusInformation", MSCS reference). Locked is LockedFromMoving, 0 where
	// this Windows does not have it. AntiAffinity are the AntiAffinityClassNames ("Groups: AntiAffinityClassNames"). A
	// shared volume has none of them.
	StatusInformation int64    `json:"status_information,omitempty"`
	Locked            int64    `json:"locked,omitempty"`
	AntiAffinity      []string `json:"anti_affinity,omitempty"`
}

// OfflineCheck answers OpClusterOffline (MSCluster_Node.WillOfflineLoseQuorum).
type OfflineCheck struct {
	LosesQuorum bool `json:"loses_quorum"`
}

// CauRuns answers OpCauRuns: instances of MSFT_CAURun and MSFT_CAUNode.
type CauRuns struct {
	// Available is false where the namespace does not exist.
	Available bool     `json:"available"`
	Runs      []string `json:"runs"`
	Nodes     []string `json:"nodes"`
}

// Storage answers OpStorageGet, in the numbers of root/Microsoft/Windows/Storage.
type Storage struct {
	VirtualDisks []VirtualDisk `json:"virtual_disks"`
	Jobs         []StorageJob  `json:"jobs"`
	FaultDomains []FaultDomain `json:"fault_domains"`
}

// VirtualDisk is one MSFT_VirtualDisk: Health 0 is healthy; Operational {2} is OK.
type VirtualDisk struct {
	Name        string `json:"name"`
	Health      int    `json:"health"`
	Operational []int  `json:"operational"`
}

// StorageJob is one MSFT_StorageJob: State 7 is completed.
type StorageJob struct {
	Name    string `json:"name"`
	State   int    `json:"state"`
	Percent int    `json:"percent"`
}

// FaultDomain is one MSFT_StorageFaultDomain: Operational 27 is in maintenance mode.
type FaultDomain struct {
	Name        string `json:"name"`
	Operational []int  `json:"operational"`
}

// StorageMaintenanceArgs enter or leave storage maintenance mode of a node's disks.
type StorageMaintenanceArgs struct {
	Node   string `json:"node"`
	Enable bool   `json:"enable"`
}

// PauseArgs pause a node.
type PauseArgs struct {
	Node string `json:"node"`
	// DrainType is one of the three below; every other number is refused.
	DrainType int `json:"drain_type"`
}

// Drain types (MSCluster_Node.Pause, Failover Cluster WMI provider): DrainNone only pauses, what runs on the node stays
// there. DrainRoles moves it away. DrainForced does so too, and what cannot be moved safely is stopped and moved as
// failed (Suspend-ClusterNode, -ForceDrain).
const (
	DrainNone   = 0
	DrainRoles  = 1
	DrainForced = 2
)

// ResumeArgs resume a node: FailbackType 0 do not, 1 immediately, 2 per policy (MSCluster_Node.Resume).
type ResumeArgs struct {
	Node         string `json:"node"`
	FailbackType int    `json:"failback_type"`
}

// RestartArgs ask for a restart unless the boot identity is no longer ExpectBoot, by more than two seconds. It is refused
// while a job or what one started still works (R18).
type RestartArgs struct {
	DelaySeconds int    `json:"delay_seconds"`
	Comment      string `json:"comment"`
	ExpectBoot   string `json:"expect_boot"`
}

// Restart answers OpNodeRestart: shutdown.exe's code (0, 1115 in progress, 1190 already scheduled).
type Restart struct {
	Code int64 `json:"code"`
	// AlreadyRestarted: the boot identity had changed; nothing was done.
	AlreadyRestarted bool `json:"already_restarted"`
}

// RestartAbort answers OpNodeRestartAbort: shutdown.exe's code (0, 1116 none scheduled).
type RestartAbort struct {
	Code int64 `json:"code"`
}

// CleanArgs say what to remove: Run names one run's traces; empty removes every trace.
type CleanArgs struct {
	Run string `json:"run"`
}

// Clean answers OpNodeClean.
type Clean struct {
	Removed []string `json:"removed"`
}

// JobStartArgs start a SYSTEM job. The same id is the same job: starting it again attaches.
type JobStartArgs struct {
	ID    string `json:"id"`
	Run   string `json:"run"`
	Kind  string `json:"kind"`
	Input string `json:"input"`
}

// JobStart answers OpJobStart.
type JobStart struct {
	// Existed: the job was there already; nothing was started.
	Existed bool `json:"existed"`
	// TaskState: 0 unknown, 1 disabled, 2 queued, 3 ready, 4 running (Task Scheduler).
	TaskState int `json:"task_state"`
}

// JobPollArgs read what is new since Offset (bytes of the job's event file).
type JobPollArgs struct {
	ID     string `json:"id"`
	Run    string `json:"run"`
	Offset int64  `json:"offset"`
}

// JobPoll answers OpJobPoll.
type JobPoll struct {
	// Exists is false when there is no such job on the node.
	Exists    bool `json:"exists"`
	TaskState int  `json:"task_state"`
	// ProcessAlive: the job's own process (id and start time as it wrote them) still runs.
	ProcessAlive bool   `json:"process_alive"`
	HeartbeatUTC string `json:"heartbeat_utc"`
	NextOffset   int64  `json:"next_offset"`
	// Events are complete JSON lines of the event file.
	Events []string `json:"events"`
	// Result is the job's result file, or empty while there is none: a JobResult as JSON.
	Result string `json:"result"`
}

// JobEvent is one line of a job's event file.
type JobEvent struct {
	Seq     int    `json:"seq"`
	UTC     string `json:"utc"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
}

// JobResult is a job's result file, written once, last.
type JobResult struct {
	OK   bool            `json:"ok"`
	Data json.RawMessage `json:"data,omitempty"`
	Err  *OpError        `json:"err,omitempty"`
}

// Job kinds, each with a script jobs/<kind>.ps1.
const (
	JobStage     = "stage"
	JobInstaller = "installer"
)

// StageInput is the input of the stage job: copy files from the share as the computer account, check
// size and SHA-256 through the handle that wrote them (R17), report the connection (R13).
type StageInput struct {
	Run               string `json:"run"`
	Root              string `json:"root"`
	RequireEncryption bool   `json:"require_encryption"`
	// Pushed: the files lie in the run's push folder instead (R24); Root is then empty.
	Pushed bool `json:"pushed,omitempty"`
	// ReserveBytes must stay free beyond twice the size of what is still to be copied (R23); if they would
	// not, the job ends with ERROR_DISK_FULL (112) before the first byte of a file.
	ReserveBytes int64       `json:"reserve_bytes"`
	Files        []StageFile `json:"files"`
}

// StageFile is one file: Path below the root, copied to <run folder>\<Update>\<Target>.
type StageFile struct {
	Update string `json:"update"`
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Target string `json:"target"`
}

// StageOutput is the stage job's data.
type StageOutput struct {
	Connection Connection `json:"connection"`
	Bytes      int64      `json:"bytes"`
}

// Connection is Get-SmbConnection as the job saw it.
type Connection struct {
	Dialect   string `json:"dialect"`
	Signed    bool   `json:"signed"`
	Encrypted bool   `json:"encrypted"`
	Account   string `json:"account"`
}

// InstallerInput is the input of the installer job: verify the staged files through held handles, run the
// command with its %variables% expanded, among them %CAU_UPDATE%, the update's local folder; wait, report the code.
type InstallerInput struct {
	Run        string      `json:"run"`
	Update     string      `json:"update"`
	Target     string      `json:"target"`
	Files      []StageFile `json:"files"`
	Program    string      `json:"program"`
	Parameters string      `json:"parameters"`
	// Signature is the Authenticode policy for the update's own file: SignatureRequire refuses it before it is
	// started unless its signature is valid. Empty means SignatureWarn.
	Signature string `json:"signature,omitempty"`
}

// InstallerOutput is the installer job's data.
type InstallerOutput struct {
	ExitCode int64 `json:"exit_code"`
	// Log is what the installer wrote to %CAU_LOG%, or empty where it wrote nothing there.
	Log string `json:"log"`
	// Signature is nil where it was not looked at.
	Signature *Signature `json:"signature,omitempty"`
}
