package winnode_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"cau/internal/winnode"
	"cau/internal/winnode/agent"
)

func TestR18_JobsAreListedCancelledKilledAndDeletedByName(t *testing.T) {
	s, f := newSite(t, "N1")
	n := f.Node("N1")
	var asked []string
	record := func(data any) operation {
		return func(args json.RawMessage) (any, *agent.OpError) {
			asked = append(asked, string(args))
			return data, nil
		}
	}
	s.on(agent.OpJobList, record(agent.JobList{Jobs: []agent.JobEntry{
		{Run: "r1", ID: "u1", Kind: "installer\x1b", TaskState: 4, LastResult: 0x41301, ProcessAlive: true, HeartbeatUTC: "2026-11-20T10:00:00Z"},
		{Run: "r0", ID: strings.Repeat("x", 999), LastResult: -2147020576, HeartbeatUTC: "?", Finished: true},
	}}))
	s.on(agent.OpJobCancel, record(agent.JobCancel{Exists: true}))
	s.on(agent.OpJobKill, record(agent.JobKill{Exists: true, Ended: []int{4711, 4712}}))
	s.on(agent.OpJobDelete, record(agent.JobDelete{Removed: true}))
	jobs, err := n.Jobs(t.Context(), "")
	if err != nil || len(jobs) != 2 || jobs[0].Kind != "installer" || !jobs[0].Alive || jobs[0].Heartbeat.IsZero() || jobs[0].LastResult != 0x41301 ||
		len(jobs[1].ID) > 100 || jobs[1].LastResult != 0x800710e0 || !jobs[1].Heartbeat.IsZero() || !jobs[1].Finished {
		t.Errorf("%+v %v", jobs, err)
	}
	if err := n.CancelJob(t.Context(), "r1", "u1"); err != nil {
		t.Error(err)
	}
	if ended, err := n.KillJob(t.Context(), "r1", "u1"); err != nil || !slices.Equal(ended, []int{4711, 4712}) {
		t.Error(ended, err)
	}
	if removed, err := n.DeleteJob(t.Context(), "r1", "u1"); err != nil || !removed {
		t.Error(removed, err)
	}
	if one := `{"id":"u1","run":"r1"}`; !slices.Equal(asked, []string{`{"run":""}`, one, one, one}) {
		t.Error(asked)
	}

	s.on(agent.OpJobCancel, give(struct{}{}))
	s.on(agent.OpJobKill, give(struct{}{}))
	if err := n.CancelJob(t.Context(), "r1", "u1"); !errors.Is(err, winnode.ErrNoJob) {
		t.Error(err)
	}
	if _, err := n.KillJob(t.Context(), "r1", "u1"); !errors.Is(err, winnode.ErrNoJob) {
		t.Error(err)
	}
	s.on(agent.OpJobKill, give(agent.JobKill{Exists: true, Ended: []int{0}}))
	if _, err := n.KillJob(t.Context(), "r1", "u1"); err == nil {
		t.Error("process 0 was ended")
	}
	s.on(agent.OpJobDelete, refuse("refused", 0))
	if _, err := n.DeleteJob(t.Context(), "r1", "u1"); err == nil {
		t.Error("a job that still works")
	}
}

func TestR33_AJobsNameIsCheckedBeforeItLeaves(t *testing.T) {
	s, f := newSite(t, "N1")
	n := f.Node("N1")
	for _, name := range []string{"", `..\x`, "a b", "A", "a'", strings.Repeat("x", 101)} {
		if err := n.CancelJob(t.Context(), "r1", name); err == nil {
			t.Errorf("cancel %q", name)
		}
		if _, err := n.KillJob(t.Context(), name, "u1"); err == nil {
			t.Errorf("kill %q", name)
		}
		if _, err := n.DeleteJob(t.Context(), name, name); err == nil {
			t.Errorf("delete %q", name)
		}
		if err := n.ClosePush(t.Context(), name); err == nil {
			t.Errorf("close %q", name)
		}
		if _, err := n.Jobs(t.Context(), name); err == nil && name != "" {
			t.Errorf("list %q", name)
		}
	}
	for _, op := range s.at("N1").calls() {
		if op != "upload" && op != agent.OpJobList {
			t.Error(op)
		}
	}
}
