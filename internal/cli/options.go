package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
)

// optionFlags adds a flag for every run option, and for every parameter of Invoke-CauRun that is none; check looks at
// what was given, before anything is touched.
func (p *program) optionFlags(cmd *cobra.Command, o *engine.Options) (check func() error) {
	f := cmd.Flags()
	for _, spec := range engine.OptionSpecs() {
		flag := f.VarPF(&optionFlag{spec, o}, spec.Flag(), "", p.texts.T(message.OptionHelp(spec.Name)))
		if spec.Kind == engine.OptionSwitch {
			flag.NoOptDefVal = "True"
			flag.DefValue = ""
		}
	}
	for _, par := range engine.Parameters() {
		if par.Standing == engine.Obeyed {
			continue
		}
		help := p.texts.T(message.CLIFlagRefused, par.Reason, par.Instead)
		if par.Standing == engine.NotNeeded {
			help = p.texts.T(message.CLIFlagNotNeeded, par.Reason)
		}
		if par.Switch {
			f.Bool(engine.FlagName(par.Name), false, help)
		} else {
			f.String(engine.FlagName(par.Name), "", help)
		}
		f.Lookup(engine.FlagName(par.Name)).Hidden = par.Standing == engine.Refused
	}
	return func() error { return p.checkOptions(cmd, *o) }
}

func (p *program) checkOptions(cmd *cobra.Command, o engine.Options) error {
	f := cmd.Flags()
	for _, par := range engine.Parameters() {
		given := par.Standing != engine.Obeyed && f.Changed(engine.FlagName(par.Name))
		switch {
		case given && par.Standing == engine.Refused:
			value := f.Lookup(engine.FlagName(par.Name)).Value.String()
			if par.Switch && value == "false" {
				continue
			}
			return Usage(&fault.Error{Op: "--" + engine.FlagName(par.Name), Err: fmt.Errorf("%s: %s", p.texts.T(message.CLIParameterRefused, par.Name), strings.TrimSuffix(par.Reason, ".")), Hint: par.Instead})
		case given:
			p.say(p.texts.T(message.CLINotNeeded, par.Name, par.Reason))
		}
	}
	for _, spec := range engine.OptionSpecs() {
		if spec.Needs != nil && !spec.Needs(o) && f.Changed(spec.Flag()) {
			return Usage(&fault.Error{Op: "--" + spec.Flag(), Err: errors.New(p.texts.T(message.CLIMeansNothing)), Hint: p.texts.T(message.OptionNeeds(spec.Name))})
		}
	}
	if problems := o.Validate(nil); len(problems) > 0 {
		return Usage(problems[0])
	}
	return nil
}

// optionFlag is a run option as a flag.
type optionFlag struct {
	spec engine.OptionSpec
	o    *engine.Options
}

func (f *optionFlag) String() string {
	if f.o == nil { // pflag asks a zero value for its default
		return ""
	}
	return f.spec.Value(*f.o)
}

func (f *optionFlag) Type() string {
	switch f.spec.Kind {
	case engine.OptionNumber:
		return "int"
	case engine.OptionSwitch:
		return "bool"
	case engine.OptionSpan:
		return "hh:mm:ss"
	case engine.OptionWord:
		return strings.Join(f.spec.Words, "|")
	case engine.OptionNames:
		return "names"
	case engine.OptionText:
	}
	return "string"
}

// Set takes a list's flag several times, and everything else as it stands.
func (f *optionFlag) Set(text string) error {
	if f.spec.Kind == engine.OptionNames && f.spec.Value(*f.o) != "" {
		text = f.spec.Value(*f.o) + "," + text
	}
	if err := f.spec.Set(f.o, text); err != nil {
		return fmt.Errorf("it %w", err)
	}
	if f.spec.Kind != engine.OptionWord || f.spec.Name == "RebootMode" { // Validate says why the other reboot modes are refused
		return nil
	}
	for _, w := range f.spec.Words {
		if w == f.spec.Value(*f.o) {
			return nil
		}
	}
	return fmt.Errorf("it takes %s", strings.Join(f.spec.Words, ", "))
}
