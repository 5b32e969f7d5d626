package winnode_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

func TestWhatANodeSaysAboutItself(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpHello, give(agent.Hello{
		Computer: "N1", Domain: "contoso\x1b.test", Build: "20348.2227", PowerShell: "5.1.20348.1", LanguageMode: "FullLanguage", Admin: true,
		FreeBytes: 1 << 40, Namespaces: []string{"mscluster", "storage"}, MaxEnvelopeKB: 500, MaxShells: 30,
	}))
	got, err := f.Node("N1").Describe(t.Context())
	want := engine.NodeView{
		Computer: "N1", Domain: "contoso .test", Build: "20348.2227", PowerShell: "5.1.20348.1", LanguageMode: "FullLanguage", Admin: true,
		FreeBytes: 1 << 40, Namespaces: []string{"mscluster", "storage"}, MaxEnvelopeKB: 500, MaxShells: 30,
		Time: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Asked: s.clock.Now(),
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	c, err := f.Contact(t.Context(), "N1")
	if err != nil || c.Address != "at-N1" || c.Node.Computer != "N1" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestR21_ReadinessSignals(t *testing.T) {
	s, f := newSite(t, "N1")
	for _, c := range []struct {
		in   agent.BootInfo
		want engine.BootView
	}{
		{agent.BootInfo{BootFileTime: "100", UptimeSeconds: 1.5, AutoLogonChecked: true, ClusterService: true}, engine.BootView{Identity: "100", Uptime: 1500 * time.Millisecond, LogonReady: true, ClusterService: true}},
		{agent.BootInfo{BootFileTime: "100", CBSServicing: 2}, engine.BootView{Identity: "100", ServicingBusy: true}},
		{agent.BootInfo{BootFileTime: "100", CBSServicing: 1}, engine.BootView{Identity: "100"}},
		{agent.BootInfo{BootFileTime: "100", TiWorker: true}, engine.BootView{Identity: "100", ServicingBusy: true}},
	} {
		s.on(agent.OpBootInfo, give(c.in))
		got, err := f.Node("N1").Boot(t.Context())
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Error(d, err)
		}
	}
}

func TestR21_TheIdentityChangesWithTheBootAndNotWithTheClock(t *testing.T) {
	s, f := newSite(t, "N1")
	const second = 10_000_000 // in FILETIME's 100 ns
	identity := func(boot int64) string {
		t.Helper()
		s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: strconv.FormatInt(boot, 10)}))
		b, err := f.Node("N1").Boot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return b.Identity
	}
	first := identity(1000 * second)
	if nudged := identity(1001 * second); nudged != first {
		t.Errorf("%s became %s although nothing started", first, nudged)
	}
	if second := identity(1030 * second); second == first {
		t.Error("a new boot has the old identity")
	}
}

func TestPendingRestartTellsWhatCountsFromWhatDoesNot(t *testing.T) {
	s, f := newSite(t, "N1")
	for _, c := range []struct {
		in      agent.Pending
		reasons int
		remarks int
	}{
		{agent.Pending{}, 0, 0},
		{agent.Pending{CBSRebootPending: true}, 1, 0},
		{agent.Pending{CBSPackagesPending: true}, 1, 0},
		{agent.Pending{WURebootRequired: true}, 1, 0},
		{agent.Pending{UpdateExeVolatile: true}, 1, 0},
		{agent.Pending{PendingXML: true, PendingFileRename: true, ComputerNamePending: true}, 0, 3},
	} {
		s.on(agent.OpPendingGet, give(c.in))
		v, err := f.Node("N1").PendingRestart(t.Context())
		if err != nil || len(v.Reasons) != c.reasons || len(v.Remarks) != c.remarks || v.Pending() != (c.reasons > 0) {
			t.Errorf("%+v: %+v %v", c.in, v, err)
		}
	}
}

func TestR21_ARestartHitsOnlyTheBootThatItIsMeantFor(t *testing.T) {
	const boot = int64(1000 * 10_000_000)
	text := strconv.FormatInt(boot, 10)
	for _, c := range []struct {
		name   string
		expect string
		codes  []int64 // of shutdown /r, in order
		abort  int64
		fail   fault.Code
		asked  int
	}{
		{"plain", text, []int64{0}, 0, 0, 1},
		{"boot time nudged since", strconv.FormatInt(boot+15_000_000, 10), []int64{0}, 0, 0, 1},
		{"another boot", strconv.FormatInt(boot-300_000_000, 10), nil, 0, 0, 0},
		{"going down already", text, []int64{1115}, 0, 0, 1},
		{"somebody's restart scheduled", text, []int64{1190, 0}, 0, 0, 2},
		{"scheduled and gone meanwhile", text, []int64{1190, 0}, 1116, 0, 2},
		{"scheduled again and again", text, []int64{1190, 1190}, 0, 1190, 2},
		{"cannot be taken back", text, []int64{1190}, 5, 5, 1},
		{"refused", text, []int64{1314}, 0, 1314, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := newSite(t, "N1")
			s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: text}))
			s.on(agent.OpNodeRestartAbort, give(agent.RestartAbort{Code: c.abort}))
			asked := 0
			s.on(agent.OpNodeRestart, func(args json.RawMessage) (any, *agent.OpError) {
				var a agent.RestartArgs
				if err := json.Unmarshal(args, &a); err != nil || a.ExpectBoot != text || a.DelaySeconds < 2 || a.Comment != "Updating run _1_ _quote" {
					t.Errorf("%s %v", args, err)
				}
				asked++
				return agent.Restart{Code: c.codes[asked-1]}, nil
			})
			err := f.Node("N1").Restart(t.Context(), c.expect, "Updating run \"1\" \nquote")
			var e *fault.Error
			if errors.As(err, &e) != (c.fail != 0) || (e != nil && e.Code != c.fail) || asked != c.asked {
				t.Errorf("%v, asked %d times", err, asked)
			}
		})
	}
}

func TestARestartCommentIsBounded(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpBootInfo, give(agent.BootInfo{BootFileTime: "1"}))
	s.on(agent.OpNodeRestart, func(args json.RawMessage) (any, *agent.OpError) {
		var a agent.RestartArgs
		if err := json.Unmarshal(args, &a); err != nil || len(a.Comment) > 200 {
			t.Errorf("%d characters, %v", len(a.Comment), err)
		}
		return agent.Restart{AlreadyRestarted: true}, nil
	})
	if err := f.Node("N1").Restart(t.Context(), "1", strings.Repeat("long ", 1000)); err != nil {
		t.Error(err)
	}
}

func TestR23_CleaningEverythingTakesTheScriptsAlong(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	s.on(agent.OpNodeClean, func(args json.RawMessage) (any, *agent.OpError) {
		if string(args) == `{"run":""}` {
			m.uploaded = false
		}
		return agent.Clean{}, nil
	})
	for _, run := range []string{"r1", "", "r2"} {
		if err := f.Node("N1").Clean(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"upload", agent.OpNodeClean, agent.OpNodeClean, "upload", agent.OpNodeClean}; !slices.Equal(m.calls(), want) {
		t.Error(m.calls())
	}
	s.on(agent.OpNodeClean, refuse("refused", 0))
	if err := f.Node("N1").Clean(t.Context(), ""); err == nil {
		t.Error("a node whose job still works")
	}
}
