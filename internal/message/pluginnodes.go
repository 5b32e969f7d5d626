package message

// Texts of cau plugin list with a cluster.
const (
	PluginListLong       Key = "plugin.list.long"
	PluginNodesHead      Key = "plugin.nodes.head"
	PluginNodesColumns   Key = "plugin.nodes.columns"
	PluginNodesNoModule  Key = "plugin.nodes.no-module"
	PluginNodesNone      Key = "plugin.nodes.none"
	PluginNodesUnasked   Key = "plugin.nodes.unasked"
	PluginNodesDiffer    Key = "plugin.nodes.differ"
	PluginNodesDifferSay Key = "plugin.nodes.differ.say"
	PluginNodesNotAll    Key = "plugin.nodes.not-all"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var pluginNodesTexts = map[Key]string{
	PluginListLong: `List the plug-ins that a run of cau can have.

With --cluster or --lab every node is also asked which plug-ins Microsoft's CAU has registered there (Get-CauPlugin). They are for
CAU's own Updating Runs: its self-updating role needs the same ones on all nodes. cau does not run them. Nothing is changed.

The exit code is 1 when a node could not be asked; the others are shown.`,
	PluginNodesHead:      "Registered with Microsoft's CAU on the nodes of %s, for its own Updating Runs:",
	PluginNodesColumns:   "NODE\tPLUG-IN\tCLASS\tASSEMBLY",
	PluginNodesNoModule:  "none: its module ClusterAwareUpdating is not installed",
	PluginNodesNone:      "none",
	PluginNodesUnasked:   "could not be asked: %s",
	PluginNodesDiffer:    "%s is on %s and not on %s.",
	PluginNodesDifferSay: "CAU's self-updating role needs its plug-in on every node. CAU's own come with the Failover Clustering Tools; another one is installed and then registered with Register-CauPlugin.",
	PluginNodesNotAll:    "%d of %d nodes could not be asked",
}
