package app

import (
	"context"

	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/plugins"
	"cau/plugins/windowsupdate"
)

// compareStep proves or refutes on this node what is taken for a recommended update here (windowsupdate.Comparison). It
// removes what it left.
func compareStep(ctx context.Context, node *winnode.Node, run string) (cli.DoctorStep, *cli.UpdateComparison) {
	step := cli.DoctorStep{What: "compare IncludeRecommendedUpdates with CAU's own provider"}
	run += "-wu"
	c, err := windowsupdate.Compare(ctx, node, run)
	left := node.Clean(context.WithoutCancel(ctx), run)
	if err != nil {
		step.Outcome, step.Saw, step.Advice = check.CannotVerify, err.Error(), fault.Hint(err)
		return step, nil
	}
	step.Outcome, step.Saw, step.Advice = c.Verdict()
	if left != nil {
		step.Saw += "; what the searches left is still there: " + left.Error()
	}
	if !c.Available {
		return step, nil
	}
	return step, &cli.UpdateComparison{Plain: listed(c.Plain), Recommended: listed(c.Recommended)}
}

// listed has lists where there is nothing, too, for whoever reads JSON.
func listed(d windowsupdate.Difference) cli.UpdateDifference {
	some := func(list []plugins.NamedUpdate) []plugins.NamedUpdate {
		return append([]plugins.NamedUpdate{}, list...)
	}
	return cli.UpdateDifference{Both: some(d.Both), OnlyHere: some(d.OnlyHere), OnlyThere: some(d.OnlyThere)}
}
