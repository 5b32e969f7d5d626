package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/plugins"
)

// A plan of version 1 knows nothing of scripts, deliveries and signature policies, and has no limits of its updates.
func TestAPlanOfVersion1IsExecutedToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		data, err := json.Marshal(b.plan)
		if err != nil {
			t.Fatal(err)
		}
		var old map[string]any
		if err := json.Unmarshal(data, &old); err != nil {
			t.Fatal(err)
		}
		old["version"] = 1
		options, ok := old["options"].(map[string]any)
		if !ok {
			t.Fatal("the plan has no options")
		}
		for _, later := range []string{"script_as", "script_timeout_minutes", "signature_policy", "delivery"} {
			if _, there := options[later]; !there {
				t.Errorf("%s is not in a plan of version 2", later)
			}
			delete(options, later)
		}
		nodes, ok := old["nodes"].([]any)
		if !ok {
			t.Fatal("the plan has no nodes")
		}
		for _, n := range nodes {
			delete(n.(map[string]any), "delivery") //nolint:forcetypeassert // a panic says it as well
		}
		if data, err = json.Marshal(old); err != nil {
			t.Fatal(err)
		}
		b.plan = &engine.Plan{}
		if err := json.Unmarshal(data, b.plan); err != nil {
			t.Fatal(err)
		}
		b.plan.Upgrade()
		b.credential = lastsUntil(time.Now().Add(1000 * time.Hour))
		diesAt(b, engine.FactInstallIntent, func(*world) {})
		if s := b.toEnd(); s.Status != engine.RunSucceeded || b.p.deliveries["NODE1"] == plugins.DeliveryPush {
			t.Errorf("%s %v", s.Status, s.Cause)
		}
		if cau, _ := engine.CommandLines(b.plan); strings.Contains(cau, "--script") || strings.Contains(cau, "--delivery") || strings.Contains(cau, "--signature") {
			t.Errorf("%s", cau)
		}
	})
}
