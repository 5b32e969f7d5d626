package cli

import (
	"errors"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// pluginEntry is a plug-in as cau plugin list and show print it with --json.
type pluginEntry struct {
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Builtin     bool          `json:"builtin"`
	Refused     string        `json:"refused,omitempty"`
	Instead     string        `json:"instead,omitempty"`
	Arguments   []optionEntry `json:"arguments"`
	// Registered is set for other people's.
	Registered *RegisteredPlugin `json:"registration,omitempty"`
}

type optionEntry struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases,omitempty"`
	Kind     string   `json:"kind"`
	Default  string   `json:"default,omitempty"`
	Required bool     `json:"required,omitempty"`
	Min      int      `json:"min,omitempty"`
	Max      int      `json:"max,omitempty"`
	Caption  string   `json:"caption,omitempty"`
	Help     string   `json:"help,omitempty"`
}

func entryOf(pl plugins.Plugin) pluginEntry {
	e := pluginEntry{Name: pl.Name(), Description: pl.Description(), Builtin: true, Arguments: []optionEntry{}}
	if r, ok := pl.(plugins.Refuser); ok {
		e.Refused, e.Instead = why(r), fault.Hint(r.Refused())
	}
	for _, o := range pl.Options() {
		e.Arguments = append(e.Arguments, optionEntry{o.Name, o.Aliases, string(o.Kind), o.Default, o.Required, o.Min, o.Max, o.Caption, o.Help})
	}
	return e
}

// why is the reason of a refusal, without whose it is.
func why(r plugins.Refuser) string {
	err := r.Refused()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}

func (p *program) pluginList() *cobra.Command {
	var asJSON bool
	var target Target
	cmd := &cobra.Command{
		Use: "list", Short: p.texts.T(message.PluginListShort), Long: p.texts.T(message.PluginListLong), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			on, err := p.pluginsOnNodes(cmd, target)
			if err != nil {
				return err
			}
			registered, unread := p.services.PluginsRegistered(cmd.Context())
			list := []pluginEntry{}
			for _, pl := range p.services.Plugins() {
				list = append(list, entryOf(pl).registeredIn(registered))
			}
			if on != nil {
				unread = errors.Join(unread, on.incomplete())
			}
			switch {
			case asJSON && on != nil:
				return errors.Join(p.json(pluginsEverywhere{list, *on, on.differing()}), unread)
			case asJSON:
				return errors.Join(p.json(list), unread)
			}
			w := tabwriter.NewWriter(p.streams.Out, 0, 0, 2, ' ', 0)
			for _, e := range list {
				_, _ = w.Write([]byte(message.Clean(e.Name) + "\t" + message.Clean(e.Description) + "\n"))
			}
			_ = w.Flush() // the answer's first failure is kept by the stream
			for _, e := range list {
				if e.Registered != nil {
					p.registration(*e.Registered)
				}
			}
			if on != nil {
				p.printPluginsOnNodes(*on)
			}
			return unread
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

func (p *program) pluginShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show PLUGIN", Short: p.texts.T(message.PluginShowShort), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return Usage(&fault.Error{Op: p.texts.T(message.PluginShowOp), Err: errors.New(p.texts.T(message.PluginOneName)), Hint: p.texts.T(message.PluginOneNameHint)})
			}
			pl, err := p.pluginNamed(args[0])
			if err != nil {
				return err
			}
			registered, _ := p.services.PluginsRegistered(cmd.Context()) // the one that is shown was read
			e := entryOf(pl).registeredIn(registered)
			if asJSON {
				return p.json(e)
			}
			p.line(message.Clean(e.Name))
			p.line("  " + message.Clean(e.Description))
			if e.Registered != nil {
				p.registration(*e.Registered)
			}
			if e.Refused != "" {
				p.line("  " + p.texts.T(message.PluginRefused, message.Clean(e.Refused)))
				p.line("  " + p.texts.T(message.PluginInstead, message.Clean(e.Instead)))
			}
			for _, o := range e.Arguments {
				p.line("")
				p.line("  " + message.Clean(o.Name) + "  [" + strings.Join(p.optionWords(o), ", ") + "]")
				for _, text := range []string{o.Caption, o.Help} {
					if text != "" {
						p.line("    " + message.Clean(text))
					}
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

func (p *program) optionWords(o optionEntry) []string {
	words := []string{o.Kind}
	if o.Required {
		words = append(words, p.texts.T(message.PluginRequired))
	}
	if o.Default != "" {
		words = append(words, p.texts.T(message.PluginDefault, message.Clean(o.Default)))
	}
	return words
}
