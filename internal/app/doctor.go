package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/plugins"
)

const (
	// doctorsAtOnce bounds how many nodes are examined at the same time.
	doctorsAtOnce = 16
	// probeLimit is how long a node's probe job may take, in the run's time: after a start, tasks begin late.
	probeLimit = 6 * time.Minute
)

// Doctor makes first contact: with a whole cluster, or with single nodes by their addresses. What could not be done is
// in the report; an error means that there is nothing to report.
func (p *program) Doctor(ctx context.Context, target cli.Target, req cli.DoctorRequest, note func(string)) (cli.DoctorReport, error) {
	nodes := req.Addresses
	if target.Cluster == "" && !target.Lab {
		target.Cluster, nodes = nodes[0], nodes[1:] // it may be the cluster's own name
	}
	s, err := p.signIn(ctx, target)
	if err != nil {
		return cli.DoctorReport{}, err
	}
	if req.Root == "" && s.lab != nil && !req.NoJob {
		req.Root = s.lab.Root
	}
	address, _, _ := s.first()
	steps := s.look(ctx, address)
	if err := s.connect(ctx, note); err != nil {
		if ctx.Err() != nil || cli.IsUsage(err) {
			return cli.DoctorReport{}, err
		}
		return s.noContact(ctx, address, steps, nodes, err), nil
	}
	if err := s.known(nodes); err != nil {
		return cli.DoctorReport{}, err
	}
	return p.examine(ctx, s, req, note)
}

// noContact reports a first contact that failed. The other addresses are only looked at: the credential is not tried
// on them (R02).
func (s *session) noContact(ctx context.Context, address string, steps []cli.DoctorStep, others []string, err error) cli.DoctorReport {
	if !slices.ContainsFunc(steps, func(d cli.DoctorStep) bool { return d.Outcome == check.Fail }) {
		steps = append(steps, signInStep(s.who(), winnode.Contact{}, err))
	}
	report := cli.DoctorReport{Nodes: []cli.DoctorNode{{Name: address, Address: address, Tried: steps}}}
	for _, other := range others {
		tried := append(s.look(ctx, other), cli.DoctorStep{
			What: "sign in as " + s.who(), Outcome: check.CannotVerify, Saw: "not tried: " + address + " comes first",
			Advice: "Name this address alone, once that one is in order.",
		})
		report.Nodes = append(report.Nodes, cli.DoctorNode{Name: other, Address: other, Tried: tried})
	}
	return report
}

// examine looks at the cluster and at each chosen node.
func (p *program) examine(ctx context.Context, s *session, req cli.DoctorRequest, note func(string)) (cli.DoctorReport, error) {
	note(fmt.Sprintf("Looking at %s and its %d nodes.", s.view.Name, len(s.view.Nodes)))
	seen, err := engine.Observe(ctx, s.fleet, s.node)
	if err != nil {
		return cli.DoctorReport{}, err
	}
	var names []string
	for _, m := range s.view.Nodes {
		names = append(names, m.Name)
	}
	report := cli.DoctorReport{Cluster: s.view.Name, Checks: append([]check.Result{hostCheck(names, s.addresses, s.carriedBy(names))}, s.throughTheCluster(ctx, seen.Cluster, nil)...)}
	if life, ok := s.lifetimeCheck(0); ok {
		report.Checks = append(report.Checks, life)
	}
	held, err := s.fleet.ReadLease(ctx)
	report.Checks = append(report.Checks, engine.LeaseCheck("", held, err))
	byNode := map[string][]check.Result{}
	for _, r := range engine.ClusterChecks(seen, engine.DefaultOptions(), s.clock.Now()) {
		if slices.Contains(names, r.Subject) {
			byNode[r.Subject] = append(byNode[r.Subject], r)
		} else {
			report.Checks = append(report.Checks, r)
		}
	}
	if !req.NoJob {
		note("Starting a short job on each node as SYSTEM.")
	}
	if req.CompareUpdates {
		note("Searching each node four times for updates, by cau's query and by CAU's own provider; this may take many minutes.")
	}
	chosen := s.chosen(names, req.Addresses)
	report.Nodes = make([]cli.DoctorNode, len(chosen))
	run := "doctor-" + newID(4)
	room := make(chan struct{}, doctorsAtOnce)
	var working sync.WaitGroup
	for i, name := range chosen {
		working.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			report.Nodes[i] = s.examineNode(ctx, name, run, req)
			report.Nodes[i].Checks = append(report.Nodes[i].Checks, byNode[name]...)
		})
	}
	working.Wait()
	return report, ctx.Err()
}

// examineNode tries everything on one node, in the order in which a run would.
func (s *session) examineNode(ctx context.Context, name, run string, req cli.DoctorRequest) cli.DoctorNode {
	n := cli.DoctorNode{Name: name, Address: s.addresses[name], Tried: s.look(ctx, s.addresses[name])}
	contact, err := s.fleet.Contact(ctx, name)
	n.Tried = append(n.Tried, signInStep(s.who(), contact, err))
	n.Checks = contactChecks(name, contact, err)
	if err != nil {
		return n
	}
	v := contact.Node
	n.Reached = contact.Negotiated.String() + ", build " + v.Build + ", PowerShell " + v.PowerShell
	n.Tried = append(n.Tried, powershellStep(v))
	node := s.fleet.Node(name)
	n.Tried = append(n.Tried, s.quotaStep(ctx, node))
	if req.NoJob {
		n.Tried = append(n.Tried, cli.DoctorStep{What: "start a job as SYSTEM", Outcome: check.CannotVerify, Saw: "not tried, as asked for (--no-job)"})
		return n
	}
	n.Tried = append(n.Tried, jobSteps(ctx, node, run, req.Root)...)
	if req.CompareUpdates {
		var step cli.DoctorStep
		step, n.Compared = compareStep(ctx, node, run)
		n.Tried = append(n.Tried, step)
	}
	return n
}

func powershellStep(v engine.NodeView) cli.DoctorStep {
	step := cli.DoctorStep{What: "run PowerShell", Outcome: check.Pass}
	step.Saw = fmt.Sprintf("%s: build %s, PowerShell %s in %s mode, %s logon, %s free", orName(v.Fqdn, v.Computer), v.Build, v.PowerShell, v.LanguageMode, v.Token, gigabytes(v.FreeBytes))
	switch {
	case !v.Admin:
		step.Outcome, step.Advice = check.Fail, "The account is no administrator of this node. A local account other than Administrator also needs LocalAccountTokenFilterPolicy."
	case v.LanguageMode != "FullLanguage":
		step.Outcome, step.Advice = check.Fail, `AppLocker or WDAC limits PowerShell; allow the scripts below %ProgramFiles%\cau for administrators.`
	}
	return step
}

func orName(full, short string) string {
	if full == "" {
		return short
	}
	return full
}

func gigabytes(b int64) string { return fmt.Sprintf("%.1f GiB", float64(b)/(1<<30)) }

// quotaStep reads WinRM's limits. A run needs one shell and one process on a node, and our largest message is 150 KB.
func (s *session) quotaStep(ctx context.Context, node *winnode.Node) cli.DoctorStep {
	step := cli.DoctorStep{What: "read WinRM's quotas", Outcome: check.Pass}
	q, err := node.Quotas(ctx)
	if err != nil {
		step.Outcome, step.Saw, step.Advice = check.CannotVerify, err.Error(), fault.Hint(err)
		return step
	}
	step.Saw = fmt.Sprintf("envelope %d KB, %d shells and %d operations a user, %d processes a shell, idle shells end after %s",
		q.MaxEnvelopeKB, q.MaxShellsPerUser, q.MaxOperationsPerUser, q.MaxProcessesPerShell, (time.Duration(q.ShellIdleTimeoutMS) * time.Millisecond).String())
	if q.Proxy != "" {
		step.Saw += ", WinHTTP proxy " + q.Proxy
	}
	low := func(v, least int64) bool { return v > 0 && v < least }
	switch {
	case low(q.MaxEnvelopeKB, 150) || low(q.MaxShellsPerUser, 2) || low(q.MaxProcessesPerShell, 2):
		step.Outcome, step.Advice = check.Fail, "Raise the quota: winrm set winrm/config @{MaxEnvelopeSizekb=\"500\"}, winrm set winrm/config/winrs @{MaxShellsPerUser=\"30\"}; a policy may pin it."
	case q.AllowUnencrypted:
		step.Outcome, step.Advice = check.Warn, "The service takes unencrypted messages from whoever sends them; cau never does. winrm set winrm/config/service @{AllowUnencrypted=\"false\"}"
	}
	return step
}

// jobSteps starts a SYSTEM job, which reads the root as the computer account where there is one, and otherwise asks
// the update agent whether a restart is pending. It removes what it left.
func jobSteps(ctx context.Context, node *winnode.Node, run, root string) []cli.DoctorStep {
	job := plugins.Job{ID: run + "-probe", Kind: plugins.JobUpdatesRestart, Limit: probeLimit}
	input := any(plugins.UpdatesQuery{Run: run})
	if root != "" {
		job.Kind, input = plugins.JobShareProbe, plugins.ShareProbeJob{Run: run, Root: root}
	}
	text, err := json.Marshal(input)
	if err != nil {
		return []cli.DoctorStep{{What: "start a job as SYSTEM", Outcome: check.CannotVerify, Saw: err.Error()}}
	}
	job.Input = text
	data, err := node.RunJob(ctx, job, nil)
	started := cli.DoctorStep{What: "start a job as SYSTEM", Outcome: check.Pass, Saw: "a scheduled task ran as SYSTEM and ended"}
	steps := []cli.DoctorStep{started}
	failed := errors.Is(err, plugins.ErrJobFailed)
	switch {
	case err != nil && !failed:
		steps[0] = cli.DoctorStep{What: started.What, Outcome: check.Fail, Saw: err.Error(), Advice: orName(fault.Hint(err), "Look at the Task Scheduler's log on the node, and whether a policy forbids tasks.")}
	case root != "":
		steps = append(steps, rootStep(root, data, err))
	case failed:
		steps = append(steps, cli.DoctorStep{What: "ask the update agent", Outcome: check.Warn, Saw: err.Error(), Advice: fault.Hint(err)})
	default:
		steps = append(steps, restartStep(data))
	}
	if err := node.Clean(context.WithoutCancel(ctx), run); err != nil {
		steps = append(steps, cli.DoctorStep{What: "remove the job again", Outcome: check.Warn, Saw: err.Error(), Advice: "Remove it later with cau node clean."})
	}
	return steps
}

func rootStep(root string, data json.RawMessage, err error) cli.DoctorStep {
	step := cli.DoctorStep{What: "read " + root + " as the computer account", Outcome: check.Pass}
	var r plugins.ShareProbeJobResult
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		step.Outcome, step.Saw = check.Fail, err.Error()
		step.Advice = orName(fault.Hint(err), "Give the nodes' computer accounts Read on the share and on the folder; Users holds them by default. Files can also be pushed (--delivery push).")
		return step
	}
	c := r.Connection
	step.Saw = fmt.Sprintf("SMB %s as %s, signed %t, encrypted %t, %d entries", c.Dialect, c.Account, c.Signed, c.Encrypted, r.Entries)
	if !c.Signed && !c.Encrypted {
		step.Outcome, step.Advice = check.Fail, "Require SMB signing or encryption on the file server."
	}
	return step
}

func restartStep(data json.RawMessage) cli.DoctorStep {
	step := cli.DoctorStep{What: "ask the update agent", Outcome: check.Pass, Saw: "it asks for no restart"}
	var r plugins.UpdatesRestartResult
	switch err := json.Unmarshal(data, &r); {
	case err != nil:
		step.Outcome, step.Saw = check.CannotVerify, err.Error()
	case r.Required:
		step.Outcome, step.Saw = check.Warn, "it asks for a restart"
		step.Advice = "A run restarts the node after its updates."
	}
	return step
}

// lifetimeCheck compares the credential's life with the time that a run may take at most; 0 is not known (R05).
func (s *session) lifetimeCheck(most time.Duration) (check.Result, bool) {
	end, ok := s.access.lifetime(s.secrets)
	if !ok {
		return check.Result{}, false
	}
	left := time.Until(end)
	r := check.Result{ID: "winrm.credential", Outcome: check.Pass, Evidence: fmt.Sprintf("The ticket is good until %s, %s from now.", end.Local().Format("2006-01-02 15:04"), left.Round(time.Minute))}
	switch {
	case left <= 0:
		r.Outcome, r.Evidence, r.Remedy = check.Fail, "The ticket has expired.", "Get a new one: kinit."
	case most > left:
		r.Outcome = check.Warn
		r.Evidence += fmt.Sprintf(" The run may take up to %s if every limit is used.", most.Round(time.Minute))
		r.Remedy = "Renew it (kinit -R) or sign in with a keytab; cau reads the cache anew when the ticket ends."
	}
	return r, true
}

// known refuses addresses that are no node of the cluster: the others would be shown in their place.
func (s *session) known(addresses []string) error {
	for _, a := range addresses {
		if !slices.ContainsFunc(s.view.Nodes, func(m engine.MemberView) bool { return s.names(a, m.Name) }) {
			return cli.Usage(&fault.Error{Op: "doctor", Err: fmt.Errorf("%s is not a node of %s", a, s.view.Name), Hint: nodesHint(s.view)})
		}
	}
	return nil
}

// names tells whether what was typed means the node: its name or its address.
func (s *session) names(typed, node string) bool {
	return strings.EqualFold(typed, node) || sameAddress(typed, s.addresses[node])
}

// chosen are the nodes that addresses name, all when there are none.
func (s *session) chosen(names, addresses []string) []string {
	out := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.ContainsFunc(addresses, func(a string) bool { return s.names(a, name) })
	})
	if len(out) == 0 {
		return names
	}
	return out
}

func sameAddress(a, b string) bool {
	x, err := winnode.ParseAddress(a)
	if err != nil {
		return false
	}
	y, err := winnode.ParseAddress(b)
	return err == nil && x == y
}
