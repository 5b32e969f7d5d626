package engine_test

import (
	"testing"

	"cau/engine"
	"cau/internal/check"
)

func TestR07_AFailureStandsAloneInItsScopeAndTheGateStaysClosed(t *testing.T) {
	in := planInput(clusterOf(nil), nil)
	in.Checks, in.Scan.Checks = nil, []check.Result{{ID: "root.reach", Outcome: check.Fail, Evidence: "There is no such share."}}
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Checks {
		if c, _ := check.Lookup(r.ID); c.Scope == check.ScopeRoot && r.ID != "root.reach" {
			t.Errorf("%s is offered for acceptance beside the cause", r.ID)
		}
	}
	for _, r := range p.Checks {
		p.Accepted = append(p.Accepted, r.ID)
	}
	if len(p.Blocking()) == 0 {
		t.Error("the gate opened")
	}
}
