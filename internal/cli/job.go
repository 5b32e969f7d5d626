package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
)

func (p *program) job() *cobra.Command {
	cmd := &cobra.Command{Use: "job", Short: p.texts.T(message.CLIJobShort), Args: cobra.NoArgs}
	cmd.AddCommand(p.jobList(), p.jobKill())
	return cmd
}

func (p *program) jobList() *cobra.Command {
	var target Target
	var run string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list [NODE]", Short: p.texts.T(message.CLIJobListShort), Args: p.namedOrNone,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.checkNodesTarget(target); err != nil {
				return err
			}
			jobs, err := p.services.JobList(cmd.Context(), target, first(args), run, p.say)
			if err != nil {
				return err
			}
			if asJSON {
				if jobs == nil {
					jobs = []NodeJob{}
				}
				return p.json(jobs)
			}
			if len(jobs) == 0 {
				p.say(p.texts.T(message.CLINoJobs))
				return nil
			}
			w := tabwriter.NewWriter(p.streams.Out, 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, p.texts.T(message.CLIJobListHead))
			for _, j := range jobs {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", message.Clean(j.Node), message.Clean(j.Run), message.Clean(j.ID), message.Clean(j.Kind), p.jobState(j), when(j.Heartbeat))
			}
			return w.Flush()
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	cmd.Flags().StringVar(&run, "run", "", p.texts.T(message.CLIFlagRun))
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

func (p *program) jobState(j NodeJob) string {
	switch {
	case j.Alive:
		return p.texts.T(message.CLIJobAlive)
	case j.Finished:
		return p.texts.T(message.CLIJobDone)
	case j.Queued:
		return p.texts.T(message.CLIJobQueued)
	}
	return p.texts.T(message.CLIJobLost)
}

// jobKill ends an installer. Nothing but the node's name, typed at a terminal, answers its question (R18).
func (p *program) jobKill() *cobra.Command {
	var target Target
	cmd := &cobra.Command{
		Use: "kill NODE RUN JOB", Short: p.texts.T(message.CLIJobKillShort), Long: p.texts.T(message.CLIJobKillLong), Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.checkNodesTarget(target); err != nil {
				return err
			}
			if !p.streams.Terminal && !p.streams.Dumb {
				return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIKillNeedsTerminal))})
			}
			node, run, id := args[0], args[1], args[2]
			jobs, err := p.services.JobList(cmd.Context(), target, node, run, p.say)
			if err != nil {
				return err
			}
			job, ok := findJob(jobs, run, id)
			if !ok {
				return Usage(&fault.Error{Op: cmd.CommandPath() + " " + id, Err: errors.New(p.texts.T(message.CLIJobUnknown, node)), Hint: p.texts.T(message.CLIJobUnknownHint)})
			}
			if !job.Alive {
				return Refused(errors.New(p.texts.T(message.CLIJobIdle, id, job.Node)))
			}
			_, _ = io.WriteString(p.streams.Err, p.texts.T(message.CLIJobKillAsk, message.Clean(id), message.Clean(job.Node), message.Clean(job.Kind))+" ")
			typed, err := readLine(cmd.Context(), p.streams.In)
			if err != nil {
				return err
			}
			if !strings.EqualFold(strings.TrimSpace(typed), job.Node) {
				p.say(p.texts.T(message.CLIJobKillNot, job.Node))
				return exitWith(ExitCanceled)
			}
			ended, err := p.services.JobKill(cmd.Context(), target, job.Node, run, id)
			if err != nil {
				return err
			}
			words := make([]string, 0, len(ended))
			for _, pid := range ended {
				words = append(words, strconv.Itoa(pid))
			}
			p.say(p.texts.T(message.CLIJobKilled, len(ended), id, job.Node, strings.Join(words, ", ")))
			return nil
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	return cmd
}

func findJob(jobs []NodeJob, run, id string) (NodeJob, bool) {
	for _, j := range jobs {
		if j.Run == run && j.ID == id {
			return j, true
		}
	}
	return NodeJob{}, false
}

// readLine reads one line, and gives up with ctx.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // a read from a terminal cannot be cancelled: after an interrupt this ends with the process
		line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
		if line != "" && errors.Is(err, io.EOF) {
			err = nil
		}
		answered <- answer{line, err}
	}()
	select {
	case a := <-answered:
		if errors.Is(a.err, io.EOF) {
			return "", nil
		}
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// checkNodesTarget is checkTarget for commands that touch nodes and no share.
func (p *program) checkNodesTarget(t Target) error {
	if err := p.checkTarget(t); err != nil {
		return err
	}
	if t.Lab && t.User != "" {
		return Usage(errors.New(p.texts.T(message.CLILabSignsIn)))
	}
	return nil
}

func (p *program) node() *cobra.Command {
	cmd := &cobra.Command{Use: "node", Short: p.texts.T(message.CLINodeShort), Args: cobra.NoArgs}
	cmd.AddCommand(p.nodeClean())
	return cmd
}

func (p *program) nodeClean() *cobra.Command {
	var target Target
	var run string
	cmd := &cobra.Command{
		Use: "clean [NODE]", Short: p.texts.T(message.CLINodeCleanShort), Long: p.texts.T(message.CLINodeCleanLong), Args: p.namedOrNone,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.checkNodesTarget(target); err != nil {
				return err
			}
			cleaned, err := p.services.NodeClean(cmd.Context(), target, first(args), run, p.say)
			for _, name := range cleaned {
				p.line(p.texts.T(message.CLINodeCleaned, message.Clean(name)))
			}
			return err
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	cmd.Flags().StringVar(&run, "run", "", p.texts.T(message.CLIFlagRun))
	return cmd
}
