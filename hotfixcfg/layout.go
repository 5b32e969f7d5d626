package hotfixcfg

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// AllNodes is the folder whose updates are for every node.
const AllNodes = "CAUHotfix_All"

// Bounds of a hotfix root.
const (
	// MaxEntries bounds the files and folders of one root.
	MaxEntries = 1 << 16
	// MaxAttached bounds the companions and siblings of all updates together: a folder rule makes each
	// of n files an update with n-1 companions.
	MaxAttached = 1 << 18
)

// Entry is one file or folder below the root, as a walk met it.
type Entry struct {
	// Path is relative to the root, with slashes or backslashes.
	Path string
	Dir  bool
	// Size is in bytes; of a folder it means nothing.
	Size int64
	// Reparse is set for a link, junction or other reparse point, which is never followed.
	Reparse bool
}

// Update is one file that is installed.
type Update struct {
	// Path is relative to the root, with backslashes.
	Path string `json:"path"`
	// Name is the file's name.
	Name string `json:"name"`
	// Node is the one node it is for, spelt as the cluster spells it; "" is every node.
	Node string `json:"node,omitempty"`
	Rule Rule   `json:"rule"`
	// Size is in bytes, never 0.
	Size int64 `json:"size"`
	// Companions are the files that are staged and pinned with it (R09): for a folder rule all other
	// files of the folder and below. Relative to the root.
	Companions []string `json:"companions,omitempty"`
	// Siblings lie beside it and are not staged with it, though it may need them: cabinets beside an
	// .msi or .msp, every other file beside an update that is no .msu. A warning. Relative to the root.
	Siblings []string `json:"siblings,omitempty"`
}

// Layout is a hotfix root, understood.
type Layout struct {
	// Updates are in the order of installation: CAUHotfix_All first, then by node, each by path
	// without regard to case.
	Updates []Update `json:"updates"`
	// Ignored is everything else but the configuration file, by path. A folder that is ignored as a
	// whole stands there once.
	Ignored []Ignored `json:"ignored,omitempty"`
}

// For lists what is installed on one node, in order.
func (l Layout) For(node string) []Update {
	var own []Update
	for _, u := range l.Updates {
		if u.Node == "" || netBIOS(u.Node) == netBIOS(node) {
			own = append(own, u)
		}
	}
	return own
}

// netBIOS is the name by which a node's folder goes: the first label, 15 characters, in any case.
func netBIOS(node string) string {
	label, _, _ := strings.Cut(fold(node), ".")
	if r := []rune(label); len(r) > 15 {
		label = string(r[:15])
	}
	return label
}

// NodeFolders are the folders of a root that could be nodes', for whoever does not know the cluster: all but AllNodes whose
// names could be a computer's (Naming conventions in Active Directory: 15 characters, no dot). They are in order.
func NodeFolders(entries []Entry) []string {
	var names []string
	for _, e := range entries {
		name := e.Path
		if e.Dir && !e.Reparse && !strings.ContainsAny(name, `\/ .`) && len([]rune(name)) <= 15 && fold(name) != fold(AllNodes) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(fold(a), fold(b)) })
	return names
}

// RunsItself tells whether an update is run from its own file: an .exe, or one whose rule names it as the program.
func RunsItself(u Update) bool {
	return u.Rule.Template.Path == placeholder || extension(fold(u.Name)) == "EXE"
}

// ReadLayout says which entries are updates for which of nodes, and what Windows' CAU would silently
// ignore. ConfigFile is the configuration file's name, "" for DefaultFileName. The order of entries
// does not matter. A name that cannot be used safely is a *NameError (R33), anywhere in the root; so
// the caller gets either the whole root or nothing.
func ReadLayout(entries []Entry, cfg *Config, nodes []string, configFile string) (Layout, error) {
	if len(entries) > MaxEntries {
		return Layout{}, fmt.Errorf("the hotfix root holds %d files and folders; at most %d are read", len(entries), MaxEntries)
	}
	items, err := itemsOf(entries)
	if err != nil {
		return Layout{}, err
	}
	if configFile == "" {
		configFile = DefaultFileName
	}
	s := newSorting(cfg, nodes, configFile)
	s.sort(items)
	if err := s.attach(); err != nil {
		return Layout{}, err
	}
	s.dropDuplicates()
	s.findUnusedRules()
	return s.result(), nil
}

// item is an entry whose path has been checked.
type item struct {
	Entry
	parts []string
	key   string // folded path
}

// itemsOf checks every path and puts them in an order that depends on nothing but the paths.
func itemsOf(entries []Entry) ([]item, error) {
	items := make([]item, 0, len(entries))
	var bad []*NameError
	for _, e := range entries {
		path := strings.ReplaceAll(e.Path, "/", `\`)
		if e.Dir {
			path = strings.TrimSuffix(path, `\`)
			if path == "" || path == "." {
				continue // the root itself, as some walks report it
			}
		}
		parts := strings.Split(path, `\`)
		reason := ""
		for _, p := range parts {
			if reason = nameFault(p); reason != "" {
				break
			}
		}
		if reason == "" && e.Size < 0 && !e.Dir {
			reason = "a negative size"
		}
		if reason != "" {
			bad = append(bad, &NameError{Path: e.Path, Reason: reason})
			continue
		}
		e.Path = path
		items = append(items, item{Entry: e, parts: parts, key: fold(path)})
	}
	if len(bad) > 0 {
		first := slices.MinFunc(bad, func(a, b *NameError) int { return strings.Compare(a.Path, b.Path) })
		first.More = len(bad) - 1
		return nil, first
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.Path, b.Path))
	})
	for i := 1; i < len(items); i++ {
		if items[i].Path == items[i-1].Path {
			return nil, fmt.Errorf("the hotfix root lists %s twice", quoted(items[i].Path))
		}
	}
	return items, nil
}
