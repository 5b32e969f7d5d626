package message

// Texts of cau plugin.
const (
	PluginShort        Key = "plugin.short"
	PluginQueryShort   Key = "plugin.query.short"
	PluginQueryLong    Key = "plugin.query.long"
	PluginQueryExample Key = "plugin.query.example"
	PluginQueryOp      Key = "plugin.query.op"
	PluginOneText      Key = "plugin.one-text"
	PluginOneTextHint  Key = "plugin.one-text.hint"
	PluginQueryRead    Key = "plugin.query.read"
	PluginQuerySelf    Key = "plugin.query.self"
	PluginQueryDoubled Key = "plugin.query.doubled"
	PluginAllowed      Key = "plugin.allowed"
	PluginPlace        Key = "plugin.place"
	PluginLinePlace    Key = "plugin.line-place"
	PluginArgsShort    Key = "plugin.args.short"
	PluginArgsLong     Key = "plugin.args.long"
	PluginArgsExample  Key = "plugin.args.example"
	PluginArgsOp       Key = "plugin.args.op"
	PluginTwoTexts     Key = "plugin.two-texts"

	PluginThen            Key = "plugin.then"
	PluginFlagArgs        Key = "plugin.flag.args"
	PluginTooManySets     Key = "plugin.too-many-sets"
	PluginTooManySetsHint Key = "plugin.too-many-sets.hint"
	PluginNotAsked        Key = "plugin.not-asked"
	PluginNotAskedHint    Key = "plugin.not-asked.hint"
	PluginOfAnother       Key = "plugin.of-another"
	PluginListShort       Key = "plugin.list.short"
	PluginShowShort       Key = "plugin.show.short"
	PluginShowOp          Key = "plugin.show.op"
	PluginOneName         Key = "plugin.one-name"
	PluginOneNameHint     Key = "plugin.one-name.hint"
	PluginRefused         Key = "plugin.refused"
	PluginInstead         Key = "plugin.instead"
	PluginRequired        Key = "plugin.required"
	PluginDefault         Key = "plugin.default"

	PluginRegisterShort   Key = "plugin.register.short"
	PluginRegisterLong    Key = "plugin.register.long"
	PluginRegisterOp      Key = "plugin.register.op"
	PluginRegisterAsk     Key = "plugin.register.ask"
	PluginRegisterTrust   Key = "plugin.register.trust"
	PluginRegisterNo      Key = "plugin.register.no"
	PluginRegistered      Key = "plugin.registered"
	PluginOnePath         Key = "plugin.one-path"
	PluginUnregisterShort Key = "plugin.unregister.short"
	PluginUnregistered    Key = "plugin.unregistered"
	PluginTestShort       Key = "plugin.test.short"
	PluginTestLong        Key = "plugin.test.long"
	PluginTestPassed      Key = "plugin.test.passed"
	PluginTestFailed      Key = "plugin.test.failed"
	PluginFile            Key = "plugin.file"
	PluginOwner           Key = "plugin.owner"
	PluginMay             Key = "plugin.may"
	PluginMayMeans        Key = "plugin.may.means"
	PluginMayNothing      Key = "plugin.may.nothing"
	PluginChanged         Key = "plugin.changed"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var pluginTexts = map[Key]string{
	PluginShort:      "What plug-ins there are, and whether their arguments and queries are right",
	PluginQueryShort: "Check a query of Windows Update, as QueryString takes it",
	PluginQueryLong: `Check a query in the search language of Windows Update's agent, as Microsoft.WindowsUpdatePlugin takes it in QueryString.

Nothing is asked of any node. What is wrong is said with its column and what may stand there. Both ways of writing it are
taken and shown: with single quotes, and with all quotes doubled, as CAU's self-updating role wants it.`,
	PluginQueryExample: `cau plugin query "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"
cau plugin query "UpdateID='12345678-9abc-def0-1234-56789abcdef0' and RevisionNumber=100" --json`,
	PluginQueryOp:      "read the query",
	PluginOneText:      "exactly one text is expected",
	PluginOneTextHint:  "Put it in quotes, so that the shell leaves it whole.",
	PluginQueryRead:    "QueryString        %s",
	PluginQuerySelf:    "for self-updating  %s",
	PluginQueryDoubled: "The quotes are doubled, as CAU's self-updating role wants them; cau reads it with single ones.",
	PluginAllowed:      "Allowed there: %s",
	PluginPlace:        "column %d",
	PluginLinePlace:    "line %d, column %d",
	PluginArgsShort:    "Check a plug-in's arguments as CAU writes them",
	PluginArgsLong: `Check the arguments of a plug-in, as the CAU UI writes them or as a PowerShell hashtable, and show them as the plug-in gets them.

Nothing is asked of any node. Every argument that is unknown, given twice, missing or of the wrong type is named with its column.`,
	PluginArgsExample: `cau plugin args Microsoft.WindowsUpdatePlugin "IncludeRecommendedUpdates=True;QueryString=\"IsInstalled=0 and Type='Software'\""
cau plugin args Microsoft.HotfixPlugin "@{ 'HotfixRootFolderPath'='\\\\fs1\hotfixes\root'; 'RequireSMBEncryption'='True' }" --json`,
	PluginArgsOp:   "read the arguments",
	PluginTwoTexts: "a plug-in and one text are expected",

	PluginThen:            "then with %s from %s",
	PluginFlagArgs:        `all arguments of the plug-in named before, as the CAU UI writes them ('Name1=Value1;Name2="Value with Spaces"'), or PowerShell's hashtables of several in their order ('@{…}, @{…}')`,
	PluginTooManySets:     "there are %d sets of arguments for %d plug-ins",
	PluginTooManySetsHint: "Name each plug-in with --plugin, in the same order.",
	PluginNotAsked:        "an argument is for the plug-in",
	PluginNotAskedHint:    "Asked for are %s; --plugin asks for another one.",
	PluginOfAnother:       "%[1]s takes it: add --plugin %[1]s.",
	PluginListShort:       "List the plug-ins, and those that CAU has registered on a cluster's nodes",
	PluginShowShort:       "Show a plug-in and its arguments",
	PluginShowOp:          "show the plug-in",
	PluginOneName:         "exactly one plug-in is expected",
	PluginOneNameHint:     "cau plugin list names them.",
	PluginRefused:         "No run of cau has it: %s.",
	PluginInstead:         "Instead: %s",
	PluginRequired:        "required",
	PluginDefault:         "default %s",

	PluginRegisterShort: "Trust another plug-in and register it",
	PluginRegisterLong: `Trust another plug-in and register it. It runs on this host with your rights, and its scripts run as SYSTEM on the nodes.

Its path, SHA-256, owner, permissions and what it declares are shown, asked about and recorded; when any of them changes it is not
started any more. What others may write is refused. The executable is started once to say what it is, with nothing to reach.`,
	PluginRegisterOp:      "register a plug-in",
	PluginRegisterTrust:   "Registering it is a decision of trust: it runs on this host with your rights, and on the nodes it may do what is listed here.",
	PluginRegisterAsk:     "Type yes to trust %s:",
	PluginRegisterNo:      "Nothing was registered.",
	PluginRegistered:      "Registered %s. Use it with --plugin %s.",
	PluginOnePath:         "exactly one path is expected",
	PluginUnregisterShort: "Forget a registered plug-in; its executable stays",
	PluginUnregistered:    "Forgot %s. %s stays where it is.",
	PluginTestShort:       "Try whether a plug-in keeps the protocol",
	PluginTestLong: `Try whether a plug-in keeps the protocol: every request, right and wrong, against a simulated node. No cluster is touched and nothing is
registered, but the executable runs on this host with your rights.

The exit code is 0 when all cases passed, and 1 otherwise. Give the arguments that its scan needs with --arg.`,
	PluginTestPassed:           "All %d cases passed.",
	PluginTestFailed:           "%d of %d cases failed.",
	PluginFile:                 "%s  sha256 %s",
	PluginOwner:                "owner %s, permissions %s",
	PluginMay:                  "may %s",
	PluginMayMeans:             "%s: %s, %s",
	"plugin.act.script":        "run PowerShell scripts as SYSTEM",
	"plugin.act.program":       "start programs as SYSTEM",
	"plugin.act.read":          "read files of an update's own folder",
	"plugin.act.write":         "write files into an update's own folder",
	"plugin.act.read-anywhere": "read any file on the node's fixed drives, as SYSTEM",
	"plugin.in.scan":           "for every preview",
	"plugin.in.stage":          "before any node is drained",
	"plugin.in.install":        "while the node is out of service",
	PluginMayNothing:           "nothing on the nodes",
	PluginChanged:              "It would not be started: %s.",
}

// PluginAct is what another's plug-in may ask for, by its capability's first word, and PluginIn when, by its second.
func PluginAct(act string) Key { return Key("plugin.act." + act) }

// PluginIn is when it may.
func PluginIn(request string) Key { return Key("plugin.in." + request) }
