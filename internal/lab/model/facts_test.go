package model

import (
	"slices"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

func TestAHealthyNodeHasNothingThatActsByItself(t *testing.T) {
	b := newBench(t, Config{})
	u := ask[agent.Updaters](b, "NODE1", agent.OpUpdatersGet, nil)
	if !u.NoAutoUpdate || u.AutomaticUpdates != 0 || u.ConfigMgr || u.Servicing || len(u.SelfUpdating) != 0 || u.Server != "" {
		t.Errorf("%+v", u)
	}
	if got := ask[agent.Backups](b, "NODE1", agent.OpBackupGet, nil); len(got.Programs)+len(got.SharedVolumes) != 0 {
		t.Errorf("%+v", got)
	}
	if got := ask[agent.BitLocker](b, "NODE1", agent.OpBitLockerGet, nil); got.Available {
		t.Errorf("%+v", got)
	}
	q := ask[agent.Quotas](b, "NODE1", agent.OpQuotasGet, nil)
	h := ask[agent.Hello](b, "NODE1", agent.OpHello, nil)
	if q.AllowUnencrypted || q.Basic || int(q.MaxEnvelopeKB) != h.MaxEnvelopeKB || int(q.MaxShellsPerUser) != h.MaxShells {
		t.Errorf("%+v %+v", q, h)
	}
}

func TestARoleMovesWhereItMayAndNowhereElse(t *testing.T) {
	b := newBench(t, Config{Scenario: Scenario{StuckOn: []string{"NODE3"}}})
	move := func(group, node string) agent.GroupMoveArgs { return agent.GroupMoveArgs{Group: group, Node: node} }
	ask[done](b, "NODE2", agent.OpGroupMove, move("vm01", "node4"))
	if code := refused(b, "NODE2", agent.OpGroupMove, move("VM01", "NODE3")); code != errGroupMoving {
		t.Errorf("while it moves: %d", code)
	}
	b.clock.advance(10 * time.Second)
	if !slices.Contains(b.owned("NODE4"), "VM01") {
		t.Errorf("NODE4 has %v", b.owned("NODE4"))
	}
	b.drain("NODE1")
	for _, tc := range []struct {
		group, node string
		code        int64
	}{
		{"VM01", "NODE1", errNodePaused}, {"VM01", "NODE9", errNodeNotFound}, {"VM99", "NODE2", errGroupNotFound}, {b.owned("NODE3")[0], "NODE2", errLockedStatus},
	} {
		if code := refused(b, "NODE2", agent.OpGroupMove, move(tc.group, tc.node)); code != tc.code {
			t.Errorf("%s to %s: %d", tc.group, tc.node, code)
		}
	}
}

func TestOnlyAFewServicesAreStarted(t *testing.T) {
	b := newBench(t, Config{})
	if s := ask[agent.ServiceState](b, "NODE1", agent.OpServiceStart, agent.ServiceStartArgs{Name: "wuauserv"}); s.State != serviceRunning {
		t.Errorf("%+v", s)
	}
	if r := try(b, "NODE1", agent.OpServiceStart, agent.ServiceStartArgs{Name: "Spooler"}); r.OK {
		t.Error("any service is started")
	}
	b.restart("NODE1")
	b.clock.advance(60 * time.Second)
	if s := ask[agent.ServiceState](b, "NODE1", agent.OpServiceStart, agent.ServiceStartArgs{Name: "ClusSvc"}); s.State != serviceRunning {
		t.Errorf("right after the start of the machine: %+v", s)
	}
	b.clock.advance(9 * time.Second)
	if m := b.memberView("NODE1"); m.State != nodeUp {
		t.Errorf("%+v", m)
	}
}

func TestTheEventLogIsReadFromItsEnd(t *testing.T) {
	b := newBench(t, Config{})
	b.drain("NODE1")
	b.restart("NODE1")
	b.clock.advance(5 * time.Minute)
	tail := func(a agent.EventLogArgs) []agent.EventRecord {
		return ask[agent.EventLog](b, "NODE1", agent.OpEventLogTail, a).Records
	}
	all := tail(agent.EventLogArgs{Log: "System", Max: 100})
	if len(all) != 3 || all[0].ID != 6005 || all[2].ID != 1074 || all[0].UTC < all[2].UTC {
		t.Errorf("%+v", all)
	}
	if got := tail(agent.EventLogArgs{Log: "System", Max: 1}); len(got) != 1 || got[0] != all[0] {
		t.Errorf("%+v", got)
	}
	if got := tail(agent.EventLogArgs{Log: "System", Max: 100, Since: all[0].UTC}); len(got) != 2 {
		t.Errorf("since the start: %+v", got)
	}
	if code := refused(b, "NODE1", agent.OpEventLogTail, agent.EventLogArgs{Log: "Nothing", Max: 1}); code != errNoChannel {
		t.Errorf("a log that does not exist: %d", code)
	}
	for _, bad := range []agent.EventLogArgs{{Log: "Sys*"}, {Log: ""}, {Log: "System", Max: 1, Since: "yesterday"}} {
		if r := try(b, "NODE1", agent.OpEventLogTail, bad); r.OK {
			t.Errorf("%+v is taken", bad)
		}
	}
	if got := tail(agent.EventLogArgs{Log: "System"}); len(got) != 1 {
		t.Errorf("without a limit: %+v", got)
	}
}

func TestAShareIsThereOnceItIsApplied(t *testing.T) {
	b := newBench(t, Config{Scenario: Scenario{NodeShares: []NodeShare{{Node: "NODE2", Name: "Old", Path: `D:\Old`}}}})
	describe := func(on, name string) agent.ShareFacts {
		return ask[agent.ShareFacts](b, on, agent.OpShareDescribe, agent.ShareDescribeArgs{Share: name})
	}
	if f := describe("NODE1", "Hotfixes"); f.Exists || len(f.Firewall) != 4 || f.Firewall[0].Enabled {
		t.Errorf("%+v", f)
	}
	if f := describe("NODE2", "old"); !f.Exists || f.Path != `D:\Old` {
		t.Errorf("%+v", f)
	}
	yes := true
	want := agent.ShareApplyArgs{
		Share: "Hotfixes", Path: `C:\Hotfixes`, ShareSDDL: "O:BAG:BAD:(A;;FA;;;BA)(A;;0x1200a9;;;AU)",
		FolderSDDL: "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)", EncryptData: &yes, RequireSigning: &yes,
	}
	if r := try(b, "NODE1", agent.OpShareApply, agent.ShareApplyArgs{Share: "Hotfixes"}); r.OK || r.Err.Kind != "refused" {
		t.Errorf("a share of no folder: %+v", r)
	}
	if f := ask[agent.ShareFacts](b, "NODE1", agent.OpShareApply, want); len(f.Changed) != 3 || !f.EncryptData || !f.RequireSigning {
		t.Errorf("%+v", f)
	}
	if f := ask[agent.ShareFacts](b, "NODE1", agent.OpShareApply, want); len(f.Changed) != 0 {
		t.Errorf("a second time: %v", f.Changed)
	}
	if f := describe("NODE1", "Hotfixes"); !f.Exists || f.ShareSDDL != want.ShareSDDL || f.FolderSDDL != want.FolderSDDL {
		t.Errorf("%+v", f)
	}
	for name, bad := range map[string]agent.ShareApplyArgs{
		"name": {Share: `a\b`, Path: `C:\x`}, "unc": {Share: "a", Path: `\\x\y`}, "way up": {Share: "a", Path: `C:\x\..\y`},
		"sddl": {Share: "a", Path: `C:\x`, ShareSDDL: "everyone"}, "nobody": {Share: "a", Path: `C:\x`, ShareSDDL: "D:"},
		"no descriptor": {Share: "a", Path: `C:\x`}, "below Windows": {Share: "a", Path: `c:\windows\x`, ShareSDDL: want.ShareSDDL}, "other folder": {Share: "Hotfixes", Path: `C:\Other`},
	} {
		if r := try(b, "NODE1", agent.OpShareApply, bad); r.OK {
			t.Errorf("%s is taken", name)
		}
	}
	const rule = "FileServer-ServerManager-SMB-TCP-In"
	r := ask[agent.FirewallRule](b, "NODE1", agent.OpFirewallRule, agent.FirewallRuleArgs{Name: rule, Enable: &yes})
	if !r.Exists || r.Before || !r.Enabled || !describe("NODE1", "x").Firewall[0].Enabled {
		t.Errorf("%+v", r)
	}
	if r := ask[agent.FirewallRule](b, "NODE1", agent.OpFirewallRule, agent.FirewallRuleArgs{Name: "None"}); r.Exists {
		t.Errorf("%+v", r)
	}
	if r := ask[agent.FirewallRule](b, "NODE1", agent.OpFirewallRule, agent.FirewallRuleArgs{Name: "None", Enable: &yes}); r.Exists || r.Enabled {
		t.Errorf("%+v", r)
	}
	other := want
	other.FolderSDDL = "D:P(A;;FA;;;BA)"
	if f := ask[agent.ShareFacts](b, "NODE1", agent.OpShareApply, other); len(f.Changed) != 1 || f.FolderSDDL != other.FolderSDDL {
		t.Errorf("%+v", f)
	}
}

func TestR08_NodesThatHaveDifferentUpdatesSaySo(t *testing.T) {
	files := &shelf{files: map[string]string{}}
	r := &rehearsal{bench: newBench(t, Config{Shares: files}), shelf: files}
	r.install("NODE2", "Update1.msu", 10*time.Minute)
	ids := func(node string) (out []string) {
		for _, h := range ask[agent.Hotfixes](r.bench, node, agent.OpHotfixList, agent.HotfixListArgs{Max: 500}).Installed {
			out = append(out, h.ID)
		}
		return out
	}
	if two, three := ids("NODE2"), ids("NODE3"); len(two) != len(three)+1 || !isKB(two[0]) {
		t.Errorf("%v, %v", two, three)
	}
}
