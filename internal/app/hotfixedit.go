package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/smbcheck"
)

// ConfigShow reads a configuration file and says its rules for people too.
func (p *program) ConfigShow(ctx context.Context, place cli.ConfigPlace, note func(string)) (cli.ConfigReport, error) {
	file, err := p.configFile(ctx, place, "read", note)
	if err != nil {
		return cli.ConfigReport{}, err
	}
	defer file.close()
	b, err := file.read(ctx)
	if err != nil {
		return cli.ConfigReport{}, err
	}
	report := configReport(file.path, b)
	if cfg, err := hotfixcfg.Parse(b); err == nil {
		for _, r := range cfg.Rules {
			report.Shown = append(report.Shown, shownRule(r))
		}
	}
	return report, nil
}

func shownRule(r hotfixcfg.Rule) cli.ConfigRule {
	shown := cli.ConfigRule{Folder: r.Kind == hotfixcfg.FolderRule, Name: r.Name, Path: r.Template.Path, Parameters: r.Template.Parameters, AlwaysReboot: r.AlwaysReboot}
	for _, e := range conditions() {
		var words []string
		for _, c := range *e.of(&r.Exit) {
			word := c.Hex()
			if c <= 0xFFFF {
				word = strconv.FormatUint(uint64(c), 10)
			}
			if name := c.Name(); name != "" {
				word += " (" + name + ")"
			}
			words = append(words, word)
		}
		if words != nil {
			shown.Exit = append(shown.Exit, cli.ConfigExit{Condition: e.element, Codes: strings.Join(words, ", ")})
		}
	}
	return shown
}

type condition struct {
	element string
	of      func(*hotfixcfg.ExitConditions) *[]fault.Code
}

// conditions are the elements of ExitConditions and where a rule keeps their codes.
func conditions() []condition {
	return []condition{
		{"Success", func(x *hotfixcfg.ExitConditions) *[]fault.Code { return &x.Success }},
		{"Success_RebootRequired", func(x *hotfixcfg.ExitConditions) *[]fault.Code { return &x.SuccessRebootRequired }},
		{"Fail_RebootRequired", func(x *hotfixcfg.ExitConditions) *[]fault.Code { return &x.FailRebootRequired }},
		{"AlreadyInstalled", func(x *hotfixcfg.ExitConditions) *[]fault.Code { return &x.AlreadyInstalled }},
		{"NotApplicable", func(x *hotfixcfg.ExitConditions) *[]fault.Code { return &x.NotApplicable }},
	}
}

// ConfigEdit changes one rule of a configuration file, if agree says so and nobody changed the file meanwhile.
func (p *program) ConfigEdit(ctx context.Context, req cli.ConfigEditRequest, note func(string), agree func(cli.ConfigChange) bool) (cli.ConfigChange, error) {
	change := cli.ConfigChange{Change: "none", Lines: []cli.ConfigLine{}, Problems: configNotes(nil), Warnings: configNotes(nil)}
	file, err := p.configFile(ctx, req.ConfigPlace, "change", note)
	if err != nil {
		return change, err
	}
	defer file.close()
	was, err := file.read(ctx)
	if err != nil {
		return change, err
	}
	change.File, change.Before = file.path, digestOf(was)
	old, problems := hotfixcfg.Validate(was)
	if len(problems) > 0 {
		change.Problems = configNotes(problems)
		return change, nil
	}
	is, what, err := edited(was, old, req)
	if err != nil {
		return change, err
	}
	if change.After = digestOf(is); change.After == change.Before {
		return change, nil
	}
	change.Change, change.Lines = what, difference(hotfixcfg.Lines(was), hotfixcfg.Lines(is))
	changed, err := hotfixcfg.Parse(is)
	if err != nil { // Put and Remove read what they made
		return change, &fault.Error{Op: "change " + strconv.Quote(file.path), Err: err}
	}
	change.Warnings = newNotes(old, changed)
	if !agree(change) {
		return change, nil
	}
	if err := ctx.Err(); err != nil {
		return change, err
	}
	err = file.replace(ctx, was, is)
	if errors.Is(err, smbcheck.ErrChanged) {
		err = &fault.Error{Op: "write " + strconv.Quote(file.path), Err: errors.New("somebody changed the file since it was read"), Hint: "It was left as it is now. Look at it and do it again."}
	}
	change.Written = err == nil
	return change, err
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// edited is the file as it is asked for. A rule that is there keeps what is not named.
func edited(was []byte, old *hotfixcfg.Config, req cli.ConfigEditRequest) (is []byte, what string, err error) {
	kind, find := hotfixcfg.ExtensionRule, old.Extension
	if req.Folder {
		kind, find = hotfixcfg.FolderRule, old.Folder
	} else {
		req.Name = strings.TrimPrefix(req.Name, ".")
	}
	op := fmt.Sprintf("the %s rule %q", kind, req.Name)
	rule, there := find(req.Name)
	if req.Remove {
		if !there {
			return nil, "", cli.Usage(&fault.Error{Op: op, Err: hotfixcfg.ErrNoRule, Hint: "See its rules with cau hotfix config show."})
		}
		if len(old.Rules) == 1 {
			return nil, "", cli.Usage(&fault.Error{Op: op, Err: errors.New("it is the only one in the file, and a file without rules is not valid"), Hint: "Put another rule in first."})
		}
		is, err = hotfixcfg.Remove(was, kind, req.Name)
		return is, "removed", cannot(op, err)
	}
	if what = "changed"; !there {
		what, rule = "added", hotfixcfg.Rule{Kind: kind, Name: req.Name}
		if req.Path == nil || strings.TrimSpace(req.Codes["Success"]) == "" {
			return nil, "", cli.Usage(&fault.Error{Op: op, Err: errors.New("it is new, and needs a program and the exit codes that mean success"), Hint: "Give --path and --success."})
		}
	}
	if rule, err = asAsked(rule, req); err != nil {
		return nil, "", cli.Usage(&fault.Error{Op: op, Err: err})
	}
	is, err = hotfixcfg.Put(was, rule)
	return is, what, cannot(op, err)
}

// cannot is why a rule cannot be as it is asked for: nothing was written, and the request is to blame.
func cannot(op string, err error) error {
	if err == nil {
		return nil
	}
	return cli.Usage(&fault.Error{Op: op, Err: err, Hint: "Nothing was written."})
}

// asAsked is the rule with what the request names. A file's reader trims path and parameters, so they are trimmed here too.
func asAsked(rule hotfixcfg.Rule, req cli.ConfigEditRequest) (hotfixcfg.Rule, error) {
	if req.Path != nil {
		rule.Template.Path = strings.TrimSpace(*req.Path)
	}
	if req.Parameters != nil {
		rule.Template.Parameters = strings.TrimSpace(*req.Parameters)
	}
	if req.AlwaysReboot != nil {
		if rule.AlwaysReboot = *req.AlwaysReboot; rule.AlwaysReboot && rule.Kind == hotfixcfg.ExtensionRule {
			return rule, errors.New("--always-reboot is for a folder's rule; for an extension list the codes with --success-reboot")
		}
	}
	for _, c := range conditions() {
		list, asked := req.Codes[c.element]
		if !asked {
			continue
		}
		codes, err := hotfixcfg.ParseCodes(list)
		if err != nil {
			return rule, fmt.Errorf("%s: %w", c.element, err)
		}
		*c.of(&rule.Exit) = codes
	}
	return rule, nil
}

// newNotes are what the changed file warns about and the old one did not.
func newNotes(old, changed *hotfixcfg.Config) []cli.ConfigNote {
	known := map[string]bool{}
	for _, n := range slices.Concat(old.Warnings, old.Remarks) {
		known[n.Msg] = true
	}
	return configNotes(slices.DeleteFunc(slices.Concat(changed.Warnings, changed.Remarks), func(n hotfixcfg.Error) bool { return known[n.Msg] }))
}
