package smbcheck

import (
	"fmt"
	"slices"
	"strings"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/smbcheck/descriptor"
)

// ACL is what the acl checks look at.
type ACL struct {
	Location Location
	Tree     Tree
	// Config is the configuration file's path as it was listed; empty where there is none.
	Config string
	// Understood: the configuration could be read, so that Updates, Companions and Executed are known. Else everything in the
	// root counts as an update, and nobody knows what is run from its own file.
	Understood bool
	// Updates are the paths of updates, Companions of what is staged with them.
	Updates, Companions []string
	// Executed are those of Updates that are run themselves: an .exe, or a rule whose path is $update$.
	Executed []string
}

// place is one file or folder with what its permissions are judged by.
type place struct {
	path   string
	folder bool
	Permissions
	above *descriptor.Descriptor
}

// ACLChecks answers every acl check. With disabled (DisableAclChecks) each of them is skipped, visibly.
func ACLChecks(a ACL, disabled bool) []check.Result {
	if disabled {
		return skipped()
	}
	all := a.places()
	root, used := all[0], a.counted()
	var config, files []place
	for _, p := range all[1:] {
		switch {
		case a.Config != "" && p.path == a.Config:
			config = append(config, p)
		case used == nil || used[p.path]:
			files = append(files, p)
		}
	}
	out := []check.Result{a.usersRead(root, slices.Concat(config, files)), a.usersExecute(root, files), a.rootWriters(root)}
	if a.Config == "" {
		out = append(out, check.Result{
			ID: "acl.config.writers", Outcome: check.CannotVerify, Evidence: "There is no configuration file to look at.", Remedy: "Put the configuration file there first.",
		})
	} else {
		out = append(out, a.writersOf("acl.config.writers", config))
	}
	return append(out, a.writersOf("acl.files.writers", files), a.owners(slices.Concat([]place{root}, config, files)))
}

func skipped() []check.Result {
	var out []check.Result
	for _, c := range check.Catalogue() {
		if strings.HasPrefix(c.ID, "acl.") {
			out = append(out, check.Result{
				ID: c.ID, Outcome: check.Warn, Evidence: "DisableAclChecks skipped it.", Remedy: "Leave DisableAclChecks out to have it checked.",
			})
		}
	}
	return out
}

// places are the root and everything below it, each with the permissions of its folder.
func (a ACL) places() []place {
	folders := map[string]*descriptor.Descriptor{"": a.Tree.Root.Security}
	root := place{folder: true, Permissions: a.Tree.Root.Permissions}
	if n := len(a.Tree.Above); n > 0 {
		root.above = a.Tree.Above[n-1].Security
	}
	out := []place{root}
	for _, e := range a.Tree.Entries {
		if e.Reparse { // root.reparse-points fails on it, and nothing is installed through it
			continue
		}
		up := e.Path[:max(strings.LastIndexByte(e.Path, '\\'), 0)]
		out = append(out, place{path: e.Path, folder: e.Dir, Permissions: e.Permissions, above: folders[up]})
		if e.Dir {
			folders[e.Path] = e.Security
		}
	}
	return out
}

// counted are what is installed, what is staged with it, and the folders that hold either; nil counts everything.
func (a ACL) counted() map[string]bool {
	if !a.Understood {
		return nil
	}
	used := map[string]bool{}
	for _, path := range slices.Concat(a.Updates, a.Companions) {
		for used[path] = true; ; used[path] = true {
			i := strings.LastIndexByte(path, '\\')
			if i < 0 || used[path[:i]] {
				break
			}
			path = path[:i]
		}
	}
	return used
}

// tally puts what was found in many places together by what it says.
type tally struct {
	lines []line
	// unread are places whose permissions are not known, with the first reason.
	unread int
	where  string
	why    error
}

type line struct {
	text  string
	paths []string
	more  int
	fix   grant
	place place
}

const (
	namedLines = 5
	namedPaths = 3
)

func (t *tally) add(text string, p place, g grant) {
	i := slices.IndexFunc(t.lines, func(l line) bool { return l.text == text })
	if i < 0 {
		t.lines = append(t.lines, line{text: text, paths: []string{p.path}, fix: g, place: p})
		return
	}
	if l := &t.lines[i]; len(l.paths) < namedPaths {
		l.paths = append(l.paths, p.path)
	} else {
		l.more++
	}
}

// cannotRead counts a place whose permissions are not known, and says whether it is one.
func (t *tally) cannotRead(p place) bool {
	if p.Security != nil {
		return false
	}
	if t.unread++; t.unread == 1 {
		t.where, t.why = p.path, p.Unread
	}
	return true
}

func (t *tally) unsure(p place, what string) {
	if t.unread++; t.unread == 1 {
		t.where, t.why = p.path, fmt.Errorf("%s, which this program cannot judge", what)
	}
}

// names writes paths for people; the root's own path is empty.
func names(paths []string, more int) string {
	quoted := make([]string, 0, len(paths))
	for _, p := range paths {
		if p == "" {
			quoted = append(quoted, "the root")
			continue
		}
		quoted = append(quoted, shown(p))
	}
	s := strings.Join(quoted, ", ")
	if more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func (t *tally) evidence() string {
	var parts []string
	for i, l := range t.lines {
		if i == namedLines {
			parts = append(parts, fmt.Sprintf("And %d more findings.", len(t.lines)-namedLines))
			break
		}
		parts = append(parts, l.text+": "+names(l.paths, l.more)+".")
	}
	if t.unread > 0 {
		which := names([]string{t.where}, 0)
		if t.unread > 1 {
			which = fmt.Sprintf("%d, the first %s", t.unread, which)
		}
		parts = append(parts, fmt.Sprintf("Not known of %s: %s.", which, reason(t.why)))
	}
	return strings.Join(parts, " ")
}

// reason is the cause of an error without the operation in front.
func reason(err error) string {
	if err == nil {
		return "no permissions came"
	}
	if c := fault.CauseOf(err); c != nil && c.Message != "" {
		return strings.TrimSuffix(c.Message, ".")
	}
	return strings.TrimSuffix(err.Error(), ".")
}

const remedyUnread = "Check with an account that may read permissions there (READ_CONTROL), such as an administrator of the file server."

// finish gives the outcome: what was found fails, else what is not known cannot be verified.
func (t *tally) finish(r check.Result, found check.Outcome, remedy, good string) check.Result {
	switch {
	case len(t.lines) > 0:
		r.Outcome, r.Evidence, r.Remedy = found, t.evidence(), remedy
	case t.unread > 0:
		r.Outcome, r.Evidence, r.Remedy = check.CannotVerify, t.evidence(), remedyUnread
	default:
		r.Outcome, r.Evidence = check.Pass, good
	}
	return r
}

// rootWriters is about the root itself and the folders above it.
func (a ACL) rootWriters(root place) check.Result {
	var t tally
	t.writers(root)
	for _, f := range a.Tree.Above {
		p := place{path: f.Path, folder: true, Permissions: f.Permissions}
		at := `\\` + join(join(a.Location.Server, a.Location.Share), f.Path)
		if t.cannotRead(place{path: at, Permissions: f.Permissions}) {
			continue
		}
		found, unsure := writers(p.Security, true)
		for _, what := range unsure {
			t.unsure(place{path: at}, what)
		}
		replaces := descriptor.DeleteChild | descriptor.WriteDAC | descriptor.WriteOwner
		if f.Path != "" {
			replaces |= descriptor.Delete // which renames it; the share's own root cannot be renamed from outside
		}
		for _, g := range found {
			if g.rights&replaces != 0 && g.on&itself != 0 {
				t.add(fmt.Sprintf("%s may put another folder in the root's place (%s, %s)", g.who, g.rights.Words(true), g.from), place{path: at}, grant{})
			}
		}
	}
	r := t.finish(check.Result{ID: "acl.root.writers"}, check.Fail, a.remedy(t), "Only Administrators, SYSTEM, CREATOR OWNER and TrustedInstaller may change the root.")
	if r.Outcome == check.Fail && !slices.ContainsFunc(t.lines, func(l line) bool { return l.fix.rights != 0 }) {
		r.Remedy = "Share the root itself, or take these rights away in the folders above it."
	}
	return r
}

func (a ACL) writersOf(id string, places []place) check.Result {
	var t tally
	for _, p := range places {
		t.writers(p)
	}
	return t.finish(check.Result{ID: id}, check.Fail, a.remedy(t), fmt.Sprintf("Only Administrators, SYSTEM, CREATOR OWNER and TrustedInstaller may change them (looked at: %d).", len(places)))
}

// writers adds who outside the four may change a place.
func (t *tally) writers(p place) {
	if t.cannotRead(p) {
		return
	}
	found, unsure := writers(p.Security, p.folder)
	for _, what := range unsure {
		t.unsure(p, what)
	}
	for _, g := range creatorOwner(found, p.Security, p.above, p.folder) {
		text := fmt.Sprintf("%s may change it (%s, %s)", g.who, g.rights.Words(p.folder), g.from)
		if on := g.on.String(); on != "" {
			text = fmt.Sprintf("%s may change it (%s, %s, %s)", g.who, g.rights.Words(p.folder), g.from, on)
		}
		t.add(text, p, g)
	}
}

// remedy is the commands that take the first findings away.
func (a ACL) remedy(t tally) string {
	var commands []string
	for _, l := range t.lines[:min(namedLines, len(t.lines))] {
		if l.fix.rights == 0 {
			continue
		}
		if c := a.Location.mend(l.place.path, l.place.folder, len(l.paths) > 1, l.fix); !slices.Contains(commands, c) {
			commands = append(commands, c)
		}
	}
	return onServer + strings.Join(commands, "; ")
}

// owners warns of owners outside the four: an owner may change permissions whatever they say (MS-DTYP 2.5.3.2).
func (a ACL) owners(places []place) check.Result {
	var t tally
	for _, p := range places {
		switch {
		case t.cannotRead(p):
		case p.Security.Owner == "":
			t.unsure(p, "it has no owner")
		case !mayWrite(p.Security.Owner):
			t.add(fmt.Sprintf("%s owns it and may so change its permissions", p.Security.Owner), p, grant{})
		}
	}
	return t.finish(check.Result{ID: "acl.owner"}, check.Warn,
		onServer+a.Location.byHand("", "/setowner", trustee(descriptor.Administrators, ""), "/t"),
		fmt.Sprintf("Owned by Administrators, SYSTEM or TrustedInstaller (looked at: %d).", len(places)))
}

// What Users need. SYNCHRONIZE is left out: SMB needs it for nothing (MS-SMB2 2.2.13.1.1).
const (
	reads    = descriptor.FileRead &^ descriptor.Synchronize
	executes = descriptor.FileExecute &^ descriptor.Synchronize
)

// usersRead is about the group that the nodes' computer accounts belong to.
func (a ACL) usersRead(root place, below []place) check.Result {
	r := check.Result{ID: "acl.root.users-read"}
	grantRead := onServer + a.Location.byHand("", "/grant", trustee(descriptor.Users, "(OI)(CI)RX"))
	var t tally
	if t.cannotRead(root) {
		return t.finish(r, check.Fail, grantRead, "")
	}
	byName, through := usersHave(root.Security, reads)
	if !byName && through == nil {
		r.Outcome, r.Remedy = check.Fail, grantRead
		r.Evidence = fmt.Sprintf("%s may not read the root, so the nodes' computer accounts may not either.", descriptor.Users)
		return r
	}
	for _, p := range below {
		if t.cannotRead(p) {
			continue
		}
		if has, wider := usersHave(p.Security, reads); !has && wider == nil {
			t.add(fmt.Sprintf("%s may not read it", descriptor.Users), p, grant{})
		}
	}
	if !byName {
		r.Outcome, r.Remedy = check.Warn, grantRead
		r.Evidence = fmt.Sprintf("%s That is enough for the nodes, but Windows' CAU asks for Users by name.", lets(through, "read"))
		if len(t.lines) > 0 {
			r.Evidence += " " + t.evidence()
		}
		return r
	}
	return t.finish(r, check.Warn, grantRead, fmt.Sprintf("%s may read the root and what is installed from it.", descriptor.Users))
}

// lets says through whom Users may do something.
func lets(through []descriptor.SID, do string) string {
	if len(through) == 1 {
		return fmt.Sprintf("%s has no entry of its own; %s lets it %s.", descriptor.Users, through[0], do)
	}
	return fmt.Sprintf("%s has not enough of its own; %s let it %s.", descriptor.Users, list(through), do)
}

// usersExecute is about updates that are run themselves.
func (a ACL) usersExecute(root place, files []place) check.Result {
	r := check.Result{ID: "acl.root.users-execute"}
	remedy := onServer + a.Location.byHand("", "/grant", trustee(descriptor.Users, "(OI)(CI)RX"))
	if a.Understood && len(a.Executed) == 0 {
		r.Outcome, r.Evidence = check.Pass, "No update is run from its own file, so execute is not needed."
		return r
	}
	var t tally
	var wide []descriptor.SID
	for _, p := range append([]place{root}, files...) {
		if p.path != "" && a.Understood && !slices.Contains(a.Executed, p.path) || t.cannotRead(p) {
			continue
		}
		switch has, through := usersHave(p.Security, executes); {
		case has:
		case through != nil:
			wide = through
		default:
			t.add(fmt.Sprintf("%s may not execute", descriptor.Users), p, grant{})
		}
	}
	switch {
	case len(t.lines) > 0 && !a.Understood:
		r.Outcome, r.Evidence, r.Remedy = check.CannotVerify, t.evidence()+" Whether an update is run from its own file is not known without its rule.", remedy
	case len(t.lines) > 0 || t.unread > 0:
		r = t.finish(r, check.Fail, remedy, "")
	case wide != nil:
		r.Outcome, r.Remedy = check.Warn, remedy
		r.Evidence = lets(wide, "execute") + " Windows' CAU asks for Users by name."
	case !a.Understood:
		r.Outcome, r.Evidence = check.Pass, fmt.Sprintf("%s may execute everything in the root, whatever is run from its own file.", descriptor.Users)
	default:
		r.Outcome, r.Evidence = check.Pass, fmt.Sprintf("%s may execute what is run from its own file (updates: %d).", descriptor.Users, len(a.Executed))
	}
	return r
}
