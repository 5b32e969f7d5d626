package wizard_test

import (
	"strings"
	"testing"

	"cau/internal/check"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/page"
	"cau/tui/tuitest"
	"cau/tui/wizard"
)

func start(t *testing.T, s backend.Services) *wizard.Wizard {
	t.Helper()
	overview, err := s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return wizard.New(s, message.Texts{}, overview)
}

// goTo walks forward to a page, doing the work that pages ask for.
func goTo(t *testing.T, w *wizard.Wizard, id page.ID) page.Page {
	t.Helper()
	for range 10 {
		p := w.Page()
		for p.Work != nil {
			if err := p.Work(t.Context(), func(string) {}); err != nil {
				t.Fatal(err)
			}
			p = w.Page()
		}
		if p.ID == id {
			return p
		}
		if err := w.Next(); err != nil {
			t.Fatalf("leaving %s: %v", p.ID, err)
		}
	}
	t.Fatalf("%s was not reached", id)
	return page.Page{}
}

func field(t *testing.T, p page.Page, key string) page.Field {
	t.Helper()
	for _, f := range p.Fields {
		if f.Key == key {
			return f
		}
	}
	t.Fatalf("%s has no field %s: %+v", p.ID, key, p.Fields)
	return page.Field{}
}

func TestBackWorksFromEveryPageAndKeepsWhatWasFilledIn(t *testing.T) {
	s := &tuitest.Services{}
	w := start(t, s)
	goTo(t, w, wizard.AdditionalOptions)
	w.Set("HotfixRootFolderPath", `\\files2\share\root`)
	goTo(t, w, wizard.Confirmation)
	for i := range 6 {
		if !w.Back() {
			t.Fatalf("stuck after %d steps back", i)
		}
	}
	if w.Back() {
		t.Error("there is nothing before the first page")
	}
	p := goTo(t, w, wizard.AdditionalOptions)
	if got := field(t, p, "HotfixRootFolderPath").Value; got != `\\files2\share\root` {
		t.Errorf("the path is now %q", got)
	}
}

func TestAFieldsProblemStandsBesideItAndBlocksThePage(t *testing.T) {
	w := start(t, &tuitest.Services{})
	goTo(t, w, wizard.AdvancedOptions)
	for key, value := range map[string]string{"MaxFailedNodes": "4", "RebootTimeoutMinutes": "soon", "NodeOrder": "NODE1 NODE9", "StageNodesAtOnce": "0"} {
		before := field(t, w.Page(), key).Value
		w.Set(key, value)
		p := w.Page()
		if field(t, p, key).Problem == "" || p.Blocked == "" || w.Next() == nil {
			t.Errorf("%s=%s was let through", key, value)
		}
		w.Set(key, before)
	}
	if p := w.Page(); p.Blocked != "" {
		t.Errorf("mended, and still blocked: %s", p.Blocked)
	}
}

func TestR08_WhatIsStartedIsThePlanThatWasShownAndAChangeMakesItVoid(t *testing.T) {
	s := &tuitest.Services{}
	w := start(t, s)
	goTo(t, w, wizard.Preview)
	w.Back()
	w.Back()
	w.Set("HotfixInstallerTimeoutMinutes", "60")
	p := goTo(t, w, wizard.Confirmation)
	if len(s.Previews()) != 2 {
		t.Fatalf("%d previews; a change has to make a new one", len(s.Previews()))
	}
	if p.Next != "Update" {
		t.Errorf("the way forward is %q", p.Next)
	}
	if _, err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	started := s.StartedPlans()
	if len(started) != 1 || started[0].Arguments["HotfixInstallerTimeoutMinutes"] != "60" {
		t.Errorf("%+v", started)
	}
}

func TestR07_TheChecksPageOpensOnlyWhenEachUnverifiedCheckIsAcceptedAndNeverForAFailedOne(t *testing.T) {
	s := &tuitest.Services{Checks: []check.Result{
		{ID: "acl.root.writers", Outcome: check.CannotVerify, Evidence: "the permissions of the root could not be read"},
		{ID: "acl.config.writers", Outcome: check.CannotVerify, Evidence: "the permissions of the file could not be read"},
	}}
	w := start(t, s)
	p := goTo(t, w, wizard.Checks)
	if p.Blocked == "" || len(p.Fields) != 2 {
		t.Fatalf("%+v", p)
	}
	w.Set(p.Fields[0].Key, "True")
	if w.Next() == nil {
		t.Error("one of two accepted was enough")
	}
	w.Set(p.Fields[1].Key, "True")
	if err := w.Next(); err != nil {
		t.Error(err)
	}
	goTo(t, w, wizard.Confirmation)
	if _, err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.StartedPlans()[0].Accepted, " "); got != "acl.root.writers acl.config.writers" {
		t.Errorf("accepted %q", got)
	}

	s = &tuitest.Services{Checks: []check.Result{{ID: "config.present", Outcome: check.Fail, Evidence: "missing"}}}
	w = start(t, s)
	p = goTo(t, w, wizard.Checks)
	w.Set("accept:config.present", "True")
	if p.Blocked == "" || w.Next() == nil {
		t.Error("a failed check was opened")
	}
}

func TestConfirmationShowsBothCommandLines(t *testing.T) {
	w := start(t, &tuitest.Services{})
	p := goTo(t, w, wizard.Confirmation)
	var code []string
	for _, l := range p.Lines {
		if l.Tone == page.Code {
			code = append(code, l.Text)
		}
	}
	if len(code) != 2 || !strings.HasPrefix(code[0], "cau apply") || !strings.HasPrefix(code[1], "Invoke-CauRun") {
		t.Errorf("%q", code)
	}
}

func TestEveryPageHasATitleAndAnIntroduction(t *testing.T) {
	w := start(t, &tuitest.Services{})
	for _, e := range w.Rail() {
		p := goTo(t, w, e.ID)
		if strings.HasPrefix(p.Title, "[") || strings.HasPrefix(p.Intro, "[") || p.Next == "" {
			t.Errorf("%+v", p)
		}
		for _, f := range p.Fields {
			if f.Caption == "" || strings.HasPrefix(f.Help, "[") {
				t.Errorf("%s: %+v", e.ID, f)
			}
		}
	}
}

func TestPreviewAndConfirmationSayWhichScriptRunsAsWhomAndHowFilesCome(t *testing.T) {
	w := start(t, &tuitest.Services{})
	goTo(t, w, wizard.AdvancedOptions)
	for key, value := range map[string]string{"PreUpdateScript": "silence.cmd", "ScriptAs": "caller", "Delivery": "push", "SignaturePolicy": "require"} {
		w.Set(key, value)
	}
	if f := field(t, w.Page(), "PreUpdateScript"); !strings.Contains(f.Problem, ".ps1") {
		t.Errorf("%+v", f)
	}
	w.Set("PreUpdateScript", "silence.ps1")
	for _, id := range []page.ID{wizard.Preview, wizard.Confirmation} {
		var text string
		for _, l := range goTo(t, w, id).Lines {
			text += l.Text + "\n"
		}
		for _, want := range []string{
			"Before each node is paused: silence.ps1, run there as the account that signs in, for at most 30 minutes", "sha256 5feceb66  6 bytes",
			"the files are pushed to the node. It cannot read the root.", "an update without a valid one fails before it is started",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing in:\n%s", id, want, text)
			}
		}
		pulls := `pull: LAB\NODE4$ reads the root itself over SMB 3.1.1, signed.`
		if id == wizard.Confirmation {
			pulls = "They read their files themselves: NODE4, NODE1, NODE3"
		}
		if !strings.Contains(text, pulls) {
			t.Errorf("%s: %q is missing in:\n%s", id, pulls, text)
		}
	}
}
