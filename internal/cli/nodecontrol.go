package cli

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// nodeControl is a request about one node of a live run.
func (p *program) nodeControl(verb engine.Verb) *cobra.Command {
	return &cobra.Command{
		Use: string(verb) + " RUN NODE", Short: p.texts.T(message.CLIControlShort(string(verb))), Long: p.texts.T(message.CLIControlLong(string(verb))),
		Example: "  cau " + string(verb) + " 7f3c NODE2", Args: p.words("RUN", "NODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.ask(cmd, args[0], engine.Control{Verb: verb, Node: args[1]})
		},
	}
}

// mark says how an update ended where nobody knows it (R19).
func (p *program) mark() *cobra.Command {
	return &cobra.Command{
		Use: "mark RUN NODE UPDATE installed|not-applicable|failed", Short: p.texts.T(message.CLIControlShort("mark")), Long: p.texts.T(message.CLIControlLong("mark")),
		Example: "  cau mark 7f3c NODE2 Update1.msu installed", Args: p.words("RUN", "NODE", "UPDATE", "OUTCOME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.ask(cmd, args[0], engine.Control{Verb: engine.VerbMark, Node: args[1], Update: args[2], Outcome: plugins.Outcome(strings.ToLower(args[3]))})
		},
	}
}

// followUps answers what a run asks about updates beyond its plan (R08).
func (p *program) followUps() *cobra.Command {
	return &cobra.Command{
		Use: "follow-ups RUN NODE install|leave", Short: p.texts.T(message.CLIControlShort("follow-ups")), Long: p.texts.T(message.CLIControlLong("follow-ups")),
		Example: "  cau follow-ups 7f3c NODE2 install", Args: p.words("RUN", "NODE", "ANSWER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer := strings.ToLower(args[2])
			if answer != "install" && answer != "leave" {
				return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIFollowUpsAnswer, args[2]))})
			}
			return p.ask(cmd, args[0], engine.Control{Verb: engine.VerbFollowUps, Node: args[1], Install: answer == "install"})
		},
	}
}

// stop ends a run after the node that is under way, or at once with the cluster's typed name (R29).
func (p *program) stop() *cobra.Command {
	var now bool
	var typed string
	cmd := &cobra.Command{
		Use: "stop RUN", Short: p.texts.T(message.CLIControlShort("stop")), Long: p.texts.T(message.CLIControlLong("stop")),
		Example: "  cau stop 7f3c\n  cau stop 7f3c --now", Args: p.named,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !now {
				if cmd.Flags().Changed("typed") {
					return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLITypedNeedsNow))})
				}
				return p.ask(cmd, args[0], engine.Control{Verb: engine.VerbStop})
			}
			state, _, err := p.services.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("typed") {
				if !p.streams.Terminal && !p.streams.Dumb {
					return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIStopNowNeedsName)), Hint: p.texts.T(message.CLIStopNowNeedsNameHint)})
				}
				_, _ = io.WriteString(p.streams.Err, p.texts.T(message.CLIStopNowAsk, message.Clean(state.Cluster))+" ")
				if typed, err = readLine(cmd.Context(), p.streams.In); err != nil {
					return err
				}
			}
			return p.askOf(cmd, state.Run, engine.Control{Verb: engine.VerbStopNow, Typed: strings.TrimSpace(typed)})
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, p.texts.T(message.CLIFlagNow))
	cmd.Flags().StringVar(&typed, "typed", "", p.texts.T(message.CLIFlagTyped))
	return cmd
}

// askOf asks a run whose whole name is known, and says what follows. What the run refuses changes nothing there.
func (p *program) askOf(cmd *cobra.Command, run string, asked engine.Control) error {
	err := p.services.Control(cmd.Context(), run, asked)
	var refused *engine.RefusedError
	switch {
	case errors.As(err, &refused):
		return Refused(err)
	case err != nil:
		return err
	}
	done := []any{run}
	if asked.Node != "" {
		done = []any{message.Clean(asked.Node), run}
	}
	p.say(p.texts.T(message.CLIControlDone(string(asked.Verb)), done...))
	return nil
}

// words wants exactly these arguments, none of them empty.
func (p *program) words(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		for _, a := range args {
			if a == "" {
				args = nil
			}
		}
		if len(args) == len(names) {
			return nil
		}
		return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIWords, strings.Join(names, " "))), Hint: p.texts.T(message.CLIOneRunHint)})
	}
}
