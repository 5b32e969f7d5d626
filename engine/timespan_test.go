package engine_test

import (
	"testing"
	"time"

	"cau/engine"
)

func TestATimeSpanIsReadAsCAUAndPeopleWriteIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"01:30:00": 90 * time.Minute, "1:30": 90 * time.Minute, "1.02:00:00": 26 * time.Hour, "90": 90 * time.Minute, "1h30m": 90 * time.Minute, "00:00:05": 5 * time.Second, "0": 0,
	} {
		got, err := engine.ParseTimeSpan(text)
		if err != nil || time.Duration(got) != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
		if again, err := engine.ParseTimeSpan(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which reads as %s, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "-5", "25:00:00", "01:60:00", "01:00:61", "soon", "1.5", "1500ms", "1:2:3", "99999999999999"} {
		if got, err := engine.ParseTimeSpan(text); err == nil {
			t.Errorf("%q is taken as %s", text, got)
		}
	}
}

func TestEveryParameterOfInvokeCauRunHasOneStandingAndARefusedOneSaysWhatToUse(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range engine.Parameters() {
		if seen[p.Name] {
			t.Errorf("%s is listed twice", p.Name)
		}
		seen[p.Name] = true
		switch p.Standing {
		case engine.Obeyed:
		case engine.NotNeeded:
			if p.Reason == "" {
				t.Errorf("%s is not needed without a reason", p.Name)
			}
		case engine.Refused:
			if p.Reason == "" || p.Instead == "" {
				t.Errorf("%s is refused without a reason or what to use instead", p.Name)
			}
		default:
			t.Errorf("%s has the standing %q", p.Name, p.Standing)
		}
	}
	for _, name := range []string{"ConfigurationName", "AttemptSoftReboot", "OsRollingUpgrade", "SkipUpdateChecks", "ForceSelfUpdate"} {
		if p, _ := engine.FindParameter(name); p.Standing != engine.Refused {
			t.Errorf("%s is %q", name, p.Standing)
		}
	}
}
