package agent

// Operations that read more facts of a node, or perform one small act there.
const (
	OpUpdatersGet     = "updaters.get"
	OpBackupGet       = "backup.get"
	OpBitLockerGet    = "bitlocker.get"
	OpHotfixList      = "hotfix.list"
	OpCauPlugins      = "cau.plugins"
	OpCauHotfixConfig = "cau.hotfix-config"
	OpEventLogTail    = "eventlog.tail"
	OpGroupMove       = "group.move"
	OpServiceStart    = "service.start"
	OpQuotasGet       = "quotas.get"
	OpShareDescribe   = "share.describe"
	OpShareApply      = "share.apply"
	OpFirewallRule    = "firewall.rule"
)

// Updaters answers OpUpdatersGet: what else could install or restart on this node (R12).
type Updaters struct {
	// AutomaticUpdates is the policy or setting AUOptions: 0 not set, 1 off, 2 notify, 3 download, 4 install on
	// schedule, 5 local choice. NoAutoUpdate is the policy that turns them off.
	AutomaticUpdates int  `json:"automatic_updates"`
	NoAutoUpdate     bool `json:"no_auto_update"`
	// Server is the policy's WSUS server, or empty.
	Server string `json:"server"`
	// ConfigMgr: the client's service (CcmExec) exists; ConfigMgrRunning: it runs.
	ConfigMgr        bool `json:"config_mgr"`
	ConfigMgrRunning bool `json:"config_mgr_running"`
	// Servicing: TiWorker or another installer of Windows works right now.
	Servicing bool `json:"servicing"`
	// SelfUpdating are CAU's own roles on the cluster, with the schedule as their private properties say it.
	SelfUpdating []CauSchedule `json:"self_updating"`
	// UTCOffsetMinutes is how far the node's local time, in which schedules are, is ahead of UTC now.
	UTCOffsetMinutes int `json:"utc_offset_minutes"`
}

// CauSchedule is one clustered CAU role (resource type ClusterAwareUpdatingResource).
type CauSchedule struct {
	Name  string `json:"name"`
	State int    `json:"state"`
	// Properties are the schedule's private properties as text, name=value; empty where they cannot be read.
	Properties []string `json:"properties"`
}

// Backups answers OpBackupGet (R14): backups and maintenance that are under way.
type Backups struct {
	// SharedVolumes are cluster shared volumes whose BackupState or FaultState is not 0.
	SharedVolumes []VolumeState `json:"shared_volumes"`
	// Programs are running backup programs of Windows (wbengine).
	Programs []string `json:"programs"`
}

// VolumeState is one cluster shared volume: BackupState 1 is a backup in progress; FaultState bits 1 no direct I/O,
// 2 no access, 4 maintenance (MSCluster_ClusterSharedVolume).
type VolumeState struct {
	Name        string `json:"name"`
	BackupState int    `json:"backup_state"`
	FaultState  int    `json:"fault_state"`
}

// BitLocker answers OpBitLockerGet for the system drive: a node whose protection waits for somebody's PIN does not
// come back from a restart.
type BitLocker struct {
	// Available is false where the namespace does not exist.
	Available bool `json:"available"`
	// Protection is 0 off, 1 on, 2 unknown (Win32_EncryptableVolume.ProtectionStatus).
	Protection int `json:"protection"`
	// Protectors are KeyProtectorType numbers: 1 TPM, 3 numerical password, 4 TPM and PIN, 5 TPM and startup key,
	// 6 TPM, PIN and startup key, 8 passphrase, 9 TPM certificate.
	Protectors []int `json:"protectors"`
	// SuspendCount is for how many restarts protection is suspended; -1 where it cannot be read.
	SuspendCount int `json:"suspend_count"`
}

// CauPlugins answers OpCauPlugins: what Get-CauPlugin lists on the node (How CAU plug-ins work: on the local computer).
type CauPlugins struct {
	// Available is false where the module ClusterAwareUpdating is not installed.
	Available bool        `json:"available"`
	Plugins   []CauPlugin `json:"plugins"`
}

// CauPlugin is one registered plug-in: its unique name, the assembly that it is in and its class there.
type CauPlugin struct {
	Name   string `json:"name"`
	Binary string `json:"binary"`
	Class  string `json:"class"`
}

// CauHotfixConfigArgs bound the file, in bytes: 1 to 4 MiB.
type CauHotfixConfigArgs struct {
	Max int `json:"max"`
}

// CauHotfixConfig answers OpCauHotfixConfig: the DefaultHotfixConfig.xml in the folder of the module ClusterAwareUpdating (How
// CAU plug-ins work: Customize the hotfix configuration file).
type CauHotfixConfig struct {
	Found bool   `json:"found"`
	Path  string `json:"path"`
	// Size is in bytes. Above what was asked for, SHA256 and Text are empty.
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	// Text is the file in base64.
	Text string `json:"text"`
}

// HotfixListArgs bound the list by its newest entries, at most 500.
type HotfixListArgs struct {
	Max int `json:"max"`
}

// Hotfixes answers OpHotfixList: Win32_QuickFixEngineering and the update agent's history, newest first.
type Hotfixes struct {
	Installed []Hotfix       `json:"installed"`
	History   []HistoryEntry `json:"history"`
}

// Hotfix is one Win32_QuickFixEngineering. InstalledOn is as Windows gives it, which is text.
type Hotfix struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	InstalledOn string `json:"installed_on"`
}

// HistoryEntry is one IUpdateHistoryEntry: Result is an OperationResultCode (0 to 5), Operation 1 install, 2 uninstall.
type HistoryEntry struct {
	UTC       string `json:"utc"`
	Title     string `json:"title"`
	Operation int    `json:"operation"`
	Result    int    `json:"result"`
	HResult   int64  `json:"hresult"`
}

// EventLogArgs read the newest records of a log since a time (ISO 8601 UTC, or empty), at most Max (1 to 200).
type EventLogArgs struct {
	Log   string `json:"log"`
	Since string `json:"since"`
	Max   int    `json:"max"`
}

// EventLog answers OpEventLogTail, newest first.
type EventLog struct {
	Records []EventRecord `json:"records"`
}

// EventRecord is one record: Level 1 critical, 2 error, 3 warning, 4 information.
type EventRecord struct {
	UTC      string `json:"utc"`
	Provider string `json:"provider"`
	ID       int    `json:"id"`
	Level    int    `json:"level"`
	Message  string `json:"message"`
}

// GroupMoveArgs move a clustered role to a node.
type GroupMoveArgs struct {
	Group string `json:"group"`
	Node  string `json:"node"`
}

// ServiceStartArgs start a service of Windows that is one of: ClusSvc, wuauserv, BITS, TrustedInstaller.
type ServiceStartArgs struct {
	Name string `json:"name"`
}

// ServiceState answers OpServiceStart: State as in ServiceControllerStatus (1 stopped, 2 starting, 4 running).
type ServiceState struct {
	State int `json:"state"`
}

// Quotas answers OpQuotasGet: WinRM's limits, 0 where one cannot be read.
type Quotas struct {
	MaxEnvelopeKB        int64 `json:"max_envelope_kb"`
	MaxTimeoutMS         int64 `json:"max_timeout_ms"`
	MaxShellsPerUser     int64 `json:"max_shells_per_user"`
	MaxProcessesPerShell int64 `json:"max_processes_per_shell"`
	MaxMemoryPerShellMB  int64 `json:"max_memory_per_shell_mb"`
	ShellIdleTimeoutMS   int64 `json:"shell_idle_timeout_ms"`
	MaxConnections       int64 `json:"max_connections"`
	MaxOperationsPerUser int64 `json:"max_operations_per_user"`
	// AllowUnencrypted and Basic are the service's; both should be off.
	AllowUnencrypted bool `json:"allow_unencrypted"`
	Basic            bool `json:"basic"`
	// Proxy is the machine's WinHTTP proxy setting as netsh prints it in short, or empty.
	Proxy string `json:"proxy"`
}

// ShareDescribeArgs name a share of the file server that is asked.
type ShareDescribeArgs struct {
	Share string `json:"share"`
}

// ShareFacts answers OpShareDescribe and OpShareApply.
type ShareFacts struct {
	Exists bool   `json:"exists"`
	Path   string `json:"path"`
	// ShareSDDL and FolderSDDL are the share's and its folder's descriptors.
	ShareSDDL  string `json:"share_sddl"`
	FolderSDDL string `json:"folder_sddl"`
	// EncryptData is the share's, RequireSigning, EncryptAll and RejectUnencrypted the server's.
	EncryptData       bool `json:"encrypt_data"`
	RequireSigning    bool `json:"require_signing"`
	EncryptAll        bool `json:"encrypt_all"`
	RejectUnencrypted bool `json:"reject_unencrypted"`
	// CachingMode and FolderEnumeration are numbers of MSFT_SmbShare.
	CachingMode       int `json:"caching_mode"`
	FolderEnumeration int `json:"folder_enumeration"`
	// Firewall is the state of the rules that remote checks need.
	Firewall []FirewallRule `json:"firewall"`
	// Changed says what OpShareApply changed, for people; empty when everything was so already.
	Changed []string `json:"changed,omitempty"`
}

// ShareApplyArgs say how a share and its folder are to be. Empty strings and null leave a thing as it is.
type ShareApplyArgs struct {
	Share          string `json:"share"`
	Path           string `json:"path"`
	ShareSDDL      string `json:"share_sddl"`
	FolderSDDL     string `json:"folder_sddl"`
	EncryptData    *bool  `json:"encrypt_data"`
	RequireSigning *bool  `json:"require_signing"`
}

// FirewallRuleArgs name a rule, and set it if Enable is not null.
type FirewallRuleArgs struct {
	Name   string `json:"name"`
	Enable *bool  `json:"enable"`
}

// FirewallRule is one rule before and after.
type FirewallRule struct {
	Name    string `json:"name"`
	Exists  bool   `json:"exists"`
	Before  bool   `json:"before"`
	Enabled bool   `json:"enabled"`
}
