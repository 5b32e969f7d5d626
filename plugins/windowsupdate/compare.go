package windowsupdate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"cau/internal/check"
	"cau/plugins"
)

// Comparison is what our query finds on a node beside what CAU's own provider finds there (MSFT_CAUNode.ScanUpdates),
// without and with IncludeRecommendedUpdates. It proves or refutes what withRecommended takes for granted.
type Comparison struct {
	// Available is false where the node does not have CAU's provider: then nothing was compared.
	Available          bool
	Plain, Recommended Difference
}

// Difference is one search of both sides, by the updates' ids.
type Difference struct {
	Both []plugins.NamedUpdate
	// OnlyHere are what we alone would install, OnlyThere what CAU's provider alone finds.
	OnlyHere, OnlyThere []plugins.NamedUpdate
}

func (d Difference) differs() bool { return len(d.OnlyHere)+len(d.OnlyThere) > 0 }

// Compare searches the node four times, one after the other, with CAU's default query; it changes nothing. A search that
// fails is an error. run names the jobs and their traces on the node.
func Compare(ctx context.Context, node plugins.Node, run string) (Comparison, error) {
	out := Comparison{Available: true}
	for _, recommended := range []bool{false, true} {
		theirs, err := cauFinds(ctx, node, run, recommended)
		if err != nil || !theirs.Available {
			return Comparison{}, err
		}
		q, err := query(plugins.Arguments{argRecommended: fmt.Sprint(recommended)})
		if err != nil {
			return Comparison{}, err
		}
		ours, err := search(ctx, node, run, jobName(run, "ours", recommended), q.String())
		if err != nil {
			return Comparison{}, err
		}
		d := &out.Plain
		if recommended {
			d = &out.Recommended
		}
		*d = differ(ours.Updates, theirs.Updates)
	}
	return out, nil
}

func jobName(run, whose string, recommended bool) string {
	if recommended {
		return run + "-" + whose + "-recommended"
	}
	return run + "-" + whose + "-plain"
}

func cauFinds(ctx context.Context, node plugins.Node, run string, recommended bool) (plugins.CauScanResult, error) {
	var out plugins.CauScanResult
	input, err := json.Marshal(plugins.CauScanJob{Run: run, QueryString: DefaultQuery, IncludeRecommendedUpdates: recommended})
	if err != nil {
		return out, fmt.Errorf("write the search: %w", err)
	}
	job := plugins.Job{ID: jobName(run, "cau", recommended), Kind: plugins.JobCauScan, Input: input, Limit: scanLimit}
	data, err := node.RunJob(ctx, job, func(plugins.JobEvent) {})
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("read what CAU's provider found: %w", err)
	}
	return out, nil
}

// differ compares by id. What we find and leave out, as CAU does with what wants somebody at the console, makes no
// difference where CAU's provider leaves it out as well.
func differ(ours []plugins.FoundUpdate, theirs []plugins.NamedUpdate) Difference {
	var d Difference
	left := map[string]plugins.NamedUpdate{}
	for _, u := range theirs {
		left[u.ID] = u
	}
	seen := map[string]bool{}
	for _, u := range ours {
		named := plugins.NamedUpdate{ID: strings.ToLower(u.ID), Title: u.Title}
		_, both := left[named.ID]
		switch {
		case seen[named.ID]:
		case both:
			d.Both = append(d.Both, named)
			delete(left, named.ID)
		case !u.Installed && excludedBecause(u) == "":
			d.OnlyHere = append(d.OnlyHere, named)
		}
		seen[named.ID] = true
	}
	for _, u := range theirs {
		if _, there := left[u.ID]; there {
			d.OnlyThere = append(d.OnlyThere, u)
			delete(left, u.ID)
		}
	}
	return d
}

// Verdict says what the comparison means for IncludeRecommendedUpdates here, and what to do. Equal answers prove something
// only if a recommended update is among them.
func (c Comparison) Verdict() (outcome check.Outcome, says, advice string) {
	n := 0
	for _, u := range c.Recommended.Both {
		if !slices.Contains(c.Plain.Both, u) {
			n++
		}
	}
	switch {
	case !c.Available:
		return check.CannotVerify, "the node does not have CAU's provider (MSFT_CAUNode), so nothing was compared", "Compare on a node with the Failover Clustering feature of Windows Server 2012 or later."
	case c.Plain.differs():
		return check.Warn, "the two differ without IncludeRecommendedUpdates already: " + c.Plain.text(), "The query is the same, so look at what answers it: the node's update source, and whether the agent searched to its end."
	case c.Recommended.differs():
		return check.Warn, "with IncludeRecommendedUpdates the two differ: " + c.Recommended.text(), "Here cau does not take for recommended what CAU does. Name what you want with QueryString instead, and report it."
	case n == 0:
		return check.CannotVerify, fmt.Sprintf("both find the same %d updates, and none of them is a recommended one: this proves nothing yet", len(c.Recommended.Both)), "Compare again when Windows Update recommends something."
	}
	return check.Pass, fmt.Sprintf("both find the same %d updates, %d of them with IncludeRecommendedUpdates alone", len(c.Recommended.Both), n), ""
}

// text names what only one side finds, a few of each.
func (d Difference) text() string {
	var parts []string
	for _, side := range []struct {
		where string
		list  []plugins.NamedUpdate
	}{{"only cau's query finds", d.OnlyHere}, {"only CAU's provider finds", d.OnlyThere}} {
		const most = 5
		var names []string
		for _, u := range side.list[:min(len(side.list), most)] {
			names = append(names, u.Title+" ("+u.ID+")")
		}
		if more := len(side.list) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		if len(names) > 0 {
			parts = append(parts, side.where+" "+strings.Join(names, ", "))
		}
	}
	return strings.Join(parts, "; ")
}
