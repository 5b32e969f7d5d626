package cli

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"cau/internal/message"
)

func (p *program) runs() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "runs", Short: p.texts.T(message.CLIRunsShort), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := p.services.Runs(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				if list == nil {
					list = []RunInfo{}
				}
				return p.json(list)
			}
			if len(list) == 0 {
				p.say(p.texts.T(message.CLINoRuns))
				return nil
			}
			w := tabwriter.NewWriter(p.streams.Out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, p.texts.T(message.CLIRunsHead))
			for _, r := range list {
				state := p.texts.T(message.Status(string(r.Status)))
				switch {
				case r.Problem != "":
					state = p.texts.T(message.CLIUnreadable)
				case !r.Alive && !r.Status.Ended():
					state += " " + p.texts.T(message.CLINotAlive)
				}
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Run, message.Clean(r.Cluster), state, when(r.Started), when(r.Ended), r.Plugin)
			}
			if err := w.Flush(); err != nil {
				return err
			}
			for _, r := range list {
				if r.Problem != "" {
					p.say(r.Run + ": " + message.Clean(r.Problem))
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

func (p *program) status() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status [RUN]", Short: p.texts.T(message.CLIStatusShort), Args: p.namedOrNone,
		RunE: func(cmd *cobra.Command, args []string) error {
			state, alive, err := p.services.Status(cmd.Context(), first(args))
			if err != nil {
				return err
			}
			estimate, told := p.services.Estimate(cmd.Context(), state, alive), p.services.Notified(cmd.Context(), state.Run)
			if asJSON {
				return p.json(statusOf(state, alive, estimate, told))
			}
			p.printState(state, estimate)
			p.printNotified(told)
			if !alive && !state.Status.Ended() {
				p.say(p.texts.T(message.CLICoordinatorGone, state.Run))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

func (p *program) attach() *cobra.Command {
	var asJSON, plain bool
	cmd := &cobra.Command{
		Use: "attach [RUN]", Short: p.texts.T(message.CLIAttachShort), Args: p.namedOrNone,
		RunE: func(cmd *cobra.Command, args []string) error {
			state, _, err := p.services.Status(cmd.Context(), first(args))
			if err != nil {
				return err
			}
			if asJSON || plain || !p.streams.Terminal {
				return p.follow(cmd.Context(), state.Run, asJSON)
			}
			if err := p.services.View(cmd.Context(), state.Run); err != nil {
				return err
			}
			state, _, err = p.services.Status(cmd.Context(), state.Run)
			if err != nil {
				return err
			}
			return exitWith(runExit(state.Status))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.Flags().BoolVar(&plain, "plain", false, p.texts.T(message.CLIFlagPlain))
	return cmd
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}
