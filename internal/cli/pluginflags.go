package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// pluginFlags collect --plugin, --arg and --args in the order in which they were typed: an argument that names no plug-in
// is of the one before it, or of the first.
type pluginFlags struct {
	names []string
	given []givenArguments
}

// givenArguments is one --arg or --args; at is how many plug-ins were named before it.
type givenArguments struct {
	at   int
	text string
	// whole: the text holds all arguments of one plug-in, or of several.
	whole bool
}

func (p *program) pluginFlags(cmd *cobra.Command) *pluginFlags {
	c := &pluginFlags{}
	f := cmd.Flags()
	f.Var(&collected{kind: "name", add: func(s string) error {
		c.names = append(c.names, s)
		return nil
	}, usual: plugins.Default}, "plugin", p.texts.T(message.CLIFlagPlugin))
	f.Var(&collected{kind: "Name=Value", add: func(s string) error {
		c.given = append(c.given, givenArguments{at: len(c.names), text: s})
		return nil
	}}, "arg", p.texts.T(message.CLIFlagArg))
	f.Var(&collected{kind: "text", add: func(s string) error {
		c.given = append(c.given, givenArguments{at: len(c.names), text: s, whole: true})
		return nil
	}}, "args", p.texts.T(message.PluginFlagArgs))
	return c
}

// collected is a flag that may be given several times.
type collected struct {
	kind, usual string
	add         func(string) error
}

func (c *collected) String() string     { return c.usual }
func (c *collected) Type() string       { return c.kind }
func (c *collected) Set(s string) error { return c.add(s) }

// requests are the plug-ins that were asked for, each with its arguments.
func (p *program) requests(ctx context.Context, c *pluginFlags, lab bool) ([]PluginRequest, error) {
	names := c.names
	if len(names) == 0 {
		names = []string{plugins.Default}
	}
	var out []PluginRequest
	var known []plugins.Plugin
	for _, name := range names {
		pl, err := p.pluginNamed(name)
		if err != nil {
			return nil, err
		}
		if r, ok := pl.(plugins.Refuser); ok {
			return nil, Usage(r.Refused())
		}
		known = append(known, pl)
		out = append(out, PluginRequest{Plugin: pl.Name()})
	}
	for _, g := range c.given {
		if err := p.give(out, g); err != nil {
			return nil, err
		}
	}
	for i, pl := range known {
		args, problems := plugins.Resolve(pl.Options(), out[i].Arguments)
		for _, problem := range problems {
			if !problem.Missing || !lab { // a lab fills in its own sample root
				return nil, Usage(argumentFault(p.ofAnother(problem, known)))
			}
		}
		if len(problems) > 0 {
			continue
		}
		wrong, err := checked(ctx, pl, args)
		if err != nil {
			return nil, err
		}
		for _, problem := range wrong {
			return nil, Usage(argumentFault(problem))
		}
	}
	return out, nil
}

// checked is what a plug-in finds wrong with resolved arguments. One that has to be asked for that is asked here, before a
// node is contacted.
func checked(ctx context.Context, pl plugins.Plugin, args plugins.Arguments) ([]plugins.ArgumentError, error) {
	problems := pl.Validate(args)
	if c, ok := pl.(plugins.Checker); ok && len(problems) == 0 {
		return c.Check(ctx, args)
	}
	return problems, nil
}

// ofAnother says of an argument that its plug-in does not take which one does, where that was not asked for: who typed a
// hotfix root without --plugin wants to hear of Microsoft.HotfixPlugin.
func (p *program) ofAnother(problem plugins.ArgumentError, asked []plugins.Plugin) plugins.ArgumentError {
	if !problem.Unknown {
		return problem
	}
	for _, pl := range p.services.Plugins() {
		if !plugins.Takes(pl.Options(), problem.Name) || slices.ContainsFunc(asked, func(a plugins.Plugin) bool { return a.Name() == pl.Name() }) {
			continue
		}
		if _, refused := pl.(plugins.Refuser); !refused {
			problem.Hint = p.texts.T(message.PluginOfAnother, message.Clean(pl.Name())) + " " + problem.Hint
			return problem
		}
	}
	return problem
}

// give hands arguments to the plug-ins that they are for.
func (p *program) give(out []PluginRequest, g givenArguments) error {
	at := max(0, g.at-1)
	if g.whole {
		sets, err := plugins.ParseArguments(g.text)
		var wrong plugins.ArgumentError
		switch {
		case errors.As(err, &wrong):
			p.argumentProblem(g.text, wrong)
			return exitWith(ExitUsage)
		case err != nil:
			return Usage(err)
		case at+len(sets) > len(out):
			return Usage(&fault.Error{Op: "--args", Err: errors.New(p.texts.T(message.PluginTooManySets, len(sets), len(out)-at)), Hint: p.texts.T(message.PluginTooManySetsHint)})
		}
		for i, set := range sets {
			for _, a := range set {
				out[at+i].Arguments = append(out[at+i].Arguments, a.Argument)
			}
		}
		return nil
	}
	plugin, a, err := plugins.ParsePluginArgument(g.text)
	if err != nil {
		return Usage(argumentFault(err))
	}
	if plugin != "" {
		if at, err = p.instance(out, plugin); err != nil {
			return err
		}
	}
	out[at].Arguments = append(out[at].Arguments, a)
	return nil
}

// instance is the place of a plug-in that was asked for, by its name, or "name (2)" for the second of that name.
func (p *program) instance(out []PluginRequest, name string) (int, error) {
	var instances []string
	seen := map[string]int{}
	for i, r := range out {
		seen[r.Plugin]++
		instance := r.Plugin
		if n := seen[r.Plugin]; n > 1 {
			instance = fmt.Sprintf("%s (%d)", r.Plugin, n)
		}
		if strings.EqualFold(instance, name) {
			return i, nil
		}
		instances = append(instances, instance)
	}
	return 0, Usage(&fault.Error{
		Op: "--arg", Err: fmt.Errorf("%s %q", p.texts.T(message.PluginNotAsked), name), Hint: p.texts.T(message.PluginNotAskedHint, strings.Join(instances, ", ")),
	})
}
