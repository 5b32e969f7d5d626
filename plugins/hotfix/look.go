package hotfix

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/smbcheck"
)

// Report is what a root is found to be, without the content of any update.
type Report struct {
	Checks  []check.Result
	Ignored []plugins.Ignored
	// Connection is what was proven about the connection; nil where there was none.
	Connection *smbcheck.Facts
	// Server is what the server says to anybody; nil where it was not asked or did not answer.
	Server *smbcheck.ServerFacts
}

// Look checks a root: the connection, permissions, configuration and layout. It reads the configuration file and no update.
// Nodes are the cluster's; none takes every folder in the root that could be a node's for one, and says so.
func (p *Plugin) Look(ctx context.Context, nodes []string, args plugins.Arguments) (Report, error) {
	v, err := p.visit(ctx, nodes, args, true)
	if err != nil {
		return Report{}, err
	}
	defer v.close()
	v.look(ctx)
	r := Report{Checks: v.sorted(), Ignored: v.ignored, Server: v.server}
	if v.root != nil {
		facts := v.root.Facts()
		r.Connection = &facts
	}
	return r, ctx.Err()
}

// visit is one reading of a root: one walk, which everything else is about.
type visit struct {
	// madeUp is as Plugin.MadeUp.
	madeUp bool
	// root is nil where it could not be opened, or is a folder of this host.
	root Root
	// files are what the root holds; the root itself where there is one.
	files    Files
	server   *smbcheck.ServerFacts
	location smbcheck.Location
	args     plugins.Arguments
	nodes    []string
	// guessed: the nodes are folders' names.
	guessed bool

	tree smbcheck.Tree
	// places are the indexes of the tree's entries by path.
	places map[string]int
	config string
	layout hotfixcfg.Layout
	// understood: the layout is known.
	understood bool

	checks  []check.Result
	ignored []plugins.Ignored
	pinned  []plugins.File
}

// visit opens the root, and with ask asks its server first. That it cannot be opened is a finding, not an error; its server is
// asked then in any case, because its own words may say why.
func (p *Plugin) visit(ctx context.Context, nodes []string, args plugins.Arguments, ask bool) (*visit, error) {
	if p.Open == nil {
		return nil, errors.New("the hotfix plug-in was given no way to open a share")
	}
	location, err := smbcheck.ParseUNC(args[argRoot])
	if err != nil {
		return nil, err
	}
	v := &visit{madeUp: p.MadeUp, args: args, nodes: nodes, guessed: len(nodes) == 0, location: location}
	if ask {
		v.ask(ctx, p.Ask)
	}
	if v.root, err = p.Open(ctx, location); err != nil {
		v.root = nil
		if v.server == nil && !errors.Is(err, smbcheck.ErrUnreachable) {
			v.ask(ctx, p.Ask)
		}
		if v.server != nil && joining(err) {
			if why := v.server.Joinable(); why != nil {
				err = why
			}
		}
		v.unreachable(err)
	}
	v.files = v.root
	return v, ctx.Err()
}

// joining tells errors of finding a common language: what the server says of itself says more about those.
func joining(err error) bool {
	return slices.ContainsFunc([]error{smbcheck.ErrNotSMB, smbcheck.ErrDialect, smbcheck.ErrCipher, smbcheck.ErrSigning, smbcheck.ErrNegotiate}, func(kind error) bool {
		return errors.Is(err, kind)
	})
}

// ask asks the server what it speaks. An error is the connection's to tell, which fails in the same way.
func (v *visit) ask(ctx context.Context, ask Asker) {
	if ask == nil {
		return
	}
	if said, err := ask(ctx, v.location); err == nil {
		v.server = &said
	}
}

func (v *visit) close() {
	if v.root != nil {
		_ = v.root.Close()
	}
}

// unreachable answers what an error of connecting or listing tells.
func (v *visit) unreachable(err error) {
	v.fail("root.reach", v.args[argRoot], err)
	v.checks = append(v.checks, smbcheck.Unreachable(err)...)
	if v.args.Bool(argNoACL) { // skipped, and not merely not reached
		v.acl()
	}
}

// look reads the root and answers its checks. It is true where the updates are known and may be read.
func (v *visit) look(ctx context.Context) bool {
	if v.root == nil {
		return false
	}
	tree, err := v.root.Walk(ctx, smbcheck.Limits{})
	if err != nil {
		v.unreachable(err)
		v.smb(ctx)
		return false
	}
	v.walked(tree)
	v.add(check.Result{ID: "root.reach", Outcome: check.Pass, Subject: v.args[argRoot], Evidence: fmt.Sprintf("Listed %d files and folders over SMB %s.", len(tree.Entries), v.root.Facts().Dialect)})
	v.add(smbcheck.ReparsePoints(tree.Entries))
	ok := v.smb(ctx)
	if !ok { // R13: not a byte of a file before the connection is known to be encrypted
		for _, id := range []string{"config.present", "config.valid", "layout"} {
			v.add(check.Result{ID: id, Outcome: check.CannotVerify, Evidence: "Not read: " + argEncryption + " asks for a connection that is known to be encrypted.", Remedy: "Require SMB encryption on the file server."})
		}
	} else {
		ok = v.understand(ctx)
	}
	v.acl()
	return ok
}

func (v *visit) walked(tree smbcheck.Tree) {
	v.tree, v.places = tree, make(map[string]int, len(tree.Entries))
	for i, e := range tree.Entries {
		v.places[e.Path] = i
	}
}

// smb answers what the connection tells. It is false where no file may be read over it.
func (v *visit) smb(ctx context.Context) bool {
	encryption := v.args.Bool(argEncryption)
	seen := smbcheck.Seen{Location: v.location, Facts: v.root.Facts(), Server: v.server, RequireEncryption: encryption}
	if encryption && seen.Facts.EncryptData {
		seen.Enforcement, _ = v.root.Enforcement(ctx) // its reason says what failed
	}
	results := smbcheck.Checks(seen)
	if v.args.Bool(argNoACL) {
		allowDFS(results)
	}
	if !encryption {
		results = append(results, encryptionNotRequired(v.root.Facts()))
	}
	for _, r := range results { // what the walk ran into says more than what the connection is set up for
		if !slices.ContainsFunc(v.checks, func(c check.Result) bool { return c.ID == r.ID }) {
			v.add(r)
		}
	}
	return !encryption || passed(results, "smb.encryption")
}

// understand reads the configuration and finds out what is an update.
func (v *visit) understand(ctx context.Context) bool {
	cfg, ok := v.read(ctx)
	if ok {
		ok = v.sort(cfg)
	} else {
		v.add(check.Result{ID: "layout", Outcome: check.CannotVerify, Evidence: "Without a configuration file that can be read nobody knows what is an update.", Remedy: "See config.present and config.valid."})
	}
	return ok
}

// acl answers who may change what, by the same walk.
func (v *visit) acl() {
	in := smbcheck.ACL{Location: v.location, Tree: v.tree, Config: v.config, Understood: v.understood}
	for _, u := range v.layout.Updates {
		in.Updates = append(in.Updates, u.Path)
		in.Companions = append(in.Companions, u.Companions...)
		if hotfixcfg.RunsItself(u) {
			in.Executed = append(in.Executed, u.Path)
		}
	}
	v.checks = append(v.checks, smbcheck.ACLChecks(in, v.args.Bool(argNoACL))...)
}

// read finds and reads the configuration file.
func (v *visit) read(ctx context.Context) (*hotfixcfg.Config, bool) {
	name := v.args[argConfig]
	var listed *smbcheck.Entry
	for i, e := range v.tree.Entries {
		if !e.Dir && strings.EqualFold(e.Path, name) {
			listed = &v.tree.Entries[i]
		}
	}
	if listed == nil {
		v.add(check.Result{ID: "config.present", Outcome: check.Fail, Subject: name, Evidence: "There is no file of this name in " + v.args[argRoot] + ".", Remedy: "Copy DefaultHotfixConfig.xml of the cluster's nodes into the root folder with cau hotfix config init ROOT --cluster ADDRESS, write cau's own without --cluster, or name another file with " + argConfig + "."})
		v.add(check.Result{ID: "config.valid", Outcome: check.CannotVerify, Subject: name, Evidence: "There is no file to read.", Remedy: "See config.present."})
		return nil, false
	}
	v.config = listed.Path
	data, err := v.files.ReadFile(ctx, v.config, hotfixcfg.MaxConfigBytes, listed)
	present := check.Result{ID: "config.present", Outcome: check.Pass, Subject: v.config}
	if errors.Is(err, smbcheck.ErrChanged) {
		present.Outcome, present.Evidence, present.Remedy = check.CannotVerify, sentence(err)+" ", "Let whoever writes it finish, then check again."
		data, err = v.files.ReadFile(ctx, v.config, hotfixcfg.MaxConfigBytes, nil)
	}
	if err != nil {
		v.fail("config.present", v.config, err)
		v.add(check.Result{ID: "config.valid", Outcome: check.CannotVerify, Subject: v.config, Evidence: "It could not be read.", Remedy: "See config.present."})
		return nil, false
	}
	sum := sha256.Sum256(data)
	v.pinned = append(v.pinned, plugins.File{Path: v.config, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	present.Evidence += fmt.Sprintf("%d bytes, sha256 %s.", len(data), hex.EncodeToString(sum[:]))
	v.add(present)
	cfg, err := hotfixcfg.Parse(data)
	if err != nil {
		v.add(check.Result{ID: "config.valid", Outcome: check.Fail, Subject: v.config, Evidence: sentence(err), Remedy: "Mend the file at that place; nothing is guessed from a file that cannot be read whole. cau hotfix config validate lists every problem of a copy."})
		return nil, false
	}
	valid := check.Result{ID: "config.valid", Outcome: check.Pass, Subject: v.config, Evidence: countRules(cfg)}
	for _, w := range cfg.Warnings {
		valid.Outcome = check.Warn
		valid.Evidence += " " + sentence(&w)
		valid.Remedy = "Look at these places; they change no rule."
	}
	v.add(valid)
	return cfg, true
}

func countRules(cfg *hotfixcfg.Config) string {
	var extensions, folders int
	for _, r := range cfg.Rules {
		if r.Kind == hotfixcfg.FolderRule {
			folders++
		} else {
			extensions++
		}
	}
	return fmt.Sprintf("Rules: %d for file name extensions, %d for folders.", extensions, folders)
}

// sort says what in the root is an update, and lists the rest with the reason.
func (v *visit) sort(cfg *hotfixcfg.Config) bool {
	entries := make([]hotfixcfg.Entry, 0, len(v.tree.Entries))
	for _, e := range v.tree.Entries {
		entries = append(entries, hotfixcfg.Entry{Path: e.Path, Dir: e.Dir, Size: e.Size, Reparse: e.Reparse})
	}
	if v.guessed {
		v.nodes = hotfixcfg.NodeFolders(entries)
	}
	layout, err := hotfixcfg.ReadLayout(entries, cfg, v.nodes, v.args[argConfig])
	if err != nil {
		v.fail("layout", "", err)
		return false
	}
	v.layout, v.understood = layout, true
	r := check.Result{ID: "layout", Outcome: check.Pass, Evidence: fmt.Sprintf("%d updates, nothing left over.", len(layout.Updates))}
	for _, g := range layout.Ignored {
		v.ignored = append(v.ignored, plugins.Ignored{Path: g.Path, Reason: g.Because(), Kind: string(g.Reason), DidYouMean: g.DidYouMean})
	}
	if n := len(layout.Ignored); n > 0 {
		r.Outcome = check.Warn
		r.Evidence = fmt.Sprintf("%d updates; %d files or folders are not installed. First: %s.", len(layout.Updates), n, layout.Ignored[0].String())
		r.Remedy = "Look at the list of what is not installed in the preview."
	}
	if v.guessed && len(v.nodes) > 0 {
		r.Outcome = check.Warn
		r.Evidence += fmt.Sprintf(" Taken for nodes' folders by their names alone: %s.", strings.Join(v.nodes, ", "))
		r.Remedy = strings.TrimSpace(r.Remedy + " Name the cluster's nodes to have that checked.")
	}
	v.add(r)
	return true
}

// listed is what the walk saw of a path; nil if it did not see it.
func (v *visit) listed(path string) *smbcheck.Entry {
	i, seen := v.places[path]
	if !seen {
		return nil
	}
	return &v.tree.Entries[i]
}

func (v *visit) add(r check.Result) { v.checks = append(v.checks, r) }

// fail answers a check with an error: its text is the evidence, its hint the remedy.
func (v *visit) fail(id, subject string, err error) {
	v.add(check.Result{ID: id, Outcome: check.Fail, Subject: subject, Evidence: sentence(err), Remedy: fault.Hint(err)})
}

func sentence(err error) string { return strings.TrimSuffix(err.Error(), ".") + "." }

// sorted are the answers in the order of the catalogue.
func (v *visit) sorted() []check.Result {
	place := map[string]int{}
	for i, c := range check.Catalogue() {
		place[c.ID] = i
	}
	slices.SortStableFunc(v.checks, func(a, b check.Result) int { return place[a.ID] - place[b.ID] })
	return v.checks
}

// encryptionNotRequired answers smb.encryption where the option does not ask for it: seen and said, in nobody's way.
func encryptionNotRequired(f smbcheck.Facts) check.Result {
	r := check.Result{ID: "smb.encryption", Outcome: check.Warn, Evidence: "Files cross the network readable; " + argEncryption + " is False, so this is allowed."}
	if f.EncryptData && f.SetupVerified && f.ShareVerified {
		r.Outcome, r.Evidence = check.Pass, "The server demands encryption from us. Whether it keeps out who cannot encrypt is tried with "+argEncryption+"."
	}
	return r
}

// allowDFS turns a found DFS namespace into a warning: CAU documents that such a path works with
// DisableAclChecks only (How CAU plug-ins work, section on the hotfix root folder's permissions).
func allowDFS(results []check.Result) {
	for i, r := range results {
		if r.ID == "smb.dfs" && r.Outcome == check.Fail {
			results[i].Outcome = check.Warn
			results[i].Evidence += " " + argNoACL + " lets it pass."
		}
	}
}

func passed(results []check.Result, id string) bool {
	found := false
	for _, r := range results {
		if r.ID == id {
			found = true
			if r.Outcome != check.Pass {
				return false
			}
		}
	}
	return found
}

// cause is the innermost reason of a fault, without the operation in front.
func cause(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}
