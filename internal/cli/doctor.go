package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"cau/internal/check"
	"cau/internal/message"
)

func (p *program) doctor() *cobra.Command {
	var target Target
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
			report, err := p.services.Doctor(cmd.Context(), target, args, p.say)
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
			for _, r := range report.all() {
				if r.Outcome == check.Fail {
					return exitWith(ExitRefused)
				}
			}
			return nil
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// all are the results of every node and of the cluster.
func (r DoctorReport) all() []check.Result {
	all := append([]check.Result{}, r.Checks...)
	for _, n := range r.Nodes {
		all = append(all, n.Checks...)
	}
	return all
}
