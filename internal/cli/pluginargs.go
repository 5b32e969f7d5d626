package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// argumentsAnswer is what cau plugin args --json prints: the arguments as the plug-in gets them, or what is wrong.
type argumentsAnswer struct {
	Plugin    string            `json:"plugin"`
	Arguments plugins.Arguments `json:"arguments,omitempty"`
	Errors    []argumentProblem `json:"errors,omitempty"`
}

// argumentProblem is one problem; Line and Column are 0 where it stands nowhere, as one that is missing.
type argumentProblem struct {
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Name    string `json:"name"`
	Problem string `json:"problem"`
	Hint    string `json:"hint,omitempty"`
}

func (p *program) pluginArgs() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "args PLUGIN ARGUMENTS", Short: p.texts.T(message.PluginArgsShort), Long: p.texts.T(message.PluginArgsLong),
		Example: p.texts.T(message.PluginArgsExample), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return Usage(&fault.Error{Op: p.texts.T(message.PluginArgsOp), Err: errors.New(p.texts.T(message.PluginTwoTexts)), Hint: p.texts.T(message.PluginOneTextHint)})
			}
			pl, err := p.pluginNamed(args[0])
			if err != nil {
				return err
			}
			resolved, problems, err := readArguments(cmd.Context(), pl, args[1])
			if err != nil {
				return err
			}
			answer := argumentsAnswer{Plugin: pl.Name(), Arguments: withoutSecrets(pl, resolved)}
			for _, e := range problems {
				answer.Errors = append(answer.Errors, argumentProblem{e.At.Line, e.At.Column, e.Name, e.Problem, e.Hint})
			}
			switch {
			case asJSON:
				if len(problems) > 0 {
					answer.Arguments = nil
				}
				err = p.json(answer)
			case len(problems) == 0:
				for _, o := range pl.Options() {
					p.line(fmt.Sprintf("%s = %s", o.Name, message.Clean(answer.Arguments[o.Name])))
				}
			default:
				for _, e := range problems {
					p.argumentProblem(args[1], e)
				}
			}
			if len(problems) > 0 {
				return errors.Join(err, exitWith(ExitUsage))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// pluginNamed is the plug-in of that name, without regard to case.
func (p *program) pluginNamed(name string) (plugins.Plugin, error) {
	var known []string
	for _, pl := range p.services.Plugins() {
		if strings.EqualFold(pl.Name(), name) {
			return pl, nil
		}
		known = append(known, pl.Name())
	}
	return nil, Usage(&fault.Error{
		Op: p.texts.T(message.CLIOpPlugin), Err: fmt.Errorf("%s %q", p.texts.T(message.CLIUnknownPlugin), name),
		Hint: p.texts.T(message.CLIUnknownPluginHint, strings.Join(known, ", ")),
	})
}

// readArguments reads one plug-in's arguments from a text and finds every problem with them, each with its place where it
// has one.
func readArguments(ctx context.Context, pl plugins.Plugin, text string) (plugins.Arguments, []plugins.ArgumentError, error) {
	sets, err := plugins.ParseArguments(text)
	var wrong plugins.ArgumentError
	switch {
	case errors.As(err, &wrong):
		return nil, []plugins.ArgumentError{wrong}, nil
	case err != nil:
		return nil, nil, Usage(err)
	case len(sets) > 1:
		return nil, []plugins.ArgumentError{{Name: pl.Name(), Problem: fmt.Sprintf("has one set of arguments, and here are %d", len(sets)), Hint: "Give cau apply one --plugin for each."}}, nil
	}
	args, problems := plugins.ResolvePlaced(pl.Options(), sets[0])
	if len(problems) > 0 {
		return nil, problems, nil
	}
	found, err := checked(ctx, pl, args)
	for _, e := range found {
		for _, given := range sets[0] {
			if strings.EqualFold(given.Name, e.Name) {
				e.At = given.ValueAt
				if e.Inside > 0 && !strings.ContainsAny(given.Value, "\n\"") {
					e.At.Column += e.Inside - 1
				}
			}
		}
		problems = append(problems, e)
	}
	return args, problems, err
}

func withoutSecrets(pl plugins.Plugin, args plugins.Arguments) plugins.Arguments {
	for _, o := range pl.Options() {
		if o.Kind == plugins.KindSecret {
			delete(args, o.Name)
		}
	}
	return args
}

// argumentProblem says what is wrong with an argument, with a caret under its place in the text.
func (p *program) argumentProblem(text string, e plugins.ArgumentError) {
	where := ""
	lines := strings.Split(text, "\n")
	if e.At.Column > 0 {
		where = p.texts.T(message.PluginPlace, e.At.Column) + ": "
		if len(lines) > 1 {
			where = p.texts.T(message.PluginLinePlace, e.At.Line, e.At.Column) + ": "
		}
	}
	p.say("cau: " + p.texts.T(message.PluginArgsOp) + ": " + where + message.Line(e.Error()))
	if e.At.Column > 0 && e.At.Line <= len(lines) {
		p.caret(lines[e.At.Line-1], e.At.Column)
	}
	if e.Hint != "" {
		p.say("  " + message.Clean(e.Hint))
	}
}
