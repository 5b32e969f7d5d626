package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/plugins"
)

// Preview scans and checks; it starts nothing and changes nothing but cau's own folder on the nodes, which holds
// the scripts that read.
func (p *program) Preview(ctx context.Context, req cli.Request, note func(string)) (*engine.Plan, error) {
	var err error
	if req.Options, err = p.notifyOptions(req.Options); err != nil {
		return nil, err
	}
	s, err := p.signIn(ctx, req.Target)
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, note); err != nil {
		return nil, err
	}
	return p.preview(ctx, s, req, note)
}

func (p *program) preview(ctx context.Context, s *session, req cli.Request, note func(string)) (*engine.Plan, error) {
	run := newID(4)
	list, err := p.choose(s, run, req)
	if err != nil {
		return nil, err
	}
	if readsRoot(list) {
		if err := s.shareKnown(); err != nil {
			return nil, err
		}
	}
	var names, taken []string
	for _, m := range s.view.Nodes {
		names = append(names, m.Name)
		if req.Options.Takes(m.Name) {
			taken = append(taken, m.Name)
		}
	}
	for _, problem := range slices.Concat(req.Options.OutageProblem(s.view.Name), req.Options.Validate(names)) {
		return nil, cli.Usage(problem)
	}
	// First of all: a run of ours has the nodes now, and may have ended by the time the last question is answered.
	busy, err := p.ownRunCheck(s, nil)
	if err != nil {
		return nil, err
	}
	s.hashAt(list, req.Options, run, len(busy) > 0, note)
	if err := s.scanAll(ctx, list, taken, req.Options.RunPluginsSerially, run, note); err != nil {
		return nil, err
	}
	s.markInstalled(ctx, list)
	scan := found(list)
	note(fmt.Sprintf("Checking %s and its %d nodes.", s.view.Name, len(names)))
	seen, err := engine.Observe(ctx, s.fleet, s.node)
	if err != nil {
		return nil, err
	}
	seen.Most = mostTime(scan, req.Options)
	pre, post, err := scripts(req.Options)
	if err != nil {
		return nil, err
	}
	var delivery map[string]engine.DeliveryChoice
	var shareChecks []check.Result
	if len(busy) == 0 { // nodes that are being updated are not asked to run a job beside it
		if delivery, shareChecks, err = s.deliveries(ctx, run, list, req.Options, note); err != nil {
			return nil, err
		}
	}
	checks := slices.Concat(s.transportChecks(ctx), shareChecks, []check.Result{hostCheck(names, s.addresses, s.carriedBy(names))}, s.throughTheCluster(ctx, seen.Cluster, roots(list)), gateProgram(req.Options, engine.ClusterChecks(seen, req.Options, s.clock.Now())))
	if len(busy) > 0 {
		checks = append(slices.DeleteFunc(checks, func(r check.Result) bool { return r.ID == busy[0].ID }), busy...)
	} else {
		held, err := s.fleet.ReadLease(ctx)
		checks = append(checks, engine.LeaseCheck("", held, err))
		if checks, err = p.ownRunCheck(s, checks); err != nil {
			return nil, err
		}
	}
	if life, ok := s.lifetimeCheck(req.Options.BeginsIn(s.clock.Now()) + mostTime(scan, req.Options)); ok {
		checks = append(checks, life)
	}
	in := engine.PlanInput{
		Run: run, Created: time.Now(), Program: p.version, Address: s.target.Cluster, Reach: reach(s.target), Options: req.Options, Plugin: list[0].says.Name(), Arguments: list[0].args,
		Specs: list[0].says.Options(), Further: furtherInput(list), View: s.view, HostNode: s.carriedBy(names), Addresses: s.addresses, Hosts: s.hosts, Scan: list[0].scan, Pending: pendingRestarts(seen), PreScript: pre, PostScript: post, Delivery: delivery, Checks: checks, Accepted: req.Accepted, ShareServer: firstRoot(list),
	}
	if seen.Cluster.Known {
		in.View = seen.Cluster.Value
	}
	if s.lab != nil {
		in.Address, in.Lab, in.Speed = "lab", s.lab.ID, s.lab.Speed
	}
	return engine.BuildPlan(in)
}

// pendingRestarts is why a restart is pending, of every node that said so.
func pendingRestarts(o engine.Observation) map[string]engine.PendingView {
	out := map[string]engine.PendingView{}
	for name, n := range o.Nodes {
		if n.Pending.Known && n.Pending.Value.Pending() {
			out[name] = n.Pending.Value
		}
	}
	return out
}

// ownRunCheck fails the look for other updating runs when it is cau itself that has one on the cluster, from this host
// (R27): the node agents only tell of Microsoft's.
func (p *program) ownRunCheck(s *session, checks []check.Result) ([]check.Result, error) {
	home, err := p.home()
	if err != nil {
		return nil, err
	}
	plan := &engine.Plan{Cluster: s.view.Name}
	if s.lab != nil {
		plan.Lab = s.lab.ID
	}
	err = home.ClusterBusy(plan)
	var busy *coordinator.ClusterBusyError
	if !errors.As(err, &busy) {
		return checks, err
	}
	failed := check.Result{ID: "cluster.foreign-run", Outcome: check.Fail, Evidence: busy.Error() + ".", Remedy: busyHint(busy)}
	return append(slices.DeleteFunc(checks, func(r check.Result) bool { return r.ID == failed.ID }), failed), nil
}

// transportChecks answers for every node whether it is reached, signed in to, and sealed. The credential was
// accepted by the node that was asked first, so no node refuses it for the first time here (R02).
func (s *session) transportChecks(ctx context.Context) []check.Result {
	var out []check.Result
	for _, d := range s.fleet.DescribeAll(ctx) {
		out = append(out, contactChecks(d.Name, d.Contact, d.Err)...)
	}
	return out
}

func contactChecks(name string, c winnode.Contact, err error) []check.Result {
	if err != nil {
		return []check.Result{{ID: "winrm.reach", Outcome: check.Fail, Subject: name, Evidence: err.Error() + ".", Remedy: fault.Hint(err)}}
	}
	sealed := check.Result{ID: "winrm.sealed", Outcome: check.Pass, Subject: name, Evidence: c.Negotiated.String() + "."}
	if !c.Negotiated.Sealed && c.Negotiated.TLS == "" {
		sealed.Outcome, sealed.Remedy = check.Fail, "Nothing is sent in clear; use an https listener."
	}
	return []check.Result{
		{ID: "winrm.reach", Outcome: check.Pass, Subject: name, Evidence: fmt.Sprintf("%s answers at %s.", c.Node.Computer, c.Address)},
		{ID: "winrm.auth", Outcome: check.Pass, Subject: name, Evidence: c.Negotiated.Mechanism + ", accepted."},
		sealed,
	}
}

// hostCheck refuses to run on a node of the cluster itself: it would restart under its own run (R11).
func hostCheck(names []string, addresses map[string]string, carrier string) check.Result {
	host, own := localNames()
	short, _, _ := strings.Cut(host, ".")
	for _, n := range names {
		node, _, _ := strings.Cut(n, ".")
		a, err := winnode.ParseAddress(addresses[n])
		if strings.EqualFold(node, short) || err == nil && slices.Contains(own, a.Host) {
			return check.Result{ID: "cluster.host", Outcome: check.Fail, Evidence: "This host is " + n + ", a node of the cluster.", Remedy: "Run cau on a machine outside the cluster."}
		}
	}
	if carrier != "" {
		return check.Result{
			ID: "cluster.host", Outcome: check.Warn, Evidence: "This host is a virtual machine on " + carrier + ", a node of the cluster; that node comes last unless NodeOrder names it.",
			Remedy: "Let the machine be a role of the cluster, so that the drain moves it, or run cau on a host outside: if it goes down with its node, cau resume goes on.",
		}
	}
	return check.Result{ID: "cluster.host", Outcome: check.Pass, Evidence: fmt.Sprintf("This host is %s; no node has its name or one of its addresses.", host)}
}

// CommandLines are the equivalent command lines of a plan, without the arguments that stand at their defaults. Invoke-CauRun's
// is empty where other people's plug-ins take part, which Microsoft's CAU does not have.
func (p *program) CommandLines(plan *engine.Plan) (cau, invoke string) {
	shown := *plan
	shown.Arguments = p.unusual(plan.Plugin, plan.Arguments)
	shown.Further = slices.Clone(plan.Further)
	for i, pp := range shown.Further {
		shown.Further[i].Arguments = p.unusual(pp.Name, pp.Arguments)
	}
	cau, invoke = engine.CommandLines(&shown)
	for _, pp := range plan.Instances() {
		if k, err := p.knownAs(pp.Name); err != nil || k.other {
			invoke = ""
		}
	}
	return cau, invoke
}

// unusual are a plug-in's arguments that do not stand at their defaults.
func (p *program) unusual(plugin string, args plugins.Arguments) plugins.Arguments {
	out := maps.Clone(args)
	for _, pl := range p.Plugins() {
		for _, o := range pl.Options() {
			if pl.Name() == plugin && out[o.Name] == o.Default {
				delete(out, o.Name)
			}
		}
	}
	return out
}

// reach are the flags that say how and as whom; where a password is read from is no secret, the password is.
func reach(t cli.Target) []string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Nodes)) {
		add("--node", name+"="+t.Nodes[name])
	}
	add("--user", t.User)
	add("--password-file", t.PasswordFile)
	if t.SMBPort != 0 {
		add("--smb-port", strconv.Itoa(t.SMBPort))
	}
	if t.OlderSMB {
		out = append(out, "--allow-older-smb", "")
	}
	add("--smb-user", t.SMBUser)
	add("--smb-password-file", t.SMBPasswordFile)
	add("--ca-file", t.CAFile)
	add("--pin", t.Pin)
	i := t.SignIn
	if i.Method != cli.AuthAuto {
		add("--auth", i.Method)
	}
	add("--ccache", i.CCache)
	add("--keytab", i.Keytab)
	add("--realm", i.Realm)
	for _, kdc := range i.KDCs {
		add("--kdc", kdc)
	}
	add("--krb5-config", i.KRB5Config)
	add("--spn", i.SPN)
	add("--cert-file", i.CertFile)
	add("--key-file", i.KeyFile)
	if i.ChannelBinding == "off" {
		add("--channel-binding", i.ChannelBinding)
	}
	return out
}

// requestArguments turns resolved arguments back into what a command line would give.
func requestArguments(args plugins.Arguments) []plugins.Argument {
	var out []plugins.Argument
	for _, name := range slices.Sorted(maps.Keys(args)) {
		out = append(out, plugins.Argument{Name: name, Value: args[name]})
	}
	return out
}
