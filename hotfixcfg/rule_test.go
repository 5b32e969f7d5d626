package hotfixcfg_test

import (
	"testing"

	"cau/hotfixcfg"
	"cau/internal/fault"
)

func TestR20_AnExitCodeMeansWhatTheRuleListsAndAnUnlistedOneIsAFailureWithoutRestart(t *testing.T) {
	cfg := hotfixcfg.Default()
	for _, c := range []struct {
		ext  string
		code int64
		want hotfixcfg.Outcome
	}{
		{"msu", 0, hotfixcfg.Installed},
		{"msi", 0, hotfixcfg.Installed},
		{"msp", 0, hotfixcfg.Installed},
		{"msu", 3010, hotfixcfg.InstalledRestart},
		{"msu", 2359301, hotfixcfg.InstalledRestart},
		{"msu", 2359302, hotfixcfg.AlreadyInstalled},
		{"msu", -2145124329, hotfixcfg.NotApplicable},
		{"msu", 0x80240017, hotfixcfg.NotApplicable},
		{"msu", 0x80240016, hotfixcfg.Failed},
		{"msu", 5, hotfixcfg.Failed},
		{"msu", 1058, hotfixcfg.Failed},
		{"msu", 161, hotfixcfg.Failed},
		{"msu", 1641, hotfixcfg.Failed},
		{"msi", 1641, hotfixcfg.InstalledRestart},
		{"msp", 1641, hotfixcfg.InstalledRestart},
		{"msi", 3017, hotfixcfg.FailedRestart},
		{"msp", 3018, hotfixcfg.FailedRestart},
		{"msi", 1638, hotfixcfg.AlreadyInstalled},
		{"msi", 1633, hotfixcfg.NotApplicable},
		{"msi", 1603, hotfixcfg.Failed},
		{"msi", 1618, hotfixcfg.Failed},
		{"msi", 1605, hotfixcfg.Failed},
		{"msp", 1605, hotfixcfg.NotApplicable},
		{"msp", 1642, hotfixcfg.NotApplicable},
		{"msp", 1612, hotfixcfg.Failed},
	} {
		rule, ok := cfg.Extension(c.ext)
		if !ok {
			t.Fatalf("no rule for %s", c.ext)
		}
		if got := rule.Classify(fault.CodeOf(c.code)); got != c.want {
			t.Errorf("%s %d: %s, want %s", c.ext, c.code, got, c.want)
		}
	}
	if got := (hotfixcfg.Rule{}).Classify(0); got != hotfixcfg.Failed {
		t.Errorf("no rule at all: %s", got)
	}
}

func TestAlwaysRebootAsksForARestartAfterASuccessCodeOnly(t *testing.T) {
	rule := hotfixcfg.Rule{Kind: hotfixcfg.FolderRule, Name: "F", AlwaysReboot: true, Exit: hotfixcfg.ExitConditions{
		Success: []fault.Code{0, 7}, SuccessRebootRequired: []fault.Code{2}, FailRebootRequired: []fault.Code{5},
		AlreadyInstalled: []fault.Code{3}, NotApplicable: []fault.Code{4},
	}}
	for code, want := range map[fault.Code]struct {
		outcome         hotfixcfg.Outcome
		restart, failed bool
	}{
		0: {hotfixcfg.InstalledRestart, true, false},
		7: {hotfixcfg.InstalledRestart, true, false},
		2: {hotfixcfg.InstalledRestart, true, false},
		3: {hotfixcfg.AlreadyInstalled, false, false},
		4: {hotfixcfg.NotApplicable, false, false},
		5: {hotfixcfg.FailedRestart, true, true},
		1: {hotfixcfg.Failed, false, true},
	} {
		got := rule.Classify(code)
		if got != want.outcome || got.Restart() != want.restart || got.Failed() != want.failed {
			t.Errorf("%d: %s, restart %v, failed %v", code, got, got.Restart(), got.Failed())
		}
	}
	if o := hotfixcfg.Outcome("of a later program"); !o.Failed() || o.Restart() {
		t.Error("an unknown outcome is a failure without restart")
	}
}

func TestAnInstallerThatRestartsTheNodeItselfIsWarnedAbout(t *testing.T) {
	rule, _ := hotfixcfg.Default().Extension("msi")
	for code, warned := range map[fault.Code]bool{1641: true, 3018: true, 0: false, 3010: false, 3017: false} {
		if got := rule.Warning(code); (got != "") != warned {
			t.Errorf("%d: %q", code, got)
		}
	}
}
