package message

// Keys of the command line.
const (
	CLIShort Key = "cli.short"
	CLILong  Key = "cli.long"

	CLIFlagAccessible      Key = "cli.flag.accessible"
	CLIFlagCluster         Key = "cli.flag.cluster"
	CLIFlagLab             Key = "cli.flag.lab"
	CLIFlagNode            Key = "cli.flag.node"
	CLIFlagUser            Key = "cli.flag.user"
	CLIFlagPasswordFile    Key = "cli.flag.password-file"
	CLIFlagPasswordFD      Key = "cli.flag.password-fd"
	CLIFlagSMBPort         Key = "cli.flag.smb-port"
	CLIFlagSMBUser         Key = "cli.flag.smb-user"
	CLIFlagSMBPasswordFile Key = "cli.flag.smb-password-file"
	CLIFlagCAFile          Key = "cli.flag.ca-file"
	CLIFlagPin             Key = "cli.flag.pin"
	CLIFlagAuth            Key = "cli.flag.auth"
	CLIFlagCCache          Key = "cli.flag.ccache"
	CLIFlagKeytab          Key = "cli.flag.keytab"
	CLIFlagRealm           Key = "cli.flag.realm"
	CLIFlagKDC             Key = "cli.flag.kdc"
	CLIFlagKRB5Config      Key = "cli.flag.krb5-config"
	CLIFlagSPN             Key = "cli.flag.spn"
	CLIFlagCertFile        Key = "cli.flag.cert-file"
	CLIFlagKeyFile         Key = "cli.flag.key-file"
	CLIFlagChannelBinding  Key = "cli.flag.channel-binding"
	CLIUnknownAuth         Key = "cli.unknown-auth"
	CLIKerberosFlags       Key = "cli.kerberos-flags"
	CLICertNeedsKey        Key = "cli.cert-needs-key"
	CLICertFlags           Key = "cli.cert-flags"
	CLICertMissing         Key = "cli.cert-missing"
	CLICertIsAll           Key = "cli.cert-is-all"
	CLIOneSecret           Key = "cli.one-secret"
	CLICacheNamesUser      Key = "cli.cache-names-user"
	CLIKeytabNeedsUser     Key = "cli.keytab-needs-user"
	CLIFlagPlugin          Key = "cli.flag.plugin"
	CLIFlagArg             Key = "cli.flag.arg"
	CLIFlagAccept          Key = "cli.flag.accept"
	CLIFlagJSON            Key = "cli.flag.json"
	CLIFlagYes             Key = "cli.flag.yes"
	CLIFlagDetach          Key = "cli.flag.detach"
	CLIFlagPlain           Key = "cli.flag.plain"
	CLIFlagLabNodes        Key = "cli.flag.lab.nodes"
	CLIFlagLabScenario     Key = "cli.flag.lab.scenario"
	CLIFlagLabSpeed        Key = "cli.flag.lab.speed"
	CLIFlagLabShare        Key = "cli.flag.lab.share"
	CLIFlagLabLinger       Key = "cli.flag.lab.linger"
	CLIFlagNewLabLinger    Key = "cli.flag.lab.linger-new"

	CLIFlagDoctorRoot       Key = "cli.flag.doctor-root"
	CLIFlagNoJob            Key = "cli.flag.no-job"
	CLIRootNeedsJob         Key = "cli.root-needs-job"
	CLIFlagCompareUpdates   Key = "cli.flag.compare-updates"
	CLICompareNeedsJob      Key = "cli.compare-needs-job"
	CLIJobShort             Key = "cli.job.short"
	CLIJobListShort         Key = "cli.job.list.short"
	CLIJobListHead          Key = "cli.job.list.head"
	CLINoJobs               Key = "cli.no-jobs"
	CLIJobKillShort         Key = "cli.job.kill.short"
	CLIJobKillLong          Key = "cli.job.kill.long"
	CLIJobKillAsk           Key = "cli.job.kill.ask"
	CLIJobKillNot           Key = "cli.job.kill.not"
	CLIJobKilled            Key = "cli.job.killed"
	CLIJobIdle              Key = "cli.job.idle"
	CLIJobUnknown           Key = "cli.job.unknown"
	CLIJobUnknownHint       Key = "cli.job.unknown.hint"
	CLIJobAlive             Key = "cli.job.alive"
	CLIJobDone              Key = "cli.job.done"
	CLIJobQueued            Key = "cli.job.queued"
	CLIJobLost              Key = "cli.job.lost"
	CLINodeShort            Key = "cli.node.short"
	CLINodeCleanShort       Key = "cli.node.clean.short"
	CLINodeCleanLong        Key = "cli.node.clean.long"
	CLINodeCleaned          Key = "cli.node.cleaned"
	CLIFlagRun              Key = "cli.flag.run"
	CLIKillNeedsTerminal    Key = "cli.job.kill.terminal"
	CLIScriptSystem         Key = "cli.script.system"
	CLIScriptCaller         Key = "cli.script.caller"
	CLIPlanPreScript        Key = "cli.plan.pre-script"
	CLIPlanPostScript       Key = "cli.plan.post-script"
	CLIPlanSignatures       Key = "cli.plan.signatures"
	CLIMeansNothing         Key = "cli.means-nothing"
	CLIParameterRefused     Key = "cli.parameter-refused"
	CLINotNeeded            Key = "cli.not-needed"
	CLIFlagRefused          Key = "cli.flag.refused"
	CLIFlagNotNeeded        Key = "cli.flag.not-needed"
	CLIOpOpen               Key = "cli.op.open"
	CLIInterrupted          Key = "cli.interrupted"
	CLIDumb                 Key = "cli.dumb"
	CLIDumbHint             Key = "cli.dumb.hint"
	CLINoTerminal           Key = "cli.no-terminal"
	CLINoTerminalHint       Key = "cli.no-terminal.hint"
	CLIOpTarget             Key = "cli.op.target"
	CLITwoClusters          Key = "cli.two-clusters"
	CLINoCluster            Key = "cli.no-cluster"
	CLINoClusterHint        Key = "cli.no-cluster.hint"
	CLIOpPlugin             Key = "cli.op.plugin"
	CLIUnknownPlugin        Key = "cli.unknown-plugin"
	CLIUnknownPluginHint    Key = "cli.unknown-plugin.hint"
	CLIUnknownCheck         Key = "cli.unknown-check"
	CLIUnknownCheckHint     Key = "cli.unknown-check.hint"
	CLIOpGate               Key = "cli.op.gate"
	CLIRefused              Key = "cli.refused"
	CLIFlagForce            Key = "cli.flag.force"
	CLIRefusedFailHint      Key = "cli.refused.fail.hint"
	CLIRefusedAcceptHint    Key = "cli.refused.accept.hint"
	CLINeedsYes             Key = "cli.needs-yes"
	CLINeedsYesHint         Key = "cli.needs-yes.hint"
	CLIAddYesHint           Key = "cli.add-yes.hint"
	CLIConfirm              Key = "cli.confirm"
	CLINotConfirmed         Key = "cli.not-confirmed"
	CLIStarted              Key = "cli.started"
	CLIDetached             Key = "cli.detached"
	CLICoordinatorGone      Key = "cli.coordinator-gone"
	CLILingerNeedsLab       Key = "cli.linger-needs-lab"
	CLITwoPasswords         Key = "cli.two-passwords"
	CLIPasswordNeedsUser    Key = "cli.password-needs-user"
	CLISMBPasswordNeedsUser Key = "cli.smb-password-needs-user"
	CLITwoShareAccounts     Key = "cli.two-share-accounts"
	CLILabSignsIn           Key = "cli.lab-signs-in"
	CLILastWords            Key = "cli.last-words"
	CLINotAlive             Key = "cli.not-alive"
	CLIUnreadable           Key = "cli.unreadable"
	CLIPauseAsked           Key = "cli.pause-asked"
	CLIStopAsked            Key = "cli.stop-asked"
	CLIOneRun               Key = "cli.one-run"
	CLIOneRunHint           Key = "cli.one-run.hint"
	CLIOneLab               Key = "cli.one-lab"
	CLIOneLabHint           Key = "cli.one-lab.hint"
	CLIHelpHint             Key = "cli.help.hint"
	CLILabIsItself          Key = "cli.lab-is-itself"
	CLILabIsItselfHint      Key = "cli.lab-is-itself.hint"
	CLIOpCommand            Key = "cli.op.command"
	CLIUnknownCommand       Key = "cli.unknown-command"
	CLIEmptyCluster         Key = "cli.empty-cluster"
	CLIOutput               Key = "cli.output"
	CLIPreviewShort         Key = "cli.preview.short"
	CLIPreviewLong          Key = "cli.preview.long"
	CLIPreviewExample       Key = "cli.preview.example"
	CLIApplyShort           Key = "cli.apply.short"
	CLIApplyLong            Key = "cli.apply.long"
	CLIApplyExample         Key = "cli.apply.example"
	CLIRunsShort            Key = "cli.runs.short"
	CLIRunsHead             Key = "cli.runs.head"
	CLINoRuns               Key = "cli.no-runs"
	CLIStatusShort          Key = "cli.status.short"
	CLIAttachShort          Key = "cli.attach.short"
	CLIResumeLong           Key = "cli.resume.long"
	CLIDoctorShort          Key = "cli.doctor.short"
	CLIDoctorLong           Key = "cli.doctor.long"
	CLILabShort             Key = "cli.lab.short"
	CLILabUpShort           Key = "cli.lab.up.short"
	CLILabUpLong            Key = "cli.lab.up.long"
	CLILabListShort         Key = "cli.lab.list.short"
	CLILabListHead          Key = "cli.lab.list.head"
	CLILabDownShort         Key = "cli.lab.down.short"
	CLILabGone              Key = "cli.lab.gone"
	CLINoLabs               Key = "cli.no-labs"
	CLILabNodesRange        Key = "cli.lab.nodes-range"
	CLILabSpeedRange        Key = "cli.lab.speed-range"
	CLILabUnknownScenario   Key = "cli.lab.unknown-scenario"
	CLILabHead              Key = "cli.lab.head"
	CLILabRoot              Key = "cli.lab.root"
	CLILabUser              Key = "cli.lab.user"
	CLIPlanHead             Key = "cli.plan.head"
	CLIPlanChecks           Key = "cli.plan.checks"
	CLIPlanNodes            Key = "cli.plan.nodes"
	CLIPlanNode             Key = "cli.plan.node"
	CLIPlanNotTaken         Key = "cli.plan.not-taken"
	CLIPlanMayRestart       Key = "cli.plan.may-restart"
	CLIPlanIgnored          Key = "cli.plan.ignored"
	CLIDidYouMean           Key = "cli.did-you-mean"
	CLIStateHead            Key = "cli.state.head"
	CLIStateNode            Key = "cli.state.node"
	CLIStateAttempt         Key = "cli.state.attempt"
	CLIStateEarlier         Key = "cli.state.earlier"
	CLIStateNotBegun        Key = "cli.state.not-begun"

	CLIFlagOlderSMB          Key = "cli.flag.allow-older-smb"
	CLIFlagHotfixLab         Key = "cli.flag.hotfix.lab"
	CLIFlagHotfixNode        Key = "cli.flag.hotfix.node"
	CLIFlagHotfixConfig      Key = "cli.flag.hotfix.config"
	CLIFlagRequireEncryption Key = "cli.flag.require-encryption"
	CLIFlagDisableACLChecks  Key = "cli.flag.disable-acl-checks"
	CLIFlagFileUser          Key = "cli.flag.file.user"
	CLIFlagFileAuth          Key = "cli.flag.file.auth"
	CLIFlagFileSPN           Key = "cli.flag.file.spn"
	CLIHotfixShort           Key = "cli.hotfix.short"
	CLIHotfixCheckShort      Key = "cli.hotfix.check.short"
	CLIHotfixCheckLong       Key = "cli.hotfix.check.long"
	CLIHotfixCheckExample    Key = "cli.hotfix.check.example"
	CLIHotfixSafe            Key = "cli.hotfix.safe"
	CLIHotfixNotSafe         Key = "cli.hotfix.not-safe"
	CLIOpRoot                Key = "cli.op.root"
	CLINoRoot                Key = "cli.no-root"
	CLIOneRoot               Key = "cli.one-root"
	CLIOneRootHint           Key = "cli.one-root.hint"
	CLINoNodeName            Key = "cli.no-node-name"
	CLILabRootIsItself       Key = "cli.lab-root-is-itself"
	CLILingerNeedsLabFlag    Key = "cli.linger-needs-lab-flag"
	CLINTLMNeedsUser         Key = "cli.ntlm-needs-user"
)

// CLIControlShort describes a control command; CLIControlDone confirms it.
func CLIControlShort(verb string) Key { return Key("cli.control." + verb + ".short") }

// CLIControlDone confirms that a control request was taken.
func CLIControlDone(verb string) Key { return Key("cli.control." + verb + ".done") }

// Earlier says how an earlier attempt at a node ended: it failed, or somebody left the node out before it was begun.
func Earlier(notBegun bool) Key {
	if notBegun {
		return CLIStateNotBegun
	}
	return CLIStateEarlier
}

// Texts of the command line.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var cliTexts = map[Key]string{
	CLIShort: "Cluster-Aware Updating from any terminal",
	CLILong: "cau takes the nodes of a Windows failover cluster one after another through drain, install, restart and resume,\n" +
		"over WinRM, with the pages of Cluster-Aware Updating. Without a command it opens its main window, on a simulated\n" +
		"cluster unless --cluster names a real one.",

	CLIFlagAccessible:      "ask line by line instead of drawing a screen",
	CLIFlagCluster:         "the cluster's name or any node: host, host:port, https://host:port",
	CLIFlagLab:             "use the simulated cluster (--lab=ID picks one of several)",
	CLIFlagNode:            "where a node really listens, NAME=ADDRESS; repeatable",
	CLIFlagUser:            `who signs in on the nodes: DOMAIN\user, user@domain or a local account; with --lab, who reads the share`,
	CLIFlagPasswordFile:    "file with the password, readable by you alone; without it cau asks",
	CLIFlagPasswordFD:      "file descriptor to read the password from",
	CLIFlagSMBPort:         "port of the hotfix root's file server (default 445)",
	CLIFlagSMBUser:         "another account for reading the hotfix root; it signs in with a password, by NTLM",
	CLIFlagSMBPasswordFile: "file with that account's password",
	CLIFlagCAFile:          "the CA of the nodes' https listeners, a PEM file",
	CLIFlagPin:             "the https listener's public key: its SHA-256 in hex",
	CLIFlagAuth:            "how to sign in on the nodes: auto, kerberos, ntlm, certificate or basic (https only); auto never takes basic",
	CLIFlagCCache:          "Kerberos ticket cache to sign in with, FILE:/path; 'default' is the one that kinit fills",
	CLIFlagKeytab:          "file with the user's Kerberos keys, readable by you alone",
	CLIFlagRealm:           "Kerberos realm of the user (default: what follows the @ of --user, else krb5.conf's)",
	CLIFlagKDC:             "where a domain controller answers Kerberos, HOST or HOST:PORT; repeatable (default: krb5.conf, then DNS)",
	CLIFlagKRB5Config:      "a krb5.conf other than the host's own",
	CLIFlagSPN:             "name of the nodes' WinRM service in tickets (default WSMAN/{host}, then HTTP/{host})",
	CLIFlagCertFile:        "client certificate to sign in with, PEM; https only",
	CLIFlagKeyFile:         "its private key, PEM, readable by you alone",
	CLIFlagChannelBinding:  "on, or off: whether the logon is tied to the TLS channel; off is for a proxy that ends TLS before the nodes",
	CLIUnknownAuth:         "there is no way to sign in called",
	CLIKerberosFlags:       "--ccache, --keytab, --realm, --kdc, --krb5-config and --spn mean something with Kerberos alone: leave --auth out, or say --auth kerberos",
	CLICertNeedsKey:        "--cert-file and --key-file belong together",
	CLICertFlags:           "--cert-file is for --auth certificate",
	CLICertMissing:         "--auth certificate needs --cert-file and --key-file",
	CLICertIsAll:           "a client certificate says by itself who signs in: leave --user, passwords and Kerberos out",
	CLIOneSecret:           "a ticket cache, a keytab and a password are three ways to sign in: give one",
	CLICacheNamesUser:      "a ticket cache says by itself who signs in: leave --user out",
	CLIKeytabNeedsUser:     "--keytab needs --user, whose keys it holds",
	CLIFlagPlugin:          "who finds and installs updates: a plug-in's name; repeatable, and they install in that order",
	CLIFlagArg:             `an argument of the plug-in named before it, or PLUGIN:Name=Value; repeatable: --arg 'HotfixRootFolderPath=\\server\share\root'`,
	CLIFlagAccept:          "accept by id one check that could not be verified; repeatable",
	CLIFlagJSON:            "print JSON",
	CLIFlagYes:             "answer the confirmation; opens no gate",
	CLIFlagDetach:          "start the run and return at once",
	CLIFlagPlain:           "print lines instead of drawing a screen",
	CLIFlagLabNodes:        "number of nodes, 2 to 64",
	CLIFlagLabScenario:     "what goes wrong: %s",
	CLIFlagLabSpeed:        "how many times faster than real time the lab runs, 1 to 10000",
	CLIFlagLabShare:        `where a share really is and as whom nodes read it: '\\server\share=ADDR:PORT,user,password-file'; repeatable`,
	CLIFlagLabLinger:       "how long the lab lives after its last viewer and run; negative: until cau lab down",
	CLIFlagNewLabLinger:    "how long a lab that is started for this command lives after its last viewer and run; negative: until cau lab down",

	CLIFlagDoctorRoot:       "a hotfix root, \\\\server\\share\\folder, that each node tries to read as its computer account",
	CLIFlagNoJob:            "start no SYSTEM job on the nodes: task creation and the share are then not verified",
	CLIRootNeedsJob:         "--root is read by a job on each node: leave --no-job out",
	CLIFlagCompareUpdates:   "also search each node for updates four times, with and without IncludeRecommendedUpdates, by cau's query and by CAU's own provider, and say what differs; may take many minutes",
	CLICompareNeedsJob:      "--compare-updates searches by jobs on each node: leave --no-job out",
	CLIJobShort:             "Jobs that updating runs have on the nodes",
	CLIJobListShort:         "List the jobs on all nodes, or on one",
	CLIJobListHead:          "NODE\tRUN\tJOB\tKIND\tSTATE\tLAST SIGN OF LIFE",
	CLINoJobs:               "There are no jobs on the nodes.",
	CLIJobKillShort:         "End a job's process tree: an installer that hangs, a script that does not end",
	CLIJobKillLong:          "Ends the processes of one job on one node. An installer that is ended half-way may leave the node unable to start: this asks\nfor the node's name, typed, and nothing else answers it. The update counts as unknown afterwards.",
	CLIJobKillAsk:           "Job %s on %s (%s) is at work. Ending an installer half-way can leave the node broken.\nType the node's name to end it:",
	CLIJobKillNot:           "Nothing was ended: what was typed is not %s.",
	CLIJobKilled:            "Ended %d processes of job %s on %s: %s",
	CLIJobIdle:              "job %s on %s is not at work; nothing was ended",
	CLIJobUnknown:           "there is no such job on %s",
	CLIJobUnknownHint:       "See them with cau job list.",
	CLIJobAlive:             "at work",
	CLIJobDone:              "finished",
	CLIJobQueued:            "queued",
	CLIJobLost:              "ended without a result",
	CLINodeShort:            "Traces of cau on the nodes",
	CLINodeCleanShort:       "Remove every trace of cau, or of one run, from nodes",
	CLINodeCleanLong:        "Removes cau's folder below %ProgramFiles%, what was pushed to the node, and its scheduled tasks. Refused while a job is at\nwork there, and while a run of this host is on the cluster. Without a node's name it cleans all of them.",
	CLINodeCleaned:          "%s: clean",
	CLIFlagRun:              "only what this run left",
	CLIKillNeedsTerminal:    "the node's name is typed at a terminal, and there is none",
	CLIScriptSystem:         "SYSTEM",
	CLIScriptCaller:         "the account that signs in, within its WinRM logon",
	CLIPlanPreScript:        "Before each node is paused: %s, as %s, at most %d minutes",
	CLIPlanPostScript:       "After each node is back: %s, as %s, at most %d minutes",
	CLIPlanSignatures:       "Updates without a valid signature: %s",
	CLIFlagForce:            "the same as --yes, as Invoke-CauRun calls it",
	CLIMeansNothing:         "it means nothing with the other options",
	CLIParameterRefused:     "%s of Invoke-CauRun is refused",
	CLINotNeeded:            "%s is accepted and not needed here: %s",
	CLIFlagRefused:          "refused: %s %s",
	CLIFlagNotNeeded:        "accepted and not needed: %s",
	CLIOpOpen:               "open the main window",
	CLIInterrupted:          "Interrupted.",
	CLIDumb:                 "this terminal cannot draw a screen (TERM=dumb or unset)",
	CLIDumbHint:             "Use cau --accessible, or the commands: cau preview, cau apply, cau status. See cau --help.",
	CLINoTerminal:           "there is no terminal here",
	CLINoTerminalHint:       "Use the commands instead: cau preview, cau apply --yes, cau status. See cau --help.",
	CLIOpTarget:             "choose the cluster",
	CLITwoClusters:          "both --cluster and --lab are given",
	CLINoCluster:            "no cluster is named, so nothing was touched",
	CLINoClusterHint:        "Name one with --cluster ADDRESS, or use the simulated one with --lab.",
	CLIOpPlugin:             "choose the plug-in",
	CLIUnknownPlugin:        "there is no plug-in",
	CLIUnknownPluginHint:    "Plug-ins: %s.",
	CLIUnknownCheck:         "there is no check",
	CLIUnknownCheckHint:     "Accept the id of a check that cau preview shows as \"cannot verify\".",
	CLIOpGate:               "start the run",
	CLIRefused:              "checks in the way: %d; nothing was changed",
	CLIRefusedFailHint:      "Mend what is marked ✗, then try again; cau preview shows it.",
	CLIRefusedAcceptHint:    "Verify these yourself, then accept each by name:%s",
	CLINeedsYes:             "nobody can answer the confirmation here",
	CLINeedsYesHint:         "Look at cau preview, then add --yes.",
	CLIAddYesHint:           "Run it at a terminal to see it first, or add --yes to do it unasked.",
	CLIConfirm:              "Apply these updates to %s? Type yes:",
	CLINotConfirmed:         "Not confirmed; nothing was changed.",
	CLIStarted:              "Run %s started. %s",
	CLIDetached:             "Detached; the run goes on. See it with: cau attach %s",
	CLICoordinatorGone:      "The run has not ended, but its coordinator is gone. Go on with: cau resume %s",
	CLILingerNeedsLab:       "--lab-linger is for the simulated cluster; leave it out with --cluster",
	CLITwoPasswords:         "both --password-file and --password-fd are given",
	CLIPasswordNeedsUser:    "a password is given and nobody whose it is; add --user",
	CLISMBPasswordNeedsUser: "--smb-password-file is given and nobody whose password it holds; add --smb-user",
	CLITwoShareAccounts:     "the simulated cluster signs in by itself, so --user and --smb-user both name the share's account; give one",
	CLILabSignsIn:           "the simulated cluster signs in by itself; leave --user out",
	CLILastWords:            "its coordinator ended: %s",
	CLINotAlive:             "(no coordinator)",
	CLIUnreadable:           "unreadable",
	CLIPauseAsked:           "pauses after the current node",
	CLIStopAsked:            "stops after the current update; its node is resumed first",
	CLIOneRun:               "exactly one run is named",
	CLIOneRunHint:           "Name it by its id or the beginning of it; see cau runs.",
	CLIHelpHint:             "See %s --help.",
	CLILabIsItself:          "--node and the flags for certificates and Kerberos mean nothing with --lab: a lab says itself where its nodes listen and who signs in",
	CLILabIsItselfHint:      "Leave them out.",
	CLIOpCommand:            "read the command",
	CLIUnknownCommand:       "there is no command",
	CLIEmptyCluster:         "it names nothing, so nothing was touched",
	CLIOutput:               "print the answer",

	CLIPreviewShort:   "Show what a run would do, and check whether it may",
	CLIPreviewLong:    "Lets the plug-ins see what there is for each node, reads the cluster, checks both, and prints the plan that a run would follow. Changes nothing.\nExit code 3 when a check stands in the way.",
	CLIPreviewExample: "cau preview --lab\ncau preview --cluster fc1 --user 'CONTOSO\\admin'\ncau preview --cluster fc1 --user 'CONTOSO\\admin' --plugin Microsoft.HotfixPlugin --arg 'HotfixRootFolderPath=\\\\fs1\\hotfixes\\root'",
	CLIApplyShort:     "Apply updates to a cluster",
	CLIApplyLong: "Previews, asks for confirmation, and starts the run in a process of its own that outlives this terminal. Ctrl-C or a\n" +
		"closed terminal detaches and never stops the run: cau attach shows it again.",
	CLIApplyExample: "cau apply --lab\ncau apply --cluster fc1 --user 'CONTOSO\\admin' --plugin Microsoft.HotfixPlugin --arg 'HotfixRootFolderPath=\\\\fs1\\hotfixes\\root' --accept node.quotas --yes --json",
	CLIRunsShort:    "List runs on this host",
	CLIRunsHead:     "RUN\tCLUSTER\tSTATE\tSTARTED\tENDED\tPLUG-IN",
	CLINoRuns:       "There are no runs on this host yet.",
	CLIStatusShort:  "Show a run: the newest, or the one named",
	CLIAttachShort:  "Watch a run, live or finished",
	CLIResumeLong:   "Undoes a pause. When the run's coordinator is gone (the host restarted, it was killed), starts a new one that goes on\nwhere the run stood.",

	"cli.control.pause.short":  "Finish the current node, then start no other",
	"cli.control.pause.done":   "Run %s pauses after the current node.",
	"cli.control.resume.short": "Go on after a pause, or after the coordinator was lost",
	"cli.control.resume.done":  "Run %s goes on.",
	"cli.control.stop.short":   "Finish the current update, restart if due, resume the node, then end",
	"cli.control.stop.done":    "Run %s stops after the current update; its node is resumed first.",

	CLIDoctorShort:        "Make first contact with a cluster or with nodes, and say what was seen",
	CLIDoctorLong:         "Says what was tried and what was seen, from the first connection to a SYSTEM job. Signs in on one node first and on the\nothers only after that succeeded. Changes nothing on the nodes but cau's own folder under %ProgramFiles%\\cau, and runs one\nshort job there, which it removes again.",
	CLILabShort:           "The simulated cluster",
	CLILabUpShort:         "Start a simulated cluster",
	CLILabUpLong:          "Starts a simulated failover cluster that speaks real WinRM and real SMB on loopback. Scenarios:",
	CLILabListShort:       "List living labs",
	CLILabListHead:        "LAB\tCLUSTER\tNODES\tSCENARIO\tSPEED\tSTARTED",
	CLILabDownShort:       "End a lab",
	CLILabGone:            "Lab %s has ended.",
	CLIOneLab:             "at most one lab is named, and its name is not empty",
	CLIOneLabHint:         "See the living ones with cau lab list.",
	CLINoLabs:             "No lab is running.",
	CLILabNodesRange:      "%d nodes; a lab has 2 to 64",
	CLILabSpeedRange:      "%g; a lab runs 1 to 10000 times as fast as real time",
	CLILabUnknownScenario: "there is no scenario",
	CLILabHead:            "Lab %s: %s, %d nodes, scenario %s, %gx as fast as real time (simulated)",
	CLILabRoot:            "hotfix root  %s",
	CLILabUser:            "sign in as   %s, password in %s",

	CLIPlanHead:       "%s   %s   %s",
	CLIPlanChecks:     "Checks",
	CLIPlanNodes:      "Nodes, in order: %d; the run stops at failure number %d, a node is attempted %d times at most",
	CLIPlanNode:       "roles: %d, updates: %d",
	CLIPlanNotTaken:   "not taken: %s",
	CLIPlanMayRestart: "may restart",
	CLIPlanIgnored:    "Not installed",
	CLIDidYouMean:     "(did you mean %s?)",
	CLIStateHead:      "Run %s on %s: %s",
	CLIStateNode:      "%d of %d updates done, restarts: %d",
	CLIStateAttempt:   "attempt %d of %d",
	CLIStateEarlier:   "attempt %d failed: %s",
	CLIStateNotBegun:  "attempt %d was not begun: %s",

	CLIFlagOlderSMB:          "read the hotfix root over SMB 2.0.2 to 3.0.2 where its server does not speak 3.1.1; what is seen then is not protected against a downgrade",
	CLIFlagHotfixLab:         "check a root on the simulated file server, by default its own (--lab=ID picks one of several)",
	CLIFlagHotfixNode:        "name of a node of the cluster, for its folder; repeatable; without it folders are taken for nodes' by their names",
	CLIFlagHotfixConfig:      "name of the configuration file in the root (default DefaultHotfixConfig.xml)",
	CLIFlagRequireEncryption: "fail where the connection need not be encrypted (RequireSMBEncryption)",
	CLIFlagDisableACLChecks:  "skip the checks of permissions and nothing else (DisableAclChecks)",
	CLIFlagFileUser:          `who signs in on the file server: DOMAIN\user, user@domain or a local account; without it the default ticket cache`,
	CLIFlagFileAuth:          "how to sign in on the file server: auto, kerberos or ntlm",
	CLIFlagFileSPN:           "name of the file server's service in tickets (default cifs/{host})",
	CLIHotfixShort:           "Hotfix root folders",
	CLIHotfixCheckShort:      "Check whether a hotfix root is safe to install from",
	CLIHotfixCheckLong: "Reads the root over SMB, changes nothing, and says whether anybody but administrators could have changed it, on disk\n" +
		"or on its way: the connection, the permissions of the root, the configuration file, updates and folders, and the\n" +
		"layout. Updates themselves are not read. Exit code 0 only if nothing failed and nothing is unverified, else 3.",
	CLIHotfixCheckExample: "cau hotfix check '\\\\fs1\\hotfixes\\root' --user 'CONTOSO\\admin' --node NODE1 --node NODE2\ncau hotfix check --lab --json",
	CLIHotfixSafe:         "Nothing failed and nothing is unverified.",
	CLIHotfixNotSafe:      "Not safe to install from until what is marked ✗ is mended and what is marked ? is verified.",
	CLIOpRoot:             "choose the hotfix root",
	CLINoRoot:             "no hotfix root is named",
	CLIOneRoot:            "more than one hotfix root is named",
	CLIOneRootHint:        "Name one, in single quotes: cau hotfix check '\\\\server\\share\\folder'; or check the lab's with --lab.",
	CLILabRootIsItself:    "the flags for Kerberos mean nothing with --lab: its file server is signed in to with the lab's own password",
	CLINoNodeName:         "is not a node's name; here nodes go by their names alone",
	CLILingerNeedsLabFlag: "--lab-linger is for --lab",
	CLINTLMNeedsUser:      "--auth ntlm needs --user",
}
