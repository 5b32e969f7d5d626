package wizard_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cau/internal/message"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/tuitest"
	"cau/tui/wizard"
)

// flasher is somebody's plug-in that says what is wrong with its argument.
func flasher(asked *[]string, fails *error) backend.PluginInfo {
	return backend.PluginInfo{
		Name: "Example.Flasher", Description: "Flashes.", Others: true,
		Options: []plugins.OptionSpec{{Name: "Text", Kind: plugins.KindText, Default: "long", Caption: "Text"}},
		Check: func(_ context.Context, args plugins.Arguments) ([]plugins.ArgumentError, error) {
			*asked = append(*asked, args["Text"])
			switch {
			case *fails != nil:
				return nil, *fails
			case args["Text"] == "long":
				return []plugins.ArgumentError{{Name: "text", Problem: "is too long", Hint: "Make it shorter."}}, nil
			case args["Text"] == "odd":
				return []plugins.ArgumentError{{Name: "--arg", Problem: "does not fit the rest"}}, nil
			}
			return nil, nil
		},
	}
}

func TestAPluginIsAskedAboutItsArgumentsOnTheirPageBeforeAnythingIsPreviewed(t *testing.T) {
	t.Parallel()
	var asked []string
	var fails error
	s := &tuitest.Services{Others: []backend.PluginInfo{flasher(&asked, &fails)}}
	overview, err := s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := wizard.New(s, message.Texts{}, overview)
	goTo(t, w, wizard.Plugin)
	w.Set("plugin", "Example.Flasher")
	goTo(t, w, wizard.AdditionalOptions)
	work := func() error {
		t.Helper()
		if err := w.Next(); err != nil {
			t.Fatal(err)
		}
		p := w.Page()
		if p.ID != wizard.AdditionalOptions || p.Work == nil || w.Next() == nil {
			t.Fatalf("the plug-in is not asked: %+v", p)
		}
		return p.Work(t.Context(), func(string) {})
	}
	if err := work(); err != nil {
		t.Fatal(err)
	}
	if p := w.Page(); p.ID != wizard.AdditionalOptions || field(t, p, "Text").Problem != "is too long. Make it shorter." || w.Next() == nil {
		t.Errorf("%+v", p)
	}
	w.Set("Text", "odd")
	if p := w.Page(); p.Blocked != "" {
		t.Errorf("what was said of another value stays: %+v", p)
	}
	if err := work(); err != nil {
		t.Fatal(err)
	}
	if p := w.Page(); p.Blocked != "--arg: does not fit the rest" || w.Next() == nil {
		t.Errorf("%+v", p)
	}
	w.Set("Text", "x")
	fails = errors.New("it crashed")
	if err := work(); !errors.Is(err, fails) {
		t.Errorf("%v", err)
	}
	if !w.Back() || w.Page().ID != wizard.AdditionalOptions || w.Page().Work != nil {
		t.Errorf("back from a failure is not to the fields: %+v", w.Page())
	}
	if n := len(s.Previews()); n > 0 {
		t.Errorf("%d previews before the arguments were right", n)
	}
	fails = nil
	if err := work(); err != nil || w.Page().ID != wizard.Checks {
		t.Errorf("%v, now at %s", err, w.Page().ID)
	}
	p := goTo(t, w, wizard.Confirmation)
	text := ""
	for _, l := range p.Lines {
		text += l.Text + "\n"
	}
	if !strings.Contains(text, "Example.Flasher is not one of CAU's") || !strings.Contains(text, tuitest.OthersSource) {
		t.Errorf("the confirmation does not show what is trusted:\n%s", text)
	}
	if strings.Join(asked, " ") != "long odd x x" || len(s.Previews()) != 1 {
		t.Errorf("asked about %q, %d previews", asked, len(s.Previews()))
	}
}

func TestAFurtherPluginIsAskedToo(t *testing.T) {
	t.Parallel()
	var asked []string
	var fails error
	s := &tuitest.Services{Others: []backend.PluginInfo{flasher(&asked, &fails)}}
	overview, err := s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := wizard.New(s, message.Texts{}, overview)
	goTo(t, w, wizard.Plugin)
	w.Set("then:0", "Example.Flasher")
	goTo(t, w, wizard.AdditionalOptions)
	if err := w.Next(); err != nil {
		t.Fatal(err)
	}
	if err := w.Page().Work(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	if f := field(t, w.Page(), "1:Text"); f.Problem == "" || field(t, w.Page(), "HotfixRootFolderPath").Problem != "" {
		t.Errorf("%+v", w.Page())
	}
}
