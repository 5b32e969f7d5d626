package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
)

// control is a request to a live run as a whole.
func (p *program) control(verb engine.Verb) *cobra.Command {
	return &cobra.Command{
		Use: string(verb) + " RUN", Short: p.texts.T(message.CLIControlShort(string(verb))), Args: p.named,
		RunE: func(cmd *cobra.Command, args []string) error { return p.ask(cmd, args[0], engine.Control{Verb: verb}) },
	}
}

// named wants one argument that names something. An empty one is a script's unset variable, and must not mean the
// newest run or lab.
func (p *program) named(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && args[0] != "" {
		return nil
	}
	return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIOneRun)), Hint: p.texts.T(message.CLIOneRunHint)})
}

// namedOrNone is named for commands that have a default.
func (p *program) namedOrNone(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return p.named(cmd, args)
}

func (p *program) ask(cmd *cobra.Command, run string, asked engine.Control) error {
	state, _, err := p.services.Status(cmd.Context(), run)
	if err != nil {
		return err
	}
	return p.askOf(cmd, state.Run, asked)
}

// resume undoes a pause of a live run, and gives a run whose coordinator is gone a new one (R26).
func (p *program) resume() *cobra.Command {
	var target Target
	cmd := &cobra.Command{
		Use: "resume RUN", Short: p.texts.T(message.CLIControlShort("resume")), Long: p.texts.T(message.CLIResumeLong), Args: p.named,
		RunE: func(cmd *cobra.Command, args []string) error {
			state, alive, err := p.services.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if state.Status == engine.RunTakenOver {
				return Refused(&fault.Error{Op: "resume run " + state.Run, Err: errors.New(state.Waiting), Hint: p.texts.T(message.CLITakenOverHint)})
			}
			if alive || state.Status.Ended() {
				return p.ask(cmd, state.Run, engine.Control{Verb: engine.VerbResume})
			}
			meant := target
			if !state.Simulated {
				meant.Cluster = state.Cluster // the plan names it; without it the flags would be judged as a lab's
			}
			if err := p.checkSignIn(meant, meant.Cluster == ""); err != nil {
				return err
			}
			started, err := p.services.Continue(cmd.Context(), state.Run, target)
			if err != nil {
				return err
			}
			p.say(p.texts.T(message.CLIStarted, started.Run, started.Where))
			if state.Status == engine.RunPaused || state.Status == engine.RunHeld || state.PauseAsked {
				return p.ask(cmd, state.Run, engine.Control{Verb: engine.VerbResume}) // a pause outlives its coordinator
			}
			return nil
		},
	}
	p.notifyFlag(cmd, &target)
	p.signInFlags(cmd, &target) // which cluster, and where its nodes are, stands in the plan
	return cmd
}

// coordinate is the inside of the run's own process; app starts it, nobody types it.
func (p *program) coordinate() *cobra.Command {
	return &cobra.Command{
		Use: "coordinate RUN", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.services.Coordinate(cmd.Context(), args[0]) },
	}
}
