package engine

import (
	"time"

	"cau/internal/check"
	"cau/plugins"
)

// PlanVersion is the version of the plan's format: a program executes plans up to its own. It rises with everything in a
// plan that an older program would pass over and must not. 2: scripts, deliveries, the signature policy. 3: every run option.
const PlanVersion = 3

// Upgrade gives the options that an older plan does not hold the values that its program acted by.
func (p *Plan) Upgrade() {
	if p.Version >= 3 {
		return
	}
	d := DefaultOptions()
	o := &p.Options
	o.MaxRetriesPerNode, o.RebootMode, o.InstallOrder, o.FollowUps, o.GateStatus = 0, d.RebootMode, DrainFirst, FollowUpsPlannedOnly, d.GateStatus
	o.SuspendClusterNodeTimeoutMinutes, o.SuspendRetriesPerNode = o.DrainTimeoutMinutes, d.SuspendRetriesPerNode
	o.WaitForStorageRepairTimeoutMinutes = d.WaitForStorageRepairTimeoutMinutes
}

// Plan is what will be done, in order, exactly (R08). It is shown, confirmed, written, and then executed
// as it stands. It holds no secret (R04).
type Plan struct {
	Version int `json:"version"`
	// Run is the run's id: [0-9a-f]{8}.
	Run string `json:"run"`
	// Created is when the plan was made, by the clock of the host that made it; on a simulated cluster everything
	// else is in the cluster's own time.
	Created time.Time `json:"created"`
	// Program is the cau version that made the plan.
	Program string `json:"program"`
	Cluster string `json:"cluster"`
	// Address is what the user named to reach the cluster, or "lab".
	Address string `json:"address"`
	// Reach are the further flags that say how cluster and source were reached and as whom, each followed by its
	// value, or by "" where it takes none; none of them is a secret. They are there for the command line that repeats the plan.
	Reach []string `json:"reach,omitempty"`
	// Lab is the lab's id when the cluster is simulated; empty for a real one.
	Lab string `json:"lab,omitempty"`
	// Speed is how many times faster than real time the simulated cluster runs; 1 for a real one.
	Speed float64 `json:"speed"`
	// Plugin is the first plug-in, and Arguments, Source, Pinned and Ignored are its own. Further are those that install
	// after it, in order; see Instances.
	Plugin    string            `json:"plugin"`
	Arguments plugins.Arguments `json:"arguments"`
	Further   []PluginPlan      `json:"further_plugins,omitempty"`
	Options   Options           `json:"options"`
	// FailureBudget is how many nodes may fail; the run stops at one more.
	FailureBudget int `json:"failure_budget"`
	// Nodes are in the order they will be taken; nodes that need nothing are listed too.
	Nodes    []NodePlan        `json:"nodes"`
	Source   string            `json:"source"`
	Pinned   []plugins.File    `json:"pinned,omitempty"`
	Ignored  []plugins.Ignored `json:"ignored,omitempty"`
	Checks   []check.Result    `json:"checks"`
	Accepted []string          `json:"accepted,omitempty"`
	// PreScript and PostScript run on every node that has work; nil where there is none. Options.ScriptAs says as whom.
	PreScript  *Script `json:"pre_script,omitempty"`
	PostScript *Script `json:"post_script,omitempty"`
	// ShareServer is where the plug-in's source is reached, for people.
	ShareServer string `json:"share_server,omitempty"`
}

// NodePlan is what one node gets.
type NodePlan struct {
	Name string `json:"name"`
	// Address is where the node's WinRM listener is: host:port or https://host:port.
	Address string `json:"address"`
	// Host is the node's DNS name where Address holds something else, and certificate or ticket go by the name.
	Host    string           `json:"host,omitempty"`
	Roles   int              `json:"roles"`
	Updates []plugins.Update `json:"updates"`
	// Remarks are what the plug-ins' scans say of the node beside its updates.
	Remarks []string `json:"remarks,omitempty"`
	// Site is the node's site, empty where it has none.
	Site string `json:"site,omitempty"`
	// NotTaken is why the options leave the node out, and then it has no updates; empty where it is taken.
	NotTaken string `json:"not_taken,omitempty"`
	// PendingRestart is why a restart is pending on a node that gets no updates. RestartOnly: it is taken for that restart
	// (RestartPending); otherwise it is left alone.
	PendingRestart []string `json:"pending_restart,omitempty"`
	RestartOnly    bool     `json:"restart_only,omitempty"`
	// Outage are the roles that go down with the node, or may be stopped, because an option that names the outage was given
	// (R15): those that were on it when the plan was made.
	Outage []string `json:"outage,omitempty"`
	// Delivery is how its files come to the node, DeliveryPull or DeliveryPush, and DeliveryReason why so (R24). Both are
	// empty where it was not asked: then the node pulls, if there are files at all.
	Delivery       plugins.Delivery `json:"delivery,omitempty"`
	DeliveryReason string           `json:"delivery_reason,omitempty"`
}

// hasWork tells whether the node is taken at all.
func (np *NodePlan) hasWork() bool { return len(np.Updates) > 0 || np.RestartOnly }

// Blocking lists the check results that keep the plan from running (R07).
func (p *Plan) Blocking() []check.Result { return check.Gate(p.Checks, p.Accepted) }
