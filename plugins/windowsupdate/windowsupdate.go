package windowsupdate

import (
	"errors"
	"strings"

	"cau/plugins"
	"cau/plugins/windowsupdate/criteria"
)

// Name is the plug-in's registered name.
const Name = "Microsoft.WindowsUpdatePlugin"

// The arguments, as CAU spells them (How CAU plug-ins work, section Microsoft.WindowsUpdatePlugin).
const (
	argRecommended = "IncludeRecommendedUpdates"
	argQuery       = "QueryString"
)

// DefaultQuery is CAU's own (the same section): a QueryString replaces it as a whole.
const DefaultQuery = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"

// Plugin is Microsoft.WindowsUpdatePlugin. Without Nodes it can install, but not scan.
type Plugin struct {
	// Nodes gives a node for Scan, Run and ScanJob are the run and the id of the job there.
	Nodes        func(name string) plugins.Node
	Run, ScanJob string
}

var _ plugins.FollowUper = (*Plugin)(nil)

// Name is Microsoft.WindowsUpdatePlugin.
func (p *Plugin) Name() string { return Name }

// Description is one sentence.
func (p *Plugin) Description() string {
	return "Installs what Windows Update's agent on each node offers, from WSUS or from Microsoft, as the node's policy says."
}

// Options are the documented arguments with the documented caption.
func (p *Plugin) Options() []plugins.OptionSpec {
	return []plugins.OptionSpec{
		{Name: argRecommended, Kind: plugins.KindBool, Default: "False", Caption: "Give me recommended updates the same way that I receive important updates", Help: "Takes updates, too, that Windows Update recommends and does not assign."},
		{Name: argQuery, Kind: plugins.KindText, Default: DefaultQuery, Caption: "Query string", Help: "Which updates the agent is asked for, in its own search language; cau plugin query checks one."},
	}
}

// Validate reads the query.
func (p *Plugin) Validate(args plugins.Arguments) []plugins.ArgumentError {
	_, err := query(args)
	var problem plugins.ArgumentError
	if errors.As(err, &problem) {
		return []plugins.ArgumentError{problem}
	}
	return nil
}

// query is what the agent is asked for. A mistake is an ArgumentError of QueryString.
func query(args plugins.Arguments) (criteria.Query, error) {
	text := args[argQuery]
	if strings.TrimSpace(text) == "" {
		text = DefaultQuery
	}
	q, err := criteria.Parse(text)
	var wrong *criteria.Error
	if errors.As(err, &wrong) {
		return q, plugins.ArgumentError{Name: argQuery, Problem: wrong.Error(), Hint: "Allowed there: " + wrong.Allowed, Inside: wrong.Column}
	}
	for _, g := range q.Groups {
		switch {
		case g.Asks(criteria.Term{Name: "DeploymentAction", Op: criteria.Equal, Value: "Uninstallation"}):
			return q, plugins.ArgumentError{Name: argQuery, Problem: "asks for what is deployed for uninstallation", Hint: "An Updating Run installs; leave DeploymentAction='Uninstallation' out."}
		case g.Asks(criteria.Term{Name: "IsInstalled", Op: criteria.Equal, Value: "1"}):
			return q, plugins.ArgumentError{Name: argQuery, Problem: "asks for what is installed already", Hint: "An Updating Run installs; write IsInstalled=0."}
		}
	}
	if args.Bool(argRecommended) {
		q = withRecommended(q)
	}
	if n := len(q.String()); n > criteria.MaxLength {
		return q, plugins.ArgumentError{Name: argQuery, Problem: "is too long together with " + argRecommended, Hint: "Make it shorter, or set " + argRecommended + " to False."}
	}
	return q, nil
}

// withRecommended is IncludeRecommendedUpdates=True. CAU hands the flag to its provider beside the query, and what that makes
// of it is documented nowhere. The hypothesis: recommended is what is not assigned and yet selected by Windows Update itself,
// so each group that asks for IsAssigned=1 is asked once more with IsAssigned=0 and AutoSelectOnWebSites=1. Other groups
// find recommended updates already, or name exactly what they want. Unproven; cau doctor --compare-updates tells whether it
// holds on a node (Compare), see docs/proof.md.
func withRecommended(q criteria.Query) criteria.Query {
	assigned := criteria.Term{Name: "IsAssigned", Op: criteria.Equal, Value: "1"}
	out := criteria.Query{Doubled: q.Doubled, Groups: q.Groups}
	for _, g := range q.Groups {
		if !g.Asks(assigned) {
			continue
		}
		var again criteria.Group
		for _, t := range g {
			if t == assigned {
				t.Value = "0"
			}
			if t.Name != "AutoSelectOnWebSites" {
				again = append(again, t)
			}
		}
		again = append(again, criteria.Term{Name: "AutoSelectOnWebSites", Op: criteria.Equal, Value: "1"})
		out.Groups = append(out.Groups[:len(out.Groups):len(out.Groups)], again)
	}
	return out
}

// Remaining is every planned update without a final result.
func (p *Plugin) Remaining(planned []plugins.Update, results map[string]plugins.Result) []plugins.Update {
	var left []plugins.Update
	for _, u := range planned {
		if r, ok := results[u.ID]; !ok || !r.Outcome.Final() {
			left = append(left, u)
		}
	}
	return left
}
