package hotfix

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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

// payload is what the plug-in pins beside the files: the rule, so that the configuration is never read again.
type payload struct {
	Rule           hotfixcfg.Rule `json:"rule"`
	TimeoutMinutes int            `json:"timeout_minutes"`
	// Targets are the local paths of Update.Files, in the same order.
	Targets []string `json:"targets"`
}

// scan is one reading of a root.
type scan struct {
	root   Root
	args   plugins.Arguments
	nodes  []string
	result plugins.Scan
	hashes map[string]plugins.File
}

// Scan reads the root once: listing, configuration, hashes. What is wrong with the root comes as check
// results, so that everything found is shown together; an error means that this plug-in cannot scan.
func (p *Plugin) Scan(ctx context.Context, nodes []string, args plugins.Arguments) (plugins.Scan, error) {
	if p.Open == nil {
		return plugins.Scan{}, errors.New("the hotfix plug-in was given no way to open a share")
	}
	s := &scan{args: args, nodes: nodes, hashes: map[string]plugins.File{}, result: plugins.Scan{Source: args[argRoot], Updates: map[string][]plugins.Update{}}}
	location, err := smbcheck.ParseUNC(args[argRoot])
	if err != nil {
		return plugins.Scan{}, err
	}
	s.root, err = p.Open(ctx, location)
	if err != nil {
		s.fail("root.reach", args[argRoot], err)
		return s.result, ctx.Err()
	}
	defer func() { _ = s.root.Close() }()
	s.read(ctx)
	return s.result, ctx.Err()
}

func (s *scan) read(ctx context.Context) {
	entries, err := s.root.Walk(ctx, smbcheck.Limits{})
	if err != nil {
		s.fail("root.reach", s.args[argRoot], err)
		return
	}
	s.add(check.Result{ID: "root.reach", Outcome: check.Pass, Subject: s.args[argRoot], Evidence: fmt.Sprintf("Listed %d files and folders over SMB %s.", len(entries), s.root.Facts().Dialect)})
	encryption := s.args.Bool(argEncryption)
	safe := smbcheck.Checks(s.root.Facts(), encryption)
	if s.args.Bool(argNoACL) {
		allowDFS(safe)
	}
	if !encryption {
		safe = append(safe, encryptionNotRequired(s.root.Facts()))
	}
	s.result.Checks = append(s.result.Checks, safe...)
	s.result.Checks = append(s.result.Checks, smbcheck.ACLChecks(s.args.Bool(argNoACL))...)
	s.add(smbcheck.ReparsePoints(entries))
	if encryption && !passed(safe, "smb.encryption") {
		return // R13: not a byte of a file before the connection is known to be encrypted
	}
	cfg, ok := s.config(ctx, entries)
	if !ok {
		return
	}
	layout, ok := s.layout(entries, cfg)
	if !ok {
		return
	}
	s.updates(ctx, layout)
}

// config finds and reads the configuration file.
func (s *scan) config(ctx context.Context, entries []smbcheck.Entry) (*hotfixcfg.Config, bool) {
	name := s.args[argConfig]
	path := ""
	for _, e := range entries {
		if !e.Dir && strings.EqualFold(e.Path, name) {
			path = e.Path
		}
	}
	if path == "" {
		s.add(check.Result{ID: "config.present", Outcome: check.Fail, Subject: name, Evidence: "There is no file of this name in " + s.args[argRoot] + ".", Remedy: "Copy DefaultHotfixConfig.xml of a cluster node into the root folder, or name another file with " + argConfig + "."})
		return nil, false
	}
	data, err := s.root.ReadFile(ctx, path, hotfixcfg.MaxConfigBytes)
	if err != nil {
		s.fail("config.present", path, err)
		return nil, false
	}
	sum := sha256.Sum256(data)
	s.result.Pinned = append(s.result.Pinned, plugins.File{Path: path, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	s.add(check.Result{ID: "config.present", Outcome: check.Pass, Subject: path, Evidence: fmt.Sprintf("%d bytes, sha256 %s.", len(data), hex.EncodeToString(sum[:]))})
	cfg, err := hotfixcfg.Parse(data)
	if err != nil {
		s.add(check.Result{ID: "config.valid", Outcome: check.Fail, Subject: path, Evidence: err.Error() + ".", Remedy: "Mend the file at that place; nothing is guessed from a file that cannot be read whole."})
		return nil, false
	}
	valid := check.Result{ID: "config.valid", Outcome: check.Pass, Subject: path, Evidence: countRules(cfg)}
	for _, w := range cfg.Warnings {
		valid.Outcome = check.Warn
		valid.Evidence += " " + w.Error() + "."
		valid.Remedy = "Look at these places; they change no rule."
	}
	s.add(valid)
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

// layout says what in the root is an update, and lists the rest with the reason.
func (s *scan) layout(entries []smbcheck.Entry, cfg *hotfixcfg.Config) (hotfixcfg.Layout, bool) {
	list := make([]hotfixcfg.Entry, 0, len(entries))
	for _, e := range entries {
		list = append(list, hotfixcfg.Entry{Path: e.Path, Dir: e.Dir, Size: e.Size, Reparse: e.Reparse})
	}
	layout, err := hotfixcfg.ReadLayout(list, cfg, s.nodes, s.args[argConfig])
	if err != nil {
		s.fail("layout", "", err)
		return layout, false
	}
	r := check.Result{ID: "layout", Outcome: check.Pass, Evidence: fmt.Sprintf("%d updates, nothing left over.", len(layout.Updates))}
	for _, g := range layout.Ignored {
		s.result.Ignored = append(s.result.Ignored, plugins.Ignored{Path: g.Path, Reason: g.Because(), DidYouMean: g.DidYouMean})
	}
	if n := len(layout.Ignored); n > 0 {
		r.Outcome = check.Warn
		r.Evidence = fmt.Sprintf("%d updates; %d files or folders are not installed. First: %s.", len(layout.Updates), n, layout.Ignored[0].String())
		r.Remedy = "Look at the list of what is not installed in the preview."
	}
	s.add(r)
	return layout, true
}

// updates pins every update of every node.
func (s *scan) updates(ctx context.Context, layout hotfixcfg.Layout) {
	for _, node := range s.nodes {
		list := make([]plugins.Update, 0)
		for _, u := range layout.For(node) {
			pinned, err := s.pin(ctx, u)
			if err != nil {
				s.fail("layout", u.Path, err)
				s.result.Updates = map[string][]plugins.Update{}
				return
			}
			list = append(list, pinned)
		}
		s.result.Updates[node] = list
	}
}

func (s *scan) pin(ctx context.Context, u hotfixcfg.Update) (plugins.Update, error) {
	id := sha256.Sum256([]byte(strings.ToLower(u.Path)))
	out := plugins.Update{ID: "u" + hex.EncodeToString(id[:8]), Name: u.Name, Plugin: Name, Rule: u.Rule.Name, MayRestart: mayRestart(u.Rule), LimitMinutes: s.args.Int(argTimeout)}
	folder := u.Path[:len(u.Path)-len(u.Name)]
	pay := payload{Rule: u.Rule, TimeoutMinutes: s.args.Int(argTimeout)}
	for _, path := range append([]string{u.Path}, u.Companions...) {
		file, err := s.hash(ctx, path)
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, file)
		pay.Targets = append(pay.Targets, strings.TrimPrefix(path, folder))
	}
	command, err := hotfixcfg.CommandLine(u.Rule, "%"+plugins.UpdateFolderVariable+`%\`+u.Name)
	if err != nil {
		return out, err
	}
	out.Command = plugins.Command{Program: command.Program, Parameters: command.Parameters}
	for _, sibling := range u.Siblings {
		out.Warnings = append(out.Warnings, sibling+" lies beside it and is not staged with it")
	}
	if !suppressesRestart(out.Command.Parameters) {
		for _, code := range slices.Concat(u.Rule.Exit.Success, u.Rule.Exit.SuccessRebootRequired, u.Rule.Exit.FailRebootRequired) {
			if w := u.Rule.Warning(code); w != "" {
				out.Warnings = append(out.Warnings, w)
			}
		}
	}
	out.Payload, err = json.Marshal(pay)
	return out, err
}

// suppressesRestart tells whether the command line itself forbids the installer to restart the node
// (wusa /norestart; msiexec /norestart and the REBOOT property, Windows Installer command-line options).
func suppressesRestart(parameters string) bool {
	p := strings.ToLower(parameters)
	return strings.Contains(p, "/norestart") || strings.Contains(p, "reboot=reallysuppress")
}

// hash computes a file's hash once, however many nodes need it.
func (s *scan) hash(ctx context.Context, path string) (plugins.File, error) {
	if f, ok := s.hashes[path]; ok {
		return f, nil
	}
	sum, size, err := s.root.HashFile(ctx, path)
	if err != nil {
		return plugins.File{}, err
	}
	f := plugins.File{Path: path, Size: size, SHA256: hex.EncodeToString(sum[:])}
	s.hashes[path] = f
	return f, nil
}

// mayRestart tells whether any exit code of the rule asks for a restart.
func mayRestart(r hotfixcfg.Rule) bool {
	return r.AlwaysReboot || len(r.Exit.SuccessRebootRequired) > 0 || len(r.Exit.FailRebootRequired) > 0
}

func (s *scan) add(r check.Result) { s.result.Checks = append(s.result.Checks, r) }

// fail answers a check with an error: its text is the evidence, its hint the remedy.
func (s *scan) fail(id, subject string, err error) {
	s.add(check.Result{ID: id, Outcome: check.Fail, Subject: subject, Evidence: err.Error() + ".", Remedy: fault.Hint(err)})
}

// encryptionNotRequired answers smb.encryption where the option does not ask for it: seen and said, in nobody's way.
func encryptionNotRequired(f smbcheck.Facts) check.Result {
	r := check.Result{ID: "smb.encryption", Outcome: check.Warn, Evidence: "Files cross the network readable; " + argEncryption + " is False, so this is allowed."}
	if f.EncryptData && (f.ShareVerified || f.SetupVerified) {
		r.Outcome, r.Evidence = check.Pass, "The server demands encryption from everyone."
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
