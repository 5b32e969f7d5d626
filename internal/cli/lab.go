package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
)

func (p *program) lab() *cobra.Command {
	cmd := &cobra.Command{Use: "lab", Short: p.texts.T(message.CLILabShort), Args: cobra.NoArgs}
	cmd.AddCommand(p.labUp(), p.labList(), p.labDown(), p.labServe())
	return cmd
}

// labFlags adds the flags that describe a lab.
func (p *program) labFlags(cmd *cobra.Command, req *LabRequest) {
	f := cmd.Flags()
	f.IntVar(&req.Nodes, "nodes", 4, p.texts.T(message.CLIFlagLabNodes))
	f.StringVar(&req.Scenario, "scenario", "default", p.texts.T(message.CLIFlagLabScenario, p.scenarioNames()))
	f.Float64Var(&req.Speed, "speed", 30, p.texts.T(message.CLIFlagLabSpeed))
	f.StringArrayVar(&req.Shares, "share", nil, p.texts.T(message.CLIFlagLabShare))
	f.DurationVar(&req.Linger, "lab-linger", 10*time.Minute, p.texts.T(message.CLIFlagLabLinger))
}

func (p *program) scenarioNames() string {
	var names []string
	for _, s := range p.services.Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

func (p *program) checkLab(req LabRequest) error {
	switch {
	case req.Nodes < 2 || req.Nodes > 64:
		return Usage(fmt.Errorf("--nodes: %s", p.texts.T(message.CLILabNodesRange, req.Nodes)))
	case req.Speed < 1 || req.Speed > 10000:
		return Usage(fmt.Errorf("--speed: %s", p.texts.T(message.CLILabSpeedRange, req.Speed)))
	case !slices.ContainsFunc(p.services.Scenarios(), func(s Scenario) bool { return s.Name == req.Scenario }):
		return Usage(&fault.Error{Op: "--scenario", Err: fmt.Errorf("%s %q", p.texts.T(message.CLILabUnknownScenario), req.Scenario), Hint: p.scenarioNames()})
	}
	return nil
}

func (p *program) labUp() *cobra.Command {
	var req LabRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use: "up", Short: p.texts.T(message.CLILabUpShort), Long: p.labLong(), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.checkLab(req); err != nil {
				return err
			}
			info, err := p.services.LabUp(cmd.Context(), req)
			if err != nil {
				return err
			}
			if asJSON {
				return p.json(info)
			}
			p.printLab(info)
			return nil
		},
	}
	p.labFlags(cmd, &req)
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// labLong lists the scenarios with what happens in each.
func (p *program) labLong() string {
	var b strings.Builder
	b.WriteString(p.texts.T(message.CLILabUpLong))
	for _, s := range p.services.Scenarios() {
		fmt.Fprintf(&b, "\n  %-16s %s", s.Name, s.Description)
	}
	return b.String()
}

func (p *program) labList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: p.texts.T(message.CLILabListShort), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			labs, err := p.services.LabList(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				if labs == nil {
					labs = []LabInfo{}
				}
				return p.json(labs)
			}
			if len(labs) == 0 {
				p.say(p.texts.T(message.CLINoLabs))
				return nil
			}
			w := tabwriter.NewWriter(p.streams.Out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, p.texts.T(message.CLILabListHead))
			for _, l := range labs {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%gx\t%s\n", l.ID, l.Cluster, len(l.Nodes), l.Scenario, l.Speed, when(l.Started))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

func (p *program) labDown() *cobra.Command {
	return &cobra.Command{
		Use: "down [LAB]", Short: p.texts.T(message.CLILabDownShort),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] == "" {
				return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIOneLab)), Hint: p.texts.T(message.CLIOneLabHint)})
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := p.services.LabDown(cmd.Context(), first(args))
			if err != nil {
				return err
			}
			p.say(p.texts.T(message.CLILabGone, id))
			return nil
		},
	}
}

// labServe is the inside of the lab's own process.
func (p *program) labServe() *cobra.Command {
	var req LabRequest
	cmd := &cobra.Command{
		Use: "serve LAB", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.services.LabServe(cmd.Context(), args[0], req) },
	}
	p.labFlags(cmd, &req)
	return cmd
}
