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
