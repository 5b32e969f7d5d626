package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
)

// LeftRuns are the runs that were found on a cluster's nodes.
type LeftRuns struct {
	// Cluster is the cluster's name, which replacing a living coordinator is confirmed with.
	Cluster string
	// Lease is who holds the cluster.
	Lease engine.Lease
	Runs  []LeftRun
	// Unseen is what could not be read: a later checkpoint of a run may lie there.
	Unseen string
}

// LeftRun is one run as its checkpoint says.
type LeftRun struct {
	Run string
	// Node is where the checkpoint was read, Written when it was written, by that node's clock.
	Node    string
	Written time.Time
	State   engine.State
	// Here: this host has the run's folder.
	Here bool
	// Problem is why the checkpoint cannot be used.
	Problem string
}

// takeover goes on here with a run whose host is lost.
func (p *program) takeover() *cobra.Command {
	var target Target
	var run, typed string
	cmd := &cobra.Command{
		Use: "takeover", Short: p.texts.T(message.CLITakeoverShort), Long: p.texts.T(message.CLITakeoverLong), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.checkTarget(target); err != nil {
				return err
			}
			left, err := p.services.LeftRuns(cmd.Context(), target, p.say)
			if err != nil {
				return err
			}
			p.printLeft(left)
			chosen, err := p.chooseLeft(left, run)
			if err != nil {
				return err
			}
			if err := p.mayTakeOver(cmd, left, chosen, typed); err != nil {
				return err
			}
			started, err := p.services.TakeOver(cmd.Context(), target, chosen.Run, left.Lease)
			if err != nil {
				return err
			}
			p.say(p.texts.T(message.CLIStarted, started.Run, started.Where))
			return nil
		},
	}
	p.whereFlags(cmd, &target)
	p.signInFlags(cmd, &target)
	p.notifyFlag(cmd, &target)
	cmd.Flags().StringVar(&run, "run", "", p.texts.T(message.CLIFlagTakeoverRun))
	cmd.Flags().StringVar(&typed, "typed", "", p.texts.T(message.CLIFlagTakeoverTyped))
	return cmd
}

// printLeft shows what was found.
func (p *program) printLeft(left LeftRuns) {
	if l := left.Lease; l.Epoch == 0 {
		p.say(p.texts.T(message.CLITakeoverFree, message.Clean(left.Cluster)))
	} else {
		p.say(p.texts.T(message.CLITakeoverHeld, message.Clean(left.Cluster), message.Clean(l.Run), message.Clean(l.Holder), ageOf(l)))
	}
	if left.Unseen != "" {
		p.say(p.texts.T(message.CLITakeoverNotRead, message.Clean(left.Unseen)))
	}
	for _, r := range left.Runs {
		if r.Problem != "" {
			p.say(r.Run + ": " + message.Clean(r.Problem))
			continue
		}
		p.say(p.texts.T(message.CLITakeoverRun, r.Run, p.texts.T(message.Status(string(r.State.Status))), when(r.Written), message.Clean(r.Node)))
		for i := range r.State.Nodes {
			n := &r.State.Nodes[i]
			p.say(fmt.Sprintf("  %-16s %s", message.Clean(n.Name), p.texts.T(message.Status(string(n.Status)))))
		}
	}
}

func ageOf(l engine.Lease) string {
	if l.Age() < 0 {
		return "?"
	}
	return l.Age().Round(time.Second).String()
}

// chooseLeft is the run that is meant: the one that is named, the one that holds the cluster, or the only one.
func (p *program) chooseLeft(left LeftRuns, name string) (LeftRun, error) {
	var fits []LeftRun
	for _, r := range left.Runs {
		switch {
		case name != "" && strings.HasPrefix(r.Run, strings.ToLower(name)), name == "" && (left.Lease.Epoch == 0 || r.Run == left.Lease.Run):
			fits = append(fits, r)
		}
	}
	op := "take over a run of " + left.Cluster
	switch {
	case len(fits) == 0:
		return LeftRun{}, Refused(&fault.Error{Op: op, Err: errors.New(p.texts.T(message.CLITakeoverNone)), Hint: p.texts.T(message.CLITakeoverNoneHint)})
	case len(fits) > 1:
		return LeftRun{}, Usage(&fault.Error{Op: op, Err: errors.New(p.texts.T(message.CLITakeoverMany)), Hint: p.texts.T(message.CLITakeoverManyHint)})
	case fits[0].Problem != "":
		return LeftRun{}, Refused(&fault.Error{Op: op, Err: errors.New(fits[0].Problem)})
	case fits[0].Here:
		return LeftRun{}, Refused(&fault.Error{Op: op, Err: errors.New(p.texts.T(message.CLITakeoverHere, fits[0].Run)), Hint: p.texts.T(message.CLITakeoverHereHint, fits[0].Run)})
	}
	return fits[0], nil
}

// mayTakeOver refuses where somebody else works, unless the cluster's typed name says that they are to be replaced (R27).
func (p *program) mayTakeOver(cmd *cobra.Command, left LeftRuns, chosen LeftRun, typed string) error {
	l := left.Lease
	op := "take over run " + chosen.Run
	switch {
	case l.Epoch == 0 && l.LastRun == chosen.Run:
		return Refused(&fault.Error{Op: op, Err: errors.New(p.texts.T(message.CLITakeoverEnded)), Hint: p.texts.T(message.CLITakeoverEndedHint, chosen.Run)})
	case l.Epoch != 0 && l.Run != chosen.Run:
		return Refused(&fault.Error{Op: op, Err: errors.New(p.texts.T(message.CLITakeoverOther, message.Clean(l.Run), message.Clean(l.Holder)))})
	case l.Age() > engine.LeaseStale && left.Unseen == "":
		return nil
	}
	stale := l.Age() > engine.LeaseStale
	if typed == "" && p.streams.Terminal {
		ask := message.CLITakeoverAsk
		if stale {
			ask = message.CLITakeoverUnseenAsk
		}
		p.say(p.texts.T(ask, message.Clean(left.Cluster)))
		line, err := readLine(cmd.Context(), p.streams.In)
		if err != nil {
			return err
		}
		typed = line
	}
	switch named := left.Cluster != "" && strings.EqualFold(strings.TrimSpace(typed), left.Cluster); {
	case named:
		return nil
	case stale:
		return Refused(&fault.Error{
			Op: op, Err: errors.New(p.texts.T(message.CLITakeoverUnseen)), Hint: p.texts.T(message.CLITakeoverUnseenHint, message.Clean(left.Cluster)),
		})
	default:
		return Refused(&fault.Error{
			Op: op, Err: errors.New(p.texts.T(message.CLITakeoverAlive, message.Clean(l.Holder), ageOf(l))),
			Hint: p.texts.T(message.CLITakeoverAliveHint, engine.LeaseStale.String(), message.Clean(left.Cluster)),
		})
	}
}
