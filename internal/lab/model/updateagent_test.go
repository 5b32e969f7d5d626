package model

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

const cauQuery = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"

// Ids of the lab's catalogue.
const (
	stackUpdate = "a1f3c0de-0001-4c41-9b00-000000000001"
	cumulative  = "a1f3c0de-0002-4c41-9b00-000000000002"
	october     = "a1f3c0de-0003-4c41-9b00-000000000003"
	dotNet      = "a1f3c0de-0004-4c41-9b00-000000000004"
	followUp    = "a1f3c0de-0006-4c41-9b00-000000000006"
	driver      = "a1f3c0de-0007-4c41-9b00-000000000007"
	timeZones   = "a1f3c0de-0008-4c41-9b00-000000000008"
	withTerms   = "a1f3c0de-0009-4c41-9b00-000000000009"
	askingUser  = "a1f3c0de-0010-4c41-9b00-000000000010"
	hiddenOne   = "a1f3c0de-0011-4c41-9b00-000000000011"
)

// updatesJob runs one job of the update agent to its end.
func updatesJob(b *bench, on, kind string, in any) agent.JobResult {
	b.t.Helper()
	id := strings.ToLower(on) + "-" + string(rune('a'+len(b.node(on).jobs)%26)) + strings.Repeat("x", len(b.node(on).jobs)/26)
	b.startJob(on, id, kind, in)
	b.clock.advance(time.Hour)
	return b.result(on, id)
}

func (b *bench) scan(on, criteria string) (ids []string) {
	b.t.Helper()
	for _, u := range data[agent.UpdatesScanOutput](b.t, updatesJob(b, on, agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: criteria})).Updates {
		ids = append(ids, u.ID)
	}
	return ids
}

func (b *bench) updatesWork(on, kind string, ids ...string) agent.UpdatesWorkOutput {
	b.t.Helper()
	in := agent.UpdatesWorkInput{UpdatesQuery: agent.UpdatesQuery{Criteria: "IsInstalled=0 and IsHidden=0"}}
	for _, id := range ids {
		revision := 1
		for _, u := range b.catalogue {
			if u.ID == id {
				revision = u.Revision
			}
		}
		in.Updates = append(in.Updates, agent.UpdateID{ID: id, Revision: revision})
	}
	return data[agent.UpdatesWorkOutput](b.t, updatesJob(b, on, kind, in))
}

// get downloads and installs updates and gives the results of the installation.
func (b *bench) get(on string, ids ...string) agent.UpdatesWorkOutput {
	b.t.Helper()
	b.updatesWork(on, agent.JobUpdatesDownload, ids...)
	return b.updatesWork(on, agent.JobUpdatesInstall, ids...)
}

func restartNode(b *bench, on string) {
	b.t.Helper()
	b.restart(on)
	b.clock.advance(5 * time.Minute)
	_ = b.Now()
}

func TestTheAgentOffersWhatAppliesAndNothingSuperseded(t *testing.T) {
	b := newBench(t, Config{})
	first := b.scan("NODE1", cauQuery)
	if !slices.Contains(first, stackUpdate) || !slices.Contains(first, dotNet) {
		t.Errorf("first: %v", first)
	}
	for _, id := range []string{cumulative, october, followUp, driver, timeZones, hiddenOne} {
		if slices.Contains(first, id) {
			t.Errorf("%s is offered", id)
		}
	}
	if got := b.scan("NODE1", "IsInstalled=0 and Type='Driver'"); !slices.Equal(got, []string{driver}) {
		t.Errorf("drivers: %v", got)
	}
	if got := b.scan("NODE3", "IsInstalled=0 and Type='Driver'"); len(got) != 0 {
		t.Errorf("drivers of another machine: %v", got)
	}
	if got := b.scan("NODE1", "IsInstalled=0 and BrowseOnly=1"); !slices.Equal(got, []string{timeZones}) {
		t.Errorf("recommended: %v", got)
	}
	if got := b.scan("NODE1", "IsInstalled=0 and IsAssigned=0 and AutoSelectOnWebSites=1"); !slices.Equal(got, []string{timeZones}) {
		t.Errorf("recommended: %v", got)
	}
	if got := b.scan("NODE1", "(CategoryIDs contains '28bc880e-0592-4cbf-8f95-c79b17911d5f' and IsPresent=0) or (Type='Driver' and DeploymentAction='Uninstallation')"); len(got) != 1 {
		t.Errorf("update rollups: %v", got)
	}
	for _, wrong := range []string{"CategoryIDs='28bc880e-0592-4cbf-8f95-c79b17911d5f'", "Type contains 'Driver'", "DeploymentAction='Anything'", "IsPresent='1'"} {
		if j := updatesJob(b, "NODE1", agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: wrong}); j.Err == nil || j.Err.Code != wuInvalidCriteria {
			t.Errorf("%s: %+v", wrong, j.Err)
		}
	}
	if got := b.scan("NODE1", "IsHidden=1"); !slices.Equal(got, []string{hiddenOne}) {
		t.Errorf("hidden: %v", got)
	}
	b.get("NODE1", stackUpdate)
	second := b.scan("NODE1", cauQuery)
	if !slices.Contains(second, cumulative) || slices.Contains(second, october) || slices.Contains(second, stackUpdate) {
		t.Errorf("after the servicing stack: %v", second)
	}
	all := data[agent.UpdatesScanOutput](t, updatesJob(b, "NODE1", agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: cauQuery, IncludePotentiallySuperseded: true}))
	if !slices.ContainsFunc(all.Updates, func(u agent.FoundUpdate) bool { return u.ID == october }) {
		t.Error("whoever asks for superseded ones does not get them")
	}
	out := b.get("NODE1", cumulative)
	if r := out.Results[0]; r.ResultCode != resultSucceeded || !r.RestartRequired || !out.RestartRequired {
		t.Fatalf("%+v", out)
	}
	if got := b.scan("NODE1", "RebootRequired=1"); !slices.Equal(got, []string{cumulative}) {
		t.Errorf("waiting for a restart: %v", got)
	}
	if r := data[agent.RestartRequired](t, updatesJob(b, "NODE1", agent.JobUpdatesRestart, struct{}{})); !r.Required {
		t.Error("the agent does not say that a restart is required")
	}
	if got := b.scan("NODE1", cauQuery); !slices.Contains(got, followUp) {
		t.Errorf("what follows it: %v", got)
	}
	restartNode(b, "NODE1")
	if r := data[agent.RestartRequired](t, updatesJob(b, "NODE1", agent.JobUpdatesRestart, struct{}{})); r.Required {
		t.Error("still required after the restart")
	}
	if got := b.scan("NODE1", "UpdateID='"+october+"'"); len(got) != 0 {
		t.Errorf("superseded by an installed one: %v", got)
	}
	if got := b.scan("NODE2", cauQuery); !slices.Equal(got, first) {
		t.Errorf("another node: %v", got)
	}
	h := ask[agent.Hotfixes](b, "NODE1", agent.OpHotfixList, agent.HotfixListArgs{Max: 1})
	if len(h.Installed) != 1 || h.Installed[0].ID != "KB5900002" || len(h.History) != 1 || h.History[0].Result != resultSucceeded {
		t.Errorf("%+v", h)
	}
	log := ask[agent.EventLog](b, "NODE1", agent.OpEventLogTail, agent.EventLogArgs{Log: "system", Max: 200}).Records
	if log[0].ID != 6005 || !slices.ContainsFunc(log, func(r agent.EventRecord) bool { return r.ID == 19 && strings.Contains(r.Message, "KB5900002") }) {
		t.Errorf("%+v", log)
	}
}

func TestTheAgentRefusesWhatWindowsRefuses(t *testing.T) {
	b := newBench(t, Config{})
	code := func(out agent.UpdatesWorkOutput) int64 { return out.Results[len(out.Results)-1].HResult }
	if out := b.updatesWork("NODE1", agent.JobUpdatesInstall, dotNet); code(out) != wuNotDownloaded {
		t.Errorf("not downloaded: %+v", out)
	}
	if out := b.get("NODE1", withTerms, askingUser); out.Results[0].HResult != wuEulasDeclined || code(out) != wuNoInteractiveUser {
		t.Errorf("%+v", out)
	}
	if out := b.get("NODE1", cumulative); !out.Results[0].Missing {
		t.Errorf("without its prerequisite: %+v", out)
	}
	if r := updatesJob(b, "NODE1", agent.JobUpdatesInstall, agent.UpdatesWorkInput{
		UpdatesQuery: agent.UpdatesQuery{Criteria: cauQuery}, Updates: []agent.UpdateID{{ID: dotNet, Revision: 1}},
	}); !data[agent.UpdatesWorkOutput](t, r).Results[0].Missing {
		t.Errorf("another revision: %s", r.Data)
	}
	b.get("NODE1", driver)
	if out := b.get("NODE1", stackUpdate); code(out) != wuInstallNotAllowed {
		t.Errorf("an exclusive one while a restart is pending: %+v", out)
	}
	if out := b.get("NODE1", driver); !out.Results[0].AlreadyDone {
		t.Errorf("again: %+v", out)
	}
	for criteria, want := range map[string]int64{"IsInstalled=0 and (Type='Software'": wuInvalidCriteria, "nonsense": wuInvalidCriteria, cauQuery: 0} {
		r := updatesJob(b, "NODE2", agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: criteria})
		if want == 0 && !r.OK || want != 0 && (r.OK || r.Err.Kind != "hresult" || r.Err.Code != want) {
			t.Errorf("%s: %+v", criteria, r.Err)
		}
	}
	if r := updatesJob(b, "NODE2", agent.JobUpdatesScan, agent.UpdatesQuery{}); r.OK || r.Err.Kind != "refused" {
		t.Errorf("no criteria: %+v", r)
	}
	if r := updatesJob(b, "NODE2", agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: cauQuery, ServerSelection: 4}); r.OK || r.Err.Kind != "refused" {
		t.Errorf("no such selection: %+v", r)
	}
	if r := updatesJob(b, "NODE2", agent.JobUpdatesScan, agent.UpdatesQuery{Criteria: cauQuery, ServerSelection: 3, ServiceID: "00000000-0000-0000-0000-000000000000"}); r.OK || r.Err.Code != wuUnknownService {
		t.Errorf("an unknown service: %+v", r)
	}
}

func TestAFailingUpdateFailsAsOftenAsItIsTold(t *testing.T) {
	id := "11111111-2222-3333-4444-555555555555"
	b := newBench(t, Config{Scenario: Scenario{Updates: []Update{
		{ID: id, Revision: 1, Title: "x", Fails: 0x80070643, FailsTimes: 1, FailsOn: []string{"NODE1"}},
		{ID: "21111111-2222-3333-4444-555555555555", Revision: 1, Title: "y", DownloadFails: 0x80240034},
		{ID: "31111111-2222-3333-4444-555555555555", Revision: 1, Title: "z", Reboot: 1, RollsBack: true},
	}}})
	if out := b.get("NODE1", id); out.Results[0].ResultCode != resultFailed || out.Results[0].HResult != 0x80070643 {
		t.Errorf("%+v", out)
	}
	if out := b.get("NODE1", id); out.Results[0].ResultCode != resultSucceeded {
		t.Errorf("the second time: %+v", out)
	}
	if out := b.get("NODE2", id); out.Results[0].ResultCode != resultSucceeded {
		t.Errorf("on another node: %+v", out)
	}
	if out := b.updatesWork("NODE1", agent.JobUpdatesDownload, "21111111-2222-3333-4444-555555555555"); out.Results[0].HResult != 0x80240034 {
		t.Errorf("%+v", out)
	}
	if out := b.get("NODE3", "31111111-2222-3333-4444-555555555555"); out.Results[0].ResultCode != resultSucceeded {
		t.Errorf("%+v", out)
	}
	restartNode(b, "NODE3")
	if got := b.scan("NODE3", cauQuery); !slices.Contains(got, "31111111-2222-3333-4444-555555555555") {
		t.Errorf("what was rolled back is not offered again: %v", got)
	}
	installed := 0
	for _, i := range b.State().Nodes[0].Installs {
		if i.Installed && i.Agent && !i.End.IsZero() {
			installed++
		}
	}
	if h := b.State().Nodes[0].History; installed != 1 || len(h) != 2 || h[0].HResult != 0x80070643 {
		t.Errorf("%d installations, %+v", installed, h)
	}
}

func TestCancellingStopsBetweenTwoUpdates(t *testing.T) {
	b := newBench(t, Config{})
	b.updatesWork("NODE1", agent.JobUpdatesDownload, stackUpdate, dotNet)
	in := agent.UpdatesWorkInput{UpdatesQuery: agent.UpdatesQuery{Criteria: cauQuery}, Updates: []agent.UpdateID{{ID: stackUpdate, Revision: 200}, {ID: dotNet, Revision: 103}}}
	b.startJob("NODE1", "install", agent.JobUpdatesInstall, in)
	b.clock.advance(15 * time.Second)
	ask[agent.JobCancel](b, "NODE1", agent.OpJobCancel, agent.JobArgs{ID: "install", Run: "run1"})
	b.clock.advance(10 * time.Minute)
	out := data[agent.UpdatesWorkOutput](t, b.result("NODE1", "install"))
	if out.Results[0].ResultCode != resultSucceeded || out.Results[1].ResultCode != resultNotStarted {
		t.Errorf("%+v", out)
	}
}

func TestTheAgentDoesNotInstallBesideAnotherInstaller(t *testing.T) {
	s := &shelf{}
	b := newBench(t, Config{Shares: s})
	f := b.stageFile(s, "NODE1", "u", "a.msi", header("seconds=86400"))
	b.updatesWork("NODE1", agent.JobUpdatesDownload, dotNet)
	b.startJob("NODE1", "long", agent.JobInstaller, agent.InstallerInput{Run: "run1", Update: "u", Target: "a.msi", Files: []agent.StageFile{f}, Program: `%SystemRoot%\System32\msiexec.exe`, Parameters: `/i "%CAU_UPDATE%\a.msi" /qn`})
	b.clock.advance(10 * time.Second)
	if u := ask[agent.Updaters](b, "NODE1", agent.OpUpdatersGet, nil); !u.Servicing {
		t.Error("nobody sees the installer")
	}
	if out := b.updatesWork("NODE1", agent.JobUpdatesInstall, dotNet); out.Results[0].HResult != wuInstallNotAllowed {
		t.Errorf("%+v", out)
	}
	if i := b.State().Incidents; len(i) != 1 || i[0].Kind != "overlap" {
		t.Errorf("%+v", i)
	}
}

func TestWhatTheAgentInstallsGoesOnWhenItsJobIsEnded(t *testing.T) {
	b := newBench(t, Config{})
	b.updatesWork("NODE1", agent.JobUpdatesDownload, dotNet)
	b.startJob("NODE1", "install", agent.JobUpdatesInstall, agent.UpdatesWorkInput{Updates: []agent.UpdateID{{ID: dotNet, Revision: 103}}})
	b.clock.advance(15 * time.Second)
	ask[agent.JobKill](b, "NODE1", agent.OpJobKill, agent.JobArgs{ID: "install", Run: "run1"})
	b.clock.advance(5 * time.Minute)
	if p := b.poll("NODE1", "install", 0); p.Result != "" || p.ProcessAlive {
		t.Errorf("%+v", p)
	}
	if got := b.State().Nodes[0].Installed; !slices.Contains(got, dotNet) {
		t.Errorf("installed: %v", got)
	}
}

func TestCriteria(t *testing.T) {
	for text, valid := range map[string]bool{
		"": true, cauQuery: true, "isinstalled = 1 AND type != 'Driver'": true, "IsInstalled=0 or IsHidden=1": true,
		"(IsInstalled=0 and IsAssigned=1) or (BrowseOnly=1 and RebootRequired=0)": true,
		"UpdateID='" + dotNet + "' and RevisionNumber=103":                        true,
		"RevisionNumber=103":       false,
		"UpdateID='x'":             false,
		"IsInstalled=2":            false,
		"IsInstalled='0'":          false,
		"IsInstalled!=0":           false,
		"Type=Software":            false,
		"CategoryIDs contains 'x'": false,
		"IsInstalled=0 and":        false,
		"IsInstalled=0 or":         false,
		"IsInstalled=0 and (IsHidden=0 or IsHidden=1)":            false,
		"not IsInstalled=0":                                       false,
		strings.Repeat("IsInstalled=0 and ", 1000) + "IsHidden=0": false,
	} {
		if _, err := readCriteria(text); (err == nil) != valid {
			t.Errorf("%.80q: %v", text, err)
		}
	}
}

func FuzzCriteria(f *testing.F) {
	f.Add(cauQuery)
	f.Add("(IsInstalled=0) or UpdateID='" + dotNet + "' and RevisionNumber=1")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := readCriteria(text)
		if err == nil && len(c) == 0 {
			t.Errorf("%q finds nothing ever", text)
		}
		for _, all := range c {
			if len(all) == 0 {
				t.Errorf("%q has an empty conjunction", text)
			}
		}
	})
}
