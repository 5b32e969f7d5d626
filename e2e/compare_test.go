package e2e_test

import (
	"encoding/json"
	"testing"

	"cau/internal/check"
	"cau/internal/cli"
)

// cauScanDiffers: doctor says on which node CAU's own provider finds what our query does, and what differs elsewhere.
func cauScanDiffers(t *testing.T) {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	info := w.lab("--scenario", "cau-scan-differs", "--speed", speed)
	var report cli.DoctorReport
	if err := json.Unmarshal([]byte(w.want(0, "doctor", "--lab="+info.ID, "--compare-updates", "--json").out), &report); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		outcome check.Outcome
		says    string
	}{
		{check.Pass, "both find the same 2 updates, 1 of them with IncludeRecommendedUpdates alone"},
		{check.Warn, "with IncludeRecommendedUpdates the two differ: only CAU's provider finds An optional update (KB5920003)"},
		{check.CannotVerify, "does not have CAU's provider"},
		{check.Warn, "with IncludeRecommendedUpdates the two differ: only cau's query finds A recommended update (KB5920002)"},
	} {
		n := report.Nodes[i]
		if got := n.Tried[len(n.Tried)-1]; got.Outcome != want.outcome || !like(want.says, got.Saw) {
			t.Errorf("%s: %+v", n.Name, got)
		}
		if (n.Compared == nil) != (want.outcome == check.CannotVerify) {
			t.Errorf("%s: %+v", n.Name, n.Compared)
		}
	}
	if c := report.Nodes[1].Compared; c != nil && (len(c.Plain.Both) != 1 || len(c.Recommended.Both) != 2 || len(c.Recommended.OnlyThere) != 1 || len(c.Recommended.OnlyHere) != 0) {
		t.Errorf("%+v", c)
	}
	for _, n := range w.inspect(info).State.Nodes {
		if n.Jobs > 0 {
			t.Errorf("%d jobs are left on %s", n.Jobs, n.Name)
		}
	}
	w.want(2, "doctor", "--lab="+info.ID, "--compare-updates", "--no-job")
}
