package windowsupdate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

const (
	checkScan   = "wu.scan"
	checkSource = "wu.source"
	// scanAtOnce is how many nodes search at once: a WSUS server answers them all.
	scanAtOnce = 8
	// scanLimit is how long one search may take; against a large WSUS server it is many minutes.
	scanLimit = 45 * time.Minute
	// installMinutes is how long one update may install. CAU's plug-in has no such argument and the agent its own limits;
	// an update that is at it for longer is held and watched (R18).
	installMinutes = 120
)

// Scan asks every node's agent at once. A node that does not answer is a failed check, not an error.
func (p *Plugin) Scan(ctx context.Context, nodes []string, args plugins.Arguments) (plugins.Scan, error) {
	if p.Nodes == nil {
		return plugins.Scan{}, errors.New("this process was given no nodes to ask")
	}
	q, err := query(args)
	if err != nil {
		return plugins.Scan{}, err
	}
	found := make([]plugins.UpdatesScanResult, len(nodes))
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	turn := make(chan struct{}, scanAtOnce)
	for i, name := range nodes {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			found[i], errs[i] = search(ctx, p.Nodes(name), p.Run, p.ScanJob, q.String())
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return plugins.Scan{}, err
	}
	out := plugins.Scan{Updates: map[string][]plugins.Update{}, Remarks: map[string][]string{}}
	left := leftOut{}
	sources := map[string][]string{}
	for i, name := range nodes {
		if errs[i] != nil {
			out.Checks = append(out.Checks, check.Result{ID: checkScan, Outcome: check.Fail, Subject: name, Evidence: strings.TrimSuffix(errs[i].Error(), ".") + ".", Remedy: cmp.Or(fault.Hint(errs[i]), "Look at the Windows Update client's log on the node: Get-WindowsUpdateLog.")})
			continue
		}
		updates, excluded := offers(found[i].Updates)
		out.Updates[name] = updates
		left.add(name, excluded)
		source := sourceOf(found[i])
		sources[source] = append(sources[source], name)
		out.Remarks[name] = []string{"Updates come from " + source + "; " + lastScan(found[i].LastScan) + "."}
		out.Checks = append(out.Checks, answered(name, source, len(updates), found[i]))
	}
	out.Ignored = left.list()
	out.Source, out.Checks = oneSource(sources, out.Checks)
	return out, nil
}

// search is one search of a node's agent.
func search(ctx context.Context, node plugins.Node, run, job, criteria string) (plugins.UpdatesScanResult, error) {
	var out plugins.UpdatesScanResult
	input, err := json.Marshal(plugins.UpdatesQuery{Run: run, Criteria: criteria})
	if err != nil {
		return out, fmt.Errorf("write the search: %w", err)
	}
	data, err := node.RunJob(ctx, plugins.Job{ID: job, Kind: plugins.JobUpdatesScan, Input: input, Limit: scanLimit}, func(plugins.JobEvent) {})
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("read what the search found: %w", err)
	}
	if out.ResultCode != resultSucceeded && out.ResultCode != resultWithErrors {
		return out, &fault.Error{Op: "search for updates", Node: node.Name(), Err: fmt.Errorf("the agent's result code is %d", out.ResultCode), Code: firstCode(out.Warnings)}
	}
	return out, nil
}

func firstCode(warnings []plugins.UpdateWarning) fault.Code {
	for _, w := range warnings {
		if w.HResult != 0 {
			return fault.CodeOf(w.HResult)
		}
	}
	return 0
}

// answered is the check of a node whose agent answered; a search with errors may have missed something.
func answered(name, source string, n int, found plugins.UpdatesScanResult) check.Result {
	r := check.Result{ID: checkScan, Outcome: check.Pass, Subject: name, Evidence: fmt.Sprintf("%s offers %d updates.", source, n)}
	if found.ResultCode == resultSucceeded && len(found.Warnings) == 0 {
		return r
	}
	r.Outcome, r.Remedy = check.Warn, "What the search missed is not in this plan. Scan again later."
	r.Evidence += " The search ended with errors"
	if code := firstCode(found.Warnings); code != 0 {
		r.Evidence += ": " + code.String()
	}
	r.Evidence += "."
	return r
}

// sourceOf is where a node's updates come from, for people.
func sourceOf(found plugins.UpdatesScanResult) string {
	if found.Server != "" {
		return "WSUS at " + found.Server
	}
	return cmp.Or(found.Source, "a service that the agent does not name")
}

func lastScan(at time.Time) string {
	if at.IsZero() {
		return "the node does not say when it last searched by itself"
	}
	return "the node last searched by itself on " + at.UTC().Format("2006-01-02 15:04") + " UTC"
}

// oneSource compares the nodes' sources: nodes of one cluster that are approved different updates end up different, and
// nobody may have meant that.
func oneSource(sources map[string][]string, checks []check.Result) (string, []check.Result) {
	names := make([]string, 0, len(sources))
	for s := range sources {
		names = append(names, s)
	}
	slices.Sort(names)
	switch len(names) {
	case 0:
		return "Windows Update", checks
	case 1:
		return names[0], append(checks, check.Result{ID: checkSource, Outcome: check.Pass, Evidence: "All nodes get their updates from " + names[0] + "."})
	}
	parts := make([]string, 0, len(names))
	for _, s := range names {
		parts = append(parts, strings.Join(sources[s], ", ")+": "+s)
	}
	return "different sources", append(checks, check.Result{
		ID: checkSource, Outcome: check.CannotVerify, Evidence: "The nodes get their updates from different sources, and whether these offer the same cannot be told. " + strings.Join(parts, "; ") + ".",
		Remedy: "Give all nodes the same policy for Windows Update, or accept it by this check's id.",
	})
}

// offers are the updates that can be installed, in the order in which they are, and those that are left out by reason.
// One that must be alone comes first: it is refused while a restart is pending (WU_E_INSTALL_NOT_ALLOWED).
func offers(found []plugins.FoundUpdate) ([]plugins.Update, map[string][]plugins.FoundUpdate) {
	out := []plugins.Update{}
	excluded := map[string][]plugins.FoundUpdate{}
	seen := map[string]bool{}
	alone := 0
	for _, f := range found {
		u := update(f)
		why := excludedBecause(f)
		switch {
		case f.Installed || seen[u.ID]:
		case why != "":
			excluded[why] = append(excluded[why], f)
		case f.Impact == impactAlone:
			out = slices.Insert(out, alone, u)
			alone++
		default:
			out = append(out, u)
		}
		seen[u.ID] = true
	}
	return out, excluded
}

// excludedBecause is why CAU does not install an update (How CAU plug-ins work: licence terms, user input); empty where it does.
func excludedBecause(f plugins.FoundUpdate) string {
	switch {
	case !f.EulaAccepted:
		return "its licence terms were not accepted"
	case f.CanAskUser:
		return "it may ask somebody at the console"
	}
	return ""
}

// pinned is an update as the plan holds it for Stage and Install.
type pinned struct {
	plugins.UpdateID
}

func update(f plugins.FoundUpdate) plugins.Update {
	id := strings.ToLower(f.ID)
	identity := fmt.Sprintf("UpdateID %s revision %d", id, f.Revision)
	if len(f.KBs) > 0 {
		identity += ", KB" + strings.Join(f.KBs, ", KB")
	}
	if f.MaxBytes > 0 {
		identity += fmt.Sprintf(", up to %d MB", (f.MaxBytes+999_999)/1_000_000)
	}
	payload, _ := json.Marshal(pinned{plugins.UpdateID{ID: id, Revision: f.Revision}}) // a string and a number
	rule := "Windows Update"
	if len(f.Categories) > 0 {
		rule = f.Categories[0]
	}
	u := plugins.Update{
		ID: fmt.Sprintf("%s-r%d", id, f.Revision), Name: cmp.Or(f.Title, id), Plugin: Name, Files: []plugins.File{}, Identity: identity, Rule: rule,
		MayRestart: f.Reboot != rebootNever, LimitMinutes: installMinutes, Payload: payload,
	}
	if f.Severity != "" {
		u.Rule += ", " + f.Severity
	}
	if f.Impact == impactAlone {
		u.Warnings = append(u.Warnings, "It must be installed alone and comes before the others.")
	}
	return u
}

// leftOut are excluded updates with the nodes that they are excluded on, by reason and title.
type leftOut map[[2]string][]string

func (l leftOut) add(node string, excluded map[string][]plugins.FoundUpdate) {
	for why, updates := range excluded {
		for _, u := range updates {
			key := [2]string{cmp.Or(u.Title, u.ID), why}
			if !slices.Contains(l[key], node) {
				l[key] = append(l[key], node)
			}
		}
	}
}

func (l leftOut) list() []plugins.Ignored {
	var out []plugins.Ignored
	for key, nodes := range l {
		slices.Sort(nodes)
		out = append(out, plugins.Ignored{Path: key[0], Reason: key[1] + " (" + strings.Join(nodes, ", ") + "). Install it by hand on the node."})
	}
	slices.SortFunc(out, func(a, b plugins.Ignored) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
