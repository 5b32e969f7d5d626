package engine

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"cau/internal/check"
	"cau/plugins"
)

// PlanInput is everything a plan is made of.
type PlanInput struct {
	// Run is the run's id, [0-9a-f]{8}; Created and Program are written into the plan as they stand.
	Run     string
	Created time.Time
	Program string
	// Address, Reach, Lab, Speed and ShareServer are as in Plan; Speed 0 means 1.
	Address     string
	Reach       []string
	Lab         string
	Speed       float64
	ShareServer string
	Options     Options
	Plugin      string
	Arguments   plugins.Arguments
	// Specs are the plug-in's options; arguments of kind secret stay out of the plan (R04).
	Specs []plugins.OptionSpec
	// Further are plug-ins that install after Plugin, in order. One that comes twice is told apart by number.
	Further []PluginInput
	View    ClusterView
	// HostNode is the node that carries this host as a virtual machine, or empty (R11).
	HostNode string
	// Addresses are the nodes' WinRM listeners by node name.
	Addresses map[string]string
	Scan      plugins.Scan
	// Pending is why a restart is pending, by node name; a node that is not in it has none that is known.
	Pending map[string]PendingView
	// Hosts are the nodes' DNS names where Addresses hold something else.
	Hosts map[string]string
	// PreScript and PostScript are what the files hold that Options.PreUpdateScript and PostUpdateScript name.
	PreScript, PostScript []byte
	// Delivery is what ProbeDelivery found, by node name. A node that is not in it is not asked: with DeliveryAuto it pulls.
	Delivery map[string]DeliveryChoice
	// Checks are all answers but the scan's own.
	Checks []check.Result
	// Accepted are the ids accepted by name (R07).
	Accepted []string
}

var (
	runID    = regexp.MustCompile(`^[0-9a-f]{8}$`)
	updateID = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// maxUpdateID is how long an update's id may be.
const maxUpdateID = 64

// BuildPlan orders the nodes, counts the failure budget and writes down what will be done (R08). Problems
// with options come as OptionError; all problems are joined into one error. A plan that is built may still
// be kept from running by its checks: see Plan.Blocking.
func BuildPlan(in PlanInput) (*Plan, error) {
	if err := in.problems(); err != nil {
		return nil, err
	}
	p := &Plan{
		Version: PlanVersion, Run: in.Run, Created: in.Created.UTC().Truncate(time.Millisecond), Program: in.Program,
		Cluster: in.View.Name, Address: in.Address, Reach: in.Reach, Lab: in.Lab, Speed: in.Speed,
		Plugin: in.Plugin, Arguments: withoutSecrets(in.Arguments, in.Specs), Further: in.further(), Options: in.Options,
		FailureBudget: in.Options.FailureBudget(len(in.View.Nodes)),
		Source:        in.Scan.Source, Pinned: in.Scan.Pinned, Ignored: in.Scan.Ignored,
		Accepted: slices.Compact(slices.Sorted(slices.Values(in.Accepted))), ShareServer: in.ShareServer,
	}
	p.Checks = completeChecks(slices.Concat(in.Checks, in.Scan.Checks, in.furtherChecks(p.Further), in.Options.alone(len(p.Further)+1)))
	if p.Speed == 0 {
		p.Speed = 1
	}
	// Both were looked at with the problems.
	p.PreScript, _ = pinScript("PreUpdateScript", in.Options.PreUpdateScript, in.PreScript)
	p.PostScript, _ = pinScript("PostUpdateScript", in.Options.PostUpdateScript, in.PostScript)
	for _, m := range in.View.Nodes {
		updates := in.allUpdates(m.Name, p.Further)
		if in.Options.InstallOrder == InstallFirst {
			updates = warnedInService(updates)
		}
		np := NodePlan{Name: m.Name, Address: in.Addresses[m.Name], Host: in.Hosts[m.Name], Roles: in.View.roles(m.Name), Site: m.Site, Updates: updates}
		if np.NotTaken = in.Options.notTaken(m.Name); np.NotTaken != "" {
			np.Updates = []plugins.Update{}
			p.Nodes = append(p.Nodes, np)
			continue
		}
		if len(updates) == 0 {
			np.PendingRestart = in.Pending[m.Name].Reasons
			np.RestartOnly = in.Options.RestartPending && len(np.PendingRestart) > 0
		} else if hasFiles(updates) {
			np.Delivery, np.DeliveryReason = in.delivery(m.Name)
		}
		np.Remarks = in.remarks(m.Name)
		if np.hasWork() {
			np.Outage = in.View.rolesDown(m.Name, in.Options.drainMode())
		}
		p.Nodes = append(p.Nodes, np)
	}
	orderNodes(p.Nodes, in.Options, in.HostNode)
	return p, nil
}

// delivery is how a node gets its files. What was asked for by name needs no probe.
func (in *PlanInput) delivery(node string) (plugins.Delivery, string) {
	if c, ok := in.Delivery[node]; ok {
		return c.Delivery, c.Reason
	}
	if in.Options.Delivery == plugins.DeliveryPush {
		return plugins.DeliveryPush, "Delivery is push."
	}
	return plugins.DeliveryPull, ""
}

// hasFiles tells whether anything has to be brought to the node at all: an update that pins no files comes from elsewhere.
func hasFiles(updates []plugins.Update) bool {
	return slices.ContainsFunc(updates, func(u plugins.Update) bool { return u.Identity == "" || len(u.Files) > 0 })
}

// remarks are what the scans say of a node, each plug-in's in its turn.
func (in *PlanInput) remarks(node string) []string {
	out := slices.Clone(in.Scan.Remarks[node])
	for _, f := range in.Further {
		out = append(out, f.Scan.Remarks[node]...)
	}
	return out
}

// roles counts the clustered roles on a node. The core groups are no roles.
func (v *ClusterView) roles(node string) int {
	n := 0
	for _, g := range v.Groups {
		if !g.Core && strings.EqualFold(g.Owner, node) {
			n++
		}
	}
	return n
}

func withoutSecrets(args plugins.Arguments, specs []plugins.OptionSpec) plugins.Arguments {
	out := make(plugins.Arguments, len(args))
	for name, value := range args {
		secret := slices.ContainsFunc(specs, func(s plugins.OptionSpec) bool {
			return s.Kind == plugins.KindSecret && strings.EqualFold(s.Name, name)
		})
		if !secret {
			out[name] = value
		}
	}
	return out
}

func (in *PlanInput) problems() error {
	var errs []error
	add := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if !runID.MatchString(in.Run) {
		add("the run id %q is not eight hex digits", in.Run)
	}
	if len(in.View.Nodes) == 0 {
		add("the cluster %q has no nodes", in.View.Name)
	}
	names := make([]string, 0, len(in.View.Nodes))
	for _, m := range in.View.Nodes {
		names = append(names, m.Name)
		if in.Addresses[m.Name] == "" {
			add("no address is known for the node %q", m.Name)
		}
	}
	for _, e := range slices.Concat(in.Options.Validate(names), in.Options.OutageProblem(in.View.Name)) {
		errs = append(errs, e)
	}
	errs = append(errs, in.Options.choiceProblems(in.View)...)
	for _, s := range []struct {
		option, path string
		text         []byte
	}{{"PreUpdateScript", in.Options.PreUpdateScript, in.PreScript}, {"PostUpdateScript", in.Options.PostUpdateScript, in.PostScript}} {
		if _, err := pinScript(s.option, s.path, s.text); err != nil {
			errs = append(errs, err)
		}
	}
	for _, id := range in.Accepted {
		if _, ok := check.Lookup(id); !ok {
			add("%q is not the id of a check; accepting takes exact ids", id)
		}
	}
	// What reaches a shown command line must not be able to disguise it (R33).
	for _, s := range append([]string{in.View.Name, in.Address, in.Plugin}, slices.Concat(in.Reach, names, argumentTexts(in.Arguments))...) {
		if strings.ContainsFunc(s, invisible) {
			add("%q holds a control character", s)
		}
	}
	errs = append(errs, scanProblems(in.Scan, names, 0)...)
	errs = append(errs, in.furtherProblems(names)...)
	return errors.Join(errs...)
}

// scanProblems keeps what would make a job id ambiguous or reach no node out of the plan. mark is how much longer the plan
// makes an id.
func scanProblems(s plugins.Scan, nodes []string, mark int) []error {
	var errs []error
	for _, node := range sortedKeys(s.Updates) {
		if !slices.Contains(nodes, node) {
			errs = append(errs, fmt.Errorf("the scan names the node %q, which is not a node of the cluster", node))
		}
		seen := map[string]bool{}
		for _, u := range s.Updates[node] {
			if !updateID.MatchString(u.ID) || len(u.ID)+mark > maxUpdateID {
				errs = append(errs, fmt.Errorf("the update %q for %s has the id %q, which is not of [a-z0-9-], 1 to %d characters", u.Name, node, u.ID, maxUpdateID-mark))
			}
			if seen[u.ID] {
				errs = append(errs, fmt.Errorf("the update id %q comes twice for %s", u.ID, node))
			}
			seen[u.ID] = true
		}
	}
	return errs
}

// completeChecks adds cannot-verify for every check of the catalogue that nobody answered, and puts all in
// the catalogue's order (R07). Where a check of the same scope failed, the failure stands alone: it is the cause,
// and nothing opens it. Two checks are proven by staging in the run itself and are not in a plan; conditional ones are not
// missed.
// Root checks belong to plug-ins with a root: they are expected when any of them was answered.
func completeChecks(results []check.Result) []check.Result {
	answered, root := map[string]bool{}, false
	failed := map[check.Scope]bool{} // the gate is closed, and what comes after the failure could not be asked
	for _, r := range results {
		answered[r.ID] = true
		if c, ok := check.Lookup(r.ID); ok {
			root = root || c.Scope == check.ScopeRoot
			failed[c.Scope] = failed[c.Scope] || r.Outcome == check.Fail
		}
	}
	rank := map[string]int{}
	for i, c := range check.Catalogue() {
		rank[c.ID] = i
		elsewhere := c.ID == checkJob || c.ID == checkShareRead || check.Conditional(c.ID)
		if answered[c.ID] || elsewhere || failed[c.Scope] || (c.Scope == check.ScopeRoot && !root) {
			continue
		}
		results = append(results, check.Result{ID: c.ID, Outcome: check.CannotVerify, Evidence: "Nothing answered this check.", Remedy: "Look for yourself, then accept it by its id."})
	}
	slices.SortStableFunc(results, func(a, b check.Result) int {
		ra, oka := rank[a.ID]
		rb, okb := rank[b.ID]
		if oka != okb {
			return cmp.Compare(boolRank(okb), boolRank(oka))
		}
		return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(a.Subject, b.Subject))
	})
	return results
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// invisible tells characters that a screen does not show as themselves: controls and format characters.
func invisible(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

func argumentTexts(args plugins.Arguments) []string {
	var out []string
	for _, k := range sortedKeys(args) {
		out = append(out, k, args[k])
	}
	return out
}

func sortedKeys[M ~map[string]V, V any](m M) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
