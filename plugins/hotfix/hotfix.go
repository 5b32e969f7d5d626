package hotfix

import (
	"context"
	"io"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/fault"
	"cau/plugins"
	"cau/smbcheck"
)

// Name is the plug-in's registered name.
const Name = "Microsoft.HotfixPlugin"

// The arguments, as CAU spells them (How CAU plug-ins work, section Microsoft.HotfixPlugin).
const (
	argRoot       = "HotfixRootFolderPath"
	argEncryption = "RequireSMBEncryption"
	argNoACL      = "DisableAclChecks"
	argTimeout    = "HotfixInstallerTimeoutMinutes"
	argConfig     = "HotfixConfigFileName"
)

// Files are what a hotfix root holds.
type Files interface {
	Walk(ctx context.Context, limits smbcheck.Limits) (smbcheck.Tree, error)
	ReadFile(ctx context.Context, path string, most int64, listed *smbcheck.Entry) ([]byte, error)
	HashFile(ctx context.Context, path string, listed *smbcheck.Entry) (sum [32]byte, size int64, err error)
	Close() error
}

// Root is a hotfix root on a file server that was opened for reading.
type Root interface {
	Files
	Facts() smbcheck.Facts
	// Enforcement tries whether clients that cannot encrypt are let in.
	Enforcement(ctx context.Context) (smbcheck.Enforcement, error)
}

// Inspector are Files that let somebody read parts of a file, in any order.
type Inspector interface {
	InspectFile(ctx context.Context, path string, listed *smbcheck.Entry, inspect func(file io.ReaderAt, size int64) error) error
}

// Opener opens a hotfix root. It knows the account and where the server really is.
type Opener func(ctx context.Context, location smbcheck.Location) (Root, error)

// Asker asks a root's server what it speaks, without a sign-in.
type Asker func(ctx context.Context, location smbcheck.Location) (smbcheck.ServerFacts, error)

// Copier is a Root that gives a file in pieces, so that a large one is never in memory as a whole.
type Copier interface {
	CopyFile(ctx context.Context, path string, to io.Writer) error
}

var (
	_ Copier    = (*smbcheck.Connection)(nil)
	_ Inspector = (*smbcheck.Connection)(nil)
	_ Inspector = (*Folder)(nil)
)

// Plugin is Microsoft.HotfixPlugin. Without an Opener it can install and let nodes pull, but neither scan nor push.
type Plugin struct {
	// Open opens the root for Look and Scan, and for Stage where files are pushed.
	Open Opener
	// Ask asks the root's server for Look, and for Scan where Open failed; nil asks nobody.
	Ask Asker
	// HashOn computes the hashes for Scan on a node; nil computes them here.
	HashOn Hasher
	// MadeUp: the root's updates are a lab's, of no format, which is not worth a word.
	MadeUp bool
}

// Name is Microsoft.HotfixPlugin.
func (p *Plugin) Name() string { return Name }

// Description is one sentence.
func (p *Plugin) Description() string {
	return "Installs updates from a hotfix root folder on a file share, by the rules of its configuration file."
}

// Options are the documented arguments with the documented captions.
func (p *Plugin) Options() []plugins.OptionSpec {
	return []plugins.OptionSpec{
		{Name: argRoot, Kind: plugins.KindPath, Required: true, Caption: "Hotfix root folder path", Help: `The folder on a file share: \\server\share\root.`},
		{Name: argEncryption, Kind: plugins.KindBool, Default: "False", Caption: "Require SMB Encryption in accessing the hotfix root folder", Help: "Fails before the first byte when a connection is not encrypted, here and on every node."},
		{Name: argNoACL, Kind: plugins.KindBool, Default: "False", Caption: "Disable check for administrator access to the hotfix root folder and configuration file", Help: "Skips the permission checks and nothing else."},
		{Name: argTimeout, Kind: plugins.KindMinutes, Default: "30", Min: 1, Max: 1440, Caption: "Installer time limit in minutes", Help: "An installer that takes longer counts as failed; it is not ended, and its node is held."},
		{Name: argConfig, Kind: plugins.KindText, Default: hotfixcfg.DefaultFileName, Caption: "Hotfix configuration file name", Help: "The file in the root folder that holds the rules."},
	}
}

// Validate looks at the root's kind and the configuration file's name.
func (p *Plugin) Validate(args plugins.Arguments) []plugins.ArgumentError {
	var problems []plugins.ArgumentError
	if root := args[argRoot]; root != "" {
		if problem, hint := checkRoot(root); problem != "" {
			problems = append(problems, plugins.ArgumentError{Name: argRoot, Problem: problem, Hint: hint})
		}
	}
	if name := args[argConfig]; strings.ContainsAny(name, `\/:*?"<>|`) || name == "." || name == ".." {
		problems = append(problems, plugins.ArgumentError{Name: argConfig, Problem: "is not a plain file name", Hint: "The configuration file lies in the root folder itself."})
	}
	return problems
}

// checkRoot refuses what is not a UNC path; the kinds that CAU or we will know later are refused by name (R10).
func checkRoot(root string) (problem, hint string) {
	const want = `Put the folder on a file share and name it \\server\share\root.`
	switch {
	case strings.HasPrefix(strings.ToLower(root), "file:"):
		return "is a folder on this host, which this version cannot push to nodes yet", want
	case len(root) > 1 && root[1] == ':':
		return "is a path on the nodes, which this version cannot compare between nodes yet", want
	}
	if _, err := smbcheck.ParseUNC(root); err != nil {
		return "is " + cause(err), fault.Hint(err)
	}
	return "", ""
}

// Remaining is every planned update without a final result.
func (p *Plugin) Remaining(planned []plugins.Update, results map[string]plugins.Result) []plugins.Update {
	var left []plugins.Update
	for _, u := range planned {
		if r, ok := results[u.ID]; !ok || !r.Outcome.Final() {
			left = append(left, u)
		}
	}
	return left
}
