package engine

import "cau/plugins"

// FailbackMode is how roles return when a node is resumed.
type FailbackMode string

// The failback modes, in CAU's words.
const (
	FailbackImmediate FailbackMode = "Immediate"
	FailbackNone      FailbackMode = "NoFailback"
	FailbackPolicy    FailbackMode = "Policy"
)

// ScriptAs is as whom pre- and post-update scripts run on a node.
type ScriptAs string

// The two ways. A script that runs as the caller has that logon's limits: no share, and its process ends with WinRM's.
const (
	ScriptAsSystem ScriptAs = "system"
	ScriptAsCaller ScriptAs = "caller"
)

// maxScriptPath is CAU's limit for a script's path and name (Set-CauClusterRole, PreUpdateScript).
const maxScriptPath = 260

// RebootMode is how a node restarts, in CAU's words. Both values are the same here: one full restart.
type RebootMode string

// The reboot modes that are obeyed; Invoke-CauRun's others are refused.
const (
	RebootDefault RebootMode = "OrchestratorDefault"
	RebootFull    RebootMode = "FullReboot"
)

// InstallOrder is whether a node is drained before anything is installed on it.
type InstallOrder string

// The two orders. DrainFirst is what CAU's documentation says; InstallFirst drains a node only when a restart is needed,
// as newer versions of CAU are said to do (reference of Invoke-CauRun, ForcePauseAndDrain).
const (
	DrainFirst   InstallOrder = "drain-first"
	InstallFirst InstallOrder = "install-first"
)

// FollowUps is what is done with updates that become applicable only by what the run installed (R08).
type FollowUps string

// The three answers. Same-run is what CAU does.
const (
	FollowUpsPlannedOnly FollowUps = "planned-only"
	FollowUpsSameRun     FollowUps = "same-run"
	FollowUpsAsk         FollowUps = "ask"
)

// Options are the run options that are obeyed. Parameters lists what Invoke-CauRun has beyond them, and why. Names that
// CAU has are CAU's; the others are marked as ours.
type Options struct {
	// StopAfter is how long the run may take; then it stops cleanly (R29). Zero means without limit. WarnAfter is when
	// it says that it takes long; it is less than StopAfter. Both count everything from the run's beginning.
	StopAfter TimeSpan `json:"stop_after,omitzero"`
	WarnAfter TimeSpan `json:"warn_after,omitzero"`
	// MaxRetriesPerNode is how often a node's whole process, scripts included, is tried again after it failed: 0..64, 3 by
	// default. There is one attempt more than retries.
	MaxRetriesPerNode int `json:"max_retries_per_node"`
	// MaxFailedNodes is how many nodes may fail; the run stops at one more. 0..n-1; nil means the default
	// for the cluster's size, see DefaultMaxFailedNodes.
	MaxFailedNodes *int `json:"max_failed_nodes,omitempty"`
	// NodeOrder names nodes to take first, in this order; the rest follow by fewest roles. SiteAwareUpdatingOrder does the
	// same with the names of sites.
	NodeOrder              []string `json:"node_order,omitempty"`
	SiteAwareUpdatingOrder []string `json:"site_aware_updating_order,omitempty"`
	// OnlyNodes are the nodes that are taken, SkipNodes those that are not; empty means all. (Ours.)
	OnlyNodes []string `json:"only_nodes,omitempty"`
	SkipNodes []string `json:"skip_nodes,omitempty"`
	// RequireAllNodesOnline refuses the run unless every node is up.
	RequireAllNodesOnline bool `json:"require_all_nodes_online"`
	// RebootTimeoutMinutes bounds a restart until the node is ready; 1..1440, 15 by default. RebootMode is how it restarts.
	RebootTimeoutMinutes int        `json:"reboot_timeout_minutes"`
	RebootMode           RebootMode `json:"reboot_mode,omitempty"`
	// DrainTimeoutMinutes bounds a drain; 1..1440, 60 by default. (Ours: CAU documents none.)
	DrainTimeoutMinutes int `json:"drain_timeout_minutes"`
	// SuspendClusterNodeTimeoutMinutes bounds how long a pause is asked for again while the cluster refuses it because its
	// storage is degraded (ERROR_CLUSTER_SPACE_DEGRADED); 1..1440, 30 by default. CAU does not say its default.
	SuspendClusterNodeTimeoutMinutes int `json:"suspend_cluster_node_timeout_minutes"`
	// SuspendRetriesPerNode is how often a pause that failed for another reason is asked for again; 0..64, 2 by default.
	SuspendRetriesPerNode int `json:"suspend_retries_per_node"`
	// WaitForStorageRepairTimeoutMinutes bounds the wait for storage to be healthy again before the next node; 1..10080,
	// 120 by default. Then the run is held.
	WaitForStorageRepairTimeoutMinutes int `json:"wait_for_storage_repair_timeout_minutes"`
	// ForcePauseAndDrain moves roles that the drain cannot move by stopping them; ForcePauseNoDrain pauses without moving
	// anything, so that what runs on the node goes down with its restart; ForcePauseDrainAndReboot is the forced drain, and
	// every node restarts. At most one of them. All three name an outage: Outage holds the cluster's typed name (R15).
	ForcePauseAndDrain       bool   `json:"force_pause_and_drain,omitempty"`
	ForcePauseNoDrain        bool   `json:"force_pause_no_drain,omitempty"`
	ForcePauseDrainAndReboot bool   `json:"force_pause_drain_and_reboot,omitempty"`
	Outage                   string `json:"outage,omitempty"`
	// InstallOrder is drain-first by default. (Ours.)
	InstallOrder InstallOrder `json:"install_order,omitempty"`
	// RestartPending also takes nodes that get no updates and on which a restart is pending: they are drained and restarted.
	// Without it they are left alone. (Ours.)
	RestartPending bool `json:"restart_pending,omitempty"`
	// FollowUps is same-run by default. (Ours.)
	FollowUps FollowUps `json:"follow_ups,omitempty"`
	// SeparateReboots restarts after each plug-in instead of once; RunPluginsSerially scans and stages in the plug-ins'
	// order instead of side by side; StopOnPluginFailure skips a node's further plug-ins after one failed there. They mean
	// something with two plug-ins or more.
	SeparateReboots     bool `json:"separate_reboots,omitempty"`
	RunPluginsSerially  bool `json:"run_plugins_serially,omitempty"`
	StopOnPluginFailure bool `json:"stop_on_plugin_failure,omitempty"`
	// FailbackMode is how roles return; Immediate by default.
	FailbackMode FailbackMode `json:"failback_mode"`
	// StageNodesAtOnce bounds how many nodes read the share at once; 1..64, 4 by default (R23).
	StageNodesAtOnce int `json:"stage_nodes_at_once"`
	// Window is when nodes may be taken: "22:00-05:00 Europe/Stockholm". Its end stops the run cleanly. Empty means always. (Ours.)
	Window string `json:"window,omitempty"`
	// StartNoNodeAfter is the moment, or the time of day within the run, after which no further node is begun. (Ours.)
	StartNoNodeAfter string `json:"start_no_node_after,omitempty"`
	// Soak is how long the cluster runs with an updated node before the next one is taken. (Ours.)
	Soak TimeSpan `json:"soak,omitzero"`
	// Gate is asked before each node: a command on this host that ends with 0, or an http(s) address that answers
	// GateStatus (100..599, 200 by default). (Ours.)
	Gate       string `json:"gate,omitempty"`
	GateStatus int    `json:"gate_status,omitempty"`
	// PreUpdateScript and PostUpdateScript are paths of PowerShell scripts on this host (.ps1, at most 260 characters),
	// read when the plan is made. The first runs on each node that has work before it is paused, the second after it
	// is back in service.
	PreUpdateScript  string `json:"pre_update_script,omitempty"`
	PostUpdateScript string `json:"post_update_script,omitempty"`
	// ScriptAs is as whom they run; ScriptAsSystem by default. (Ours: CAU's run in the remote session.)
	ScriptAs ScriptAs `json:"script_as,omitempty"`
	// ScriptTimeoutMinutes bounds one script on one node; 1..1440, 30 by default. (Ours.)
	ScriptTimeoutMinutes int `json:"script_timeout_minutes,omitempty"`
	// SignaturePolicy says what is done about an update whose Authenticode signature is not valid; warn by default. (Ours.)
	SignaturePolicy plugins.SignaturePolicy `json:"signature_policy,omitempty"`
	// Delivery is how files come to the nodes; auto by default: each node is asked before the plan is made (R24). (Ours.)
	Delivery plugins.Delivery `json:"delivery,omitempty"`
	// HashAt is where the SHA-256 of a hotfix root's files is computed when the plan is made: HashAtHost by default, or on a node
	// in service, over whose connection to the root they are then read. (Ours.)
	HashAt HashAt `json:"hash_at,omitempty"`
	// NotifyFile is a file on this host with the addresses that people are told over, one in a line. The addresses are
	// secrets and stand in no plan (R04). NotifyOn are the words of NotifyWords that they are told of; with addresses and
	// without words: all. (Ours.)
	NotifyFile string   `json:"notify_file,omitempty"`
	NotifyOn   []string `json:"notify_on,omitempty"`
}

// HashAt is where hashes are computed.
type HashAt string

// The places.
const (
	HashAtHost HashAt = "host"
	HashAtNode HashAt = "node"
)

// DefaultOptions are CAU's defaults for the options that are obeyed.
func DefaultOptions() Options {
	return Options{
		MaxRetriesPerNode: 3, RebootTimeoutMinutes: 15, RebootMode: RebootDefault, DrainTimeoutMinutes: 60,
		SuspendClusterNodeTimeoutMinutes: 30, SuspendRetriesPerNode: 2, WaitForStorageRepairTimeoutMinutes: 120,
		InstallOrder: DrainFirst, FollowUps: FollowUpsSameRun, FailbackMode: FailbackImmediate, StageNodesAtOnce: 4, GateStatus: 200,
		ScriptAs: ScriptAsSystem, ScriptTimeoutMinutes: 30, SignaturePolicy: plugins.SignatureWarn, Delivery: plugins.DeliveryAuto, HashAt: HashAtHost,
	}
}

// forced tells whether the options name an outage (R15).
func (o Options) forced() bool {
	return o.ForcePauseAndDrain || o.ForcePauseNoDrain || o.ForcePauseDrainAndReboot
}

// DefaultMaxFailedNodes is the default for n nodes: floor(n/3)-1, at least 0. Invoke-CauRun documents its own as
// approximately one third.
func DefaultMaxFailedNodes(n int) int { return max(0, n/3-1) }

// FailureBudget is the number of failed nodes the run accepts; it stops at one more.
func (o Options) FailureBudget(nodes int) int {
	if o.MaxFailedNodes == nil {
		return DefaultMaxFailedNodes(nodes)
	}
	return *o.MaxFailedNodes
}
