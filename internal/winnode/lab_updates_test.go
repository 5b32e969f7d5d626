package winnode_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/plugins"
)

// updateAgent asks one node's update agent, each time by a job of its own.
type updateAgent struct {
	t    *testing.T
	node *winnode.Node
	jobs int
}

func (a *updateAgent) run(kind plugins.JobKind, input, out any) {
	a.t.Helper()
	a.jobs++
	text, err := a.node.RunJob(a.t.Context(), plugins.Job{ID: "agent-" + string(rune('a'+a.jobs)), Kind: kind, Input: raw(a.t, input)}, nil)
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		a.t.Fatalf("%s on %s: %s %v", kind, a.node.Name(), text, err)
	}
}

const offered = "IsInstalled=0"

// scan gives what is offered, by the last digits of their ids.
func (a *updateAgent) scan() (ids []string, list []plugins.UpdateID) {
	a.t.Helper()
	var out plugins.UpdatesScanResult
	a.run(plugins.JobUpdatesScan, plugins.UpdatesQuery{Run: "r1", Criteria: offered}, &out)
	slices.SortFunc(out.Updates, func(x, y plugins.FoundUpdate) int { return int(x.ID[len(x.ID)-1]) - int(y.ID[len(y.ID)-1]) })
	for _, u := range out.Updates {
		ids, list = append(ids, u.ID[len(u.ID)-1:]), append(list, u.UpdateID)
	}
	return ids, list
}

// work downloads or installs and gives each update's HRESULT, by the last digit of its id.
func (a *updateAgent) work(kind plugins.JobKind, list ...plugins.UpdateID) map[string]fault.Code {
	a.t.Helper()
	var out plugins.UpdatesJobResult
	a.run(kind, plugins.UpdatesJob{UpdatesQuery: plugins.UpdatesQuery{Run: "r1", Criteria: offered}, Updates: list}, &out)
	codes := map[string]fault.Code{}
	for _, r := range out.Results {
		codes[r.ID[len(r.ID)-1:]] = fault.CodeOf(r.HResult)
	}
	return codes
}

func TestLabUpdatesThatFailKeepTheirCodes(t *testing.T) {
	_, f := labFleet(t, "updates-fail")
	for _, c := range []struct {
		node  string
		first fault.Code
	}{{"NODE1", 0}, {"NODE2", 0x80070643}} {
		a := &updateAgent{t: t, node: f.Node(c.node)}
		ids, list := a.scan()
		if !slices.Equal(ids, []string{"1", "2", "3"}) {
			t.Fatalf("%s is offered %v", c.node, ids)
		}
		if got := a.work(plugins.JobUpdatesDownload, list...); got["1"] != 0 || got["2"] != 0x80240034 || got["3"] != 0 {
			t.Errorf("downloads on %s: %v", c.node, got)
		}
		if got := a.work(plugins.JobUpdatesInstall, list[0], list[2]); got["1"] != c.first || got["3"] != 0 {
			t.Errorf("installations on %s: %v", c.node, got)
		}
		if c.first == 0 {
			continue
		}
		if ids, _ := a.scan(); !slices.Contains(ids, "1") {
			t.Errorf("what failed on %s is not offered again: %v", c.node, ids)
		}
		if got := a.work(plugins.JobUpdatesInstall, list[0]); got["1"] != 0 {
			t.Errorf("the second time on %s: %v", c.node, got)
		}
	}
}

func TestLabR21_AnUpdateThatARestartUndoesIsOfferedAgain(t *testing.T) {
	info, f := labFleet(t, "updates-loop")
	a := &updateAgent{t: t, node: f.Node("NODE1")}
	ids, list := a.scan()
	if !slices.Equal(ids, []string{"4"}) {
		t.Fatalf("offered are %v", ids)
	}
	if got := a.work(plugins.JobUpdatesDownload, list...); got["4"] != 0 {
		t.Fatal(got)
	}
	if got := a.work(plugins.JobUpdatesInstall, list...); got["4"] != 0 {
		t.Fatal(got)
	}
	if ids, _ := a.scan(); len(ids) != 0 {
		t.Errorf("installed, it is still offered: %v", ids)
	}
	boot, err := a.node.Boot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.node.Restart(t.Context(), boot.Identity, "Updating run r1"); err != nil {
		t.Fatal(err)
	}
	until(t, info, time.Hour, func() bool {
		b, err := a.node.Boot(t.Context())
		if err != nil {
			a.node.Reconnect()
		}
		return err == nil && b.Identity != boot.Identity && b.LogonReady && !b.ServicingBusy
	})
	if ids, _ := a.scan(); !slices.Equal(ids, []string{"4"}) {
		t.Errorf("after the restart %v are offered", ids)
	}
}
