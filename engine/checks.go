package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cau/internal/check"
)

// The checks of the catalogue that the engine answers, and the two that staging proves.
const (
	checkCredential   = "winrm.credential" //nolint:gosec // the id of a check
	checkNodesUp      = "cluster.nodes-up"
	checkQuorum       = "cluster.quorum"
	checkStorage      = "cluster.storage"
	checkForeignRun   = "cluster.foreign-run"
	checkLease        = "cluster.lease"
	checkSelfUpdating = "cluster.self-updating"
	checkBackup       = "cluster.backup"
	checkLanguage     = "node.language-mode"
	checkAdmin        = "node.admin"
	checkDisk         = "node.disk"
	checkClock        = "node.clock"
	checkPending      = "node.pending-restart"
	checkNamespaces   = "node.namespaces"
	checkQuotas       = "node.quotas"
	checkUpdaters     = "node.updaters"
	checkBitLocker    = "node.bitlocker"
	checkPlacement    = "node.placement"
	checkLocked       = "cluster.locked"
	checkResidents    = "node.residents"
	checkJob          = "node.job"
	checkShareRead    = "node.share-read"
	checkWindow       = "run.window"
	checkSoak         = "run.soak"
	checkGate         = "run.gate"
)

const (
	// diskWarning is the free space below which a node's system drive is remarked on.
	diskWarning = 10 << 30
	// clockWarning is the difference of clocks that Kerberos stops tolerating (RFC 4120 8.2).
	clockWarning = 5 * time.Minute
)

// ClusterChecks answers the cluster's and the nodes' checks from what was observed. What could not be read
// is cannot-verify, never a pass (R07). A node that the options leave out is not asked whether it could be taken. Checks that ProbeDelivery answers and staging proves (node.job, node.share-read) are not here.
func ClusterChecks(o Observation, opts Options, now time.Time) []check.Result {
	results := []check.Result{nodesUp(o, opts.RequireAllNodesOnline), quorumOfAll(o, opts), storageHealthy(o), noForeignRun(o), selfUpdating(o, now), noBackup(o)}
	for _, m := range o.Cluster.Value.Nodes {
		if !opts.Takes(m.Name) {
			continue
		}
		results = append(results, nodeChecks(m.Name, o.Nodes[m.Name], now)...)
		results = append(results, beforeDrain(m.Name, o, opts)...)
	}
	return slices.Concat(results, momentChecks(opts, now), gateKnown(opts))
}

func unverified(id, subject string, err error) check.Result {
	return check.Result{ID: id, Outcome: check.CannotVerify, Subject: subject, Evidence: "It could not be read: " + sentence(err), Remedy: "Make it readable, or accept the check by its id."}
}

// nodesUp is the check before a run. Without required a node that is not up is a warning, because it may
// be back in time: the gate before each node is strict (R14).
func nodesUp(o Observation, required bool) check.Result {
	if err := o.Cluster.problem(); err != nil {
		return unverified(checkNodesUp, "", err)
	}
	v := o.Cluster.Value
	notUp := v.notInService("")
	switch {
	case len(v.Nodes) < 2:
		return check.Result{ID: checkNodesUp, Outcome: check.Fail, Evidence: plural(len(v.Nodes), "node is", "nodes are") + " in the cluster, so roles have nowhere to go.", Remedy: "Add a node."}
	case len(notUp) == 0:
		return check.Result{ID: checkNodesUp, Outcome: check.Pass, Evidence: fmt.Sprintf("All %d nodes are up.", len(v.Nodes))}
	case required:
		return check.Result{ID: checkNodesUp, Outcome: check.Fail, Evidence: strings.Join(notUp, ", ") + "; RequireAllNodesOnline is set.", Remedy: "Bring the nodes up and resume paused ones."}
	}
	return check.Result{ID: checkNodesUp, Outcome: check.Warn, Evidence: strings.Join(notUp, ", ") + ". The run waits before its first drain until all nodes are up.", Remedy: "Bring the nodes up and resume paused ones."}
}

// notInService describes the members, other than except, that do not carry roles now: not Up, paused,
// isolated or quarantined.
func (v *ClusterView) notInService(except string) []string {
	var out []string
	for _, m := range v.Nodes {
		if strings.EqualFold(m.Name, except) {
			continue
		}
		switch {
		case m.State != NodeUp:
			out = append(out, m.Name+" is "+m.State.String())
		case m.StatusInformation&statusQuarantined != 0:
			out = append(out, m.Name+" is quarantined")
		case m.StatusInformation&statusIsolated != 0:
			out = append(out, m.Name+" is isolated")
		}
	}
	return out
}

// Bits of MSCluster_Node.StatusInformation (clusapi.h, CLUSTER_NODE_STATUS).
const (
	statusIsolated    = 1
	statusQuarantined = 2
)

func quorumOfAll(o Observation, opts Options) check.Result {
	if err := o.Cluster.problem(); err != nil {
		return unverified(checkQuorum, "", err)
	}
	worst := check.Result{ID: checkQuorum, Outcome: check.Pass, Evidence: "The cluster says that it keeps quorum without any one of its nodes, and so does the count of votes."}
	rank := map[check.Outcome]int{check.Pass: 0, check.Warn: 1, check.CannotVerify: 2, check.Fail: 3}
	for _, m := range o.Cluster.Value.Nodes {
		if !opts.Takes(m.Name) {
			continue
		}
		r := quorumWithout(m.Name, o.Cluster.Value, o.LosesQuorum[m.Name])
		if rank[r.Outcome] > rank[worst.Outcome] {
			worst = r
		}
	}
	worst.Subject = ""
	return worst
}

// quorumWithout asks both opinions on taking node down. The cluster's own answer decides: dynamic quorum
// moves weights before a graceful shutdown, so arithmetic alone may be too strict.
func quorumWithout(node string, v ClusterView, loses Answer[bool]) check.Result {
	if err := loses.problem(); err != nil {
		return unverified(checkQuorum, node, err)
	}
	votes, after := v.votes(node)
	need := votes/2 + 1
	count := fmt.Sprintf("%d of %d votes would be left without %s and %d are needed", after, votes, node, need)
	switch {
	case loses.Value:
		return check.Result{ID: checkQuorum, Outcome: check.Fail, Subject: node, Evidence: "The cluster says that it loses quorum without " + node + "; " + count + ".", Remedy: "Bring all nodes and the witness online."}
	case after < need:
		return check.Result{ID: checkQuorum, Outcome: check.Warn, Subject: node, Evidence: "The cluster says that it keeps quorum, but " + count + ".", Remedy: "Add a witness, or bring it online."}
	}
	return check.Result{ID: checkQuorum, Outcome: check.Pass, Subject: node, Evidence: "The cluster says that it keeps quorum; " + count + "."}
}

// votes counts the votes that are there now and those left without node.
func (v *ClusterView) votes(node string) (all, without int) {
	for _, m := range v.Nodes {
		if m.State == NodeUp || m.State == NodePaused {
			all += m.DynamicWeight
			if !strings.EqualFold(m.Name, node) {
				without += m.DynamicWeight
			}
		}
	}
	if v.WitnessOnline {
		all += v.WitnessWeight
		without += v.WitnessWeight
	}
	return all, without
}

func storageHealthy(o Observation) check.Result {
	if err := o.Storage.problem(); err != nil {
		return unverified(checkStorage, "", err)
	}
	var seen []string
	for _, part := range []struct {
		what  string
		names []string
	}{
		{"not healthy", o.Storage.Value.Unhealthy},
		{"storage job not finished", o.Storage.Value.Jobs},
		{"in maintenance mode", o.Storage.Value.InMaintenance},
	} {
		if len(part.names) > 0 {
			seen = append(seen, part.what+": "+strings.Join(slices.Sorted(slices.Values(part.names)), ", "))
		}
	}
	if len(seen) == 0 {
		return check.Result{ID: checkStorage, Outcome: check.Pass, Evidence: "Virtual disks are healthy, no storage job runs, nothing is in maintenance mode."}
	}
	return check.Result{ID: checkStorage, Outcome: check.Fail, Evidence: "Storage: " + strings.Join(seen, "; ") + ".", Remedy: "Wait for repair to end, or repair the storage."}
}

func noForeignRun(o Observation) check.Result {
	if err := o.Foreign.problem(); err != nil {
		return unverified(checkForeignRun, "", err)
	}
	if len(o.Foreign.Value) == 0 {
		return check.Result{ID: checkForeignRun, Outcome: check.Pass, Evidence: "No updating run of Microsoft's CAU holds the cluster."}
	}
	names := make([]string, 0, len(o.Foreign.Value))
	for _, f := range o.Foreign.Value {
		name := f.ID
		if f.Node != "" {
			name += " on " + f.Node
		}
		names = append(names, name)
	}
	return check.Result{ID: checkForeignRun, Outcome: check.Fail, Evidence: "Another updating run holds the cluster: " + strings.Join(names, ", ") + ".", Remedy: "Let it end, or end it with Stop-CauRun."}
}

func nodeChecks(name string, o NodeObservation, now time.Time) []check.Result {
	if err := o.View.problem(); err != nil {
		var out []check.Result
		for _, id := range []string{checkLanguage, checkAdmin, checkNamespaces, checkDisk, checkClock, checkPending, checkQuotas, checkUpdaters, checkBitLocker} {
			out = append(out, unverified(id, name, err))
		}
		return out
	}
	v := o.View.Value
	return []check.Result{
		languageMode(name, v), admin(name, v), namespaces(name, v), disk(name, v), clock(name, v, now), pending(name, o.Pending),
		quotas(name, v), updatersAtRest(name, o.Updaters), startsAlone(name, o.BitLocker),
	}
}

func languageMode(name string, v NodeView) check.Result {
	r := check.Result{ID: checkLanguage, Subject: name, Outcome: check.Pass, Evidence: "PowerShell runs in " + v.LanguageMode + " mode."}
	switch v.LanguageMode {
	case "FullLanguage":
	case "":
		r.Outcome, r.Evidence = check.CannotVerify, "The node did not say in which language mode PowerShell runs."
	default:
		r.Outcome, r.Remedy = check.Fail, "Let the policy on the node run administrators' PowerShell in FullLanguage mode."
	}
	return r
}

func admin(name string, v NodeView) check.Result {
	if v.Admin {
		return check.Result{ID: checkAdmin, Subject: name, Outcome: check.Pass, Evidence: "The account is an administrator there."}
	}
	return check.Result{ID: checkAdmin, Subject: name, Outcome: check.Fail, Evidence: "The account is not an administrator there, or its token is filtered.", Remedy: "Use an account of the node's Administrators group."}
}

func namespaces(name string, v NodeView) check.Result {
	var missing []string
	for _, ns := range []string{"mscluster", "storage"} {
		if !slices.ContainsFunc(v.Namespaces, func(have string) bool { return strings.EqualFold(have, ns) }) {
			missing = append(missing, ns)
		}
	}
	if len(missing) == 0 {
		return check.Result{ID: checkNamespaces, Subject: name, Outcome: check.Pass, Evidence: "The WMI namespaces of cluster and storage are there."}
	}
	return check.Result{ID: checkNamespaces, Subject: name, Outcome: check.Fail, Evidence: "WMI namespaces are missing: " + strings.Join(missing, ", ") + ".", Remedy: "Check that the Failover Clustering feature is installed and WMI works."}
}

func disk(name string, v NodeView) check.Result {
	r := check.Result{ID: checkDisk, Subject: name, Outcome: check.Pass, Evidence: fmt.Sprintf("%.1f GiB are free on the system drive.", float64(v.FreeBytes)/(1<<30))}
	switch {
	case v.FreeBytes <= 0:
		r.Outcome, r.Evidence = check.CannotVerify, "The node did not say how much of the system drive is free."
	case v.FreeBytes < diskWarning:
		r.Outcome, r.Remedy = check.Warn, "Free space on the system drive; 10 GiB is a good minimum."
	}
	return r
}

func clock(name string, v NodeView, now time.Time) check.Result {
	asked := v.Asked
	if asked.IsZero() {
		asked = now
	}
	if v.Time.IsZero() {
		return check.Result{ID: checkClock, Subject: name, Outcome: check.CannotVerify, Evidence: "The node did not say what time it is."}
	}
	off := v.Time.Sub(asked).Round(time.Second)
	r := check.Result{ID: checkClock, Subject: name, Outcome: check.Pass, Evidence: fmt.Sprintf("The node's clock differs by %s.", off.Abs())}
	if off.Abs() > clockWarning {
		r.Outcome, r.Remedy = check.Warn, "Set the clocks; Kerberos refuses more than five minutes."
	}
	return r
}

func pending(name string, a Answer[PendingView]) check.Result {
	if err := a.problem(); err != nil {
		return unverified(checkPending, name, err)
	}
	if a.Value.Pending() {
		return check.Result{ID: checkPending, Subject: name, Outcome: check.Warn, Evidence: "A restart is pending: " + strings.Join(a.Value.Reasons, ", ") + ".", Remedy: "Restart the node before the run; some updates refuse to install otherwise."}
	}
	return check.Result{ID: checkPending, Subject: name, Outcome: check.Pass, Evidence: "No restart is pending."}
}
