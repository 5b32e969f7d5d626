package engine

import (
	"context"
	"errors"
	"strings"
	"time"

	"cau/plugins"
)

// ErrCredential says that the credential does not work any more: it was rejected, is locked or expired, or there is no
// ticket. Errors of Cluster and Node match it with errors.Is. A question may be asked again all the same: whoever
// implements the ports never proves a refused credential twice (R02), and takes up a renewed one by itself (R05).
var ErrCredential = errors.New("the credential does not work any more")

// Credential tells how long what signs in to the nodes lasts (R05).
type Credential interface {
	// Ends is when it ends unless it is renewed, by the run's Clock: where that runs faster than real time, so does
	// the rest of the credential's life. ok is false where it has no end that is known. It is asked again and
	// again, and follows a renewal.
	Ends() (end time.Time, ok bool)
}

// Cluster is the failover cluster as seen from a member that is not the node in question. Every act may
// be repeated after a crash. Numbers are those of root/MSCluster and clusapi.h.
type Cluster interface {
	// Describe reads the cluster. about is the node under maintenance, which is not the one that is asked; it may be empty.
	Describe(ctx context.Context, about string) (ClusterView, error)
	// LosesQuorum asks the cluster itself whether taking the node offline would lose quorum.
	LosesQuorum(ctx context.Context, node string) (bool, error)
	// Storage reads disks and storage jobs.
	Storage(ctx context.Context, about string) (StorageView, error)
	// ForeignRuns lists updating runs of Microsoft's CAU that hold the cluster or a node (MSFT_CAURun, MSFT_CAUNode).
	ForeignRuns(ctx context.Context, about string) ([]ForeignRun, error)
	// Pause pauses the node and starts the drain that mode says; it returns before the drain is done.
	Pause(ctx context.Context, node string, mode DrainMode) error
	// Resume resumes the node. Resuming a node that is not paused is not an error.
	Resume(ctx context.Context, node string, mode FailbackMode) error
	// Backups names what backs up or maintains a cluster shared volume or a node's disks right now (R14).
	Backups(ctx context.Context, about string) ([]string, error)
	// StorageMaintenance enters or leaves storage maintenance mode for the node's disks (S2D, R16).
	StorageMaintenance(ctx context.Context, node string, on bool) error
}

// Node is one node as the engine acts on it.
type Node interface {
	plugins.Node
	// Describe reads what the gates need to know of the node itself.
	Describe(ctx context.Context) (NodeView, error)
	// Boot reads the boot identity and readiness signals.
	Boot(ctx context.Context) (BootView, error)
	// Updaters reads what else could install updates or restart on this node (R12).
	Updaters(ctx context.Context) (UpdatersView, error)
	// BitLocker reads whether the system drive's protection could keep the node from coming back.
	BitLocker(ctx context.Context) (BitLockerView, error)
	// Roles reads where the roles that the node owns may go (R14).
	Roles(ctx context.Context) ([]RoleView, error)
	// Residents reads what runs on the node and no drain moves.
	Residents(ctx context.Context) (ResidentsView, error)
	// PendingRestart reads the signals of a pending restart.
	PendingRestart(ctx context.Context) (PendingView, error)
	// Installed reads the build and what is installed (R08).
	Installed(ctx context.Context) (InstalledView, error)
	// Restart asks the node to restart. It does nothing when the node's boot identity is no longer expect,
	// so that repeating it after a crash cannot restart twice.
	Restart(ctx context.Context, expect string, comment string) error
	// Reconnect drops the connection; the next call makes a new one. Needed after a restart.
	Reconnect()
	// Clean removes what a run left on the node; an empty run removes every trace.
	Clean(ctx context.Context, run string) error
}

// NodeState is MSCluster_Node.State.
type NodeState int

// The node states (CLUSTER_NODE_STATE, clusapi.h).
const (
	NodeUnknown NodeState = -1
	NodeUp      NodeState = 0
	NodeDown    NodeState = 1
	NodePaused  NodeState = 2
	NodeJoining NodeState = 3
)

// String is the state in words.
func (s NodeState) String() string {
	switch s {
	case NodeUp:
		return "Up"
	case NodeDown:
		return "Down"
	case NodePaused:
		return "Paused"
	case NodeJoining:
		return "Joining"
	case NodeUnknown:
	}
	return "Unknown"
}

// DrainStatus is MSCluster_Node.NodeDrainStatus.
type DrainStatus int

// The drain statuses (clusapi.h).
const (
	DrainNotInitiated DrainStatus = 0
	DrainInProgress   DrainStatus = 1
	DrainCompleted    DrainStatus = 2
	DrainFailed       DrainStatus = 3
)

// ClusterView is the cluster at one moment.
type ClusterView struct {
	Name          string       `json:"name"`
	DynamicQuorum bool         `json:"dynamic_quorum"`
	WitnessWeight int          `json:"witness_weight"`
	WitnessOnline bool         `json:"witness_online"`
	S2D           bool         `json:"s2d"`
	Nodes         []MemberView `json:"nodes"`
	Groups        []GroupView  `json:"groups"`
	SharedVolumes []GroupView  `json:"shared_volumes"`
	// ApartEnforced: a role stays offline rather than on a node with one that it is kept apart from (GroupView.Apart).
	ApartEnforced bool `json:"apart_enforced,omitempty"`
	// AccessPoints are the names and addresses by which clients reach its roles.
	AccessPoints   []AccessPoint `json:"access_points,omitempty"`
	AnsweredByNode string        `json:"answered_by"`
}

// Member finds a node by name, whatever its case; nil when it is not a member.
func (v *ClusterView) Member(name string) *MemberView {
	for i := range v.Nodes {
		if strings.EqualFold(v.Nodes[i].Name, name) {
			return &v.Nodes[i]
		}
	}
	return nil
}

// MemberView is one node as the cluster sees it.
type MemberView struct {
	Name        string      `json:"name"`
	State       NodeState   `json:"state"`
	DrainStatus DrainStatus `json:"drain_status"`
	// StatusInformation bits: 1 isolated, 2 quarantined.
	StatusInformation int `json:"status_information"`
	DynamicWeight     int `json:"dynamic_weight"`
	// Site is the name of the node's site (fault domain), empty where it has none.
	Site string `json:"site,omitempty"`
}

// GroupView is a clustered role or a cluster shared volume.
type GroupView struct {
	Name  string `json:"name"`
	Owner string `json:"owner"`
	// State: 0 online, 1 offline, 2 failed, 3 partial online, 4 pending, -1 unknown.
	State int  `json:"state"`
	Core  bool `json:"core"`
	// Locked: something holds it where it is for now: a backup, an export, a migration.
	Locked bool `json:"locked,omitempty"`
	// Apart names its anti-affinity classes and rules: roles that share one are kept on different nodes.
	Apart []string `json:"apart,omitempty"`
}

// AccessPoint is a name or an address by which clients reach a role.
type AccessPoint struct {
	Role    string `json:"role"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
}

// RoleView is where a role that a node owns may go.
type RoleView struct {
	Name string `json:"name"`
	// Owners are the nodes that may own all of its resources; OwnersKnown is false where the cluster named none.
	Owners      []string `json:"owners,omitempty"`
	OwnersKnown bool     `json:"owners_known"`
}

// ResidentsView is what runs on a node and is no role of the cluster: no drain moves it.
type ResidentsView struct {
	// Machines are virtual machines that are not clustered and not off.
	Machines []string `json:"machines,omitempty"`
	// OpenFiles are files that are open through shares of the node itself, with who has them open. MoreOpenFiles: the list
	// that they come from was cut.
	OpenFiles     []string `json:"open_files,omitempty"`
	MoreOpenFiles bool     `json:"more_open_files,omitempty"`
}

// StorageView is the state of storage (root/Microsoft/Windows/Storage).
type StorageView struct {
	// Unhealthy names virtual disks that are not healthy and OK.
	Unhealthy []string `json:"unhealthy,omitempty"`
	// Jobs names storage jobs that are not finished.
	Jobs []string `json:"jobs,omitempty"`
	// InMaintenance names fault domains whose disks are in maintenance mode.
	InMaintenance []string `json:"in_maintenance,omitempty"`
}

// ForeignRun is an updating run that is not ours.
type ForeignRun struct {
	ID   string `json:"id"`
	Node string `json:"node,omitempty"`
}

// NodeView is what the node says about itself.
type NodeView struct {
	Computer     string    `json:"computer"`
	Domain       string    `json:"domain"`
	Build        string    `json:"build"`
	PowerShell   string    `json:"powershell"`
	LanguageMode string    `json:"language_mode"`
	Admin        bool      `json:"admin"`
	FreeBytes    int64     `json:"free_bytes"`
	Time         time.Time `json:"time"`
	// Asked is when the answer arrived here; Time minus Asked is the clock's difference.
	Asked time.Time `json:"asked"`
	// Namespaces present on the node: "mscluster", "storage", "clusterupdate".
	Namespaces []string `json:"namespaces"`
	// MaxEnvelopeKB and MaxShells are the node's WinRM quotas.
	MaxEnvelopeKB int `json:"max_envelope_kb"`
	MaxShells     int `json:"max_shells"`
	// Fqdn is the computer's full DNS name; Token is how we are signed in there: "network", "batch".
	Fqdn  string `json:"fqdn,omitempty"`
	Token string `json:"token,omitempty"`
}

// BootView identifies a boot and says whether the node is ready (R21).
type BootView struct {
	// Identity changes with every boot and never otherwise (boot time as FILETIME).
	Identity string `json:"identity"`
	// Uptime is monotonic, since boot.
	Uptime time.Duration `json:"uptime"`
	// ServicingBusy: component servicing is working (CBS ServicingInProgress 2, or TiWorker runs).
	ServicingBusy bool `json:"servicing_busy"`
	// LogonReady: boot-time servicing is over (AutoLogonChecked).
	LogonReady bool `json:"logon_ready"`
	// ClusterService: the Cluster service runs.
	ClusterService bool `json:"cluster_service"`
}

// UpdatersView is what else could install or restart on a node.
type UpdatersView struct {
	// Automatic: Windows Update installs by itself on a schedule or at the machine's own choice.
	Automatic bool `json:"automatic"`
	// Setting is the setting in words: "installs on schedule", "turned off by policy".
	Setting string `json:"setting"`
	// Server is the WSUS server of the policy, or empty.
	Server string `json:"server,omitempty"`
	// ConfigMgr: a Configuration Manager client runs.
	ConfigMgr bool `json:"config_mgr"`
	// Servicing: something installs right now.
	Servicing bool `json:"servicing"`
	// SelfUpdating are CAU's self-updating roles of the cluster, with what is known of their schedule.
	SelfUpdating []string `json:"self_updating,omitempty"`
	// Schedules are the same roles, to be reckoned with.
	Schedules []SelfUpdate `json:"schedules,omitempty"`
}

// BitLockerView is the protection of a node's system drive.
type BitLockerView struct {
	// Known is false where the node could not say.
	Known     bool `json:"known"`
	Protected bool `json:"protected"`
	// AsksAtStart: a PIN, a password or a startup key is needed to start, and protection is not suspended.
	AsksAtStart bool `json:"asks_at_start"`
	// Suspended is for how many restarts protection is suspended; 0 not.
	Suspended int `json:"suspended"`
}

// PendingView is why a restart is pending.
type PendingView struct {
	// Reasons that count: component servicing, Windows Update, a package.
	Reasons []string `json:"reasons,omitempty"`
	// Remarks that do not count by themselves: pending file renames.
	Remarks []string `json:"remarks,omitempty"`
}

// Pending tells whether a restart is pending.
func (p PendingView) Pending() bool { return len(p.Reasons) > 0 }

// Clock is time as the run sees it. A simulated cluster runs faster than real time.
type Clock interface {
	Now() time.Time
	// Sleep waits for d of the run's time, or until ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
}
