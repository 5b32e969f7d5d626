// Package hotfixcfg is the hotfix root folder as pure data: which files are updates for which node,
// by which rule each is installed, what its exit code means, and the command line that a node runs.
//
//	plugins/hotfix -> hotfixcfg -> fault
//	   bytes of DefaultHotfixConfig.xml -> Parse      -> Config (rules)
//	   entries of one walk + Config     -> ReadLayout -> Layout (updates; what is ignored and why)
//	   rule + full path on the node     -> CommandLine -> Command
//	   bytes + rule                     -> Put, Remove -> bytes, the same but for what differs
//	   rule + exit code                 -> Rule.Classify -> Outcome
//
// It does no I/O: bytes and entries come from whoever read the root. Both are hostile until checked
// (R33): sizes, counts and depth are bounded, and a name that Windows would read as something else
// is refused. Microsoft's schema for the configuration file is not public, so Parse is lenient about
// the frame (root, namespace, how codes are written) and strict about everything that changes what a
// rule does.
package hotfixcfg
