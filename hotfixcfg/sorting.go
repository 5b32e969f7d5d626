package hotfixcfg

import (
	"cmp"
	"slices"
	"strings"
)

// maxComparisons bounds the search for near names, which compares every ignored folder with every
// node or rule. Beyond it nothing is suggested any more.
const maxComparisons = 1 << 16

// folder collects what lies in one folder whose files may be updates.
type folder struct {
	node  string
	rule  Rule   // set for a rule's folder only
	ruled bool   // whether it is one
	files []item // directly in it
	below []item // deeper, in a rule's folder
}

// sorting puts the items of one root where they belong.
type sorting struct {
	configFile  string
	folderRules []string // names, in the order of the file
	tops        []string // names that a folder in the root may have

	rules   map[string]Rule   // by kind and folded name
	byName  map[string]string // node by its folder's folded name
	folders map[string]*folder
	order   []string        // keys of folders, as met
	used    map[string]bool // folded names of folder rules whose folder is there
	links   map[string]bool // folded paths of reparse points
	whole   map[string]int  // index in ignored of a folder that is ignored as a whole

	comparisons int
	updates     []Update
	ignored     []Ignored
}

func newSorting(cfg *Config, nodes []string, configFile string) *sorting {
	s := &sorting{
		configFile: configFile, tops: []string{AllNodes},
		rules: map[string]Rule{}, byName: map[string]string{}, folders: map[string]*folder{},
		used: map[string]bool{}, links: map[string]bool{}, whole: map[string]int{},
	}
	if cfg != nil {
		for _, r := range cfg.Rules {
			s.rules[string(r.Kind)+":"+fold(r.Name)] = r
			if r.Kind == FolderRule {
				s.folderRules = append(s.folderRules, r.Name)
			}
		}
	}
	for _, n := range nodes {
		label, _, _ := strings.Cut(n, ".")
		s.byName[fold(label)] = n
		s.byName[netBIOS(n)] = n
		s.tops = append(s.tops, folderName(n))
	}
	return s
}

func (s *sorting) sort(items []item) {
	for _, it := range items {
		if it.Reparse {
			s.links[it.key] = true
		}
	}
	for _, it := range items {
		switch {
		case s.behindLink(it):
		case it.Reparse:
			s.ignored = append(s.ignored, Ignored{Path: it.Path, Reason: ReparsePoint})
		case len(it.parts) == 1 && !it.Dir:
			s.rootFile(it)
		default:
			s.place(it)
		}
	}
}

// behindLink is for what a walk that follows links may have listed: the link itself says it all.
func (s *sorting) behindLink(it item) bool {
	if len(s.links) == 0 {
		return false
	}
	for i, c := range it.key {
		if c == '\\' && s.links[it.key[:i]] {
			return true
		}
	}
	return false
}

func (s *sorting) rootFile(it item) {
	if it.key == fold(s.configFile) {
		return
	}
	meant := s.suggest(it.Path, []string{s.configFile})
	s.ignored = append(s.ignored, Ignored{Path: it.Path, Reason: OutsideFolders, DidYouMean: meant})
}

// place handles everything that is in a folder, and folders.
func (s *sorting) place(it item) {
	top := it.parts[0]
	node, isNode := s.byName[fold(top)]
	if isAll := fold(top) == fold(AllNodes); isAll {
		node = ""
	} else if !isNode {
		s.ignoreWhole(top, NotANode, it, s.meantTop)
		return
	}
	switch {
	case len(it.parts) == 1:
	case len(it.parts) == 2 && !it.Dir:
		f := s.folder(top, node)
		f.files = append(f.files, it)
	default:
		s.placeSub(it, top+`\`+it.parts[1], node)
	}
}

func (s *sorting) placeSub(it item, sub, node string) {
	rule, ok := s.rules[string(FolderRule)+":"+fold(it.parts[1])]
	if !ok {
		s.ignoreWhole(sub, NoFolderRule, it, func(string) string { return s.suggest(it.parts[1], s.folderRules) })
		return
	}
	s.used[fold(rule.Name)] = true
	f := s.folder(sub, node)
	f.rule, f.ruled = rule, true
	switch {
	case len(it.parts) == 2:
	case len(it.parts) == 3 && !it.Dir:
		f.files = append(f.files, it)
	default:
		s.ignoreWhole(sub+`\`+it.parts[2], TooDeep, it, nil)
		if !it.Dir {
			f.below = append(f.below, it)
		}
	}
}

func (s *sorting) folder(path, node string) *folder {
	f := s.folders[path]
	if f == nil {
		f = &folder{node: node}
		s.folders[path] = f
		s.order = append(s.order, path)
	}
	return f
}

// ignoreWhole lists a folder once and counts the files below it.
func (s *sorting) ignoreWhole(path string, reason Reason, it item, meant func(string) string) {
	i, ok := s.whole[path]
	if !ok {
		i = len(s.ignored)
		s.whole[path] = i
		g := Ignored{Path: path, Reason: reason}
		if meant != nil {
			g.DidYouMean = meant(path)
		}
		s.ignored = append(s.ignored, g)
	}
	if !it.Dir {
		s.ignored[i].Files++
	}
}

// meantTop guesses what a folder directly in the root was to be: a rule's folder one level too high, a
// node's full DNS name, or a slip of the finger.
func (s *sorting) meantTop(name string) string {
	if r, ok := s.rules[string(FolderRule)+":"+fold(name)]; ok {
		return AllNodes + `\` + r.Name
	}
	label, _, dotted := strings.Cut(name, ".")
	if node, ok := s.byName[fold(label)]; ok && dotted {
		return folderName(node)
	}
	return s.suggest(name, s.tops)
}

// folderName is the folder that a node's updates belong into.
func folderName(node string) string {
	label, _, _ := strings.Cut(node, ".")
	if r := []rune(label); len(r) > 15 {
		label = string(r[:15])
	}
	return label
}

func (s *sorting) suggest(name string, names []string) string {
	if s.comparisons += len(names); s.comparisons > maxComparisons {
		return ""
	}
	return nearest(name, names)
}

func (s *sorting) result() Layout {
	slices.SortFunc(s.ignored, func(a, b Ignored) int {
		return cmp.Or(strings.Compare(fold(a.Path), fold(b.Path)), strings.Compare(a.Path, b.Path), strings.Compare(string(a.Reason), string(b.Reason)))
	})
	return Layout{Updates: s.updates, Ignored: s.ignored}
}
