package cli

import (
	"github.com/spf13/cobra"

	"cau/internal/message"
)

// credential gives a run that is under way another sign-in (R05).
func (p *program) credential() *cobra.Command {
	var target Target
	cmd := &cobra.Command{
		Use: "credential RUN", Short: p.texts.T(message.CLICredentialShort), Long: p.texts.T(message.CLICredentialLong), Args: p.named,
		RunE: func(cmd *cobra.Command, args []string) error {
			state, _, err := p.services.Status(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			meant := target
			if !state.Simulated {
				meant.Cluster = state.Cluster // the plan names it; without it the flags would be judged as a lab's
			}
			if err := p.checkSignIn(meant, meant.Cluster == ""); err != nil {
				return err
			}
			if err := p.services.Credential(cmd.Context(), state.Run, target); err != nil {
				return err
			}
			p.say(p.texts.T(message.CLICredentialTaken, state.Run))
			return nil
		},
	}
	p.signInFlags(cmd, &target)
	return cmd
}
