package cli

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// registeredIn adds how other people's plug-in was registered.
func (e pluginEntry) registeredIn(list []RegisteredPlugin) pluginEntry {
	for i, r := range list {
		if strings.EqualFold(r.Name, e.Name) {
			e.Builtin, e.Registered = false, &list[i]
		}
	}
	return e
}

// registration shows what was trusted, or is to be.
func (p *program) registration(r RegisteredPlugin) {
	p.line("")
	p.line(message.Clean(r.Name) + " " + message.Clean(r.Version))
	p.line("  " + p.texts.T(message.PluginFile, message.Clean(r.Path), message.Clean(r.SHA256)))
	p.line("  " + p.texts.T(message.PluginOwner, message.Clean(r.Owner), message.Clean(r.Mode)))
	may := p.texts.T(message.PluginMayNothing)
	if len(r.Capabilities) > 0 {
		may = message.Clean(strings.Join(r.Capabilities, ", "))
	}
	p.line("  " + p.texts.T(message.PluginMay, may))
	for _, c := range r.Capabilities {
		if act, in, ok := strings.Cut(c, ":"); ok {
			p.line("    " + p.texts.T(message.PluginMayMeans, message.Clean(c), p.texts.T(message.PluginAct(act)), p.texts.T(message.PluginIn(in))))
		}
	}
	if r.Changed != "" {
		p.line("  ! " + p.texts.T(message.PluginChanged, message.Clean(r.Changed)))
		p.line("    " + message.Clean(r.Advice))
	}
}

// onePath is a usage error unless there is exactly one argument.
func (p *program) onePath(args []string) error {
	if len(args) == 1 {
		return nil
	}
	return Usage(&fault.Error{Op: p.texts.T(message.PluginRegisterOp), Err: errors.New(p.texts.T(message.PluginOnePath)), Hint: p.texts.T(message.PluginOneTextHint)})
}

func (p *program) pluginRegister() *cobra.Command {
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use: "register PATH", Short: p.texts.T(message.PluginRegisterShort), Long: p.texts.T(message.PluginRegisterLong), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.onePath(args); err != nil {
				return err
			}
			if !yes && (asJSON || !p.streams.Terminal && !p.streams.Dumb) {
				return Usage(&fault.Error{Op: p.texts.T(message.PluginRegisterOp), Err: errors.New(p.texts.T(message.CLINeedsYes)), Hint: p.texts.T(message.CLIAddYesHint)})
			}
			shown, err := p.services.PluginInspect(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !asJSON {
				p.registration(shown)
				p.line("")
				p.line(p.texts.T(message.PluginRegisterTrust))
			}
			if !yes && !p.trusts(shown.Name) {
				p.say(p.texts.T(message.PluginRegisterNo))
				return exitWith(ExitCanceled)
			}
			if err := p.services.PluginRegister(cmd.Context(), shown); err != nil {
				return err
			}
			if asJSON {
				return p.json(shown)
			}
			p.line(p.texts.T(message.PluginRegistered, shown.Name, shown.Name))
			return nil
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, p.texts.T(message.CLIFlagYes))
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// trusts asks for the word yes; anything else is a no.
func (p *program) trusts(name string) bool {
	_, _ = io.WriteString(p.streams.Err, p.texts.T(message.PluginRegisterAsk, message.Clean(name))+" ")
	said, _ := bufio.NewReader(p.streams.In).ReadString('\n')
	return strings.EqualFold(strings.TrimSpace(said), "yes")
}

func (p *program) pluginUnregister() *cobra.Command {
	return &cobra.Command{
		Use: "unregister NAME", Short: p.texts.T(message.PluginUnregisterShort), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return Usage(&fault.Error{Op: p.texts.T(message.PluginShowOp), Err: errors.New(p.texts.T(message.PluginOneName)), Hint: p.texts.T(message.PluginOneNameHint)})
			}
			was, err := p.services.PluginUnregister(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			p.line(p.texts.T(message.PluginUnregistered, message.Clean(was.Name), message.Clean(was.Path)))
			return nil
		},
	}
}

func (p *program) pluginTest() *cobra.Command {
	var given []string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test PATH", Short: p.texts.T(message.PluginTestShort), Long: p.texts.T(message.PluginTestLong), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.onePath(args); err != nil {
				return err
			}
			var with []plugins.Argument
			for _, text := range given {
				a, err := plugins.ParseArgument(text)
				if err != nil {
					return Usage(argumentFault(err))
				}
				with = append(with, a)
			}
			cases, err := p.services.PluginTest(cmd.Context(), args[0], with)
			if err != nil {
				return err
			}
			failed := 0
			for _, c := range cases {
				word := "✓"
				if !c.Passed {
					word, failed = "✗", failed+1
				}
				if !asJSON {
					p.line(word + " " + message.Clean(c.Name) + ": " + message.Clean(c.Saw))
				}
			}
			if asJSON {
				err = p.json(cases)
			}
			if failed > 0 || len(cases) == 0 {
				p.say(p.texts.T(message.PluginTestFailed, failed, len(cases)))
				return errors.Join(err, exitWith(ExitFailed))
			}
			if !asJSON {
				p.line(p.texts.T(message.PluginTestPassed, len(cases)))
			}
			return err
		},
	}
	cmd.Flags().StringArrayVar(&given, "arg", nil, p.texts.T(message.CLIFlagArg))
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}
