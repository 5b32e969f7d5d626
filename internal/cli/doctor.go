package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"cau/internal/check"
	"cau/internal/message"
)

func (p *program) doctor() *cobra.Command {
	var target Target
	var req DoctorRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor [NODE | http(s)://HOST:PORT ...]", Short: p.texts.T(message.CLIDoctorShort), Long: p.texts.T(message.CLIDoctorLong),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || target.Cluster != "" || target.Lab {
				if err := p.checkTarget(target); err != nil {
					return err
				}
			}
			if target.Lab && target.User != "" {
				return Usage(errors.New(p.texts.T(message.CLILabSignsIn)))
			}
			if req.NoJob && req.Root != "" {
				return Usage(errors.New(p.texts.T(message.CLIRootNeedsJob)))
			}
			if req.NoJob && req.CompareUpdates {
				return Usage(errors.New(p.texts.T(message.CLICompareNeedsJob)))
			}
			req.Addresses = args
			report, err := p.services.Doctor(cmd.Context(), target, req, p.say)
			if err != nil {
				return err
			}
			if asJSON {
				err = p.json(report)
			} else {
				p.printDoctor(report)
			}
			if err != nil {
				return err
			}
			if report.failed() {
				return exitWith(ExitRefused)
			}
			return nil
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	cmd.Flags().StringVar(&req.Root, "root", "", p.texts.T(message.CLIFlagDoctorRoot))
	cmd.Flags().BoolVar(&req.NoJob, "no-job", false, p.texts.T(message.CLIFlagNoJob))
	cmd.Flags().BoolVar(&req.CompareUpdates, "compare-updates", false, p.texts.T(message.CLIFlagCompareUpdates))
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// failed tells whether anything that was tried or checked failed.
func (r DoctorReport) failed() bool {
	bad := func(c check.Result) bool { return c.Outcome == check.Fail }
	return slices.ContainsFunc(r.Checks, bad) || slices.ContainsFunc(r.Nodes, func(n DoctorNode) bool {
		return slices.ContainsFunc(n.Checks, bad) || slices.ContainsFunc(n.Tried, func(s DoctorStep) bool { return s.Outcome == check.Fail })
	})
}

// printDoctor prints what was tried, node by node, and then the checks.
func (p *program) printDoctor(r DoctorReport) {
	if r.Cluster != "" {
		p.line(message.Clean(r.Cluster))
		p.printChecks(r.Checks)
	}
	for _, n := range r.Nodes {
		p.line("")
		p.line(message.Clean(n.Name) + "  " + message.Clean(n.Address))
		if n.Reached != "" {
			p.line("  " + message.Clean(n.Reached))
		}
		for _, s := range n.Tried {
			p.line(fmt.Sprintf("  %s %-13s %s", mark(s.Outcome), p.texts.T(message.Outcome(string(s.Outcome))), message.Clean(s.What)))
			if s.Saw != "" {
				p.line("      " + message.Clean(s.Saw))
			}
			if s.Outcome != check.Pass && s.Advice != "" {
				p.line("      → " + message.Clean(s.Advice))
			}
		}
		p.printChecks(n.Checks)
	}
}
