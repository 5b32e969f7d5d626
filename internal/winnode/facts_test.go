package winnode_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/winnode/agent"
)

func TestR14_WhatBacksUpIsLookedForOnEveryNode(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	volumes := []agent.VolumeState{
		{Name: "good"},
		{Name: "redirected", FaultState: 1},
		{Name: "copied\x1b", BackupState: 1, FaultState: 4},
		{Name: "serviced", FaultState: 4 | 1},
		{Name: "away", FaultState: 2},
		{Name: "silent", BackupState: -1, FaultState: -1},
	}
	s.on(agent.OpBackupGet, give(agent.Backups{SharedVolumes: volumes}))
	s.at("N1").ops[agent.OpBackupGet] = give(agent.Backups{SharedVolumes: volumes, Programs: []string{"wbengine"}})
	want := []string{"away cannot be accessed", "copied is being backed up", "serviced is in maintenance", "silent does not say what state it is in", "wbengine runs on N1"}
	got, err := f.Backups(t.Context(), "N1")
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}

	s.on(agent.OpBackupGet, give(agent.Backups{}))
	if got, err := f.Backups(t.Context(), "N1"); len(got) != 0 || err != nil {
		t.Error(got, err)
	}
	s.at("N2").fail = []error{errAway}
	if _, err := f.Backups(t.Context(), "N1"); err == nil {
		t.Error("a node that could not be asked counts as free of backups")
	}
	s.on(agent.OpBackupGet, give(map[string]any{"shared_volumes": []map[string]any{{"name": "CSV1", "backup_state": 0}}}))
	if got, err := f.Backups(t.Context(), "N1"); err == nil {
		t.Errorf("a volume without a state is idle: %v", got)
	}
}

func TestR12_WhatElseCouldInstallIsNamed(t *testing.T) {
	for _, c := range []struct {
		in   agent.Updaters
		want engine.UpdatersView
	}{
		{agent.Updaters{NoAutoUpdate: true, AutomaticUpdates: 4}, engine.UpdatersView{Setting: "turned off by policy"}},
		{agent.Updaters{}, engine.UpdatersView{Automatic: true, Setting: "not set; Windows decides by itself"}},
		{agent.Updaters{AutomaticUpdates: 1}, engine.UpdatersView{Setting: "turned off"}},
		{agent.Updaters{AutomaticUpdates: 2}, engine.UpdatersView{Setting: "notifies before it downloads"}},
		{agent.Updaters{AutomaticUpdates: 3}, engine.UpdatersView{Setting: "downloads and does not install"}},
		{agent.Updaters{AutomaticUpdates: 4, Server: "http://wsus\x1b[0m"}, engine.UpdatersView{Automatic: true, Setting: "installs on schedule", Server: "http://wsus [0m"}},
		{agent.Updaters{AutomaticUpdates: 5}, engine.UpdatersView{Automatic: true, Setting: "the local administrator's choice"}},
		{agent.Updaters{AutomaticUpdates: 7}, engine.UpdatersView{Setting: "downloads and notifies before it installs and restarts"}},
		{agent.Updaters{AutomaticUpdates: 99}, engine.UpdatersView{Automatic: true, Setting: "unknown setting 99"}},
		{agent.Updaters{NoAutoUpdate: true, ConfigMgr: true}, engine.UpdatersView{Setting: "turned off by policy"}},
		{agent.Updaters{NoAutoUpdate: true, ConfigMgr: true, ConfigMgrRunning: true, Servicing: true}, engine.UpdatersView{Setting: "turned off by policy", ConfigMgr: true, Servicing: true}},
		{
			agent.Updaters{NoAutoUpdate: true, SelfUpdating: []agent.CauSchedule{{Name: "CAUFC1\r", Properties: []string{"DaysOfWeek=4", "Weeks=2"}}, {Name: "Old", State: 1}, {Name: "Odd", State: 2}}},
			engine.UpdatersView{Setting: "turned off by policy", SelfUpdating: []string{"CAUFC1: DaysOfWeek=4, Weeks=2", "Old (offline)", "Odd (state 2)"}, Schedules: []engine.SelfUpdate{
				{Role: "CAUFC1", Days: []time.Weekday{time.Tuesday}}, {Role: "Old", Disabled: true}, {Role: "Odd"},
			}},
		},
	} {
		s, f := newSite(t, "N1")
		s.on(agent.OpUpdatersGet, give(c.in))
		got, err := f.Node("N1").Updaters(t.Context())
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Error(d, err)
		}
	}
}

func TestR12_AnAnswerThatLeavesOutWhatItIsAboutIsNoAnswer(t *testing.T) {
	whole := map[string]any{"automatic_updates": 1, "no_auto_update": false, "config_mgr": false, "servicing": false, "utc_offset_minutes": 60}
	for field := range whole {
		part := map[string]any{}
		for k, v := range whole {
			if k != field {
				part[k] = v
			}
		}
		s, f := newSite(t, "N1")
		s.on(agent.OpUpdatersGet, give(part))
		if v, err := f.Node("N1").Updaters(t.Context()); err == nil {
			t.Errorf("without %s: %+v", field, v)
		}
	}
}

func TestBitLockerAsksAtTheStartUnlessATPMOpensTheDriveAlone(t *testing.T) {
	for _, c := range []struct {
		name string
		in   agent.BitLocker
		want engine.BitLockerView
	}{
		{"no feature", agent.BitLocker{}, engine.BitLockerView{Known: true}},
		{"off", agent.BitLocker{Available: true, SuspendCount: -1}, engine.BitLockerView{Known: true}},
		{"TPM and recovery password", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{1, 3}}, engine.BitLockerView{Known: true, Protected: true}},
		{"PIN", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{3, 4}}, engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}},
		{"startup key", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{5}}, engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}},
		{"PIN and key", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{6}}, engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}},
		{"passphrase", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{8}}, engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}},
		{"PIN beside a TPM", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{1, 4}}, engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}},
		{"only a recovery password", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{3}}, engine.BitLockerView{Known: true, Protected: true, AsksAtStart: true}},
		{"suspended", agent.BitLocker{Available: true, Protection: 0, Protectors: []int{4}, SuspendCount: 1}, engine.BitLockerView{Known: true, Suspended: 1}},
		{"suspended and read as on", agent.BitLocker{Available: true, Protection: 1, Protectors: []int{4}, SuspendCount: 2}, engine.BitLockerView{Known: true, Protected: true, Suspended: 2}},
		{"state unknown", agent.BitLocker{Available: true, Protection: 2, Protectors: []int{4}}, engine.BitLockerView{}},
		{"protectors unknown", agent.BitLocker{Available: true, Protection: 1}, engine.BitLockerView{Protected: true}},
	} {
		s, f := newSite(t, "N1")
		s.on(agent.OpBitLockerGet, give(c.in))
		got, err := f.Node("N1").BitLocker(t.Context())
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %s %v", c.name, d, err)
		}
	}
	for _, in := range []any{struct{}{}, map[string]any{"available": true}} {
		s, f := newSite(t, "N1")
		s.on(agent.OpBitLockerGet, give(in))
		if v, err := f.Node("N1").BitLocker(t.Context()); err == nil {
			t.Errorf("%v became %+v", in, v)
		}
	}
}

func TestR33_ADNSNameThatIsNoneIsLeftOut(t *testing.T) {
	s, f := newSite(t, "N1")
	for in, want := range map[string]string{"n1.contoso.test": "n1.contoso.test", "n1\r\nHost: x": "", "a:1": "", "<x>": "", "": "", strings.Repeat("x", 300): ""} {
		s.on(agent.OpHello, give(agent.Hello{Computer: "N1", Fqdn: in, Token: "net\x07work"}))
		v, err := f.Node("N1").Describe(t.Context())
		if err != nil || v.Fqdn != want || v.Token != "net work" {
			t.Errorf("%q: %+v %v", in, v, err)
		}
	}
}

func TestR33_WhatANodeTellsOfItsPastIsPrintableAndBounded(t *testing.T) {
	s, f := newSite(t, "N1")
	n := f.Node("N1")
	var asked string
	note := func(data any) operation {
		return func(args json.RawMessage) (any, *agent.OpError) { asked = string(args); return data, nil }
	}
	many := make([]agent.EventRecord, 500)
	many[0] = agent.EventRecord{UTC: "2026-11-20T10:00:00Z", Provider: "Serv\x1bice", ID: 7, Level: 2, Message: strings.Repeat("long\n", 10000)}
	s.on(agent.OpEventLogTail, note(agent.EventLog{Records: many}))
	records, err := n.EventLog(t.Context(), "System", s.clock.Now(), 3)
	if err != nil || len(records) != 3 || records[0].Provider != "Serv ice" || len(records[0].Message) > 2000 || records[0].Time.IsZero() || asked != `{"log":"System","since":"2026-11-20T03:00:00Z","max":3}` {
		t.Errorf("%s %d %v", asked, len(records), err)
	}
	for _, log := range []string{"", "a\nb"} {
		if _, err := n.EventLog(t.Context(), log, s.clock.Now(), 3); err == nil {
			t.Errorf("log %q", log)
		}
	}
	s.on(agent.OpHotfixList, note(agent.Hotfixes{
		Installed: []agent.Hotfix{{ID: "KB1\x1b", InstalledOn: "1/2/2026"}, {}, {}},
		History:   []agent.HistoryEntry{{UTC: "2026-11-20T10:00:00Z", Title: "A\tB", Operation: 1, Result: 4, HResult: -2145124329}},
	}))
	h, err := n.Hotfixes(t.Context(), 2)
	if err != nil || len(h.Installed) != 2 || h.Installed[0].ID != "KB1" || h.Entries[0].Title != "A B" || h.Entries[0].HResult != 0x80240017 || asked != `{"max":2}` {
		t.Errorf("%s %+v %v", asked, h, err)
	}
	s.on(agent.OpHello, note(agent.Hello{Build: "10.0.20348.2700"}))
	if v, err := n.Installed(t.Context()); err != nil || v.Build != "10.0.20348.2700" || !slices.Equal(v.Updates, []string{"KB1"}) || asked != `{"max":500}` {
		t.Errorf("R08: %s %+v %v", asked, v, err)
	}
	s.on(agent.OpQuotasGet, note(agent.Quotas{MaxShellsPerUser: 30, AllowUnencrypted: true, Proxy: "proxy:1\x1b"}))
	if q, err := n.Quotas(t.Context()); err != nil || q.MaxShellsPerUser != 30 || !q.AllowUnencrypted || q.Proxy != "proxy:1" {
		t.Errorf("%+v %v", q, err)
	}
	s.on(agent.OpServiceStart, note(agent.ServiceState{State: 2}))
	if state, err := n.StartService(t.Context(), "ClusSvc"); err != nil || state != 2 || asked != `{"name":"ClusSvc"}` {
		t.Errorf("%s %v %v", asked, state, err)
	}
	s.on(agent.OpServiceStart, note(struct{}{}))
	if _, err := n.StartService(t.Context(), "ClusSvc"); err == nil {
		t.Error("a service without a state was started")
	}
	asked = ""
	if _, err := n.StartService(t.Context(), "Spooler"); err == nil || asked != "" {
		t.Error("any service is started")
	}
}

func TestSharesAndFirewallRulesAreAskedForByNamesThatTheyCanHave(t *testing.T) {
	s, f := newSite(t, "FS")
	n := f.Node("FS")
	var asked string
	facts := agent.ShareFacts{Exists: true, Path: "D:\\Root\x1b", ShareSDDL: "O:BAG:BAD:(A;;FA;;;BA)", Changed: []string{"share\n"}, Firewall: []agent.FirewallRule{{Name: "X\x07"}}}
	record := func(args json.RawMessage) (any, *agent.OpError) { asked = string(args); return facts, nil }
	s.on(agent.OpShareDescribe, record)
	s.on(agent.OpShareApply, record)
	got, err := n.ShareDescribe(t.Context(), "Hotfixes$")
	if err != nil || asked != `{"share":"Hotfixes$"}` || got.Path != `D:\Root` || got.ShareSDDL != facts.ShareSDDL || got.Changed[0] != "share" || got.Firewall[0].Name != "X" {
		t.Errorf("%s %+v %v", asked, got, err)
	}
	yes := true
	if _, err := n.ShareApply(t.Context(), agent.ShareApplyArgs{Share: "H", Path: `D:\H`, EncryptData: &yes}); err != nil || !strings.Contains(asked, `"encrypt_data":true,"require_signing":null`) {
		t.Errorf("%s %v", asked, err)
	}
	s.on(agent.OpFirewallRule, func(args json.RawMessage) (any, *agent.OpError) {
		asked = string(args)
		return agent.FirewallRule{Name: "R", Exists: true, Enabled: true}, nil
	})
	if r, err := n.FirewallRule(t.Context(), "FPS-SMB-In-TCP", nil); err != nil || !r.Enabled || asked != `{"name":"FPS-SMB-In-TCP","enable":null}` {
		t.Errorf("%s %+v %v", asked, r, err)
	}
	asked = ""
	for _, bad := range []string{"", `a\b`, "a/b", "a*", "a\n", strings.Repeat("x", 300)} {
		if _, err := n.ShareDescribe(t.Context(), bad); err == nil {
			t.Errorf("share %q", bad)
		}
	}
	for _, bad := range []string{"", "*", "a'b", "a\n"} {
		if _, err := n.FirewallRule(t.Context(), bad, nil); err == nil {
			t.Errorf("rule %q", bad)
		}
	}
	if _, err := n.ShareApply(t.Context(), agent.ShareApplyArgs{Share: "H", Path: "D:\\H\n"}); err == nil || asked != "" {
		t.Errorf("a hostile path left: %s", asked)
	}
}
