package wizard_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/tui/backend"
	"cau/tui/page"
	"cau/tui/tuitest"
	"cau/tui/wizard"
)

// withoutConfig is a root that lacks the file which it is asked for.
func withoutConfig() []check.Result {
	return []check.Result{
		{ID: "config.present", Outcome: check.Fail, Subject: "DefaultHotfixConfig.xml", Evidence: "There is no file of this name."},
		{ID: "config.valid", Outcome: check.CannotVerify, Subject: "DefaultHotfixConfig.xml", Evidence: "There is no file to read."},
	}
}

// work does the page's work until there is none.
func work(t *testing.T, w *wizard.Wizard) error {
	t.Helper()
	for w.Page().Work != nil {
		if err := w.Page().Work(t.Context(), func(string) {}); err != nil {
			return err
		}
	}
	return nil
}

func TestAMissingConfigurationFileIsWrittenFromTheChecksPageWhenThatIsWanted(t *testing.T) {
	s := &tuitest.Services{Checks: withoutConfig()}
	w := start(t, s)
	p := goTo(t, w, wizard.Checks)
	f := field(t, p, "write-config")
	if f.Kind != page.Bool || f.Value != "False" || !strings.Contains(f.Caption, "DefaultHotfixConfig.xml") || !strings.Contains(f.Help, `\\FS1\Hotfixes\Root`) || p.Blocked == "" {
		t.Fatalf("%+v, blocked %q", f, p.Blocked)
	}
	if w.Next() == nil || len(s.Written()) > 0 {
		t.Fatal("it goes on, or writes, without being asked to")
	}
	w.Set("write-config", "True")
	if p := w.Page(); p.Blocked != "" || p.Next != "Write" {
		t.Fatalf("blocked %q, the way on is called %q", p.Blocked, p.Next)
	}
	if err := errors.Join(w.Next(), work(t, w)); err != nil {
		t.Fatal(err)
	}
	want := []backend.ConfigFile{{Root: `\\FS1\Hotfixes\Root`, Name: "DefaultHotfixConfig.xml"}}
	if got := s.Written(); !slices.Equal(got, want) || len(s.Previews()) != 2 {
		t.Errorf("written %v, checked %d times", got, len(s.Previews()))
	}
	p = w.Page()
	if p.ID != wizard.Checks || p.Blocked != "" || len(p.Fields) > 0 || !strings.Contains(p.Lines[0].Text, "was written") {
		t.Errorf("afterwards: %+v", p)
	}
	if err := w.Next(); err != nil || w.Page().ID != wizard.Preview {
		t.Errorf("it does not go on: %v", err)
	}
	if w.Back(); strings.Contains(w.Page().Lines[0].Text, "was written") {
		t.Error("it is said once more")
	}
}

func TestAFileThatCouldNotBeWrittenLeavesTheChecksAsTheyWere(t *testing.T) {
	s := &tuitest.Services{Checks: withoutConfig(), WriteErr: errors.New("access denied")}
	w := start(t, s)
	goTo(t, w, wizard.Checks)
	w.Set("write-config", "True")
	if err := errors.Join(w.Next(), work(t, w)); err == nil || !strings.Contains(err.Error(), "access denied") {
		t.Fatalf("%v", err)
	}
	if !w.Back() || w.Page().ID != wizard.Checks || w.Page().Work != nil || len(s.Previews()) != 1 {
		t.Errorf("back does not show the checks: %+v", w.Page())
	}
	if field(t, w.Page(), "write-config").Value != "True" {
		t.Error("what was wanted is forgotten")
	}
}

func TestNoFileIsOfferedWhereNoneIsMissing(t *testing.T) {
	for name, checks := range map[string][]check.Result{
		"it is not valid": {{ID: "config.valid", Outcome: check.Fail, Subject: "DefaultHotfixConfig.xml"}},
		"it is there":     {{ID: "config.present", Outcome: check.Pass, Subject: "DefaultHotfixConfig.xml"}},
	} {
		w := start(t, &tuitest.Services{Checks: checks})
		for _, f := range goTo(t, w, wizard.Checks).Fields {
			if f.Key == "write-config" {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}
