package hotfixcfg

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// attach makes updates of the files that a rule is for, each with what belongs to it and what lies
// beside it (R09).
func (s *sorting) attach() error {
	attached := 0
	for _, path := range s.order {
		f := s.folders[path]
		for i, it := range f.files {
			rule, ok := f.rule, f.ruled
			if !ok {
				rule, ok = s.rules[string(ExtensionRule)+":"+extension(it.key)]
			}
			switch {
			case !ok:
				s.ignored = append(s.ignored, Ignored{Path: it.Path, Reason: NoExtensionRule})
				continue
			case it.Size == 0:
				s.ignored = append(s.ignored, Ignored{Path: it.Path, Reason: Empty})
				continue
			}
			u := Update{Path: it.Path, Name: it.parts[len(it.parts)-1], Node: f.node, Rule: rule, Size: it.Size}
			if f.ruled {
				attached += len(f.files) - 1 + len(f.below)
			} else if besides(extension(it.key)) != nothing {
				attached += len(f.files) - 1
			}
			if attached > MaxAttached {
				return fmt.Errorf("too many files in %s of the hotfix root; put a folder rule's payload into an archive, or fewer updates into a folder", quoted(path))
			}
			if f.ruled {
				u.Companions = f.others(i)
			} else {
				u.Siblings = f.siblings(i)
			}
			s.updates = append(s.updates, u)
		}
	}
	slices.SortFunc(s.updates, func(a, b Update) int {
		return cmp.Or(strings.Compare(fold(a.Node), fold(b.Node)), strings.Compare(fold(a.Path), fold(b.Path)), strings.Compare(a.Path, b.Path))
	})
	return nil
}

// others are all files of a rule's folder and below but the i-th.
func (f *folder) others(i int) []string {
	var paths []string
	for j, it := range f.files {
		if j != i {
			paths = append(paths, it.Path)
		}
	}
	for _, it := range f.below {
		paths = append(paths, it.Path)
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(strings.Compare(fold(a), fold(b)), strings.Compare(a, b))
	})
	return paths
}

func (f *folder) siblings(i int) []string {
	which := besides(extension(f.files[i].key))
	if which == nothing {
		return nil
	}
	var paths []string
	for j, it := range f.files {
		if j != i && (which == everything || extension(it.key) == "CAB") {
			paths = append(paths, it.Path)
		}
	}
	return paths
}

type beside int

const (
	nothing beside = iota
	cabinets
	everything
)

// besides says which files next to an update it may need without our knowing: an .msu needs none, an
// .msi or .msp may name external cabinets in its Media table, of anything else nothing is known.
func besides(ext string) beside {
	switch ext {
	case "MSU":
		return nothing
	case "MSI", "MSP":
		return cabinets
	default:
		return everything
	}
}

// extension is what follows the last dot of a folded path's file name, "" where there is none.
func extension(key string) string {
	name := key[strings.LastIndexByte(key, '\\')+1:]
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return name[dot+1:]
	}
	return ""
}

// dropDuplicates keeps the first of several files of one name for one node. The name counts from below
// the node's folder, so that two folder rules may each have their setup.exe.
func (s *sorting) dropDuplicates() {
	first := map[string]string{}
	kept := s.updates[:0]
	for _, u := range s.updates {
		_, below, _ := strings.Cut(fold(u.Path), `\`)
		other, dup := first[`\`+below]
		if !dup && u.Node != "" {
			other, dup = first[fold(u.Node)+`\`+below]
		}
		if dup {
			s.ignored = append(s.ignored, Ignored{Path: u.Path, Reason: Duplicate, Other: other})
			continue
		}
		first[fold(u.Node)+`\`+below] = u.Path
		kept = append(kept, u)
	}
	s.updates = kept
}

// findUnusedRules lists folder rules that nothing in the root asks for, and the folder that was
// probably meant.
func (s *sorting) findUnusedRules() {
	var without []string
	for _, g := range s.ignored {
		if g.Reason == NoFolderRule {
			without = append(without, g.Path[strings.LastIndexByte(g.Path, '\\')+1:])
		}
	}
	for _, name := range s.folderRules {
		if !s.used[fold(name)] {
			s.ignored = append(s.ignored, Ignored{Path: name, Reason: NoSuchFolder, DidYouMean: s.suggest(name, without)})
		}
	}
}
