package message

// OptionHelp explains a run option, by CAU's name of it.
func OptionHelp(option string) Key { return Key("option." + option) }

// OptionNeeds says what an option needs to mean something.
func OptionNeeds(option string) Key { return Key("needs." + option) }

// optionTexts explain the run options: on the command line, on the wizard's page.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var optionTexts = map[Key]string{
	"option.MaxFailedNodes":                     "nodes that may fail; the run stops at one more (default about a third of the nodes, less one)",
	"option.MaxRetriesPerNode":                  "how often a node that failed is tried again, scripts included; there is one attempt more (0-64)",
	"option.NodeOrder":                          "nodes to take first, in this order; the others follow, fewest roles first",
	"option.SiteAwareUpdatingOrder":             "sites to take first, in this order; the others follow, within a site fewest roles first",
	"option.OnlyNodes":                          "nodes to take; the others are left alone",
	"option.SkipNodes":                          "nodes to leave alone",
	"option.RequireAllNodesOnline":              "refuse the run unless every node is up",
	"option.StopAfter":                          "stop cleanly when the run has taken so long: the current node is finished (hh:mm:ss or minutes)",
	"option.WarnAfter":                          "say so when the run has taken so long; less than StopAfter (hh:mm:ss or minutes)",
	"option.Window":                             "when nodes may be taken: '22:00-05:00 Europe/Stockholm'; its end stops the run cleanly",
	"option.StartNoNodeAfter":                   "begin no node after this: '04:00', '04:00 Europe/Stockholm' or 2026-12-01T04:00:00Z",
	"option.Soak":                               "how long the cluster runs with an updated node before the next one is taken (hh:mm:ss or minutes)",
	"option.Gate":                               "asked before each node: a command on this host that ends with 0, or an http(s) address",
	"option.GateStatus":                         "the status that the gate's address must answer",
	"option.RebootTimeoutMinutes":               "minutes a node may take to restart and be ready",
	"option.RebootMode":                         "how nodes restart: in full; OrchestratorDefault and FullReboot are the same",
	"option.InstallOrder":                       "drain-first drains before anything is installed, install-first only when a restart is needed",
	"option.FollowUps":                          "updates that become applicable only by what was installed: same-run installs them, planned-only leaves them, ask asks",
	"option.RestartPending":                     "also take nodes without updates on which a restart is pending: drain and restart them",
	"option.DrainTimeoutMinutes":                "minutes a node may take to drain; then the pause is undone",
	"option.SuspendClusterNodeTimeoutMinutes":   "minutes a pause is asked for again while the cluster refuses it because its storage is degraded",
	"option.SuspendRetriesPerNode":              "how often a pause that failed for another reason is asked for again (0-64)",
	"option.WaitForStorageRepairTimeoutMinutes": "minutes to wait for storage to be healthy before the next node; then the run is held",
	"option.FailbackMode":                       "how roles return to a node: Immediate, NoFailback or Policy",
	"option.ForcePauseAndDrain":                 "stop and move roles that the drain cannot move; they are down meanwhile; needs Outage",
	"option.ForcePauseNoDrain":                  "pause without moving roles: they go down when the node restarts; needs Outage",
	"option.ForcePauseDrainAndReboot":           "as ForcePauseAndDrain, and every node restarts, needed or not; needs Outage",
	"option.Outage":                             "the cluster's name, typed: roles may go down during this run",
	"option.SeparateReboots":                    "restart after each plug-in instead of once; for two plug-ins or more",
	"option.RunPluginsSerially":                 "scan and stage one plug-in after the other; for two plug-ins or more",
	"option.StopOnPluginFailure":                "skip a node's further plug-ins after one failed there; for two plug-ins or more",
	"option.StageNodesAtOnce":                   "nodes that copy updates from the share at once",
	"option.PreUpdateScript":                    "PowerShell script (.ps1) on this host that runs on each node before it is paused; if it fails, the node is left alone",
	"option.PostUpdateScript":                   "PowerShell script (.ps1) on this host that runs on each node after it is back in service",
	"option.ScriptAs":                           "as whom scripts run on the nodes: system, or caller (the account that signs in)",
	"option.ScriptTimeoutMinutes":               "minutes a script may take; it is not ended, its node has failed",
	"option.SignaturePolicy":                    "what is done about an update without a valid signature: warn, require or ignore",
	"option.Delivery":                           "how files come to the nodes: auto, pull (each reads the share) or push (this host writes to ADMIN$)",
	"option.HashAt":                             "where the SHA-256 of a hotfix root's files is computed: host (this one) or node (one in service; for slow links from here)",

	"option.NotifyFile": "file on this host with the addresses that people are told over, one in a line (shoutrrr: smtp://, ntfy://, generic+https://)",
	"option.NotifyOn":   "what they are told of: started, warned, node-failed, held, finished, all (all by default)",

	"needs.GateStatus":           "Give an http(s) address with --gate, or leave it out.",
	"needs.Outage":               "It belongs to --force-pause-and-drain, --force-pause-no-drain and --force-pause-drain-and-reboot.",
	"needs.ScriptAs":             "Give --pre-update-script or --post-update-script, or leave it out.",
	"needs.ScriptTimeoutMinutes": "Give --pre-update-script or --post-update-script, or leave it out.",
}
