package message

// Keys of the wizard.
const (
	WizardNext            Key = "wizard.next"
	WizardUpdate          Key = "wizard.update"
	WizardFieldProblem    Key = "wizard.field-problem"
	WizardStillWorking    Key = "wizard.still-working"
	WizardAsks            Key = "wizard.asks"
	WizardOthers          Key = "wizard.others"
	WizardNotConfirmed    Key = "wizard.not-confirmed"
	WizardAttempts        Key = "wizard.attempts"
	WizardOurOption       Key = "wizard.our-option"
	WizardStopsAt         Key = "wizard.stops-at"
	WizardSimulated       Key = "wizard.simulated"
	WizardReached         Key = "wizard.reached"
	WizardStep1           Key = "wizard.step1"
	WizardStep2           Key = "wizard.step2"
	WizardStep3           Key = "wizard.step3"
	WizardActiveRun       Key = "wizard.active-run"
	WizardPlugin          Key = "wizard.plugin"
	WizardAccept          Key = "wizard.accept"
	WizardWriteConfig     Key = "wizard.write-config"
	WizardWriteConfigHelp Key = "wizard.write-config.help"
	WizardWrite           Key = "wizard.write"
	WizardAsksNodes       Key = "wizard.asks-nodes"
	WizardWrites          Key = "wizard.writes"
	WizardConfigLacks     Key = "wizard.config-lacks"
	WizardWroteNode       Key = "wizard.wrote-node"
	WizardWroteDefault    Key = "wizard.wrote-default"
	WizardAccepted        Key = "wizard.accepted"
	WizardChecksBlock     Key = "wizard.checks-block"
	WizardChecksAccept    Key = "wizard.checks-accept"
	WizardThen            Key = "wizard.then"
	WizardThenHelp        Key = "wizard.then.help"
	WizardNothingMore     Key = "wizard.nothing-more"
	WizardPlanSource      Key = "wizard.plan-source"
	WizardNothingToDo     Key = "wizard.nothing-to-do"
	WizardSummary         Key = "wizard.summary"
	WizardScriptPre       Key = "wizard.script-pre"
	WizardScriptPost      Key = "wizard.script-post"
	WizardScriptSystem    Key = "wizard.script-as-system"
	WizardScriptCaller    Key = "wizard.script-as-caller"
	WizardScriptHash      Key = "wizard.script-hash"
	WizardDelivery        Key = "wizard.delivery"
	WizardPulling         Key = "wizard.pulling"
	WizardSignatures      Key = "wizard.signatures"
	WizardSameWithCau     Key = "wizard.same-with-cau"
	WizardSameWithCAU     Key = "wizard.same-with-microsoft"
)

// Delivery is how files come to a node, in words, by the name that plugins gives it.
func Delivery(delivery string) Key { return Key("delivery." + delivery) }

// SignaturePolicy is what a policy means, by the name that plugins gives it.
func SignaturePolicy(policy string) Key { return Key("signature." + policy) }

// PageTitle is a wizard page's title, by its id.
func PageTitle(id string) Key { return Key("page." + id + ".title") }

// PageIntro is a wizard page's introduction, by its id.
func PageIntro(id string) Key { return Key("page." + id + ".intro") }

// Texts of the wizard.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var wizardTexts = map[Key]string{
	WizardNext: "Next", WizardUpdate: "Update",
	WizardFieldProblem:    "%s %s.",
	WizardStillWorking:    "Still checking; wait for the result.",
	WizardAsks:            "Asking the plug-in %s about its arguments.",
	WizardOthers:          "The plug-in %s is not one of CAU's. It runs on this host with your rights, and what it asks for is done as SYSTEM on the nodes:",
	WizardNotConfirmed:    "Nothing was confirmed, so nothing was started.",
	WizardAttempts:        "A node is attempted %d times at most before it has failed.",
	WizardOurOption:       "%s; not one of CAU's options",
	WizardStopsAt:         "The run stops at failure number %d.",
	WizardSimulated:       "%s is simulated: real protocols, no real machines.",
	WizardReached:         "Connected to %s.",
	WizardStep1:           "1. Choose a plug-in and its options.",
	WizardStep2:           "2. cau checks the hotfix root and the cluster, and shows exactly what it would install, where, in which order.",
	WizardStep3:           "3. After you confirm, nodes are taken one after another: drain, install, restart, resume.",
	WizardActiveRun:       "Run %s is going on for this cluster; attach to it instead.",
	WizardPlugin:          "Plug-in",
	WizardAccept:          "Accept %s although it could not be verified",
	WizardWriteConfig:     "Write %s into the hotfix root now",
	WizardWriteConfigHelp: "Into %s: the file of CAU that the nodes have, or cau's default where no node has one. Nothing is written over.",
	WizardWrite:           "Write",
	WizardAsksNodes:       "Asking %d nodes for the configuration file that comes with CAU.",
	WizardWrites:          "Writing %s.",
	WizardConfigLacks:     "No configuration file. The box above can write it.",
	WizardWroteNode:       "%s was written: the file that comes with CAU, as on %s.",
	WizardWroteDefault:    "%s was written: cau's default, as no node has the file that comes with CAU.",
	WizardAccepted:        "accepted without verification: %s",
	WizardChecksBlock:     "Checks in the way: %d. First: %s.",
	WizardChecksAccept:    "Not verified: %d. Verify them yourself, then accept each one above.",
	WizardThen:            "Then also",
	WizardThenHelp:        "A plug-in that installs on each node after the one above, in the same run.",
	WizardNothingMore:     "nothing more",
	WizardPlanSource:      "From %s",
	WizardNothingToDo:     "There is nothing to install; go back to choose another source.",
	WizardSummary:         "%s: %d nodes, %d installations.",
	WizardScriptPre:       "Before each node is paused: %s, %s, for at most %d minutes",
	WizardScriptPost:      "After each node is back in service: %s, %s, for at most %d minutes",
	WizardScriptSystem:    "run there as SYSTEM",
	WizardScriptCaller:    "run there as the account that signs in",
	WizardScriptHash:      "sha256 %s  %d bytes; this text runs, whatever the file holds later",
	WizardDelivery:        "%s: %s",
	WizardPulling:         "They read their files themselves: %s",
	WizardSignatures:      "Signatures of updates: %s",
	WizardSameWithCau:     "The same with cau:",
	WizardSameWithCAU:     "The same with Microsoft's CAU:",

	"delivery.pull": "the node reads the files itself", "delivery.push": "the files are pushed to the node",
	"signature.warn":    "one that is not valid is remarked on",
	"signature.require": "an update without a valid one fails before it is started",
	"signature.ignore":  "not looked at",

	"page.getting-started.title":    "Getting Started",
	"page.getting-started.intro":    "This wizard applies updates to the nodes of a failover cluster. Nothing is changed before you confirm.",
	"page.plugin.title":             "Plug-in",
	"page.plugin.intro":             "A plug-in finds updates and installs them.",
	"page.advanced-options.title":   "Advanced Options",
	"page.advanced-options.intro":   "How the Updating Run behaves. The defaults are those of Cluster-Aware Updating, where it has the option.",
	"page.additional-options.title": "Additional Options",
	"page.additional-options.intro": "Options of the plug-in.",
	"page.checks.title":             "Checks",
	"page.checks.intro":             "Everything is checked before anything is changed. What could not be verified opens only when you accept it by name.",
	"page.preview.title":            "Preview",
	"page.preview.intro":            "Exactly this will be installed, in this order. Each node copies and verifies its updates before the first one is drained.",
	"page.confirmation.title":       "Confirmation",
	"page.confirmation.intro":       "Update starts the run. It goes on by itself when you close this terminal.",
}
