package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
)

// ConfigPlace is where a hotfix configuration file lies, and who reads or writes it there.
type ConfigPlace struct {
	// Root is a folder or a file on this host, or \\server\share\folder, with the file's name behind it if that ends with .xml.
	// Empty means the lab's own root, where Target names a lab.
	Root string
	// Target says who signs in and where the file server listens, as for HotfixCheckRequest.
	Target Target
	// Config is the file's name in the root; empty means DefaultHotfixConfig.xml.
	Config string
}

// ConfigEditRequest asks for one rule to be put into a configuration file, or taken out.
type ConfigEditRequest struct {
	ConfigPlace
	// Folder: the rule is for a sub-folder of that name, else for a file name extension.
	Folder bool
	Name   string
	// Remove takes the rule out; then nothing below is set.
	Remove bool
	// Path, Parameters and AlwaysReboot are the rule's; nil leaves them as they are.
	Path, Parameters *string
	AlwaysReboot     *bool
	// Codes are lists of exit codes by the condition's element, Success for one; a condition that is missing stays as it is,
	// an empty list takes it out.
	Codes map[string]string
}

// ConfigChange is what was done to a configuration file, or would be.
type ConfigChange struct {
	File string `json:"file"`
	// Change is "added", "changed", "removed" or "none".
	Change string       `json:"change"`
	Lines  []ConfigLine `json:"lines"`
	// Problems are why the file is not touched: it is not valid as it is.
	Problems []ConfigNote `json:"problems"`
	// Warnings are new with the change, by their place in the changed file.
	Warnings []ConfigNote `json:"warnings"`
	// Before and After are the SHA-256 of the file's content.
	Before string `json:"sha256_before"`
	After  string `json:"sha256_after,omitempty"`
	// Written: the file is as After says. False where nobody agreed, and where nothing was to be changed.
	Written bool `json:"written"`
}

// ConfigLine is a line of a difference. Line counts from 1: in the file as it was, or as it becomes for a line that comes.
type ConfigLine struct {
	// Mark is "-" for a line that goes, "+" for one that comes, " " for one that stays.
	Mark string `json:"mark"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// ConfigRule is a rule for people; scripts read ConfigReport.Rules.
type ConfigRule struct {
	Folder           bool
	Name             string
	Path, Parameters string
	AlwaysReboot     bool
	// Exit are the conditions that list codes, in the order of the documentation.
	Exit []ConfigExit
}

// ConfigExit is a condition and its exit codes, with the names that Windows has for them.
type ConfigExit struct{ Condition, Codes string }

// exitFlags are the flags for exit codes and the elements that they stand for.
func exitFlags() []struct{ flag, element string } {
	return []struct{ flag, element string }{
		{"success", "Success"},
		{"success-reboot", "Success_RebootRequired"},
		{"fail-reboot", "Fail_RebootRequired"},
		{"already-installed", "AlreadyInstalled"},
		{"not-applicable", "NotApplicable"},
	}
}

func (p *program) configSet() *cobra.Command {
	var path, parameters string
	var always bool
	codes := map[string]*string{}
	cmd, edit := p.configEdit("set", message.CLIConfigSetShort, message.CLIConfigSetLong, message.CLIConfigSetExample)
	f := cmd.Flags()
	f.StringVar(&path, "path", "", p.texts.T(message.CLIFlagRulePath))
	f.StringVar(&parameters, "parameters", "", p.texts.T(message.CLIFlagRuleParameters))
	for _, e := range exitFlags() {
		codes[e.flag] = new(string)
		f.StringVar(codes[e.flag], e.flag, "", p.texts.T(message.CLIFlagRuleCodes, e.element))
	}
	f.BoolVar(&always, "always-reboot", false, p.texts.T(message.CLIFlagRuleAlwaysReboot))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req, some := ConfigEditRequest{Codes: map[string]string{}}, false
		if f.Changed("path") {
			req.Path, some = &path, true
		}
		if f.Changed("parameters") {
			req.Parameters, some = &parameters, true
		}
		if f.Changed("always-reboot") {
			req.AlwaysReboot, some = &always, true
		}
		for _, e := range exitFlags() {
			if f.Changed(e.flag) {
				req.Codes[e.element], some = *codes[e.flag], true
			}
		}
		if !some {
			return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIConfigNothingToSet)), Hint: p.texts.T(message.CLIHelpHint, cmd.CommandPath())})
		}
		return edit(cmd, args, req)
	}
	return cmd
}

func (p *program) configRemove() *cobra.Command {
	cmd, edit := p.configEdit("remove", message.CLIConfigRemoveShort, message.CLIConfigRemoveLong, message.CLIConfigRemoveExample)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return edit(cmd, args, ConfigEditRequest{Remove: true}) }
	return cmd
}

// configEdit is what set and remove share: where the file is, which rule is meant, and the question before anything is written.
func (p *program) configEdit(verb string, short, long, example message.Key) (*cobra.Command, func(*cobra.Command, []string, ConfigEditRequest) error) {
	var place ConfigPlace
	var extension, folder string
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use: verb + " ROOT|FILE", Short: p.texts.T(short), Long: p.texts.T(long), Example: p.texts.T(example), Args: cobra.ArbitraryArgs,
	}
	f := cmd.Flags()
	f.StringVar(&extension, "extension", "", p.texts.T(message.CLIFlagRuleExtension))
	f.StringVar(&folder, "folder", "", p.texts.T(message.CLIFlagRuleFolder))
	p.placeFlags(cmd, &place)
	f.BoolVarP(&yes, "yes", "y", false, p.texts.T(message.CLIFlagYes))
	f.BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd, func(cmd *cobra.Command, args []string, req ConfigEditRequest) error {
		usage := func(why, hint message.Key) error {
			return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(why)), Hint: p.texts.T(hint)})
		}
		if (extension == "") == (folder == "") {
			return usage(message.CLIConfigOneRule, message.CLIConfigOneRuleHint)
		}
		req.Folder, req.Name = folder != "", folder+extension
		if !yes && (asJSON || !p.streams.Terminal && !p.streams.Dumb) {
			return usage(message.CLINeedsYes, message.CLIAddYesHint)
		}
		if err := p.checkPlace(cmd, &place, args); err != nil {
			return err
		}
		req.ConfigPlace = place
		change, err := p.services.ConfigEdit(cmd.Context(), req, p.say, func(c ConfigChange) bool {
			if !asJSON {
				p.printChange(c)
			}
			return yes || p.agrees(c.File)
		})
		if err != nil {
			return err
		}
		return p.changed(change, asJSON)
	}
}

// changed says how an edit ended.
func (p *program) changed(c ConfigChange, asJSON bool) error {
	switch {
	case asJSON:
		if err := p.json(c); err != nil {
			return err
		}
	case len(c.Problems) > 0:
		p.printConfig(ConfigReport{File: c.File, Problems: c.Problems})
	case c.Change == "none":
		p.line(p.texts.T(message.CLIConfigNoChange, message.Clean(c.File)))
	case c.Written:
		p.line(p.texts.T(message.CLIConfigChanged, message.Clean(c.File)))
		p.line("  sha256 " + c.After)
	}
	switch {
	case len(c.Problems) > 0:
		return exitWith(ExitUsage)
	case !c.Written && c.Change != "none":
		p.say(p.texts.T(message.CLIConfigNotWritten))
		return exitWith(ExitCanceled)
	}
	return nil
}

// printChange shows the lines that go and come, and what the changed file warns about that the old one did not.
func (p *program) printChange(c ConfigChange) {
	p.line(message.Clean(c.File))
	for _, l := range c.Lines {
		p.line(fmt.Sprintf("%s %4d  %s", l.Mark, l.Line, message.Clean(strings.ReplaceAll(l.Text, "\t", "  "))))
	}
	for _, n := range c.Warnings {
		p.line(fmt.Sprintf("%s: %d:%d: %s", p.texts.T(message.CLIConfigWarning), n.Line, n.Column, message.Clean(n.Message)))
	}
}

// agrees asks for the word yes; anything else is a no.
func (p *program) agrees(file string) bool {
	_, _ = io.WriteString(p.streams.Err, p.texts.T(message.CLIConfigAsk, message.Clean(file))+" ")
	said, _ := bufio.NewReader(p.streams.In).ReadString('\n')
	return strings.EqualFold(strings.TrimSpace(said), "yes")
}

// placeFlags adds the flags that say where a configuration file lies.
func (p *program) placeFlags(cmd *cobra.Command, place *ConfigPlace) {
	p.fileServerFlags(cmd, &place.Target)
	place.Target.LabLinger = linger
	cmd.Flags().StringVar(&place.Config, "config", "", p.texts.T(message.CLIFlagHotfixConfig))
}

func (p *program) checkPlace(cmd *cobra.Command, place *ConfigPlace, args []string) error {
	var err error
	if place.Root, err = p.oneRoot(cmd, place.Target, args); err != nil {
		return err
	}
	return p.checkRootFlags(cmd, place.Root, &place.Target)
}

func (p *program) configShow() *cobra.Command {
	var place ConfigPlace
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ROOT|FILE", Short: p.texts.T(message.CLIConfigShowShort), Long: p.texts.T(message.CLIConfigShowLong),
		Example: p.texts.T(message.CLIConfigShowExample), Args: cobra.ArbitraryArgs,
	}
	p.placeFlags(cmd, &place)
	f := cmd.Flags()
	f.Var(&labFlag{&place.Target}, "lab", p.texts.T(message.CLIFlagHotfixLab))
	f.Lookup("lab").NoOptDefVal = "any"
	f.DurationVar(&place.Target.LabLinger, "lab-linger", linger, p.texts.T(message.CLIFlagNewLabLinger))
	f.BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := p.checkPlace(cmd, &place, args); err != nil {
			return err
		}
		report, err := p.services.ConfigShow(cmd.Context(), place, p.say)
		if err != nil {
			return err
		}
		if asJSON {
			err = p.json(report)
		} else {
			p.printConfig(report)
			p.printRules(report.Shown)
		}
		if err == nil && !report.Valid {
			err = exitWith(ExitUsage)
		}
		return err
	}
	return cmd
}

func (p *program) printRules(rules []ConfigRule) {
	for _, r := range rules {
		kind := message.CLIConfigExtension
		if r.Folder {
			kind = message.CLIConfigFolder
		}
		p.line("")
		p.line(p.texts.T(kind, message.Clean(r.Name)))
		p.line("  " + strings.TrimSpace(message.Clean(r.Path)+" "+message.Clean(r.Parameters)))
		for _, e := range r.Exit {
			p.line(fmt.Sprintf("  %-22s  %s", e.Condition, e.Codes))
		}
		if r.AlwaysReboot {
			p.line("  " + p.texts.T(message.CLIConfigAlwaysReboot))
		}
	}
}
