package cli

import (
	"errors"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins/windowsupdate/criteria"
)

func (p *program) plugin() *cobra.Command {
	cmd := &cobra.Command{Use: "plugin", Short: p.texts.T(message.PluginShort)}
	cmd.AddCommand(p.pluginList(), p.pluginShow(), p.pluginArgs(), p.pluginQuery(), p.pluginRegister(), p.pluginUnregister(), p.pluginTest())
	return cmd
}

// queryAnswer is what cau plugin query --json prints: the query, or what is wrong with it.
type queryAnswer struct {
	Query string `json:"query,omitempty"`
	// SelfUpdating is the query with its quotes doubled; Doubled tells that it was given so.
	SelfUpdating string      `json:"self_updating,omitempty"`
	Doubled      bool        `json:"doubled,omitempty"`
	Error        *queryError `json:"error,omitempty"`
}

type queryError struct {
	Column  int    `json:"column"`
	Problem string `json:"problem"`
	Allowed string `json:"allowed"`
}

func (p *program) pluginQuery() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "query QUERY", Short: p.texts.T(message.PluginQueryShort), Long: p.texts.T(message.PluginQueryLong),
		Example: p.texts.T(message.PluginQueryExample), Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return Usage(&fault.Error{Op: p.texts.T(message.PluginQueryOp), Err: errors.New(p.texts.T(message.PluginOneText)), Hint: p.texts.T(message.PluginOneTextHint)})
			}
			q, err := criteria.Parse(args[0])
			var wrong *criteria.Error
			switch {
			case errors.As(err, &wrong) && asJSON:
				return errors.Join(p.json(queryAnswer{Error: &queryError{wrong.Column, wrong.Problem, wrong.Allowed}}), exitWith(ExitUsage))
			case errors.As(err, &wrong):
				p.say("cau: " + p.texts.T(message.PluginQueryOp) + ": " + message.Line(wrong.Error()))
				p.caret(args[0], wrong.Column)
				p.say("  " + p.texts.T(message.PluginAllowed, message.Clean(wrong.Allowed)))
				return exitWith(ExitUsage)
			case err != nil:
				return Usage(err)
			case asJSON:
				return p.json(queryAnswer{Query: q.String(), SelfUpdating: q.ForSelfUpdating(), Doubled: q.Doubled})
			}
			p.line(p.texts.T(message.PluginQueryRead, q))
			p.line(p.texts.T(message.PluginQuerySelf, q.ForSelfUpdating()))
			if q.Doubled {
				p.line(p.texts.T(message.PluginQueryDoubled))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// caret shows the neighbourhood of a place in a line, with a caret under it. Columns count characters from 1.
func (p *program) caret(line string, column int) {
	const around = 60
	text := []rune(line)
	at := min(max(column-1, 0), len(text))
	from, to := max(0, at-around), min(len(text), at+around)
	before := message.Clean(string(text[from:at]))
	shown := before + message.Clean(string(text[at:to]))
	if from > 0 {
		before, shown = "…"+before, "…"+shown
	}
	if to < len(text) {
		shown += "…"
	}
	p.say("  " + shown)
	p.say("  " + strings.Repeat(" ", ansi.StringWidth(before)) + "^")
}
