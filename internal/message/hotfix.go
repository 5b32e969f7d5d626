package message

// Texts of the commands about hotfix roots, beside `cau hotfix check`.
const (
	CLIHotfixListShort       Key = "cli.hotfix.list.short"
	CLIHotfixListLong        Key = "cli.hotfix.list.long"
	CLIHotfixListExample     Key = "cli.hotfix.list.example"
	CLIFlagListCluster       Key = "cli.flag.list.cluster"
	CLIFlagListLab           Key = "cli.flag.list.lab"
	CLIFlagListNode          Key = "cli.flag.list.node"
	CLIFlagListUser          Key = "cli.flag.list.user"
	CLIFlagNeedsCluster      Key = "cli.flag-needs-cluster"
	CLIFlagNeedsClusterHint  Key = "cli.flag-needs-cluster.hint"
	CLIAddressNeedsCluster   Key = "cli.address-needs-cluster"
	CLIListGuessed           Key = "cli.list.guessed"
	CLIListChanged           Key = "cli.list.changed"
	CLIListEveryNode         Key = "cli.list.every-node"
	CLIListNode              Key = "cli.list.node"
	CLIAbout                 Key = "cli.about"
	CLIConfigShort           Key = "cli.config.short"
	CLIConfigValidateShort   Key = "cli.config.validate.short"
	CLIConfigValidateLong    Key = "cli.config.validate.long"
	CLIConfigValidateExample Key = "cli.config.validate.example"
	CLIConfigOneFile         Key = "cli.config.one-file"
	CLIConfigOneFileHint     Key = "cli.config.one-file.hint"
	CLIConfigWarning         Key = "cli.config.warning"
	CLIConfigValid           Key = "cli.config.valid"
	CLIConfigInitShort       Key = "cli.config.init.short"
	CLIConfigInitLong        Key = "cli.config.init.long"
	CLIConfigInitExample     Key = "cli.config.init.example"
	CLIConfigWritten         Key = "cli.config.written"
	CLIConfigDefaultHint     Key = "cli.config.default.hint"
	CLIConfigPrintAlone      Key = "cli.config.print-alone"
	CLIFlagConfigFrom        Key = "cli.flag.config.from"
	CLIFlagConfigPrint       Key = "cli.flag.config.print"
	CLIOneRootOrFolderHint   Key = "cli.one-root-or-folder.hint"
	CLIOrLabHint             Key = "cli.or-lab.hint"
	CLIFlagNeedsShare        Key = "cli.flag-needs-share"
	CLIFlagNeedsShareHint    Key = "cli.flag-needs-share.hint"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var hotfixTexts = map[Key]string{
	CLIHotfixListShort: "Show what a hotfix root holds: for which node, by which rule and command line, and what is passed over",
	CLIHotfixListLong: "Reads a root, a folder on this host or \\\\server\\share\\folder, and every update in it; changes nothing. Shows per node what would be\n" +
		"installed, with its SHA-256, computed on this host, and what the update says of itself; and with the reason what CAU passes over in silence.\n" +
		"Whether the root may be trusted is for cau hotfix check to say. The nodes' names come from --cluster or --lab, else from --node.",
	CLIHotfixListExample:    "cau hotfix list /srv/hotfixes/root --node NODE1 --node NODE2\ncau hotfix list '\\\\fs1\\hotfixes\\root' --cluster fc1 --user 'CONTOSO\\admin' --json\ncau hotfix list --lab",
	CLIFlagListCluster:      "take the nodes' names from this cluster: its name or any node",
	CLIFlagListLab:          "take the nodes, and where no root is named the root, from the simulated cluster (--lab=ID picks one of several)",
	CLIFlagListNode:         "a node to show; repeatable; without --cluster and --lab these are all nodes. With --cluster, NAME=ADDRESS says where one really listens",
	CLIFlagListUser:         `who signs in on the file server, and with --cluster on the nodes: DOMAIN\user, user@domain or a local account`,
	CLIFlagNeedsCluster:     "it means something with --cluster alone",
	CLIFlagNeedsClusterHint: "Leave it out, or name the cluster with --cluster ADDRESS.",
	CLIAddressNeedsCluster:  "an address means something with --cluster alone",
	CLIListGuessed:          "The cluster's nodes are not known, so folders were taken for nodes' by their names. Name them with --node, or with --cluster.",
	CLIListChanged:          "%s changed while the root was read; list it again when whoever copies files there has finished.",
	CLIListEveryNode:        "Every node without a folder of its own",
	CLIListNode:             "%s, updates: %d",
	CLIAbout:                "%s (from %s)",
	CLIConfigShort:          "Hotfix configuration files",
	CLIConfigValidateShort:  "Read a configuration file and say what is wrong with it",
	CLIConfigValidateLong: "Reads a hotfix configuration file on this host as a run would, and prints FILE:LINE:COLUMN: MESSAGE for each problem. Warnings are\n" +
		"places that were read over, and rules that do more than they seem to; they do not make a file invalid. Exit code 0 if the\n" +
		"file is valid, 2 if it is not, 1 if it could not be read.",
	CLIConfigValidateExample: "cau hotfix config validate DefaultHotfixConfig.xml\ncau hotfix config validate DefaultHotfixConfig.xml --json",
	CLIConfigOneFile:         "exactly one configuration file is named",
	CLIConfigOneFileHint:     "Name it by its path on this host: cau hotfix config validate DefaultHotfixConfig.xml",
	CLIConfigWarning:         "warning",
	CLIConfigValid:           "%s: valid; rules: %d for file name extensions, %d for folders",
	CLIConfigInitShort:       "Write a configuration file into a hotfix root that has none",
	CLIConfigInitLong: "Writes cau's default configuration file (.msu, .msi and .msp, silent, without restarts of their own) into a hotfix root: a folder on\n" +
		"this host, or \\\\server\\share\\folder. Never overwrites a file. Microsoft's own DefaultHotfixConfig.xml, which is on nodes with the Failover\n" +
		"Clustering Tools, is better: with --cluster or --lab the nodes in service are asked for it, and it is written byte for byte. Where nodes\n" +
		"have different ones nothing is written until --from-node says whose. A copy on this host is named with --from.",
	CLIConfigInitExample:   "cau hotfix config init /srv/hotfixes/root\ncau hotfix config init '\\\\fs1\\hotfixes\\root' --cluster fc1 --user 'CONTOSO\\admin'\ncau hotfix config init --print",
	CLIConfigWritten:       "Wrote %s, %d bytes.",
	CLIConfigDefaultHint:   "These are cau's own rules. Nodes with the Failover Clustering Tools have Microsoft's file; prefer that: --cluster ADDRESS.",
	CLIConfigPrintAlone:    "--print writes to standard output and takes no root and no other flag",
	CLIFlagConfigFrom:      "write a copy of this file, if it is valid, instead of cau's default",
	CLIFlagConfigPrint:     "print cau's default configuration file and write nothing",
	CLIOneRootOrFolderHint: "Name a folder on this host, or a share in single quotes: %s '\\\\server\\share\\folder'.",
	CLIOrLabHint:           "Or name none and take the lab's with --lab.",
	CLIFlagNeedsShare:      "it means nothing here: %s is a folder on this host",
	CLIFlagNeedsShareHint:  `Leave it out, or name the root as '\\server\share\folder'.`,
}
