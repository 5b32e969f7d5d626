package windowsupdate_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/plugins"
	"cau/plugins/windowsupdate"
)

// both is a node whose agent and whose provider of CAU answer from lists, without and with recommended updates.
type both struct {
	ours     map[bool][]plugins.FoundUpdate
	theirs   map[bool][]string
	absent   bool
	err      error
	criteria []string
	ids      map[string]bool
}

func (b *both) Name() string { return "NODE1" }

func (b *both) RunJob(_ context.Context, job plugins.Job, _ func(plugins.JobEvent)) (json.RawMessage, error) {
	if b.ids[job.ID] || job.Limit <= 0 {
		return nil, plugins.ErrJobLost
	}
	b.ids[job.ID] = true
	if job.Kind == plugins.JobCauScan {
		var in plugins.CauScanJob
		if err := json.Unmarshal(job.Input, &in); err != nil || in.QueryString != windowsupdate.DefaultQuery || in.Run != "doctor-1" {
			return nil, plugins.ErrJobLost
		}
		out := plugins.CauScanResult{Available: !b.absent}
		for _, id := range b.theirs[in.IncludeRecommendedUpdates] {
			out.Updates = append(out.Updates, plugins.NamedUpdate{ID: id, Title: "T " + id[9:13]})
		}
		return json.Marshal(out)
	}
	if b.err != nil {
		return nil, b.err
	}
	var in plugins.UpdatesQuery
	if err := json.Unmarshal(job.Input, &in); err != nil {
		return nil, err
	}
	b.criteria = append(b.criteria, in.Criteria)
	return json.Marshal(plugins.UpdatesScanResult{ResultCode: 2, Updates: b.ours[strings.Contains(in.Criteria, "AutoSelectOnWebSites=1")]})
}

func TestWhatCAUItselfFindsProvesOrRefutesWhatIsTakenForRecommended(t *testing.T) {
	t.Parallel()
	found := func(ids ...string) (out []plugins.FoundUpdate) {
		for _, id := range ids {
			out = append(out, update(strings.ToUpper(id), "T "+id[9:13]))
		}
		return out
	}
	terms := update(three, "Terms")
	terms.EulaAccepted = false
	lists := func(plain, recommended []string) map[bool][]string {
		return map[bool][]string{false: plain, true: recommended}
	}
	ours := map[bool][]plugins.FoundUpdate{false: found(one), true: found(one, two)}
	for _, c := range []struct {
		name string
		node both
		want check.Outcome
		says string
		not  string
	}{
		{"the same", both{ours: ours, theirs: lists([]string{one}, []string{two, one})}, check.Pass, "the same 2 updates, 1 of them with IncludeRecommendedUpdates alone", "only"},
		{"nothing is recommended", both{ours: map[bool][]plugins.FoundUpdate{false: found(one), true: found(one)}, theirs: lists([]string{one}, []string{one})}, check.CannotVerify, "proves nothing yet", "only"},
		{"it finds fewer", both{ours: ours, theirs: lists([]string{one}, []string{one})}, check.Warn, "with IncludeRecommendedUpdates the two differ: only cau's query finds T 0002 (" + two + ")", "only CAU"},
		{"it finds more", both{ours: ours, theirs: lists([]string{one}, []string{one, two, three})}, check.Warn, "only CAU's provider finds T 0003 (" + three + ")", "only cau"},
		{"they differ anyway", both{ours: ours, theirs: lists([]string{one, three}, []string{one, two, three})}, check.Warn, "without IncludeRecommendedUpdates already: only CAU's provider finds T 0003", "only cau"},
		{"what waits for somebody is left out", both{ours: map[bool][]plugins.FoundUpdate{false: append(found(one), terms), true: append(found(one, two, two), terms)}, theirs: lists([]string{one}, []string{one, two})}, check.Pass, "1 of them", "only"},
		{"it names that as well", both{ours: map[bool][]plugins.FoundUpdate{false: append(found(one), terms), true: append(found(one, two), terms)}, theirs: lists([]string{one, three}, []string{one, two, three})}, check.Pass, "the same 3", "only"},
		{"there is no provider", both{absent: true}, check.CannotVerify, "does not have CAU's provider", "only"},
	} {
		c.node.ids = map[string]bool{}
		got, err := windowsupdate.Compare(t.Context(), &c.node, "doctor-1")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		outcome, says, advice := got.Verdict()
		if outcome != c.want || !strings.Contains(says, c.says) || strings.Contains(says, c.not) || (advice == "") != (c.want == check.Pass) {
			t.Errorf("%s: %s, %s, %s", c.name, outcome, says, advice)
		}
		if c.node.absent && len(c.node.criteria) > 0 {
			t.Errorf("%s: searched for nothing: %v", c.name, c.node.criteria)
		}
	}
	if _, err := windowsupdate.Compare(t.Context(), &both{ids: map[string]bool{}, err: plugins.ErrJobFailed}, "doctor-1"); err == nil {
		t.Error("a search that failed found nothing")
	}
}
