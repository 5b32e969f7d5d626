package message

// Texts of the commands about hotfix roots, beside `cau hotfix check`.
const (
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
	CLIConfigShort:         "Hotfix configuration files",
	CLIConfigValidateShort: "Read a configuration file and say what is wrong with it",
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
		"this host, or \\\\server\\share\\folder. Never overwrites a file. Where a node has Microsoft's own DefaultHotfixConfig.xml, give a copy\n" +
		"of it with --from: it is read first, and written byte for byte if it is valid.",
	CLIConfigInitExample:   "cau hotfix config init /srv/hotfixes/root\ncau hotfix config init '\\\\fs1\\hotfixes\\root' --user 'CONTOSO\\admin'\ncau hotfix config init --print",
	CLIConfigWritten:       "Wrote %s, %d bytes.",
	CLIConfigDefaultHint:   "These are cau's own rules. If a node has Microsoft's file (%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\Modules\\ClusterAwareUpdating), prefer that: --from FILE.",
	CLIConfigPrintAlone:    "--print writes to standard output and takes no root and no other flag",
	CLIFlagConfigFrom:      "write a copy of this file, if it is valid, instead of cau's default",
	CLIFlagConfigPrint:     "print cau's default configuration file and write nothing",
	CLIOneRootOrFolderHint: "Name a folder on this host, or a share in single quotes: %s '\\\\server\\share\\folder'.",
	CLIOrLabHint:           "Or name none and take the lab's with --lab.",
	CLIFlagNeedsShare:      "it means nothing here: %s is a folder on this host",
	CLIFlagNeedsShareHint:  `Leave it out, or name the root as '\\server\share\folder'.`,
}
