package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/message"
)

func (p *program) preview() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "preview", Short: p.texts.T(message.CLIPreviewShort), Long: p.texts.T(message.CLIPreviewLong),
		Example: p.texts.T(message.CLIPreviewExample), Args: cobra.NoArgs,
	}
	build := p.requestFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		req, err := build()
		if err != nil {
			return err
		}
		plan, err := p.services.Preview(cmd.Context(), req, p.say)
		if err != nil {
			return err
		}
		if asJSON {
			err = p.json(plan)
		} else {
			p.printPlan(plan)
		}
		if err != nil {
			return err
		}
		return p.gate(plan)
	}
	return cmd
}

// inTheWay says a failed check beside the refusal: with --json nothing else does, and a long preview scrolls away.
func (p *program) inTheWay(r check.Result) {
	line := mark(r.Outcome) + " " + r.ID
	if r.Subject != "" {
		line += " (" + message.Clean(r.Subject) + ")"
	}
	if r.Evidence != "" {
		line += ": " + message.Clean(r.Evidence)
	}
	p.say(line)
	if r.Remedy != "" {
		p.say("  → " + message.Clean(r.Remedy))
	}
}

// gate refuses a plan whose checks do not let it run (R07).
func (p *program) gate(plan *engine.Plan) error {
	blocking := plan.Blocking()
	if len(blocking) == 0 {
		return nil
	}
	accept, failed := "", false
	for _, r := range blocking {
		if r.Outcome != "cannot-verify" {
			failed = true
			p.inTheWay(r)
			continue
		}
		accept += " --accept " + r.ID
	}
	hint := p.texts.T(message.CLIRefusedFailHint)
	if !failed {
		hint = p.texts.T(message.CLIRefusedAcceptHint, accept)
	}
	return Refused(&fault.Error{Op: p.texts.T(message.CLIOpGate), Err: errors.New(p.texts.T(message.CLIRefused, len(blocking))), Hint: hint})
}
