package check_test

import (
	"testing"

	"cau/internal/check"
)

func TestR07_OnlyAnAcceptedIDOpensCannotVerifyAndNothingOpensFail(t *testing.T) {
	results := []check.Result{
		{ID: "layout", Outcome: check.Pass},
		{ID: "smb.dfs", Outcome: check.Warn},
		{ID: "acl.root.writers", Outcome: check.CannotVerify},
		{ID: "config.valid", Outcome: check.Fail},
		{ID: "smb.guest", Outcome: "something new"},
	}
	blocked := func(accepted ...string) (ids []string) {
		for _, r := range check.Gate(results, accepted) {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if got := blocked(); len(got) != 3 {
		t.Errorf("nothing accepted: %v", got)
	}
	if got := blocked("acl.root.writers", "config.valid", "*"); len(got) != 2 || got[0] != "config.valid" {
		t.Errorf("fail and unknown outcomes stay closed: %v", got)
	}
}

func TestCheckIDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range check.Catalogue() {
		if seen[c.ID] || c.Title == "" || c.Scope == "" {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
}

func TestOnlyPassesOfOneCheckShareALine(t *testing.T) {
	got := check.Grouped([]check.Result{
		{ID: "winrm.auth", Outcome: check.Pass, Subject: "NODE1", Evidence: "NTLMv2"},
		{ID: "winrm.auth", Outcome: check.Pass, Subject: "NODE2", Evidence: "NTLMv2"},
		{ID: "node.disk", Outcome: check.Pass, Subject: "NODE1", Evidence: "9 GiB"},
		{ID: "node.disk", Outcome: check.Warn, Subject: "NODE2", Evidence: "1 GiB"},
		{ID: "node.disk", Outcome: check.Pass, Subject: "NODE3", Evidence: "9 GiB"},
		{ID: "layout", Outcome: check.Pass},
		{ID: "layout", Outcome: check.Pass},
	})
	if len(got) != 6 || len(got[0].Subjects) != 2 || got[0].Evidence != "NTLMv2" || got[2].Outcome != check.Warn || got[3].Subjects[0] != "NODE3" {
		t.Errorf("%+v", got)
	}
}
