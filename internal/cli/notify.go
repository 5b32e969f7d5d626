package cli

import (
	"time"

	"github.com/spf13/cobra"

	"cau/internal/message"
)

// Notifications is what is known of telling people about a run.
type Notifications struct {
	// Sent and Failed count messages.
	Sent     int             `json:"sent"`
	Failed   int             `json:"failed"`
	Failures []NotifyFailure `json:"failures,omitempty"`
}

// NotifyFailure is a message that a service did not take; Why names the service's kind and never its address (R04).
type NotifyFailure struct {
	Time  time.Time `json:"time"`
	About string    `json:"about"`
	Why   string    `json:"why"`
}

// Delivery is one service's answer to a test message: empty where it took it.
type Delivery struct {
	Service string `json:"service"`
	Refused string `json:"refused,omitempty"`
}

// notifyFlag adds the flag that names the addresses to a command that goes on with a run.
func (p *program) notifyFlag(cmd *cobra.Command, t *Target) {
	cmd.Flags().StringVar(&t.NotifyFile, "notify-file", "", p.texts.T(message.NotifyFlagResume))
}

// notify is the command about telling people.
func (p *program) notify() *cobra.Command {
	cmd := &cobra.Command{Use: "notify", Short: p.texts.T(message.NotifyShort)}
	var file string
	var asJSON bool
	test := &cobra.Command{
		Use: "test", Short: p.texts.T(message.NotifyTestShort), Long: p.texts.T(message.NotifyTestLong), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			answers, err := p.services.NotifyTest(cmd.Context(), file)
			if err != nil {
				return err
			}
			code := ExitOK
			for _, a := range answers {
				line := p.texts.T(message.NotifyTook, a.Service)
				if a.Refused != "" {
					code, line = ExitFailed, p.texts.T(message.NotifyRefused, a.Service, message.Clean(a.Refused))
				}
				if !asJSON {
					p.line(line)
				}
			}
			if asJSON {
				if err := p.json(answers); err != nil {
					return err
				}
			}
			return exitWith(code)
		},
	}
	test.Flags().StringVar(&file, "notify-file", "", p.texts.T(message.NotifyFlagFile))
	test.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.AddCommand(test)
	return cmd
}

// printNotified is the remark on messages that did not arrive.
func (p *program) printNotified(n *Notifications) {
	if n == nil || n.Failed == 0 || len(n.Failures) == 0 {
		return
	}
	last := n.Failures[len(n.Failures)-1]
	p.line("  ! " + p.texts.T(message.NotifyUndelivered, n.Failed, n.Sent+n.Failed, when(last.Time), message.Clean(last.Why)))
}
