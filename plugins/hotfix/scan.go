package hotfix

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/check"
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

// Scan reads the root once: listing, configuration, hashes. What is wrong with the root comes as check
// results, so that everything found is shown together; an error means that this plug-in cannot scan.
func (p *Plugin) Scan(ctx context.Context, nodes []string, args plugins.Arguments) (plugins.Scan, error) {
	v, err := p.visit(ctx, nodes, args, false)
	if err != nil {
		return plugins.Scan{}, err
	}
	defer v.close()
	s := newScan(v)
	if v.look(ctx) {
		if p.HashOn != nil {
			if err := s.hashOnNode(ctx, p.HashOn); err != nil {
				return plugins.Scan{}, err
			}
		}
		s.updates(ctx)
	}
	s.result.Checks, s.result.Ignored, s.result.Pinned = v.sorted(), v.ignored, v.pinned
	return s.result, ctx.Err()
}

// scan is a visit that pins what it found.
type scan struct {
	*visit
	result plugins.Scan
	hashes map[string]plugins.File
	abouts map[string]*plugins.About
}

func newScan(v *visit) *scan {
	return &scan{
		visit: v, hashes: map[string]plugins.File{}, abouts: map[string]*plugins.About{},
		result: plugins.Scan{Source: v.args[argRoot], Updates: map[string][]plugins.Update{}},
	}
}

// updates pins every update of every node.
func (s *scan) updates(ctx context.Context) {
	for _, node := range s.nodes {
		list := make([]plugins.Update, 0)
		for _, u := range s.layout.For(node) {
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

func (s *scan) pin(ctx context.Context, u hotfixcfg.Update) (out plugins.Update, err error) {
	id := sha256.Sum256([]byte(strings.ToLower(u.Path)))
	out = plugins.Update{ID: "u" + hex.EncodeToString(id[:8]), Name: u.Name, Plugin: Name, Rule: u.Rule.Name, MayRestart: mayRestart(u.Rule), LimitMinutes: s.args.Int(argTimeout)}
	folder := u.Path[:len(u.Path)-len(u.Name)]
	pay := payload{Rule: u.Rule, TimeoutMinutes: s.args.Int(argTimeout)}
	for _, path := range append([]string{u.Path}, u.Companions...) {
		var file plugins.File
		if file, err = s.hash(ctx, path); err != nil {
			return out, err
		}
		out.Files = append(out.Files, file)
		pay.Targets = append(pay.Targets, strings.TrimPrefix(path, folder))
	}
	if out.About, err = s.about(ctx, u); err != nil {
		return out, err
	}
	command, err := hotfixcfg.CommandLine(u.Rule, "%"+plugins.UpdateFolderVariable+`%\`+u.Name)
	if err != nil {
		return out, err
	}
	out.Command = plugins.Command{Program: command.Program, Parameters: command.Parameters}
	for _, sibling := range u.Siblings {
		out.Warnings = append(out.Warnings, sibling+" lies beside it and is not staged with it")
	}
	if !hotfixcfg.SuppressesRestart(out.Command.Parameters) {
		for _, code := range slices.Concat(u.Rule.Exit.Success, u.Rule.Exit.SuccessRebootRequired, u.Rule.Exit.FailRebootRequired) {
			if w := u.Rule.Warning(code); w != "" {
				out.Warnings = append(out.Warnings, w)
			}
		}
	}
	out.Payload, err = json.Marshal(pay)
	return out, err
}

// hash computes a file's hash once, however many nodes need it. A file that is not what was listed any more is hashed as it
// is, so that whoever accepts that gets what is pinned; it is said, and no pass (R07).
func (s *scan) hash(ctx context.Context, path string) (plugins.File, error) {
	if f, ok := s.hashes[path]; ok {
		return f, nil
	}
	sum, size, err := s.files.HashFile(ctx, path, s.listed(path))
	if errors.Is(err, smbcheck.ErrChanged) {
		s.add(check.Result{ID: "layout", Outcome: check.CannotVerify, Subject: path, Evidence: sentence(err), Remedy: "Let whoever copies files there finish, then check again."})
		sum, size, err = s.files.HashFile(ctx, path, nil)
	}
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
