package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
)

func (p *program) apply() *cobra.Command {
	var asJSON, yes, force, detach bool
	cmd := &cobra.Command{
		Use: "apply", Short: p.texts.T(message.CLIApplyShort), Long: p.texts.T(message.CLIApplyLong),
		Example: p.texts.T(message.CLIApplyExample), Args: cobra.NoArgs,
	}
	build := p.requestFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, p.texts.T(message.CLIFlagYes))
	cmd.Flags().BoolVarP(&force, "force", "f", false, p.texts.T(message.CLIFlagForce))
	cmd.Flags().BoolVar(&detach, "detach", false, p.texts.T(message.CLIFlagDetach))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		req, err := build()
		if err != nil {
			return err
		}
		yes = yes || force
		if !yes && (asJSON || !p.streams.Terminal && !p.streams.Dumb) {
			return Usage(&fault.Error{Op: "apply", Err: errors.New(p.texts.T(message.CLINeedsYes)), Hint: p.texts.T(message.CLINeedsYesHint)})
		}
		plan, err := p.services.Preview(cmd.Context(), req, p.say)
		if err != nil {
			return err
		}
		if !asJSON {
			p.printPlan(plan)
		}
		if err := p.gate(plan); err != nil {
			return err
		}
		if !yes {
			if err := p.confirm(cmd.Context(), plan); err != nil {
				return err
			}
		}
		started, err := p.services.Start(cmd.Context(), req, plan)
		if err != nil {
			return err
		}
		p.say(p.texts.T(message.CLIStarted, started.Run, started.Where))
		if detach {
			if asJSON {
				return p.json(started)
			}
			return nil
		}
		return p.follow(cmd.Context(), started.Run, asJSON)
	}
	return cmd
}

// confirm asks for the word yes; anything else, the end of input and an interrupt cancel.
func (p *program) confirm(ctx context.Context, plan *engine.Plan) error {
	_, _ = io.WriteString(p.streams.Err, p.texts.T(message.CLIConfirm, message.Clean(plan.Cluster))+" ")
	answered := make(chan string, 1)
	go func() { // a read from a terminal cannot be cancelled: after an interrupt this ends with the process
		answer, _ := bufio.NewReader(p.streams.In).ReadString('\n')
		answered <- answer
	}()
	select {
	case answer := <-answered:
		if strings.EqualFold(strings.TrimSpace(answer), "yes") {
			return nil
		}
	case <-ctx.Done():
		p.say("")
	}
	p.say(p.texts.T(message.CLINotConfirmed))
	return exitWith(ExitCanceled)
}

// follow prints a run's facts until it ends or ctx does. The end of ctx, and a reader that went away,
// detach and never stop the run (R29).
func (p *program) follow(ctx context.Context, run string, asJSON bool) error {
	events, err := p.services.Watch(ctx, run)
	if err != nil {
		return err
	}
	var last engine.State
	alive := true
	var estimate etaTeller
	for e := range events {
		if e.Err != nil {
			return e.Err
		}
		for _, f := range e.Facts {
			if err := p.fact(f, asJSON); err != nil {
				return exitWith(ExitGoesOn)
			}
		}
		if line := estimate.news(p, e); line != "" && !asJSON {
			if err := p.fact(Fact{Time: e.Facts[len(e.Facts)-1].Time, Text: line}, false); err != nil {
				return exitWith(ExitGoesOn)
			}
		}
		last, alive = e.State, e.Alive
	}
	if !last.Status.Ended() {
		if alive {
			p.say(p.texts.T(message.CLIDetached, run))
		} else {
			p.say(p.texts.T(message.CLICoordinatorGone, run))
		}
		return exitWith(ExitGoesOn)
	}
	if !asJSON {
		p.printState(last, engine.ETA{}) // with the cause
	} else if last.Cause != nil {
		p.say(message.Clean(last.Cause.String()))
		if last.Cause.Hint != "" {
			p.say("  " + message.Clean(last.Cause.Hint))
		}
	}
	return exitWith(runExit(last.Status))
}
