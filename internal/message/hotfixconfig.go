package message

// Texts of the commands that look into a hotfix configuration file and change it.
const (
	CLIConfigShowShort      Key = "cli.config.show.short"
	CLIConfigShowLong       Key = "cli.config.show.long"
	CLIConfigShowExample    Key = "cli.config.show.example"
	CLIConfigSetShort       Key = "cli.config.set.short"
	CLIConfigSetLong        Key = "cli.config.set.long"
	CLIConfigSetExample     Key = "cli.config.set.example"
	CLIConfigRemoveShort    Key = "cli.config.remove.short"
	CLIConfigRemoveLong     Key = "cli.config.remove.long"
	CLIConfigRemoveExample  Key = "cli.config.remove.example"
	CLIConfigNothingToSet   Key = "cli.config.nothing-to-set"
	CLIConfigOneRule        Key = "cli.config.one-rule"
	CLIConfigOneRuleHint    Key = "cli.config.one-rule.hint"
	CLIConfigNoChange       Key = "cli.config.no-change"
	CLIConfigChanged        Key = "cli.config.changed"
	CLIConfigNotWritten     Key = "cli.config.not-written"
	CLIConfigAsk            Key = "cli.config.ask"
	CLIConfigExtension      Key = "cli.config.extension"
	CLIConfigFolder         Key = "cli.config.folder"
	CLIConfigAlwaysReboot   Key = "cli.config.always-reboot"
	CLIHashedOn             Key = "cli.hashed-on"
	CLIListedAs             Key = "cli.listed-as"
	CLIFlagRuleExtension    Key = "cli.flag.rule.extension"
	CLIFlagRuleFolder       Key = "cli.flag.rule.folder"
	CLIFlagRulePath         Key = "cli.flag.rule.path"
	CLIFlagRuleParameters   Key = "cli.flag.rule.parameters"
	CLIFlagRuleCodes        Key = "cli.flag.rule.codes"
	CLIFlagRuleAlwaysReboot Key = "cli.flag.rule.always-reboot"
	CLIFlagConfigCluster    Key = "cli.flag.config.cluster"
	CLIFlagConfigLab        Key = "cli.flag.config.lab"
	CLIFlagConfigFromNode   Key = "cli.flag.config.from-node"
	CLIConfigTwoSources     Key = "cli.config.two-sources"
	CLIConfigTwoSourcesHint Key = "cli.config.two-sources.hint"
	CLIConfigFromNode       Key = "cli.config.from-node"
	CLIConfigNodeUnasked    Key = "cli.config.node.unasked"
	CLIConfigNodeNone       Key = "cli.config.node.none"
	CLIConfigNodeSame       Key = "cli.config.node.same"
	CLIConfigDefaultNone    Key = "cli.config.default.none"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var configTexts = map[Key]string{
	CLIConfigShowShort: "Show the rules of a configuration file as cau understands them",
	CLIConfigShowLong: "Reads the configuration file of a hotfix root, a folder on this host or \\\\server\\share\\folder, or a file; changes nothing. Exit code\n" +
		"0 if it is valid, 2 with FILE:LINE:COLUMN if it is not, 1 if it could not be read.",
	CLIConfigShowExample: "cau hotfix config show /srv/hotfixes/root\ncau hotfix config show '\\\\fs1\\hotfixes\\root' --user 'CONTOSO\\admin' --json",
	CLIConfigSetShort:    "Put a rule into a configuration file, or change one",
	CLIConfigSetLong: "Changes the configuration file of a hotfix root, a folder on this host or \\\\server\\share\\folder, or a file: the rule that is named gets\n" +
		"what the flags say, and keeps the rest; one that is not there yet is added and needs --path and --success. Everything else in the file\n" +
		"stays byte for byte: comments, order, elements of other programs. Shows the lines that change, asks, and then puts the new file in the\n" +
		"place of the old one in one step, with the same permissions; a file that somebody changed meanwhile is left alone. A list of exit codes\n" +
		"replaces the one that is there; '' takes it out. Plans that are made already keep the rules that they were made with.",
	CLIConfigSetExample: "cau hotfix config set /srv/hotfixes/root --folder Firmware --path '$update$' --parameters '/s' --success 0 --success-reboot 2,3010\n" +
		"cau hotfix config set '\\\\fs1\\hotfixes\\root' --extension msi --already-installed 1638 --user 'CONTOSO\\admin'",
	CLIConfigRemoveShort: "Take a rule out of a configuration file",
	CLIConfigRemoveLong: "Takes one rule out of the configuration file of a hotfix root, or of a file; the rest stays byte for byte. Updates that only this rule was\n" +
		"for are then passed over, as cau hotfix list shows. The last rule of a file cannot be taken out. Shows, asks and writes as set does.",
	CLIConfigRemoveExample:  "cau hotfix config remove /srv/hotfixes/root --folder Firmware\ncau hotfix config remove '\\\\fs1\\hotfixes\\root' --extension exe --yes --json",
	CLIConfigNothingToSet:   "nothing is said of what the rule shall say",
	CLIConfigOneRule:        "exactly one rule is named",
	CLIConfigOneRuleHint:    "Name it with --extension MSU or with --folder NAME.",
	CLIConfigNoChange:       "%s says so already; nothing was written.",
	CLIConfigChanged:        "Wrote %s.",
	CLIConfigNotWritten:     "Nothing was written.",
	CLIConfigAsk:            "Type yes to write %s:",
	CLIConfigExtension:      "Files with the extension %s",
	CLIConfigFolder:         "Files in a folder %s",
	CLIConfigAlwaysReboot:   "the node restarts after every success",
	CLIFlagRuleExtension:    "the rule for files with this extension",
	CLIFlagRuleFolder:       "the rule for the files of a sub-folder of this name",
	CLIFlagRulePath:         "the program that installs: a full path, a name in %SystemRoot%\\System32, or $update$ for the update itself",
	CLIFlagRuleParameters:   "its command line; $update$ becomes the update's path in double quotes",
	CLIFlagRuleCodes:        "exit codes for %s, such as 0,3010,0x80240017",
	CLIFlagRuleAlwaysReboot: "the node restarts after every success; for a folder's rule alone, =false takes it back",
	CLIFlagConfigCluster:    "ask the nodes of this cluster, by its name or any node, for Microsoft's own file",
	CLIFlagConfigLab:        "ask the nodes of the simulated cluster (--lab=ID picks one of several); their file is made up",
	CLIFlagConfigFromNode:   "take this node's file, whatever others have",
	CLIConfigTwoSources:     "a file on this host and a cluster are two sources",
	CLIConfigTwoSourcesHint: "Leave one of them out.",
	CLIConfigFromNode:       "A copy of the file that came with Cluster-Aware Updating on %s.",
	CLIConfigNodeUnasked:    "%s was not asked: %s",
	CLIConfigNodeNone:       "%s has none.",
	CLIConfigNodeSame:       "%s has the same.",
	CLIConfigDefaultNone:    "No node that answered has Microsoft's file, so these are cau's own rules.",
	CLIHashedOn:             "computed on %s",
	CLIListedAs:             "already installed: the node lists %s; its installer is started all the same",
}
